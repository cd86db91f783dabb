package run

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
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

// load carries out one load.
func (x *execution) load(work context.Context, i int, barrier time.Time) error {
	l := &x.plan.Loads[i]
	arrivals, err := x.arrivals(i)
	if err != nil {
		return fmt.Errorf("load %q: %w", l.Name, err)
	}
	if l.Flood {
		return x.flood(work, i, arrivals, barrier)
	}
	messages := x.messages(i)
	who := rand.New(rand.NewPCG(x.plan.Seed, seedOf(i, 1)))
	due := uint64(0)
	for {
		after, ok := arrivals.Next()
		if !ok {
			break
		}
		at := barrier.Add(l.Start + after)
		if !x.sleepUntil(work, at) {
			break
		}
		sender := who.IntN(len(messages))
		x.tally.posted.Add(1)
		x.senders[i][sender].Post(at.UnixNano()-x.epoch, messages[sender])
		due++
	}
	return x.save(func(r *history.Run) { r.Loads[i].Due = due })
}

// flood carries out a load of plain POSTs. Its Observations go past the tally: nothing waits for what a flood causes.
func (x *execution) flood(work context.Context, i int, arrivals *clients.Arrivals, barrier time.Time) error {
	l := &x.plan.Loads[i]
	if !x.sleepUntil(work, barrier.Add(l.Start)) {
		return nil
	}
	due := uint64(0)
	err := x.crowd.Flood(work, clients.FloodOptions{
		Client: x.floodID(i), Message: x.plan.message(i), Arrivals: arrivals, Length: l.Stages.Length(), Workers: uint64(l.Workers),
		Observe: func(batch []history.Observation) {
			due++ // a batch is a command and its reply
			x.o.Record.Observe(batch)
		},
	})
	return errors.Join(err, x.save(func(r *history.Run) { r.Loads[i].Due = due }))
}

// arrivals makes the schedule of a load: the same for the same plan and seed.
func (x *execution) arrivals(i int) (*clients.Arrivals, error) {
	l := &x.plan.Loads[i]
	var rng *rand.Rand
	if l.Poisson {
		rng = rand.New(rand.NewPCG(x.plan.Seed, seedOf(i, 0)))
	}
	arrivals := new(clients.Arrivals)
	for _, s := range l.Stages {
		if err := arrivals.Add(s.From, s.To, s.For, rng); err != nil {
			return nil, err
		}
	}
	return arrivals, nil
}

// seedOf gives each use of chance in each load a stream of its own, so that a change in one moves no draw of another.
func seedOf(load, use int) uint64 { return uint64(load)<<8 | uint64(use) }

// messages are what each sender of a load says.
func (x *execution) messages(i int) []*clients.Message {
	l := &x.plan.Loads[i]
	group := &x.plan.Groups[l.Group]
	messages := make([]*clients.Message, l.Only)
	for sender := range messages {
		m := x.plan.message(i)
		m.Channel = l.channel(group, sender)
		messages[sender] = &m
	}
	return messages
}

// floodID is the number under which the commands of a flood stand: they come after the clients, in the order of loads.
func (x *execution) floodID(load int) uint32 {
	id := uint32(x.plan.Clients())
	for i := range load {
		if x.plan.Loads[i].Flood {
			id++
		}
	}
	return id
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

// drain waits until every command is settled and every expected delivery has arrived, or until the limit has passed.
func (x *execution) drain() {
	stop := x.every("drain", x.plan.Drain)
	defer stop()
	limit := time.NewTimer(x.plan.Drain)
	defer limit.Stop()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for !x.tally.complete() {
		select {
		case <-poll.C:
		case <-limit.C:
			return
		}
	}
}
