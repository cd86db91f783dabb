package run

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"holobench/history"
	"holobench/scenarios"
)

// guard looks on as a run talks to its server, and ends the run when that is more than was allowed, or does no good any more. What it
// judges by are the Observations of the run, on their way to the record.
type guard struct {
	next    func([]history.Observation)
	breaker scenarios.Breaker
	pace    *pace // nil = the run may send as fast as it does
	end     context.CancelCauseFunc

	mu         sync.Mutex
	good, bad  int // requests that ended since the breaker looked last
	subscribed map[stream]bool
}

// newGuard makes the guard of a plan.
func newGuard(p *Plan, next func([]history.Observation)) *guard {
	g := &guard{next: next, breaker: p.Breaker, subscribed: make(map[stream]bool)}
	if p.MaxRate > 0 {
		g.pace = newPace(p.MaxRate)
	}
	return g
}

// observe looks at a batch and hands it on.
func (g *guard) observe(batch []history.Observation) {
	if g.breaker.Share > 0 || g.pace != nil {
		g.look(batch)
	}
	g.next(batch)
}

func (g *guard) look(batch []history.Observation) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range batch {
		switch o := &batch[i]; o.Kind {
		case history.Sent:
			if g.pace != nil && !g.pace.take(o.At) {
				g.end(&tooFastError{g.pace.limit})
			}
		case history.Replied:
			g.count(o.Err == history.NoErr)
		case history.Unknown, history.Refused:
			g.count(false)
		case history.Subscribed:
			if key := (stream{o.Client, o.Conn}); !g.subscribed[key] {
				g.subscribed[key] = true
				g.count(true)
			}
		case history.Ended, history.Closed:
			key := stream{o.Client, o.Conn}
			if !g.subscribed[key] && o.Kind == history.Ended {
				g.count(false) // it asked for a stream and got none
			}
			delete(g.subscribed, key)
		default:
		}
	}
}

func (g *guard) count(ok bool) {
	if ok {
		g.good++
	} else {
		g.bad++
	}
}

// since says how the requests ended since it was called last.
func (g *guard) since() (good, bad int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	good, bad = g.good, g.bad
	g.good, g.bad = 0, 0
	return good, bad
}

// watch looks once a second whether the server still answers, until the function that it returns is called.
func (g *guard) watch(work context.Context) (stop func()) {
	if g.breaker.Share == 0 {
		return func() {}
	}
	var now badSpell
	return eachSecond(work.Done(), func() (more bool) {
		good, bad := g.since()
		now.second(good, bad, g.breaker.Share)
		if bad > 0 && now.failed >= leastFailures && now.length >= g.breaker.For {
			g.end(&brokenError{g.breaker})
			return false
		}
		return true
	})
}

// badSpell is a time in which most requests failed, in each second in which any ended.
type badSpell struct {
	length time.Duration
	failed int
}

// leastFailures is how many requests must have failed before it is the server that is held to fail.
const leastFailures = 10

// second takes one more second into account, in which so many requests ended well and so many did not. A second in which none ended says
// nothing: they may hang.
func (o *badSpell) second(good, bad int, share float64) {
	switch {
	case good+bad > 0 && float64(bad) <= share*float64(good+bad):
		*o = badSpell{}
	case bad > 0 || o.length > 0:
		o.length += time.Second
		o.failed += bad
	}
}

// brokenError is the cause that ends a run because its server answers most requests with failures.
type brokenError struct{ breaker scenarios.Breaker }

// Error implements error.
func (e *brokenError) Error() string {
	return fmt.Sprintf("the breaker ended the run: for %v more than %.4g%% of the requests failed, in every second in which any ended "+
		"(is that what was to be seen? then say server.breaker: none)", e.breaker.For, 100*e.breaker.Share)
}

// tooFastError is the cause that ends a run because it sent more than it was allowed to.
type tooFastError struct{ limit float64 }

// Error implements error.
func (e *tooFastError) Error() string {
	return fmt.Sprintf("the run was ended because it sent more than the %g commands a second that it may (--max-rate): its loads send as fast as replies or events come, "+
		"or unevenly; give them a rate below that, or allow more", e.limit)
}

// pace says when commands come faster than they may. Over any time t it lets pass as many as the limit allows in t, and as many again as in
// one second, so that a command which is late through no fault of its own, and falls together with the next, breaks nothing.
type pace struct {
	limit  float64 // a second
	room   float64
	most   float64
	before int64
}

// leastRoom is the room that a pace has at least: with a limit of 2 a second arrivals of Poisson's would else soon be too many.
const leastRoom = 20

func newPace(limit float64) *pace {
	most := math.Max(limit, leastRoom)
	return &pace{limit: limit, room: most, most: most}
}

// take takes a command that was sent then into account; false = it is one too many.
func (p *pace) take(at int64) bool {
	if at > p.before {
		p.room = math.Min(p.most, p.room+p.limit*float64(at-p.before)/1e9)
		p.before = at
	}
	p.room--
	return p.room >= 0
}
