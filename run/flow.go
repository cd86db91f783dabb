package run

import (
	"context"
	"errors"
	"slices"
	"sync"

	"holobench/clients"
	"holobench/history"
	"holobench/internal/draw"
	"holobench/scenarios"
	"holobench/wire"
)

// scripts are the flows of a run, and who goes through them.
type scripts struct {
	flows    []*flowPlan // of each load; nil = it has none
	actors   [][]*actor  // of each load, by its senders; nil where it has no flow, or the sender is another share's
	meetings meetings
	tables   []*scenarios.FeedTable // of the plan's feeds
}

// actor is one sender of a load that goes through a flow.
type actor struct {
	x      *execution
	load   int    // index of the load
	number int    // of the client in its group, from 0
	id     uint32 // of the client in the run
	memory *memory

	mu     sync.Mutex
	ears   []*ear         // of the acts that are under way and listen
	visits map[string]int // how often it has come to each barrier
}

// prepareFlows looks through the flows of all loads, and makes their actors before the clients are there.
func (x *execution) prepareFlows() {
	memories := make(map[uint32]*memory)
	for i := range x.plan.Loads {
		l := &x.plan.Loads[i]
		f := planFlow(l.Flow)
		x.flows, x.actors = append(x.flows, f), append(x.actors, nil)
		if f == nil {
			continue
		}
		x.actors[i] = make([]*actor, l.Only)
		for sender := range l.Only {
			if !x.plan.sends(i, sender) {
				continue
			}
			a := &actor{x: x, load: i, number: sender, id: uint32(x.plan.first(l.Group) + sender), visits: make(map[string]int)} //nolint:gosec // check bounds it
			if memories[a.id] == nil {
				memories[a.id] = new(memory)
			}
			a.memory = memories[a.id]
			x.actors[i][sender] = a
			if f.ears {
				x.listen(a.id, a.hear)
			}
		}
	}
	x.numberReasons()
	x.flow = func(ctx context.Context, a act) { x.act(ctx, a) }
}

// hear tells every act that is under way what its client hears.
func (a *actor) hear(h *clients.Heard) {
	a.mu.Lock()
	ears := a.ears
	a.mu.Unlock()
	for _, e := range ears {
		e.hear(h)
	}
}

// listen lets an act hear what its client does, until it calls the function that this returns.
func (a *actor) listen(e *ear) (stop func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ears = append(slices.Clone(a.ears), e) // hear has the old one
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.ears = slices.DeleteFunc(slices.Clone(a.ears), func(other *ear) bool { return other == e })
	}
}

// visit counts that the actor comes to a barrier, and returns how often it had before.
func (a *actor) visit(name string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.visits[name]
	a.visits[name]++
	return before
}

// memory is what one client has captured, in whatever load.
type memory struct {
	mu   sync.Mutex
	kept map[string]string
}

func (m *memory) keep(name, text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept == nil {
		m.kept = make(map[string]string)
	}
	m.kept[name] = text
}

func (m *memory) recall(name string) (text string, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	text, ok = m.kept[name]
	return text, ok
}

// walk is one act on its way through the flow of a load. It is a goroutine's own.
type walk struct {
	*actor

	ctx    context.Context
	client *clients.Client
	flow   *flowPlan
	act    act
	ear    *ear   // nil = the flow waits for no event and looks at none
	sent   bool   // something was: the due time of the act is used up
	round  uint64 // which round of which repeats it is in

	resends []map[*scenarios.Resend]int // of each send that it stands in
	own     wire.EventID                // of its latest command
	reply   reply                       // the latest, to a command or a fetch
	event   sound                       // that an expect has found last
	row     map[string][]string         // of each feed that it has looked at
	uses    map[string]int              // of each value
	text    []byte
}

// errAgain takes a walk back to the send around a resend.
var errAgain = errors.New("the command is sent again")

// act goes through the flow of a load once, and returns when that is over; false means that ctx ended first. Its first command
// is due when the act is, every other when the walk comes to it.
//
// What is drawn on the way depends on the seed, the load, the client, the index of the act and the step alone.
func (x *execution) act(ctx context.Context, a act) bool {
	w := &walk{actor: x.actors[a.load][a.sender], ctx: ctx, client: x.senders[a.load][a.sender], flow: x.flows[a.load], act: a}
	if w.flow.ears {
		w.ear = &ear{client: w.id, flow: w.flow, heard: make(map[kind]*heard)}
		defer w.listen(w.ear)()
	}
	return w.through(w.flow.steps) == nil
}

// through goes through steps. The error is that of ctx, or errAgain.
func (w *walk) through(steps []scenarios.Step) error {
	for _, step := range steps {
		if w.ctx.Err() != nil {
			return context.Cause(w.ctx)
		}
		if err := w.step(step); err != nil {
			return err
		}
	}
	return nil
}

// step carries one step out.
func (w *walk) step(step scenarios.Step) error {
	switch s := step.(type) {
	case *scenarios.Send:
		return w.send(s)
	case *scenarios.Resend:
		return w.resend(s)
	case *scenarios.Get:
		return w.get(s)
	case *scenarios.Expect:
		return w.expect(s)
	case *scenarios.Capture:
		w.capture(s)
		return nil
	case *scenarios.Think:
		return w.think(s)
	case *scenarios.Barrier:
		return w.barrier(s)
	case *scenarios.Subscribe:
		return w.subscribe(s)
	case *scenarios.Unsubscribe:
		return w.unsubscribe(s)
	case *scenarios.Disconnect:
		return w.disconnect()
	case *scenarios.Reconnect:
		return w.reconnect(s)
	case *scenarios.Log:
		w.log(s)
		return nil
	default:
		return w.branch(step)
	}
}

// uniform draws for a step; more tells its draws apart.
func (w *walk) uniform(p scenarios.Place, more ...uint64) float64 {
	keys := append([]uint64{
		draw.Name("flow"), draw.Name(w.x.plan.Loads[w.load].Name), uint64(w.number), w.act.index, draw.Name(p.Path), w.round, //nolint:gosec // none is negative
	}, more...)
	return draw.Unit(w.x.plan.Seed, keys...)
}

// expected notes how a wait ended that began at that time; why is "" when it was met.
func (w *walk) expected(p scenarios.Place, began, at int64, event wire.EventID, why string) {
	o := history.Observation{
		Kind: history.Expectation, Client: w.id, Load: uint16(w.load + 1), Event: event, Due: began, NotBefore: at, At: at, Handled: at, //nolint:gosec // check bounds it
	}
	if why != "" {
		o.Err = w.x.reason(p.Path + ": " + why)
	}
	w.x.o.Record.Observe([]history.Observation{o})
}

// failed notes that a step could not do what it should.
func (w *walk) failed(p scenarios.Place, why string) {
	now := w.x.now()
	w.expected(p, now, now, wire.EventID{}, why)
}
