package scenarios

type budgetForm struct {
	oneOrMore[thresholdForm]
}

// thresholdForm is a threshold expression, or that under a key.
type thresholdForm struct {
	spot
	Threshold text `yaml:"threshold"`
}

func (t *thresholdForm) short() any { return &t.Threshold }
