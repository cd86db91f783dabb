package scenarios

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
