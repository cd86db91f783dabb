package scenarios

// The limits of what a client does in one act, and of its data.
const (
	maxParts     = 500 // of one template
	maxReference = 200 // bytes of a name in a template
)
