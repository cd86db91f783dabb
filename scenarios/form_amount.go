package scenarios

// amountForm is an amount or a range of them, or a law of chance with what it needs. The unit is that of its place.
type amountForm struct {
	spot
	one     text
	Dist    text `yaml:"dist"`
	Value   text `yaml:"value"`
	Min     text `yaml:"min"`
	Max     text `yaml:"max"`
	Mean    text `yaml:"mean"`
	SD      text `yaml:"sd"`
	P50     text `yaml:"p50"`
	P99     text `yaml:"p99"`
	Shape   text `yaml:"shape"`
	Samples text `yaml:"samples"`
	Base    text `yaml:"base"`
	Cap     text `yaml:"cap"`
}

func (a *amountForm) short() any { return &a.one }

// place is where its value stands.
func (a *amountForm) place() *node {
	if a.one.given() {
		return a.one.at
	}
	return a.at
}
