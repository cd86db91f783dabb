package scenarios

type clientsForm struct {
	spot
	Count    integer     `yaml:"count" scale:"yes"`
	Channel  channelForm `yaml:"channel"`
	Stream   text        `yaml:"stream"`
	JoinOver duration    `yaml:"join_over"`
	ReadRate text        `yaml:"read_rate"`
	Network  text        `yaml:"network"`
	Engine   text        `yaml:"engine"`

	HTTP        text           `yaml:"http"`
	Connections text           `yaml:"connections"`
	Resequence  resequenceForm `yaml:"resequence"`
	Optimistic  boolean        `yaml:"optimistic"`
}

type resequenceForm struct {
	spot
	MaxHold duration `yaml:"max_hold"`
}

// channelForm is a name, a pattern with a count, or that of other clients.
type channelForm struct {
	spot
	name       text
	Pattern    text           `yaml:"pattern"`
	Count      integer        `yaml:"count" scale:"yes"`
	Popularity popularityForm `yaml:"popularity"`
	Same       text           `yaml:"same"`
}

func (c *channelForm) short() any { return &c.name }

type popularityForm struct {
	spot
	Zipf factor `yaml:"zipf"`
}
