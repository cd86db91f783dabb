package run

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"holobench/clients"
	"holobench/history"
)

// loads carries out every load of the plan and returns when the last is over, or when work ends.
func (x *execution) loads(work context.Context, barrier time.Time) error {
	stop := x.every("load", x.plan.End())
	defer stop()
	errs := make(chan error, len(x.plan.Loads))
	for i := range x.plan.Loads {
		go func() { errs <- x.load(work, i, barrier) }()
	}
	var first error
	for range x.plan.Loads {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// prepare makes what the loads need before the first client is there.
func (x *execution) prepare() {
	n := len(x.plan.Loads)
	x.due, x.over = make([]atomic.Uint64, n), make([]loadOver, n)
	x.performers, x.messages, x.reacting = make([][]performer, n), make([][]*clients.Message, n), make([]*reaction, n)
	x.listeners = make(map[uint32][]func(*clients.Heard))
	for i := range x.plan.Loads {
		x.over[i].done = make(chan struct{})
		if l := &x.plan.Loads[i]; !l.Flood {
			x.performers[i], x.messages[i] = make([]performer, l.Only), x.messagesOf(i)
		}
	}
	x.reactions()
}

// listen lets a client be asked for what it hears, before it is made.
func (x *execution) listen(client uint32, heard func(*clients.Heard)) {
	x.listeners[client] = append(x.listeners[client], heard)
}

// listener tells all who listen to a client; nil = nobody does.
func (x *execution) listener(client uint32) func(*clients.Heard) {
	all := x.listeners[client]
	if len(all) == 0 {
		return nil
	}
	return func(h *clients.Heard) {
		for _, heard := range all {
			heard(h)
		}
	}
}

// loadOver says when a load was over; of meaning when done is closed.
type loadOver struct {
	done chan struct{}
	at   time.Time
}

// load carries out one load.
func (x *execution) load(work context.Context, i int, barrier time.Time) error {
	l := &x.plan.Loads[i]
	defer close(x.over[i].done)
	start, ok := x.startOf(work, i, barrier)
	if !ok {
		return nil
	}
	executor := x.open
	switch {
	case l.Flood:
		executor = x.flood
	case l.Closed != nil:
		executor = x.closed
	case l.Reaction != nil:
		executor = x.react
	case l.Capacity != nil:
		executor = x.capacity
	default: // a burst and a replay are schedules, too
	}
	err := executor(work, i, start)
	x.over[i].at = start.Add(l.length())
	if l.Closed != nil || l.Capacity != nil {
		x.over[i].at = time.Now()
	}
	if err != nil {
		err = fmt.Errorf("load %q: %w", l.Name, err)
	}
	return errors.Join(err, x.save(func(r *history.Run) {
		r.Loads[i].Due = x.due[i].Load()
		if l.Capacity != nil || l.After != "" {
			r.Loads[i].From, r.Loads[i].To = int64(start.Sub(barrier)), int64(x.over[i].at.Sub(barrier))
		}
	}))
}

// startOf is when a load starts; it waits for the load that comes before, which may be over sooner or later than planned. ok is
// false when work ended first.
func (x *execution) startOf(work context.Context, i int, barrier time.Time) (start time.Time, ok bool) {
	l := &x.plan.Loads[i]
	if l.After == "" {
		return barrier.Add(l.Start), true
	}
	before := x.plan.indexOf(l.After)
	select {
	case <-x.over[before].done:
	case <-work.Done():
		return time.Time{}, false
	}
	return x.over[before].at.Add(max(0, l.Start-x.plan.Loads[before].End())), work.Err() == nil
}

// lastStretch is what is left to Options.Nanosleep before a command is due.
const lastStretch = 1500 * time.Microsecond

// sleepUntil waits for that time; false means that ctx ended first. A time that has passed is no reason to look at the
// clock twice: the schedule catches up, and the lateness shows as publish_delay.
//
// A timer of the Go runtime is late by up to 1 ms when the process is idle, since it waits in epoll_wait(2), which counts
// whole milliseconds. That is as much as a broadcast on one machine takes, so the last stretch is slept by the kernel.
func (x *execution) sleepUntil(ctx context.Context, at time.Time) bool {
	wait := time.Until(at)
	if x.o.Nanosleep != nil {
		wait -= lastStretch
	}
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return false
		}
	}
	if rest := time.Until(at); x.o.Nanosleep != nil && rest > 0 {
		x.o.Nanosleep(rest)
	}
	return ctx.Err() == nil
}
