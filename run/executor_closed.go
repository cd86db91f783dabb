package run

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"holobench/internal/draw"
)

// closed carries out a load whose senders wait for the end of each act, pause, and act again: the slower the server, the less it
// is asked. An act is due when the pause before it is over. Senders do not begin all at once but spread over one pause, as if
// the load had gone on before.
//
// The load is over when its time is, whatever acts are still under way, or else when each sender has made its iterations.
func (x *execution) closed(work context.Context, i int, start time.Time) error {
	l := &x.plan.Loads[i]
	from := start.UnixNano() - x.epoch
	end := int64(math.MaxInt64)
	if l.Closed.For > 0 {
		end = from + int64(l.Closed.For)
	}
	g, left := newAgenda(), new(atomic.Int64)
	for sender := range l.Only {
		if x.plan.sends(i, sender) {
			left.Add(1)
			g.add(act{load: i, sender: sender, due: from + int64(x.plan.firstAct(i, sender))})
		}
	}
	x.carryOutAgenda(work, g, end, func() bool { return left.Load() == 0 }, func(a act) {
		x.begin(a, func() {
			next := a
			next.index, next.due = a.index+1, x.now()+int64(x.plan.pause(i, a.sender, a.index))
			if l.Closed.Iterations > 0 && next.index >= uint64(l.Closed.Iterations) { //nolint:gosec // not negative
				left.Add(-1)
				g.wake()
			} else if next.due < end {
				g.add(next)
			}
		})
	})
	return nil
}

// pause is how long a sender pauses after that act.
func (p *Plan) pause(i, sender int, index uint64) time.Duration {
	return p.Loads[i].Closed.Every.Duration(draw.Unit(p.seed(i, ofPause), uint64(sender), index)) //nolint:gosec // not negative
}

// firstAct is when a sender acts first, after the start of the load.
func (p *Plan) firstAct(i, sender int) time.Duration {
	seed := p.seed(i, ofFirst)
	pause := p.Loads[i].Closed.Every.Duration(draw.Unit(seed, uint64(sender), 0)) //nolint:gosec // not negative
	return time.Duration(draw.Unit(seed, uint64(sender), 1) * float64(pause))     //nolint:gosec // not negative
}
