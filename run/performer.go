package run

import (
	"context"
	"sync"
)

// performer lets one sender go through the acts of a load that are flows, as many at once as the load's in_flight says. Others wait,
// first in, first out; when too many do, an act is dropped, as a command is whose client's queue is full.
type performer struct {
	mu      sync.Mutex
	waiting []performance
	active  int
}

// performance is an act, and what is called when it is over.
type performance struct {
	act  act
	over func()
}

// maxWaiting is how many acts may wait for one sender.
const maxWaiting = 1024

// enact lets a sender go through a flow as soon as it can.
func (x *execution) enact(a act, over func()) {
	x.tally.posted.Add(1) // an act is waited for in the drain as a command is
	p, next := &x.performers[a.load][a.sender], performance{act: a, over: over}
	p.mu.Lock()
	switch {
	case p.active < x.plan.Loads[a.load].inFlight():
		p.active++
		x.acting.Go(func() { x.perform(p, next) })
	case len(p.waiting) < maxWaiting:
		p.waiting = append(p.waiting, next)
	default:
		defer x.drop(next, nil)
	}
	p.mu.Unlock()
}

// perform goes through one act after the other until none waits.
func (x *execution) perform(p *performer, next performance) {
	for {
		if x.posting.Err() != nil {
			x.drop(next, context.Cause(x.posting))
		} else {
			x.flow(x.posting, next.act)
			x.tally.settled.Add(1)
			next.over()
		}
		p.mu.Lock()
		if len(p.waiting) == 0 {
			p.active--
			p.mu.Unlock()
			return
		}
		next, p.waiting = p.waiting[0], p.waiting[1:]
		p.mu.Unlock()
	}
}

// drop notes an act that will not be gone through: why it ended first, or nil when too many waited.
func (x *execution) drop(dropped performance, why error) {
	a := dropped.act
	m := x.plan.message(a.load)
	m.Channel = x.plan.Loads[a.load].channel(&x.plan.Groups[x.plan.Loads[a.load].Group], a.sender)
	x.due[a.load].Add(1)
	x.senders[a.load][a.sender].Drop(a.due, &m, why) // it is settled by that
	dropped.over()
}
