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

	Delay         delayForm         `yaml:"delay"`
	Bandwidth     bandwidthForm     `yaml:"bandwidth"`
	Slice         sliceForm         `yaml:"slice"`
	Stall         stallForm         `yaml:"stall"`
	Loss          lossForm          `yaml:"loss"`
	HalfOpen      halfOpenForm      `yaml:"half_open"`
	Reset         resetForm         `yaml:"reset"`
	Close         closeForm         `yaml:"close"`
	SlowClose     slowCloseForm     `yaml:"slow_close"`
	LimitData     limitDataForm     `yaml:"limit_data"`
	SlowReader    slowReaderForm    `yaml:"slow_reader"`
	Refuse        refuseForm        `yaml:"refuse"`
	AcceptDelay   acceptDelayForm   `yaml:"accept_delay"`
	HTTPAbort     httpAbortForm     `yaml:"http_abort"`
	HTTPDelay     httpDelayForm     `yaml:"http_delay"`
	Drop          pickForm          `yaml:"drop"`
	Duplicate     pickForm          `yaml:"duplicate"`
	Reorder       reorderForm       `yaml:"reorder"`
	Corrupt       pickForm          `yaml:"corrupt"`
	Truncate      pickForm          `yaml:"truncate"`
	Buffer        bufferForm        `yaml:"buffer"`
	HeartbeatLoss heartbeatLossForm `yaml:"heartbeat_loss"`

	LinkDelay    linkDelayForm    `yaml:"link_delay"`
	Partition    partitionForm    `yaml:"partition"`
	Isolate      isolateForm      `yaml:"isolate"`
	BusDuplicate busDuplicateForm `yaml:"bus_duplicate"`
	Pause        pauseForm        `yaml:"pause"`
	Kill         killForm         `yaml:"kill"`
}

// whereForm is a group of clients, or that with a share of them.
type whereForm struct {
	spot
	Clients   text  `yaml:"clients"`
	Share     share `yaml:"share"`
	Path      text  `yaml:"path"`
	Direction text  `yaml:"direction"`
}

func (w *whereForm) short() any { return &w.Clients }
