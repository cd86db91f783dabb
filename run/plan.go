// Package run carries a scenario out and writes its history.
//
// A run begins with a self-test: does this machine report messages in the order in which they left? Then it has five phases:
// the nodes of the bundled target start; every client subscribes, and the moment at which the last
// one is subscribed is the barrier, 0s of the scenario; the loads post commands by their schedules; the drain waits until
// every expected delivery has arrived or the stated time has passed; and at last streams and nodes end. Whatever happens
// on the way (Ctrl-C, a node that dies) the phases that are left are still gone through as far as that makes sense, so that
// the history says what was seen until then.
package run

import (
	"errors"
	"time"

	"holobench/clients"
	"holobench/history"
	"holobench/scenarios"
	"holobench/target"
	"holobench/wire/http1"
)

// Plan is what a run does, with every default filled in. A Plan is a Go literal like any other; FromFile makes one of a
// scenario file.
type Plan struct {
	Name      string
	Seed      uint64
	Scenario  history.Scenario
	Server    *scenarios.Server // of the user's own; nil = the bundled target, of which the next ones speak
	Design    string            // of the bundled target
	Wire      string            // that it is spoken to by; "" = the design's own
	Transport target.Transport  // that carries it; "" = HTTP/1.1
	Knobs     target.Knobs
	Nodes     int
	Bus       Bus           // joins the nodes; of no meaning for one
	Spread    string        // over which node a client's stream and commands go: round-robin, sticky or random; "" = round-robin
	MayDie    bool          // the death of a node does not end the run, as long as another lives: its clients go there
	Outbox    int           // events that may wait for one subscriber; 0 = the target's default
	Heartbeat time.Duration // a stream that was silent for so long gets a comment; 0 = the target's default
	Header    []http1.Field // sent with every request of every client
	Groups    []Group
	Loads     []Load
	Windows   []history.Window
	Budgets   []history.Budget
	Drain     time.Duration // the longest wait for deliveries after the load

	Guarantees []history.Guarantee // of order, that the run is judged by
	PairWindow time.Duration       // how far apart two events may be due and still be compared; 0 = the analysis's own default

	Values []scenarios.Value // that templates may name
	Feeds  []scenarios.Feed  // as above
	Faults []scenarios.Fault
	AtEnd  scenarios.AtEnd // what is done behind the drain

	Expected scenarios.Estimate // of all loads; no more than that
	MaxRate  float64            // commands a second that all loads together may send, see Limit; 0 = as many as they do
	Breaker  scenarios.Breaker  // ends the run when its requests fail; zero = nothing does

	Sources   int      // addresses of this machine that its connections come from, see clients.SourceDial; 0 = one
	Shortages []string // what this machine has too little of: the plan is not to be carried out on it

	Join     time.Duration // the longest wait for the barrier; 0 = 60 s
	Warnings []string

	share share // of the plan that this process carries out; zero = all of it
}

// Bus joins the nodes of the bundled target.
type Bus struct {
	Kind  string        // nats: without an order across nodes; jetstream: with one a channel; memory: for tests; "" = nats
	URL   string        // of a server of the user's own; "" = one that the run starts for itself
	Delay time.Duration // that every message takes longer from one node to another
}

// Group is a number of clients that are alike.
type Group struct {
	Name     string
	Count    int
	Channel  func(i int) string // of the i-th client: what it hears, and where it posts; nil = none, and then no stream
	NoStream bool               // they post and never listen

	ChannelNumber func(i int) int // which of the group's channels that is, from 1; nil = nobody asks
	JoinOver      time.Duration   // they open their streams evenly over this time, before the barrier; 0 = as fast as it goes
	Network       string          // the kind of network that they have all the time: see chaos.Profiles; "" = as it is
	HTTP          int             // the version that they speak: 1 or 2; 0 = that of the transport
	Connections   int             // of HTTP/1.1 that each has at once at most, that of its stream included; 0 = as many as it needs
	Engine        clients.Engine  // that holds their streams while nothing comes; see EngineOf
	MaxHold       time.Duration   // for which their resequencer holds an event back at most; 0 = they have none
	Optimistic    bool            // they show their own changes before the server has taken them
	ReadRate      int             // bytes a second that each reads of its stream at most; 0 = as fast as they come; negative = none once it is subscribed
}

// listens says whether the clients of the group hold a stream.
func (g *Group) listens() bool { return g.Channel != nil && !g.NoStream }

// Clients counts the clients of all groups; a flood counts as one more, which has no stream.
func (p *Plan) Clients() int {
	sum := 0
	for _, g := range p.Groups {
		sum += g.Count
	}
	return sum
}

// End is when the last load is over, after the barrier.
func (p *Plan) End() time.Duration {
	var end time.Duration
	for i := range p.Loads {
		end = max(end, p.Loads[i].End())
	}
	return end
}

// Subscribers counts the clients of each channel.
func (p *Plan) Subscribers() map[string]int {
	count := make(map[string]int)
	for _, g := range p.Groups {
		for i := range g.Count {
			if g.listens() {
				count[g.Channel(i)]++
			}
		}
	}
	return count
}

// Promises is what the bundled target says of itself, with its knobs turned and its nodes joined as the plan says, by the name
// of the guarantee; see target.Options.Promises.
func (p *Plan) Promises() map[string]string {
	if p.Server != nil {
		return p.ownPromises()
	}
	return target.Options{Design: target.Design(p.Design), Wire: target.Wire(p.Wire), Knobs: p.Knobs, Bus: p.busOf()}.Promises()
}

// check finds what would make a plan impossible to carry out. Plans from a file are sound already; this is for literals.
func (p *Plan) check() error {
	if p.Server == nil {
		if err := errors.Join(p.checkCluster(), p.checkTransport()); err != nil {
			return err
		}
	}
	return errors.Join(p.checkLoads(), p.checkNodeFaults(), p.checkPaths())
}
