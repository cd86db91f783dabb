package scenarios

// node is one value or key of a scenario file, apart from the YAML library that read it. Aliases and merge keys are
// resolved: two nodes may share their children, which stand where the anchor was.
type node struct {
	kind         nodeKind
	text         string  // of a scalar
	origin       string  // of a scalar: as it is spelled in the file, with its quotes
	line, column int     // from 1; column in characters
	source       string  // where it stands when that is not the file: "--set clients.members.count"; it has no line then
	entries      []entry // of a mapping, in the order of the file
	items        []*node // of a list
}

// entry is one key of a mapping with its value.
type entry struct{ key, value *node }

// find returns what stands under a key of a mapping; nil when nothing does.
func (n *node) find(key string) *node {
	for _, e := range n.entries {
		if e.key.text == key {
			return e.value
		}
	}
	return nil
}

type nodeKind int

const (
	scalarNode nodeKind = iota
	emptyNode           // a key without a value, or null
	badNode             // something that was reported already
	listNode
	mappingNode
)

// String names the kind as messages do.
func (k nodeKind) String() string {
	switch k {
	case scalarNode:
		return "a single value"
	case listNode:
		return "a list"
	case mappingNode:
		return "a mapping"
	default:
		return "nothing"
	}
}
