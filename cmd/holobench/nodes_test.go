package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"

	"holobench/clients"
	"holobench/history"
	"holobench/ordering"
	"holobench/run"
	"holobench/scenarios"
	"holobench/target"
	"holobench/wire"
)

// clusterRun is what a run on several nodes left behind.
type clusterRun struct {
	history.Run
	rows []history.Observation
}

// memoryRecord keeps what a run in this process observes.
type memoryRecord struct {
	history.Memory
	closed chan struct{}
}

func (m *memoryRecord) Run(context.Context) error {
	<-m.closed
	return nil
}

func (m *memoryRecord) Close() { close(m.closed) }

// onNodes is a plan of clients in rooms on three nodes that are 5 ms apart, of which every third sends.
func onNodes(design, bus string, count int, rate float64, length time.Duration) run.Plan {
	return run.Plan{
		Name: "nodes", Seed: rand.Uint64(), Design: design, Wire: string(target.JSON), Nodes: 3, Drain: 10 * time.Second,
		Bus:    run.Bus{Kind: bus, Delay: 5 * time.Millisecond},
		Groups: []run.Group{{Name: "members", Count: count, Channel: func(i int) string { return fmt.Sprintf("room-%d", i%2) }}},
		Loads: []run.Load{{
			Name: "talk", Stages: scenarios.Stages{{From: rate, To: rate, For: length}}, Arrivals: scenarios.Arrivals{Kind: scenarios.Poisson}, Only: count / 3,
			Message: clients.Message{Name: "message", Size: 200},
		}},
	}
}

