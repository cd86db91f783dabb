package scenarios

// The forms of the faults of the bundled target's nodes and of the bus between them.
type (
	// between is groups of nodes, by their numbers.
	between struct{ list[oneOrMore[integer]] }

	linkDelayForm struct {
		spot
		Between between    `yaml:"between"`
		By      amountForm `yaml:"by"`
	}

	partitionForm struct {
		spot
		Between between `yaml:"between"`
		OneWay  boolean `yaml:"one_way"`
	}

	isolateForm struct {
		spot
		Node integer `yaml:"node"`
	}

	busDuplicateForm struct {
		spot
		Between between `yaml:"between"`
		Share   share   `yaml:"share"`
	}

	pauseForm struct {
		spot
		Node integer `yaml:"node"`
	}

	killForm struct {
		spot
		Node    integer `yaml:"node"`
		Restart boolean `yaml:"restart"`
	}
)
