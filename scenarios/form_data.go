package scenarios

// feedForm is a CSV file, or that with more.
type feedForm struct {
	spot
	CSV    text            `yaml:"csv"`
	Take   text            `yaml:"take"`
	Secret oneOrMore[text] `yaml:"secret"`
}

func (f *feedForm) short() any { return &f.CSV }

// valueForm is a kind of value that needs nothing more, or a kind with what it needs.
type valueForm struct {
	spot
	word     text
	Int      text         `yaml:"int"`
	Text     amountForm   `yaml:"text"`
	Hex      amountForm   `yaml:"hex"`
	Pick     list[text]   `yaml:"pick"`
	Shares   list[share]  `yaml:"shares"`
	Sequence sequenceForm `yaml:"sequence"`
	Zipf     text         `yaml:"zipf"`
	Per      text         `yaml:"per"`
}

func (v *valueForm) short() any { return &v.word }

// sequenceForm is where a sequence begins, or that with how it goes on.
type sequenceForm struct {
	spot
	From integer `yaml:"from"`
	Step integer `yaml:"step"`
}

func (s *sequenceForm) short() any { return &s.From }
