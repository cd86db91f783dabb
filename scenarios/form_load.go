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
	Arrivals text            `yaml:"arrivals"`
	Start    duration        `yaml:"start"`
	InFlight integer         `yaml:"in_flight"`
	Send     text            `yaml:"send"`
	Channel  text            `yaml:"channel"`
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

// payloadForm is a size, or a size with a text.
type payloadForm struct {
	spot
	Size amountForm `yaml:"size"`
	Text text       `yaml:"text"`
}

func (p *payloadForm) short() any { return &p.Size }
