package run

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// agenda is what the clients of one load are to do and when, as far as that is known. Others add to it while one goroutine carries
// it out, in the order of the due times: so ten thousand clients that pause need no goroutine each.
type agenda struct {
	mu      sync.Mutex
	acts    dueFirst
	changed chan struct{} // holds a token when something was added since it was last looked at
}

func newAgenda() *agenda { return &agenda{changed: make(chan struct{}, 1)} }

// add takes an act, of which due says when.
func (g *agenda) add(a act) {
	g.mu.Lock()
	heap.Push(&g.acts, a)
	first := g.acts[0].due == a.due
	g.mu.Unlock()
	if first {
		g.wake()
	}
}

// wake lets who carries the agenda out look at it again.
func (g *agenda) wake() {
	select {
	case g.changed <- struct{}{}:
	default:
	}
}

// first is the act that is due first.
func (g *agenda) first() (a act, any bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.acts) == 0 {
		return act{}, false
	}
	return g.acts[0], true
}

// take takes the act that is due first away, when that is not after now.
func (g *agenda) take(now int64) (a act, taken bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.acts) == 0 || g.acts[0].due > now {
		return act{}, false
	}
	return heap.Pop(&g.acts).(act), true
}

// carryOutAgenda hands each act to do when it is due, until ctx ends, or what is due is not before until (ns of the run), or over says,
// after something was added or wake was called, that there is no more to come.
func (x *execution) carryOutAgenda(ctx context.Context, g *agenda, until int64, over func() bool, do func(act)) {
	for ctx.Err() == nil && !over() {
		next, any := g.first()
		at := until
		if any {
			at = min(at, next.due)
		}
		if !x.sleepOrChange(ctx, g, at) {
			continue
		}
		if at >= until {
			return
		}
		if a, taken := g.take(x.now()); taken {
			do(a)
		}
	}
}

// sleepOrChange waits for a time of the run; false means that the agenda changed, or ctx ended, first.
func (x *execution) sleepOrChange(ctx context.Context, g *agenda, at int64) bool {
	wait := time.Duration(at - x.now())
	if x.o.Nanosleep != nil {
		wait -= lastStretch
	}
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-g.changed:
			return false
		case <-ctx.Done():
			return false
		}
	}
	for rest := time.Duration(at - x.now()); x.o.Nanosleep != nil && rest > 0; rest = time.Duration(at - x.now()) {
		x.o.Nanosleep(min(rest, shortSleep)) // which nothing can wake
		select {
		case <-g.changed:
			return false
		default:
		}
	}
	return ctx.Err() == nil
}

// shortSleep bounds how late what was added meanwhile can be begun.
const shortSleep = 200 * time.Microsecond

// dueFirst is a heap of acts, and of equal ones the sender of the lowest number comes first.
type dueFirst []act

// Len implements heap.Interface.
func (d dueFirst) Len() int { return len(d) }

// Less implements heap.Interface.
func (d dueFirst) Less(i, j int) bool {
	if d[i].due != d[j].due {
		return d[i].due < d[j].due
	}
	return d[i].sender < d[j].sender
}

// Swap implements heap.Interface.
func (d dueFirst) Swap(i, j int) { d[i], d[j] = d[j], d[i] }

// Push implements heap.Interface.
func (d *dueFirst) Push(a any) { *d = append(*d, a.(act)) }

// Pop implements heap.Interface.
func (d *dueFirst) Pop() any {
	last := len(*d) - 1
	a := (*d)[last]
	*d = (*d)[:last]
	return a
}
