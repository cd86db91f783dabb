package scenarios

type loadForm struct {
	spot
	By       byForm          `yaml:"by"`
	Flood    boolean         `yaml:"flood"`
	Workers  integer         `yaml:"workers" scale:"yes"`
	Rate     rate            `yaml:"rate" scale:"yes"`
	For      duration        `yaml:"for"`
	From     rate            `yaml:"from" scale:"yes"`
	Stages   list[stageForm] `yaml:"stages"`
	Arrivals arrivalsForm    `yaml:"arrivals"`
	Each     eachForm        `yaml:"each"`
	Burst    burstForm       `yaml:"burst"`
	When     whenForm        `yaml:"when"`
	Replay   replayForm      `yaml:"replay"`
	Capacity capacityForm    `yaml:"capacity"`
	Start    duration        `yaml:"start"`
	After    text            `yaml:"after"`
	InFlight integer         `yaml:"in_flight"`
	Send     text            `yaml:"send"`
	Channel  text            `yaml:"channel"`
	To       toForm          `yaml:"to"`
	Payload  payloadForm     `yaml:"payload"`
	Flow     flowForm        `yaml:"flow"`
}

// byForm is the name of a group of clients, or that with a number.
type byForm struct {
	spot
	Clients text    `yaml:"clients"`
	Only    integer `yaml:"only" scale:"yes"`
}

func (b *byForm) short() any { return &b.Clients }

type stageForm struct {
	spot
	Rate rate     `yaml:"rate" scale:"yes"`
	For  duration `yaml:"for"`
}

// arrivalsForm is a word, or a kind that needs more.
type arrivalsForm struct {
	spot
	word   text
	Sine   sineForm   `yaml:"sine"`
	Bursts burstsForm `yaml:"bursts"`
}

func (a *arrivalsForm) short() any { return &a.word }

type sineForm struct {
	spot
	Period duration `yaml:"period"`
	Swing  share    `yaml:"swing"`
}

type burstsForm struct {
	spot
	Busy  duration `yaml:"busy"`
	Quiet duration `yaml:"quiet"`
}

type eachForm struct {
	spot
	Every      amountForm `yaml:"every"`
	Iterations integer    `yaml:"iterations"`
}

type burstForm struct {
	spot
	Commands integer             `yaml:"commands" scale:"yes"`
	Within   duration            `yaml:"within"`
	At       oneOrMore[duration] `yaml:"at"`
}

type whenForm struct {
	spot
	Event text       `yaml:"event"`
	Share share      `yaml:"share"`
	After amountForm `yaml:"after"`
	Depth integer    `yaml:"depth"`
}

type replayForm struct {
	spot
	Run   text   `yaml:"run"`
	Load  text   `yaml:"load"`
	Speed factor `yaml:"speed"`
}

type capacityForm struct {
	spot
	From   rate     `yaml:"from" scale:"yes"`
	To     rate     `yaml:"to" scale:"yes"`
	Factor factor   `yaml:"factor"`
	Step   rate     `yaml:"step" scale:"yes"`
	Hold   duration `yaml:"hold"`
}

// toForm is the name of a group of clients, or that with which of them.
type toForm struct {
	spot
	Clients text `yaml:"clients"`
	Which   text `yaml:"which"`
}

func (t *toForm) short() any { return &t.Clients }

// payloadForm is a size, or a size with a text.
type payloadForm struct {
	spot
	Size amountForm `yaml:"size"`
	Text text       `yaml:"text"`
}

func (p *payloadForm) short() any { return &p.Size }
