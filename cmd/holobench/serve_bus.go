package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"holobench/run"
	"holobench/target"
)

// clusterFlags are the flags of serve that make a node one of several.
type clusterFlags struct {
	nodes           int
	url, kind, name string
	delay           time.Duration
	faults          bool
}

func (f *clusterFlags) register(c *cobra.Command) {
	c.Flags().IntVar(&f.nodes, "nodes", 1, "how many nodes the target has; several need --bus")
	c.Flags().StringVar(&f.url, "bus", "", "nats://HOST:PORT of the bus that joins the nodes (holobench bus, or a nats-server of your own)")
	c.Flags().StringVar(&f.kind, "bus-kind", run.BusNATS, "what the bus is: nats = without an order across nodes, jetstream = one order a channel")
	c.Flags().StringVar(&f.name, "bus-name", "holobench", "name of the target at the bus, the same for all its nodes")
	c.Flags().DurationVar(&f.delay, "link-delay", 0, "what each message takes longer from one node to another")
	c.Flags().BoolVar(&f.faults, "bus-faults", false, "with --until-stdin-closes: take faults of the bus from standard input, one as JSON a line (holobench run does)")
}

// join joins the node of o to its bus, if it has one. Leave is called when the node has ended.
func (f *clusterFlags) join(ctx context.Context, o *target.Options) (leave func(), err error) {
	o.Nodes = f.nodes
	switch {
	case f.nodes < 1 || f.nodes > run.MaxNodes:
		return nil, fmt.Errorf("--nodes %d: a target has 1..%d nodes", f.nodes, run.MaxNodes)
	case f.nodes > 1 && f.url == "":
		return nil, fmt.Errorf("--nodes %d: several nodes need a bus (start one by: holobench bus; then say --bus nats://127.0.0.1:4222)", f.nodes)
	case f.delay < 0:
		return nil, fmt.Errorf("--link-delay %v: it must not be negative", f.delay)
	case f.url == "":
		return func() {}, nil
	}
	if o.Counters == nil {
		o.Counters = target.MemoryCounters()
	}
	trouble := &busTrouble{counters: o.Counters, log: o.Logger}
	bus, err := f.dial(ctx, target.BrokerOptions{
		URL: f.url, Name: f.name, Node: o.Node, Dial: new(net.Dialer).Dial, Trouble: trouble.note,
	})
	if err != nil {
		return nil, err
	}
	o.Bus = bus
	if f.delay > 0 {
		o.Bus = target.DelayBus(bus, o.Node, func(int, int) time.Duration { return f.delay })
	}
	if f.faults {
		o.Bus = target.NewFaultyBus(o.Bus, o.Node, o.Counters)
	}
	return func() {
		bus.Close()
		trouble.end()
	}, nil
}

// heedBusFaults puts on the bus of a node what its standard input says; nil = its bus takes no faults.
func heedBusFaults(o *target.Options) func(line []byte) {
	bus, ok := o.Bus.(*target.FaultyBus)
	if !ok {
		return nil
	}
	return func(line []byte) {
		f, err := target.ParseBusFault(line)
		if err == nil {
			err = bus.Put(f)
		}
		if err != nil {
			o.Counters.Add(target.BusFailed, 1)
			o.Logger.Error("a fault of the bus was not understood", "error", err)
		}
	}
}

// brokerBus is a target.Bus over a connection.
type brokerBus interface {
	target.Bus
	Close()
}

func (f *clusterFlags) dial(ctx context.Context, o target.BrokerOptions) (brokerBus, error) {
	switch f.kind {
	case run.BusNATS:
		bus, err := target.DialNATS(o)
		return bus, failed(err)
	case run.BusJetStream:
		bus, err := target.DialJetStream(ctx, o)
		return bus, failed(err)
	}
	return nil, fmt.Errorf("--bus-kind %q: it must be %s or %s", f.kind, run.BusNATS, run.BusJetStream)
}

// busTrouble counts and logs what a bus complains of, until its node has ended: the counters are unmapped then.
type busTrouble struct {
	counters *target.Counters
	log      *slog.Logger

	mu    sync.Mutex
	ended bool
}

func (b *busTrouble) note(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended {
		b.counters.Add(target.BusFailed, 1)
		b.log.Warn("the bus is in trouble", "error", err)
	}
}

func (b *busTrouble) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
}

// clusterArguments are the arguments of serve that say what o says of the other nodes.
func clusterArguments(o run.NodeOptions) []string {
	if o.Bus.Kind == "" {
		return nil
	}
	arguments := []string{
		"--nodes", fmt.Sprint(o.Nodes), "--bus", o.Bus.URL, "--bus-kind", o.Bus.Kind, "--bus-name", o.Bus.Name,
		"--link-delay", o.Bus.Delay.String(),
	}
	if o.BusFaults {
		arguments = append(arguments, "--bus-faults")
	}
	return arguments
}
