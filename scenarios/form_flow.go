package scenarios

// flowForm is what a client does, step by step.
type flowForm struct{ list[flowStepForm] }

// flowStepForm is one step: one of the verbs, and what goes with it.
type flowStepForm struct {
	spot
	Send        text               `yaml:"send"`
	Channel     text               `yaml:"channel"`
	To          toForm             `yaml:"to"`
	Payload     payloadForm        `yaml:"payload"`
	With        named[text]        `yaml:"with"`
	Get         text               `yaml:"get"`
	OnReply     named[flowForm]    `yaml:"on_reply"`
	Resend      integer            `yaml:"resend"`
	Subscribe   text               `yaml:"subscribe"`
	Unsubscribe text               `yaml:"unsubscribe"`
	Think       amountForm         `yaml:"think"`
	Expect      expectForm         `yaml:"expect"`
	Capture     named[captureForm] `yaml:"capture"`
	Repeat      repeatForm         `yaml:"repeat"`
	Choose      list[wayForm]      `yaml:"choose"`
	If          ifForm             `yaml:"if"`
	Barrier     barrierForm        `yaml:"barrier"`
	Disconnect  bareForm           `yaml:"disconnect"`
	Reconnect   reconnectForm      `yaml:"reconnect"`
	Log         text               `yaml:"log"`
}

// expectForm is whose event is waited for, or that with more.
type expectForm struct {
	spot
	Event   text      `yaml:"event"`
	Channel text      `yaml:"channel"`
	Within  duration  `yaml:"within"`
	Count   integer   `yaml:"count"`
	Until   untilForm `yaml:"until"`
}

func (e *expectForm) short() any { return &e.Event }

// untilForm is what the last of several events has.
type untilForm struct {
	spot
	JSON  text `yaml:"json"`
	Regex text `yaml:"regex"`
	Is    text `yaml:"is"`
}

// captureForm is what is kept: all of the latest reply or event, or a part of it.
type captureForm struct {
	spot
	From   text `yaml:"from"`
	JSON   text `yaml:"json"`
	Regex  text `yaml:"regex"`
	Header text `yaml:"header"`
}

func (c *captureForm) short() any { return &c.From }

type repeatForm struct {
	spot
	Times amountForm `yaml:"times"`
	Flow  flowForm   `yaml:"flow"`
}

type wayForm struct {
	spot
	Share share    `yaml:"share"`
	Flow  flowForm `yaml:"flow"`
}

// ifForm is a comparison, one of those keys that a Comparison names, and two ways.
type ifForm struct {
	spot
	Value    text     `yaml:"value"`
	Is       text     `yaml:"is"`
	IsNot    text     `yaml:"is_not"`
	Below    text     `yaml:"below"`
	Above    text     `yaml:"above"`
	AtMost   text     `yaml:"at_most"`
	AtLeast  text     `yaml:"at_least"`
	Contains text     `yaml:"contains"`
	Matches  text     `yaml:"matches"`
	Then     flowForm `yaml:"then"`
	Else     flowForm `yaml:"else"`
}

// barrierForm is the name of a barrier, or that with more.
type barrierForm struct {
	spot
	Name   text     `yaml:"name"`
	Within duration `yaml:"within"`
}

func (b *barrierForm) short() any { return &b.Name }

type reconnectForm struct {
	spot
	Within duration `yaml:"within"`
}

// bareForm is a step that needs nothing: {}.
type bareForm struct{ spot }

type atEndForm struct {
	spot
	Settle   duration     `yaml:"settle"`
	Converge convergeForm `yaml:"converge"`
}

type convergeForm struct {
	spot
	Get     text        `yaml:"get"`
	Compare compareForm `yaml:"compare"`
	Among   text        `yaml:"among"`
}

// compareForm is the word body, or which part of it.
type compareForm struct {
	spot
	word  text
	JSON  text `yaml:"json"`
	Regex text `yaml:"regex"`
}

func (c *compareForm) short() any { return &c.word }
