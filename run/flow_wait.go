package run

import (
	"context"
	"sync"

	"holobench/scenarios"
	"holobench/wire"
)

// think waits for a drawn time.
func (w *walk) think(s *scenarios.Think) error {
	if !pause(w.ctx, s.For.Duration(w.uniform(s.Place))) {
		return context.Cause(w.ctx)
	}
	return nil
}

// meetings are the barriers of all flows.
type meetings struct {
	mu  sync.Mutex
	all map[meeting]*gathering
}

// meeting names one: the n-th time at which the actors of a load come to that barrier.
type meeting struct {
	load int
	name string
	time int
}

// gathering is who has come to it.
type gathering struct {
	missing int
	done    chan struct{} // closed when none is
}

// come says that one of count actors has come, and returns what is closed when all have.
func (m *meetings) come(to meeting, count int) <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.all == nil {
		m.all = make(map[meeting]*gathering)
	}
	g := m.all[to]
	if g == nil {
		g = &gathering{missing: count, done: make(chan struct{})}
		m.all[to] = g
	}
	if g.missing--; g.missing == 0 {
		close(g.done)
		delete(m.all, to)
	}
	return g.done
}

// parties is how many actors a load has here.
func (x *execution) parties(load int) (n int) {
	for _, a := range x.actors[load] {
		if a != nil {
			n++
		}
	}
	return n
}

// barrier waits for the other actors of the load. One that does not wait any longer has come all the same.
func (w *walk) barrier(s *scenarios.Barrier) error {
	began := w.x.now()
	to := meeting{load: w.load, name: s.Name, time: w.visit(s.Name)}
	done := w.x.meetings.come(to, w.x.parties(w.load))
	ctx, cancel := w.within(s.Within)
	defer cancel()
	select {
	case <-done:
	case <-ctx.Done():
		select {
		case <-done: // both at once: they are there
		default:
			return w.unmet(s.Place, began, s.Within)
		}
	}
	w.expected(s.Place, began, w.x.now(), wire.EventID{}, "")
	return nil
}
