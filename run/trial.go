package run

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"holobench/clients"
	"holobench/history"
	"holobench/wire"
)

// Trial is what one client of a plan met when it subscribed and, if it was asked to, sent one command. Times count from the beginning
// of the trial; 0 = it did not happen.
type Trial struct {
	Client  string // who it was: "client 1 of members"
	Channel string
	Sends   bool // it was to send a command

	Exchanges []Exchange      // in the order in which they were asked for
	Events    []TrialEvent    // of the stream, those that holobench looked into: not over HTTP/2
	Beats     []time.Duration // heartbeats of the stream
	Ends      []TrialEnd      // of streams that the client did not end
	Ready     time.Duration   // it was subscribed
	Refused   error           // why it got no stream and did not try again
	Unknown   []Counted       // events that mean nothing to it, by why

	Sent, Settled time.Duration // its command
	Outcome       string        // what kept the command from its end, or its reply from being one; "" = all was well
	Heard         []TrialHeard  // its own event, by the way that it came

	Lasted time.Duration
}

// TrialEnd is the end of a stream that the client did not end.
type TrialEnd struct {
	At    time.Duration
	After time.Duration // the connection was made
	Why   string
}

// TrialHeard says how often the client's own event came by one way, and when first.
type TrialHeard struct {
	Path  history.Path
	First time.Duration
	Times int
}

// Counted is how often something was seen.
type Counted struct {
	What  string
	Times int
}

// TrialOptions say what a trial does.
type TrialOptions struct {
	Send bool          // one command, as the first load of the plan sends it
	For  time.Duration // how long the client listens
}

// trial is a Trial at work.
type trial struct {
	began time.Time
	epoch int64
	names *history.Names
	find  marks

	mu     sync.Mutex
	result Trial
	spies  []*spy
	opened map[uint32]time.Duration // connections
	ready  chan struct{}            // closed at the first subscription
}

// Try lets one client of the plan do what every client does first, and says what came of it. The end of ctx ends it sooner, and is no
// error. The error says why there could be no trial at all.
func Try(ctx context.Context, p Plan, o Options, to TrialOptions) (*Trial, error) {
	load, group, err := p.whoTries(to.Send)
	if err != nil {
		return nil, err
	}
	id := p.first(group)
	p.Faults, p.Warnings = nil, nil
	p = p.Share(id, p.Clients())
	if err := p.check(); err != nil {
		return nil, err
	}
	began := time.Now()
	t := &trial{began: began, epoch: began.UnixNano(), names: o.Names, opened: make(map[uint32]time.Duration), ready: make(chan struct{})}
	t.result.Client, t.result.Sends = "client 1 of "+p.Groups[group].Name, to.Send
	if g := &p.Groups[group]; g.listens() {
		t.result.Channel = g.Channel(0)
	}
	o.SaveRun, o.SaveSamples, o.Record = func(history.Run) error { return nil }, nil, unrecorded{}
	x := &execution{plan: p, o: o, epoch: t.epoch, ending: make(chan struct{})}
	x.guard = newGuard(&x.plan, t.observe)
	x.tally.next = x.guard.observe
	x.describe(began)
	x.prepare()
	x.prepareFlows()
	x.crowd = &clients.Crowd{
		Header: p.Header, Run: o.ID, Epoch: x.epoch, Names: o.Names, Observe: x.tally.observe, Dial: o.Dial, TLS: p.clientTLS(), Spy: t.spy,
	}
	work, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	x.guard.end = fail
	err = x.startNodes(work, fail)
	if err == nil {
		err = x.try(work, t, load, to)
	}
	if cause := context.Cause(work); cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	err = errors.Join(err, x.endTrial())
	t.result.Lasted = time.Since(began)
	return t.finish(), err
}

// whoTries finds the client that a trial is made with: the first that sends, when it shall, else the first that listens.
func (p *Plan) whoTries(send bool) (load, group int, err error) {
	if send {
		for i := range p.Loads {
			if l := &p.Loads[i]; !l.Flood && l.Reaction == nil && p.Groups[l.Group].listens() {
				return i, l.Group, nil
			}
		}
		return 0, 0, errors.New("try the plan out: no clients that listen send by a load of their own accord, so that nobody could hear of it (leave --send out)")
	}
	for i := range p.Groups {
		if p.Groups[i].listens() {
			return -1, i, nil
		}
	}
	return 0, 0, errors.New("try the plan out: none of its clients listens")
}

// try lets the only client of the share subscribe, send, and listen for as long as it shall.
func (x *execution) try(work context.Context, t *trial, load int, to TrialOptions) error {
	holding, letGo := context.WithCancelCause(context.WithoutCancel(work))
	posting, hang := context.WithCancelCause(context.WithoutCancel(work))
	defer x.leave()
	defer x.holding.Wait()
	defer x.acting.Wait()
	defer letGo(nil)
	defer hang(nil)
	x.posting = posting
	closeData, err := x.openData()
	if err != nil {
		return err
	}
	defer closeData()
	if err := x.chooseWire(); err != nil {
		return err
	}
	t.find = marksOf(x.crowd)
	x.makeClients()
	if len(x.streams) != 1 {
		return fmt.Errorf("try the plan out: it has %d clients of this share, one was wanted", len(x.streams))
	}
	client, refused := x.streams[0], make(chan struct{})
	x.holding.Go(func() {
		defer close(refused)
		if err := client.HoldStream(holding, nil); err != nil {
			t.refuse(err)
		}
	})
	if to.Send {
		x.holding.Go(func() { client.PostCommands(posting, holding, func() {}) }) //nolint:errcheck // its only end is the end of posting
	}
	end := time.NewTimer(to.For)
	defer end.Stop()
	ready := t.ready
	for {
		select {
		case <-ready:
			ready = nil
			if to.Send {
				x.begin(act{load: load, due: x.now()}, nil)
			}
		case <-refused:
			return nil
		case <-end.C:
			return nil
		case <-work.Done():
			return nil
		}
	}
}

// endTrial ends the bundled target, where it was that.
func (x *execution) endTrial() error {
	if x.plan.Server != nil {
		close(x.ending)
		return nil
	}
	return errors.Join(x.endNodes(), x.endBus())
}

// unrecorded is the record of what is not kept.
type unrecorded struct{}

// Observe implements Recorder.
func (unrecorded) Observe([]history.Observation) {}

// Run implements Recorder.
func (unrecorded) Run(context.Context) error { return nil }

// Close implements Recorder.
func (unrecorded) Close() {}

// marks says whether there is in a text what names an event of the run.
type marks func(data []byte) bool

// marksOf is how the events of a crowd are named.
func marksOf(c *clients.Crowd) marks {
	by := wire.MarkText
	if g := c.Own.Generic; g != nil && g.Marker != "" {
		by = g.Marker
	}
	run := c.Run
	if by != wire.MarkText {
		return func(data []byte) bool {
			_, _, ok := wire.FindMark(data, by, run)
			return ok
		}
	}
	return func(data []byte) bool {
		for m, rest, ok := wire.FindMarker(data); ok; m, rest, ok = wire.FindMarker(rest) {
			if m.Run == run {
				return true
			}
		}
		return false
	}
}