// carryOut runs p with nodes and a bus in processes of their own. The node killed (0 = none) gets a kill -9 so long after all
// nodes stand.
func carryOut(t *testing.T, p run.Plan, killed int, after time.Duration) clusterRun {
	t.Helper()
	dir := t.TempDir()
	record := &memoryRecord{closed: make(chan struct{})}
	start := startNodes(dir)
	result, err := run.Run(t.Context(), p, run.Options{
		ID: wire.RunID(rand.Uint32()), Names: new(history.Names), Record: record,
		SaveRun:  func(history.Run) error { return nil },
		StartBus: startBus(dir), Nanosleep: run.Nanosleep(),
		Dial: clients.StampedDial((&net.Dialer{KeepAlive: -1}).DialContext, wire.StampKernel),
		StartNode: func(ctx context.Context, o run.NodeOptions) (run.Node, error) {
			node, err := start(ctx, o)
			if err == nil && o.Number == killed {
				time.AfterFunc(after, func() { _ = syscall.Kill(node.PID(), syscall.SIGKILL) })
			}
			return node, err
		},
	})
	if err != nil {
		t.Fatalf("seed %d: %v", p.Seed, err)
	}
	c := clusterRun{Run: result}
	if err := record.Scan(func(batch []history.Observation) error {
		c.rows = append(c.rows, batch...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return c
}

// crossed counts the pairs of a channel that two nodes handed out to their own clients less than a link apart: each node then
// has its own event first, so that all of them are divergent; what is farther apart is so by what the bus takes beyond the link.
func (c *clusterRun) crossed(link time.Duration) (pairs int) {
	sent := make(map[wire.EventID]*history.Observation)
	for i := range c.rows {
		if o := &c.rows[i]; o.Kind == history.Sent {
			sent[o.Event] = o
		}
	}
	type own struct {
		at      int64
		node    uint16
		channel uint32
	}
	var handedOut []own
	for i := range c.rows {
		if o := &c.rows[i]; o.Kind == history.Dispatched && sent[o.Event] != nil && sent[o.Event].Node == o.Node {
			handedOut = append(handedOut, own{o.At, o.Node, sent[o.Event].Channel})
		}
	}
	slices.SortFunc(handedOut, func(a, b own) int { return cmp.Compare(a.at, b.at) })
	for i, first := range handedOut {
		for _, second := range handedOut[i+1:] {
			if second.at-first.at >= int64(link) {
				break
			}
			if second.node != first.node && second.channel == first.channel {
				pairs++
			}
		}
	}
	return pairs
}

// homes is the node of each client's first stream.
func (c *clusterRun) homes() map[uint32]uint16 {
	home := make(map[uint32]uint16)
	for i := range c.rows {
		if o := &c.rows[i]; o.Kind == history.Subscribed && home[o.Client] == 0 {
			home[o.Client] = o.Node
		}
	}
	return home
}

// pairs are those of the whole run (node 0), or as the clients of one node saw them.
func (c *clusterRun) pairs(node uint16) ordering.Pairs {
	home := c.homes()
	var analysis ordering.Analysis
	for i := range c.rows {
		if node == 0 || c.rows[i].Kind != history.Delivered || home[c.rows[i].Client] == node {
			analysis.Add(c.rows[i : i+1])
		}
	}
	return analysis.Close(c.Run).Overall.All
}

func (c *clusterRun) count(kind history.Kind, path history.Path) (n int) {
	for i := range c.rows {
		if c.rows[i].Kind == kind && (path == history.NoPath || c.rows[i].Path == path) {
			n++
		}
	}
	return n
}

// seen are the events of each client's channel in the order in which it saw them.
func (c *clusterRun) seen() map[uint32][]wire.EventID {
	seen := make(map[uint32][]wire.EventID)
	for i := range c.rows {
		if o := &c.rows[i]; o.Kind == history.Delivered {
			seen[o.Client] = append(seen[o.Client], o.Event)
		}
	}
	return seen
}

// channels are the channel of each client.
func (c *clusterRun) channels() map[uint32]uint32 {
	of := make(map[uint32]uint32)
	for i := range c.rows {
		if o := &c.rows[i]; o.Kind == history.Subscribed {
			of[o.Client] = o.Channel
		}
	}
	return of
}

// checkCounts lays what the clients saw of each node beside what that node counted. A node that was killed may have written what it
// had no time to count, and nothing more: what waited for streams, one event for each of them that was being handed out, and the
// reply to each.
func (c *clusterRun) checkCounts(t *testing.T, killed uint16) {
	t.Helper()
	seen := make(map[uint16]uint64)
	for i := range c.rows {
		if o := &c.rows[i]; o.Kind == history.Delivered || o.Kind == history.Alien {
			seen[o.Node]++
		}
	}
	for _, node := range c.Nodes {
		n := uint16(node.Node) //nolint:gosec // there are three
		written := node.Counters["deliveries_written_sse"] + node.Counters["deliveries_written_reply"]
		most := written
		if n == killed {
			most += node.Counters["deliveries_enqueued_sse"] - node.Counters["deliveries_written_sse"] + 2*node.Counters["streams_opened"]
		}
		t.Logf("node %d: %d deliveries seen by clients, %d written by the node (%d enqueued), exit %q, bus failures %d",
			node.Node, seen[n], written, node.Counters["deliveries_enqueued_sse"], node.Exit, node.Counters["bus_failed"])
		if seen[n] < written || seen[n] > most {
			t.Errorf("node %d wrote %d deliveries, its clients saw %d", node.Node, written, seen[n])
		}
	}
}

// checkOneOrder wants every client of a channel to have seen the same events in the same order, by numbers without a gap from 1:
// none is missing, none came twice.
func (c *clusterRun) checkOneOrder(t *testing.T) {
	t.Helper()
	last := make(map[uint32]uint64)
	for i := range c.rows {
		if o := &c.rows[i]; o.Kind == history.Delivered {
			if last[o.Client]++; o.Sequence != last[o.Client] {
				t.Fatalf("client %d saw number %d as its %d. event", o.Client, o.Sequence, last[o.Client])
			}
		}
	}
	channels, seen := c.channels(), c.seen()
	first := make(map[uint32][]wire.EventID)
	for _, client := range slices.Sorted(maps.Keys(channels)) {
		order, known := first[channels[client]]
		if !known {
			first[channels[client]] = seen[client]
			continue
		}
		if !slices.Equal(seen[client], order) {
			t.Errorf("client %d saw %d events of its channel, another %d, or in another order", client, len(seen[client]), len(order))
		}
	}
	for _, order := range first {
		if unique := slices.Compact(slices.SortedFunc(slices.Values(order), compareEvents)); len(unique) != len(order) {
			t.Errorf("%d of %d events came twice", len(order)-len(unique), len(order))
		}
	}
	for i := range c.rows {
		if o := &c.rows[i]; o.Kind == history.Replied && o.Err == history.NoErr && !slices.Contains(first[o.Channel], o.Event) {
			t.Errorf("%v was accepted and nobody saw it", o.Event)
		}
	}
}

func compareEvents(a, b wire.EventID) int {
	if a.Publisher != b.Publisher {
		return int(a.Publisher) - int(b.Publisher)
	}
	return int(a.Seq) - int(b.Seq)
}

// absence is the time in which a client had no stream, and the node at which it has one again.
type absence struct {
	from, asked, ready int64
	node               uint16
}

// absences are those of the clients whose node was killed.
func (c *clusterRun) absences() map[uint32]absence {
	away := make(map[uint32]absence)
	for i := range c.rows {
		switch o := &c.rows[i]; {
		case o.At < c.Barrier:
		case o.Kind == history.Ended && o.Conn != 0 && away[o.Client].from == 0:
			away[o.Client] = absence{from: o.At}
		case o.Kind == history.Subscribed && away[o.Client].from != 0:
			a := away[o.Client]
			a.asked, a.ready, a.node = o.NotBefore, o.At, o.Node
			away[o.Client] = a
		default:
		}
	}
	return away
}

// lostEvents are what clients should have seen and did not, by why: while they were away, that is the last fan-out anywhere was over
// before they asked for a stream again; in doubt, because that of the node to which they came back began before it was ready; with
// the dead node before another heard of it; and without an excuse.
type lostEvents struct{ away, doubtful, withNode, unexcused int }

func (c *clusterRun) losses(t *testing.T, killed uint16) (lost lostEvents) {
	t.Helper()
	fanOuts := make(map[wire.EventID]map[uint16]int64) // by node
	for i := range c.rows {
		if o := &c.rows[i]; o.Kind == history.Dispatched {
			if fanOuts[o.Event] == nil {
				fanOuts[o.Event] = make(map[uint16]int64)
			}
			fanOuts[o.Event][o.Node] = o.At
		}
	}
	away, channels := c.absences(), c.channels()
	seen := make(map[uint32]map[wire.EventID]bool)
	for client, events := range c.seen() {
		seen[client] = make(map[wire.EventID]bool)
		for _, e := range events {
			seen[client][e] = true
		}
	}
	for i := range c.rows {
		o := &c.rows[i]
		if o.Kind != history.Replied || o.Err != history.NoErr {
			continue
		}
		for client, channel := range channels {
			if channel != o.Channel || seen[client][o.Event] {
				continue
			}
			a, was := away[client]
			at := fanOuts[o.Event]
			last := int64(0)
			for _, fanOut := range at {
				last = max(last, fanOut)
			}
			switch {
			case was && last < a.asked:
				lost.away++
			case was && at[a.node] != 0 && at[a.node] < a.ready:
				lost.doubtful++
			case o.Node == killed && len(at) < len(c.Nodes):
				lost.withNode++
			default:
				lost.unexcused++
				t.Errorf("client %d (away %+v) did not see %v, which was sent to node %d and handed out at %v", client, a, o.Event, o.Node, at)
			}
		}
	}
	return lost
}

// TestNodesInProcesses is the small form of what TestVerifyNodes proves.
func TestNodesInProcesses(t *testing.T) {
	t.Parallel()
	p := onNodes("single-channel", run.BusNATS, 12, 100, 1500*time.Millisecond)
	p.Nodes = 2
	c := carryOut(t, p, 0, 0)
	c.checkCounts(t, 0)
	for node := range uint16(3) {
		pairs := c.pairs(node)
		t.Logf("node %d (0 = all): %d of %d pairs are divergent", node, pairs.Divergent, pairs.AtRisk)
		if node > 0 && pairs.Divergent != 0 {
			t.Errorf("seed %d: the clients of node %d disagree", p.Seed, node)
		}
	}
	if c.Bus == nil || c.Bus.PID == 0 {
		t.Errorf("the bus is %+v", c.Bus)
	}
}

func TestJetStreamInProcesses(t *testing.T) {
	t.Parallel()
	p := onNodes("sequenced", run.BusJetStream, 12, 100, 1500*time.Millisecond)
	p.Nodes = 2
	c := carryOut(t, p, 0, 0)
	c.checkCounts(t, 0)
	c.checkOneOrder(t)
	if pairs := c.pairs(0); pairs.Divergent != 0 || pairs.AtRisk == 0 {
		t.Errorf("seed %d: %d of %d pairs are divergent", p.Seed, pairs.Divergent, pairs.AtRisk)
	}
}

// TestVerifyNodes is make verify-nodes: three nodes in processes of their own, 5 ms apart.
func TestVerifyNodes(t *testing.T) {
	if !*verify {
		t.Skip("a long proof: make verify-nodes")
	}
	const count, rate, length = 60, 150, 12 * time.Second
	t.Run("core NATS diverges between nodes and not within one", func(t *testing.T) {
		p := onNodes("single-channel", run.BusNATS, count, rate, length)
		c := carryOut(t, p, 0, 0)
		c.checkCounts(t, 0)
		all := c.pairs(0)
		t.Logf("between all clients: %d of %d pairs are divergent", all.Divergent, all.AtRisk)
		if atLeast := c.crossed(p.Bus.Delay); atLeast == 0 || all.Divergent < atLeast {
			t.Errorf("%d pairs of two nodes were handed out less than %v apart, and each of them must diverge", atLeast, p.Bus.Delay)
		} else {
			t.Logf("%d pairs of two nodes were handed out less than %v apart: each of them diverged, and %d that were a little farther", atLeast,
				p.Bus.Delay, all.Divergent-atLeast)
		}
		for node := uint16(1); node <= 3; node++ {
			within := c.pairs(node)
			t.Logf("between the clients of node %d: %d of %d", node, within.Divergent, within.AtRisk)
			if within.Divergent != 0 || within.AtRisk < 1000 {
				t.Errorf("the clients of node %d saw two orders", node)
			}
		}
	})
	for _, design := range []string{"single-channel", "sequenced"} {
		t.Run("JetStream is one order, "+design, func(t *testing.T) {
			c := carryOut(t, onNodes(design, run.BusJetStream, count, rate, length), 0, 0)
			c.checkCounts(t, 0)
			c.checkOneOrder(t)
			all := c.pairs(0)
			t.Logf("%d of %d pairs are divergent", all.Divergent, all.AtRisk)
			if all.Divergent != 0 || all.AtRisk < 1000 {
				t.Error("one order was promised")
			}
		})
	}
	t.Run("kill -9 of one node, sequenced", func(t *testing.T) {
		p := onNodes("sequenced", run.BusJetStream, count, rate, length)
		p.MayDie = true
		c := carryOut(t, p, 2, 5*time.Second)
		c.checkCounts(t, 2)
		c.checkOneOrder(t)
		logDeath(t, &c)
	})
	t.Run("kill -9 of one node, hologram", func(t *testing.T) {
		p := onNodes("hologram", run.BusNATS, count, rate, length)
		p.MayDie = true
		c := carryOut(t, p, 2, 5*time.Second)
		c.checkCounts(t, 2)
		logDeath(t, &c)
		lost := c.losses(t, 2)
		t.Logf("deliveries lost: %d of events whose last fan-out ended before the stream was asked for again, %d in doubt because that of "+
			"their node began before the stream was ready, %d of events that died with the node, %d without an excuse", lost.away, lost.doubtful, lost.withNode, lost.unexcused)
		if lost.away == 0 {
			t.Error("nothing was lost: the design keeps nothing, so the clients of the dead node were never away")
		}
	})
	for registry, wantAll := range map[target.Registry]bool{target.NodeLocal: false, target.Shared: true} {
		t.Run("random routing, registry "+string(registry), func(t *testing.T) {
			p := onNodes("hologram", run.BusNATS, count, rate, length)
			p.Spread, p.Knobs.Registry = run.Random, registry
			c := carryOut(t, p, 0, 0)
			c.checkCounts(t, 0)
			c.checkEchoes(t, wantAll)
		})
	}
}

// logDeath says how the death of a node looked to the clients.
func logDeath(t *testing.T, c *clusterRun) {
	t.Helper()
	away := c.absences()
	longest := time.Duration(0)
	for client, a := range away {
		longest = max(longest, time.Duration(a.ready-a.from))
		if a.ready == 0 {
			t.Errorf("client %d did not come back", client)
		}
	}
	t.Logf("%d clients came back, after at most %v; %d commands got no reply, %d were refused a connection", len(away), longest,
		c.count(history.Unknown, history.NoPath), c.count(history.Refused, history.NoPath))
	if len(away) != c.clients()/3 {
		t.Errorf("%d clients came back, a third of %d were on the node", len(away), c.clients())
	}
}

func (c *clusterRun) clients() int { return len(c.channels()) }

// checkEchoes wants an echo in the reply of every command, or only of those that reached the node of their sender's stream.
func (c *clusterRun) checkEchoes(t *testing.T, all bool) {
	t.Helper()
	home := c.homes()
	sent, wrong := 0, 0
	for i := range c.rows {
		if o := &c.rows[i]; o.Kind == history.Sent {
			sent++
			if o.Node != home[o.Client] {
				wrong++
			}
		}
	}
	echoes := c.count(history.Delivered, history.Reply)
	t.Logf("%d commands, %d of them to another node than their sender's stream: %d self-echoes", sent, wrong, echoes)
	want := sent
	if !all {
		want -= wrong
	}
	if echoes != want || wrong == 0 {
		t.Errorf("%d self-echoes, want %d", echoes, want)
	}
}
