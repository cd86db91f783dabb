package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"holobench/target"
)

// Breakable is a Node on which faults can be put.
type Breakable interface {
	Node

	Pause() error // it stands still, wherever it is
	Resume() error
	Kill() error                 // at once; Done is closed when it has ended
	Put(f target.BusFault) error // on the ways of its bus, or takes it away; of a node that has NodeOptions.BusFaults
}

// nodeSlot is where one node of the target stands: the process that is there, and those that were before it. As a Node it is the one
// that is there; it is safe for concurrent use.
type nodeSlot struct {
	number int

	mu     sync.Mutex
	now    Node
	before []Node
	asked  bool          // a fault killed the one that is there
	again  chan struct{} // closed when the next one stands; nil = none is to come
}

var errUnbreakable = errors.New("no backend can put faults on it, which runs in no process of its own")

func (s *nodeSlot) process() Node {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// all are the processes that stood here, in their order.
func (s *nodeSlot) all() []Node {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(slices.Clone(s.before), s.now)
}

// Addr implements Node.
func (s *nodeSlot) Addr() string { return s.process().Addr() }

// PID implements Node.
func (s *nodeSlot) PID() int { return s.process().PID() }

// Done implements Node.
func (s *nodeSlot) Done() <-chan struct{} { return s.process().Done() }

// Exit implements Node.
func (s *nodeSlot) Exit() string { return s.process().Exit() }

// Counters implements Node: a process that is started again counts on where the one before it ended.
func (s *nodeSlot) Counters() (map[string]uint64, error) { return s.process().Counters() }

// Journal implements Node: that of the process which is there.
func (s *nodeSlot) Journal() (io.ReadCloser, error) { return s.process().Journal() }

// Stop implements Node.
func (s *nodeSlot) Stop(ctx context.Context) error { return s.process().Stop(ctx) }

// breakable is the process as faults see it.
func (s *nodeSlot) breakable() (Breakable, error) {
	b, ok := s.process().(Breakable)
	if !ok {
		return nil, fmt.Errorf("node %d of the target: %w", s.number, errUnbreakable)
	}
	return b, nil
}

// dead says whether the process has ended.
func (s *nodeSlot) dead() bool {
	select {
	case <-s.Done():
		return true
	default:
		return false
	}
}

// condemn says that a fault is about to kill the process, and whether another is to take its place.
func (s *nodeSlot) condemn(comesBack bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = true
	if comesBack {
		s.again = make(chan struct{})
	}
}

// fate says whether a fault asked for the death of the process, and what is closed when another is there; nil = none is to come.
func (s *nodeSlot) fate() (asked bool, again <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked, s.again
}

// replace puts a process in the place of the one that has ended.
func (s *nodeSlot) replace(node Node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = append(s.before, s.now)
	s.now, s.asked = node, false
	if s.again != nil {
		close(s.again)
		s.again = nil
	}
}

func asNodes(slots []*nodeSlot) []Node {
	nodes := make([]Node, len(slots))
	for i, slot := range slots {
		nodes[i] = slot
	}
	return nodes
}
