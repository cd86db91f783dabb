package scenarios

// faultForm is one fault: when it is at work, whom it hits, and what it does. Each kind of fault is one key, with its form and all
// that belongs to it in a file fault_NAME.go.
type faultForm struct {
	spot
	Name  text      `yaml:"name"`
	At    duration  `yaml:"at"`
	For   duration  `yaml:"for"`
	Every duration  `yaml:"every"`
	Ramp  duration  `yaml:"ramp"`
	Where whereForm `yaml:"where"`

	Disconnect     disconnectForm `yaml:"disconnect"`
	ReconnectStorm stormForm      `yaml:"reconnect_storm"`
	Churn          churnForm      `yaml:"churn"`
}

// whereForm is a group of clients, or that with a share of them.
type whereForm struct {
	spot
	Clients text  `yaml:"clients"`
	Share   share `yaml:"share"`
}

func (w *whereForm) short() any { return &w.Clients }
