package scenarios

type clientsForm struct {
	spot
	Count   integer     `yaml:"count" scale:"yes"`
	Channel channelForm `yaml:"channel"`
	Stream  text        `yaml:"stream"`
}

// channelForm is a name, or a pattern with a count.
type channelForm struct {
	spot
	name    text
	Pattern text    `yaml:"pattern"`
	Count   integer `yaml:"count" scale:"yes"`
}

func (c *channelForm) short() any { return &c.name }
