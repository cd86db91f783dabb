package scenarios

// The forms (form*.go, a section each) are the language: one field a key, read strictly. Their tags are what docs/scenarios.md must explain. Exported
// fields, because reflection fills them; nobody outside sees the types.

type fileForm struct {
	spot
	Version    integer            `yaml:"version"`
	Name       text               `yaml:"name"`
	Seed       integer            `yaml:"seed"`
	Server     serverForm         `yaml:"server"`
	Feeds      named[feedForm]    `yaml:"feeds"`
	Values     named[valueForm]   `yaml:"values"`
	Clients    named[clientsForm] `yaml:"clients"`
	Load       named[loadForm]    `yaml:"load"`
	Windows    named[interval]    `yaml:"windows"`
	Faults     list[faultForm]    `yaml:"faults"`
	Drain      duration           `yaml:"drain"`
	Ordering   orderingForm       `yaml:"ordering"`
	Guarantees guaranteesForm     `yaml:"guarantees"`
	Budgets    named[budgetForm]  `yaml:"budgets"`
	AtEnd      atEndForm          `yaml:"at_end"`
	Profiles   named[overlayForm] `yaml:"profiles"`
}
