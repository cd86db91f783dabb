package scenarios

// The forms are the language: one field a key, read strictly. Their tags are what docs/scenarios.md must explain. Exported
// fields, because reflection fills them; nobody outside sees the types.

type fileForm struct {
	spot
	Version    integer            `yaml:"version"`
	Name       text               `yaml:"name"`
	Seed       integer            `yaml:"seed"`
	Server     serverForm         `yaml:"server"`
	Clients    named[clientsForm] `yaml:"clients"`
	Load       named[loadForm]    `yaml:"load"`
	Windows    named[interval]    `yaml:"windows"`
	Drain      duration           `yaml:"drain"`
	Ordering   orderingForm       `yaml:"ordering"`
	Guarantees guaranteesForm     `yaml:"guarantees"`
	Budgets    named[budgetForm]  `yaml:"budgets"`
}

type serverForm struct {
	spot
	Bundled bundledForm `yaml:"bundled"`
	Headers named[text] `yaml:"headers"`
}

type bundledForm struct {
	spot
	Design          text     `yaml:"design"`
	Wire            text     `yaml:"wire"`
	Transport       text     `yaml:"transport"`
	Nodes           integer  `yaml:"nodes"`
	Bus             busForm  `yaml:"bus"`
	Spread          text     `yaml:"spread"`
	Dispatch        text     `yaml:"dispatch"`
	Stamp           text     `yaml:"stamp"`
	Echo            text     `yaml:"echo"`
	Registry        text     `yaml:"registry"`
	WhenFull        text     `yaml:"when_full"`
	Outbox          integer  `yaml:"outbox"`
	Replay          integer  `yaml:"replay"`
	FanoutOrder     text     `yaml:"fanout_order"`
	ServerTriggered rate     `yaml:"server_triggered"`
	Heartbeat       duration `yaml:"heartbeat"`
}

// busForm is a kind of bus, or that with more.
type busForm struct {
	spot
	Kind  text     `yaml:"kind"`
	URL   text     `yaml:"url"`
	Delay duration `yaml:"delay"`
}

func (b *busForm) short() any { return &b.Kind }

type clientsForm struct {
	spot
	Count   integer     `yaml:"count"`
	Channel channelForm `yaml:"channel"`
	Stream  text        `yaml:"stream"`
}

// channelForm is a name, or a pattern with a count.
type channelForm struct {
	spot
	name    text
	Pattern text    `yaml:"pattern"`
	Count   integer `yaml:"count"`
}

func (c *channelForm) short() any { return &c.name }

type loadForm struct {
	spot
	By       byForm          `yaml:"by"`
	Flood    boolean         `yaml:"flood"`
	Workers  integer         `yaml:"workers"`
	Rate     rate            `yaml:"rate"`
	For      duration        `yaml:"for"`
	From     rate            `yaml:"from"`
	Stages   list[stageForm] `yaml:"stages"`
	Arrivals text            `yaml:"arrivals"`
	Start    duration        `yaml:"start"`
	InFlight integer         `yaml:"in_flight"`
	Send     text            `yaml:"send"`
	Channel  text            `yaml:"channel"`
	Payload  payloadForm     `yaml:"payload"`
}

// byForm is the name of a group of clients, or that with a number.
type byForm struct {
	spot
	Clients text    `yaml:"clients"`
	Only    integer `yaml:"only"`
}

func (b *byForm) short() any { return &b.Clients }

type stageForm struct {
	spot
	Rate rate     `yaml:"rate"`
	For  duration `yaml:"for"`
}

// payloadForm is a size, or a size with a text.
type payloadForm struct {
	spot
	Size size `yaml:"size"`
	Text text `yaml:"text"`
}

func (p *payloadForm) short() any { return &p.Size }

type orderingForm struct {
	spot
	Window duration `yaml:"window"`
}

type guaranteesForm struct {
	spot
	FIFO  fifoForm  `yaml:"fifo"`
	Total totalForm `yaml:"total"`
}

// fifoForm is the word held, or how many pairs it takes. It speaks of one publisher, so that there is no among.
type fifoForm struct {
	spot
	word   text
	AtRisk integer `yaml:"at_risk_at_least"`
}

func (f *fifoForm) short() any { return &f.word }

// totalForm is the word held, or whom it binds and how many pairs it takes.
type totalForm struct {
	spot
	word   text
	Among  text    `yaml:"among"`
	AtRisk integer `yaml:"at_risk_at_least"`
}

func (t *totalForm) short() any { return &t.word }

type budgetForm struct {
	oneOrMore[thresholdForm]
}

// thresholdForm is a threshold expression, or that under a key.
type thresholdForm struct {
	spot
	Threshold text `yaml:"threshold"`
}

func (t *thresholdForm) short() any { return &t.Threshold }
