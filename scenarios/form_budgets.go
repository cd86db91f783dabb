package scenarios

type budgetForm struct {
	oneOrMore[thresholdForm]
}

// thresholdForm is a threshold expression, or that with what becomes of the run when it does not hold. The keys are those of k6.
type thresholdForm struct {
	spot
	Threshold      text     `yaml:"threshold"`
	AbortOnFail    boolean  `yaml:"abortOnFail"`
	DelayAbortEval duration `yaml:"delayAbortEval"`
}

func (t *thresholdForm) short() any { return &t.Threshold }
