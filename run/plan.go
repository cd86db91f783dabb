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
	"fmt"
	"math"
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
	Faults []scenarios.Fault // of clients
	AtEnd  scenarios.AtEnd   // what is done behind the drain

	Join     time.Duration // the longest wait for the barrier; 0 = 60 s
	Warnings []string
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
	ReadRate      int             // bytes a second that each reads of its stream at most; 0 = as fast as they come; negative = none once it is subscribed
}

// listens says whether the clients of the group hold a stream.
func (g *Group) listens() bool { return g.Channel != nil && !g.NoStream }

// Load is one schedule of commands, and who sends them.
type Load struct {
	Name    string
	Start   time.Duration // after the barrier
	Stages  scenarios.Stages
	Poisson bool
	Group   int // index of the group that sends; of no meaning for a flood
	Only    int // how many clients of the group send, from its first
	Message clients.Message
	Flood   bool
	Workers int // of a flood

	To   *scenarios.To    // to whose channels the commands go; nil = to Message.Channel, or to the sender's own
	Flow []scenarios.Step // what one act does; nil = it sends Message
}

// End is when the load is over, after the barrier.
func (l *Load) End() time.Duration { return l.Start + l.Stages.Length() }

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

// Deliveries is how many deliveries a load is expected to cause, when its senders take turns at random and nothing is lost. Where
// senders are not told of their own events they are not counted; values that are left out for newer ones are, since how many there
// will be depends on who keeps up.
func (p *Plan) Deliveries(l *Load) float64 {
	subscribers := p.Subscribers()
	if l.Flood {
		return l.Stages.Commands() * float64(subscribers[l.Message.Channel])
	}
	sum, group, untold := 0, p.Groups[l.Group], p.Promises()["self_echo"] == ""
	for i := range l.Only {
		channel := l.channel(&group, i)
		sum += subscribers[channel]
		if untold && group.listens() && group.Channel(i) == channel {
			sum--
		}
	}
	return l.Stages.Commands() * float64(sum) / float64(max(1, l.Only))
}

// channel is where the i-th sender of a load posts: the channel of the load when it names one, else the sender's own.
func (l *Load) channel(g *Group, i int) string {
	if l.Message.Channel != "" || g.Channel == nil {
		return l.Message.Channel
	}
	return g.Channel(i)
}

// message is what each command of the i-th load says, apart from its channel.
func (p *Plan) message(i int) clients.Message {
	m := p.Loads[i].Message
	m.Load = uint16(i + 1) //nolint:gosec // check bounds it
	return m
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
	if len(p.Loads) > math.MaxUint16 {
		return fmt.Errorf("check the plan: %d loads are more than an Observation can tell apart", len(p.Loads))
	}
	for _, l := range p.Loads {
		switch {
		case len(l.Stages) == 0:
			return fmt.Errorf("check the plan: load %q has no stage", l.Name)
		case l.Flood:
		case l.Group < 0 || l.Group >= len(p.Groups):
			return fmt.Errorf("check the plan: load %q is sent by group %d of %d", l.Name, l.Group, len(p.Groups))
		case l.Only < 1 || l.Only > p.Groups[l.Group].Count:
			return fmt.Errorf("check the plan: load %q has %d senders of %d clients", l.Name, l.Only, p.Groups[l.Group].Count)
		}
	}
	return nil
}
