package scenarios

type serverForm struct {
	spot
	Bundled  bundledForm    `yaml:"bundled"`
	URL      text           `yaml:"url"`
	Insecure boolean        `yaml:"insecure"`
	Protocol text           `yaml:"protocol"`
	Login    list[stepForm] `yaml:"login"`
	Teardown list[stepForm] `yaml:"teardown"`
	Headers  named[text]    `yaml:"headers"`
	Breaker  breakerForm    `yaml:"breaker"`
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

// breakerForm is the word none, or what a breaker goes by.
type breakerForm struct {
	spot
	word  text
	Share share    `yaml:"share"`
	For   duration `yaml:"for"`
}

func (b *breakerForm) short() any { return &b.word }
