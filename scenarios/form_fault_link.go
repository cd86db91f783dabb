package scenarios

// The forms of the faults that a link carries out. What each does is the manual of faults, docs/faults.md.
type (
	// delayForm is an amount of time, or that with more.
	delayForm struct {
		spot
		one    text
		By     amountForm `yaml:"by"`
		Jitter amountForm `yaml:"jitter"`
		Hold   duration   `yaml:"hold"`
	}

	bandwidthForm struct {
		spot
		Rate  throughput `yaml:"rate"`
		Burst size       `yaml:"burst"`
	}

	sliceForm struct {
		spot
		Size size     `yaml:"size"`
		Gap  duration `yaml:"gap"`
	}

	stallForm struct {
		spot
		After size     `yaml:"after"`
		Hold  duration `yaml:"hold"`
	}

	lossForm struct {
		spot
		Rate    share    `yaml:"rate"`
		Timeout duration `yaml:"timeout"`
	}

	halfOpenForm struct{ spot }

	resetForm struct {
		spot
		Within duration `yaml:"within"`
		After  size     `yaml:"after"`
	}

	closeForm struct {
		spot
		Within duration `yaml:"within"`
		After  size     `yaml:"after"`
	}

	slowCloseForm struct {
		spot
		By amountForm `yaml:"by"`
	}

	limitDataForm struct {
		spot
		Bytes size `yaml:"bytes"`
	}

	slowReaderForm struct {
		spot
		Rate          throughput `yaml:"rate"`
		ReceiveBuffer size       `yaml:"receive_buffer"`
	}

	refuseForm struct {
		spot
		Share share `yaml:"share"`
	}

	acceptDelayForm struct {
		spot
		By amountForm `yaml:"by"`
	}

	httpAbortForm struct {
		spot
		Status integer `yaml:"status"`
		Method text    `yaml:"method"`
		Share  share   `yaml:"share"`
	}

	httpDelayForm struct {
		spot
		By     amountForm `yaml:"by"`
		Method text       `yaml:"method"`
		Share  share      `yaml:"share"`
	}

	// pickForm is how drop, duplicate, corrupt and truncate choose what they hit; it may be empty.
	pickForm struct {
		spot
		Share share   `yaml:"share"`
		Nth   integer `yaml:"nth"`
	}

	reorderForm struct {
		spot
		Distance integer `yaml:"distance"`
		Share    share   `yaml:"share"`
		Nth      integer `yaml:"nth"`
	}

	bufferForm struct {
		spot
		Bytes size     `yaml:"bytes"`
		For   duration `yaml:"for"`
	}

	heartbeatLossForm struct{ spot }
)

func (d *delayForm) short() any { return &d.one }
