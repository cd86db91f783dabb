package history

import "sync"

// Names numbers the names (channels, error texts) that Observations refer to. Number 0 is always the empty name. It is
// safe for concurrent use. It grows by what a run meets; whoever feeds it foreign text must bound it (see Err in clients).
type Names struct {
	mu     sync.RWMutex
	number map[string]uint32
	names  []string
}

// Number returns the number of name, and gives it one when it has none yet.
func (n *Names) Number(name string) uint32 {
	if name == "" {
		return 0
	}
	n.mu.RLock()
	number, ok := n.number[name]
	n.mu.RUnlock()
	if ok {
		return number
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if number, ok = n.number[name]; ok {
		return number
	}
	if n.number == nil {
		n.number = make(map[string]uint32)
		n.names = []string{""}
	}
	number = uint32(len(n.names))
	n.number[name] = number
	n.names = append(n.names, name)
	return number
}

// Name returns the name with that number; "" for an unknown one.
func (n *Names) Name(number uint32) string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if int(number) >= len(n.names) {
		return ""
	}
	return n.names[number]
}

// Len counts the names, the empty one not counted.
func (n *Names) Len() int {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return max(0, len(n.names)-1)
}
