package scenarios

import (
	"fmt"
	"slices"
	"strconv"
)

// serverWarnings lists what the knobs of the bundled target make of the rest of the scenario: guarantees that cannot be
// expected, figures that will have no data, keys that change nothing. None of it is an error: most are experiments.
func (f *File) serverWarnings(cores int) []string {
	if f.Server.URL != nil {
		return f.ownWarnings()
	}
	b := &f.Server.Bundled
	warnings := slices.Concat(f.orderWarnings(), b.clusterWarnings(cores), b.replayWarnings())
	for _, budget := range f.Budgets {
		path := budget.Tags[TagPath]
		switch {
		case budget.Metric == "own_latency" && b.Knobs.Echo == EchoNone:
			warnings = append(warnings, "budgets."+budget.Selector+": with echo: none no sender hears of its own event, so that the figure has no data")
		case path != "" && !slices.Contains(b.paths(), path):
			warnings = append(warnings, "budgets."+budget.Selector+": nothing comes by that path with the wire "+b.Wire+" and echo: "+b.Knobs.Echo+", so that the figure has no data")
		}
	}
	return warnings
}

// paths lists by which ways events come to clients, in the words of TagPath.
func (b *Bundled) paths() []string {
	down := "sse"
	switch b.Wire {
	case LongPollWire:
		down = "poll"
	case ChannelsWire:
		down = "websocket"
	}
	if b.Knobs.Echo == EchoReply {
		return []string{down, "reply"}
	}
	return []string{down}
}

// orderWarnings are those about guarantees that the bundled target does not promise.
func (f *File) orderWarnings() []string {
	var warnings []string
	b := &f.Server.Bundled
	for _, g := range f.Guarantees {
		reason := ""
		switch g.Name {
		case Total:
			reason = b.whyNotTotal(g.Among)
		case FIFO:
			reason = b.whyNotFIFO()
		}
		if reason != "" {
			warnings = append(warnings, "guarantees."+g.Name+": "+reason)
		}
	}
	return warnings
}

// whyNotTotal says why clients, those that are meant by among, may see two events in different order; "" when the target
// promises that they do not.
func (b *Bundled) whyNotTotal(among string) string {
	const expect = ": expect to see it violated; "
	own := ownKnobs(b.Design)
	switch {
	case b.Knobs.Dispatch != Serialized && own.Dispatch == Serialized:
		return "dispatch: concurrent takes the one order back that the design " + b.Design + " promises" + expect + "leave it out"
	case b.Knobs.Dispatch != Serialized:
		return "the design " + b.Design + " does not promise one order for all clients" + expect + "the design " + SingleChannel + " promises one"
	case b.Knobs.WhenFull == Coalesce:
		return "with when_full: coalesce a newer value overtakes what waits behind an older one" + expect + "write when_full: cut"
	case b.Knobs.Echo == EchoReply && among != Observers:
		return "with echo: reply a sender may hear of its own event before others that everybody else sees first" + expect +
			"write echo: stream, or among: observers"
	case b.Nodes > 1 && b.Bus.Kind != JetStream && b.Spread != Sticky: // who hears a channel is on one node there
		return "over the bus " + b.Bus.Kind + " each node has an order of its own" + expect + "the bus " + JetStream + " has one"
	}
	return ""
}

// whyNotFIFO says why what a publisher sent second may be seen first; "" when the target promises that it is not.
func (b *Bundled) whyNotFIFO() string {
	switch {
	case b.Knobs.WhenFull == Coalesce:
		return "with when_full: coalesce a newer value overtakes what waits behind an older one: expect to see it violated where senders share a channel; write when_full: cut"
	case b.Spread == Random && b.Bus.Kind != JetStream:
		return "with spread: random the commands of one sender go to different nodes, which the bus " + b.Bus.Kind +
			" does not order: expect to see it violated; write spread: " + Sticky + ", or take the bus " + JetStream
	}
	return ""
}

// clusterWarnings are those about nodes.
func (b *Bundled) clusterWarnings(cores int) []string {
	var warnings []string
	k := &b.Knobs
	if cores > 0 && b.Nodes > cores {
		warnings = append(warnings, fmt.Sprintf("server.bundled.nodes: %d nodes share the %d cores of this machine with the clients: "+
			"figures of time say more about the machine than about the design; order and counts are not touched", b.Nodes, cores))
	}
	switch {
	case b.Spread == Random && k.Registry == NodeLocal && k.Echo == EchoReply:
		warnings = append(warnings, "server.bundled.spread: random with echo: reply and registry: node-local: a command that reaches another node than its sender's "+
			"stream has no self-echo, about "+strconv.Itoa(b.Nodes-1)+" of "+strconv.Itoa(b.Nodes)+"; registry: shared loses none")
	case k.Registry == Shared && (b.Nodes == 1 || k.Echo != EchoReply):
		warnings = append(warnings, "server.bundled.registry: shared changes nothing here: it takes several nodes and echo: reply")
	}
	if b.Nodes == 1 && b.idle != "" {
		warnings = append(warnings, "server.bundled."+b.idle+" changes nothing: there is one node")
	}
	return warnings
}

// replayWarnings are those about streams that come back.
func (b *Bundled) replayWarnings() []string {
	k, own := &b.Knobs, ownKnobs(b.Design)
	switch {
	case k.Replay == 0 && own.Replay > 0:
		return []string{"server.bundled.replay: 0 takes back what the design " + b.Design + " promises: a client that reconnects misses what was sent meanwhile"}
	case k.Replay > 0 && k.Dispatch == Concurrent:
		return []string{"server.bundled.replay: with dispatch: concurrent ids may come out of order, so that a stream that ends between two such events misses one"}
	}
	return nil
}
