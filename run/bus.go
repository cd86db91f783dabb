package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"holobench/history"
	"holobench/target"
)

// The kinds of Bus.
const (
	BusNATS      = "nats"
	BusJetStream = "jetstream"
	BusMemory    = "memory" // for tests: StartNode joins the nodes by itself, within one process
)

// BusProcess is the running bus that the run started for its nodes.
type BusProcess interface {
	Addr() string          // host:port that it listens on
	PID() int              // of its process
	Done() <-chan struct{} // closed when it has ended
	Exit() string          // how it ended, in words; of meaning after Done
	Stop(ctx context.Context) error
}

// StartBus starts a bus and returns when it answers.
type StartBus func(ctx context.Context) (BusProcess, error)

// NodeBus is how one node reaches the others.
type NodeBus struct {
	Kind  string // "" = it is alone
	URL   string // nats://host:port; of no meaning in memory
	Name  string // of this run's target among all that meet at the same bus
	Delay time.Duration
}

// errBusDied is the cause that ends a run when the bus that it started does.
var errBusDied = errors.New("the bus of the bundled target died")

// kind is the bus that the plan asks for; "" = none, its node is alone.
func (p *Plan) kind() string {
	if p.Nodes == 1 {
		return ""
	}
	return cmp.Or(p.Bus.Kind, BusNATS)
}

// busOf is a bus that is like the one of the plan in what can be promised over it; nil = none.
func (p *Plan) busOf() target.Bus {
	if p.Nodes == 1 {
		return nil
	}
	return target.NewMemoryBus(target.MemoryBusOptions{Ordered: p.kind() == BusJetStream}).Node(1)
}

// startBus finds the bus that joins the nodes: none for one node, the user's own, or one that it starts and watches.
func (x *execution) startBus(work context.Context, fail context.CancelCauseFunc) (NodeBus, error) {
	bus := NodeBus{Kind: x.plan.kind(), URL: x.plan.Bus.URL, Name: x.o.ID.String(), Delay: x.plan.Bus.Delay}
	switch {
	case bus.Kind == "":
		return NodeBus{}, nil
	case bus.Kind == BusMemory || bus.URL != "":
	case x.o.StartBus == nil:
		return NodeBus{}, errors.New("start the bus of the bundled target: there is no way to start one")
	default:
		process, err := x.o.StartBus(work)
		if err != nil {
			return NodeBus{}, fmt.Errorf("start the bus of the bundled target: %w", err)
		}
		x.bus, bus.URL = process, "nats://"+process.Addr()
		x.watching.Go(func() {
			select {
			case <-process.Done():
				fail(fmt.Errorf("%w (pid %d): %s", errBusDied, process.PID(), process.Exit()))
			case <-x.ending:
			}
		})
	}
	return bus, x.save(func(r *history.Run) {
		r.Bus = &history.Bus{Kind: bus.Kind, Delay: int64(bus.Delay), Spread: cmp.Or(x.plan.Spread, RoundRobin)}
		if x.bus != nil {
			r.Bus.PID = x.bus.PID()
		}
	})
}

// endBus ends the bus, after the nodes.
func (x *execution) endBus() error {
	if x.bus == nil {
		return nil
	}
	select {
	case <-x.bus.Done():
		return nil // it was noted when it happened
	default:
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := x.bus.Stop(ctx); err != nil {
		return fmt.Errorf("end the bus of the bundled target: %w", err)
	}
	return nil
}
