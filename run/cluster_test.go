package run_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/internal/memnet"
	"holobench/ordering"
	"holobench/run"
	"holobench/scenarios"
	"holobench/target"
	"holobench/wire"
)

// clusterOf is a plan of rooms on so many nodes of one process.
func clusterOf(nodes int, design string, count int, rate float64, length time.Duration) run.Plan {
	p := rooms(design, count, rate, length)
	p.Nodes, p.Bus.Kind = nodes, run.BusMemory
	p.Loads[0].Arrivals.Kind = scenarios.Poisson
	return p
}

// inCluster carries p out over a network and a bus in memory. Started is told of each node.
func inCluster(t *testing.T, p run.Plan, o target.MemoryBusOptions, started func(o run.NodeOptions, n *localNode)) ([]history.Observation, history.Run) {
	t.Helper()
	network, bus := memnet.New(nil), target.NewMemoryBus(o)
	defer bus.Close()
	start := startJoined(network.Listen, "target:0", bus)
	return carryOut(t.Context(), t, p, func(ctx context.Context, o run.NodeOptions) (run.Node, error) {
		node, err := start(ctx, o)
		if err == nil && started != nil {
			started(o, node.(*localNode))
		}
		return node, err
	}, network.DialContext)
}

// links are ways of one length between any two places.
func links(delay time.Duration) func(from, to int) time.Duration {
	return func(int, int) time.Duration { return delay }
}

// seenBy is the order in which each client saw the events of its streams.
func seenBy(all []history.Observation) map[uint32][]wire.EventID {
	seen := make(map[uint32][]wire.EventID)
	for _, o := range all {
		if o.Kind == history.Delivered {
			seen[o.Client] = append(seen[o.Client], o.Event)
		}
	}
	return seen
}

// TestNodesDisagreeOnWhatTheirLinksHaveNotCarried: two events of one channel and two nodes come in two orders if, and only if, less
// lies between them than a link takes; and the clients of one node never disagree.
func TestNodesDisagreeOnWhatTheirLinksHaveNotCarried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const link = 5 * time.Millisecond
		p := clusterOf(3, "single-channel", 30, 200, 4*time.Second)
		all, result := inCluster(t, p, target.MemoryBusOptions{Delay: links(link)}, nil)
		type event struct {
			due     int64
			node    uint16
			channel uint32
		}
		events, nodeOf, channelOf := map[wire.EventID]event{}, map[uint32]uint16{}, map[uint32]uint32{}
		for _, o := range all {
			switch o.Kind {
			case history.Sent:
				events[o.Event] = event{o.Due, o.Node, o.Channel}
			case history.Subscribed:
				nodeOf[o.Client], channelOf[o.Client] = o.Node, o.Channel
			default:
			}
		}
		orders := map[string][]wire.EventID{} // of each channel on each node
		for client, order := range seenBy(all) {
			where := fmt.Sprint(channelOf[client], "@", nodeOf[client])
			if other, ok := orders[where]; ok && !slices.Equal(order, other) {
				t.Fatalf("two clients of one node and channel disagree (%s)", where)
			}
			orders[where] = order
		}
		if len(orders) != 2*3 {
			t.Fatalf("%d channels on nodes are heard, want 2 on each of 3", len(orders))
		}
		places := map[string]map[wire.EventID]int{}
		for where, order := range orders {
			places[where] = map[wire.EventID]int{}
			for i, e := range order {
				places[where][e] = i
			}
		}
		divergent, atRisk := 0, 0
		for a, ea := range events {
			for b, eb := range events {
				if ea.channel != eb.channel || ea.due >= eb.due || ea.node == eb.node {
					continue
				}
				atRisk++
				first, second := places[fmt.Sprint(ea.channel, "@", ea.node)], places[fmt.Sprint(ea.channel, "@", eb.node)]
				got := (first[a] < first[b]) != (second[a] < second[b])
				if want := eb.due-ea.due < int64(link); got != want {
					t.Fatalf("two events of two nodes, %v apart: divergent %v, want %v", time.Duration(eb.due-ea.due), got, want)
				}
				if got {
					divergent++
				}
			}
		}
		if divergent < 100 || uint64(len(events)) != result.Loads[0].Due {
			t.Errorf("%d of %d pairs are divergent, of %d events", divergent, atRisk, len(events))
		}
	})
}

// TestAnOrderedBusIsOneOrder: with numbers from the bus no node sees another order, however long the links are.
func TestAnOrderedBusIsOneOrder(t *testing.T) {
	t.Parallel()
	for _, design := range []string{"single-channel", "sequenced"} {
		synctest.Test(t, func(t *testing.T) {
			p := clusterOf(3, design, 12, 200, 2*time.Second)
			all, result := inCluster(t, p, target.MemoryBusOptions{Ordered: true, Delay: links(5 * time.Millisecond)}, nil)
			var analysis ordering.Analysis
			analysis.Add(all)
			pairs := analysis.Close(result).Overall.All
			if pairs.Divergent != 0 || pairs.AtRisk < 1000 {
				t.Errorf("%s: %d of %d pairs are divergent", design, pairs.Divergent, pairs.AtRisk)
			}
		})
	}
}

// TestRandomRoutingLosesSelfEchoes: a command that reaches another node than its sender's stream has no echo in its reply,
// unless the nodes ask each other.
func TestRandomRoutingLosesSelfEchoes(t *testing.T) {
	t.Parallel()
	for registry, lost := range map[target.Registry]bool{target.NodeLocal: true, target.Shared: false} {
		synctest.Test(t, func(t *testing.T) {
			p := clusterOf(3, "hologram", 30, 100, 3*time.Second)
			p.Spread, p.Knobs.Registry = run.Random, registry
			all, _ := inCluster(t, p, target.MemoryBusOptions{Delay: links(time.Millisecond)}, nil)
			home := map[uint32]uint16{}
			wrong, echoes := 0, 0
			for _, o := range all {
				switch {
				case o.Kind == history.Subscribed:
					home[o.Client] = o.Node
				case o.Kind == history.Sent && o.Node != home[o.Client]:
					wrong++
				case o.Kind == history.Delivered && o.Path == history.Reply:
					echoes++
				default:
				}
			}
			sent := count(all, history.Sent)
			if wrong < sent/3 || wrong > sent*9/10 {
				t.Fatalf("%d of %d commands went to another node than their sender's stream; two of three should", wrong, sent)
			}
			if want := sent - wrong; lost && echoes != want || !lost && echoes != sent {
				t.Errorf("registry %s: %d echoes of %d commands, of which %d went to the wrong node", registry, echoes, sent, wrong)
			}
		})
	}
}

// TestARunOutlivesANode: its clients go to the next node; what the bus numbered reaches every one of them, once.
func TestARunOutlivesANode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := clusterOf(3, "sequenced", 30, 20, 12*time.Second)
		p.MayDie = true
		all, result := inCluster(t, p, target.MemoryBusOptions{Ordered: true, Delay: links(time.Millisecond)},
			func(o run.NodeOptions, n *localNode) {
				if o.Number == 2 {
					time.AfterFunc(5*time.Second, n.stop)
				}
			})
		if result.Ending != history.EndingComplete || result.Nodes[1].Exit != "ended" || result.Nodes[0].Exit+result.Nodes[2].Exit != "" {
			t.Errorf("ending %q, nodes %+v", result.Ending, result.Nodes)
		}
		moved := 0
		for _, o := range all {
			if o.Kind == history.Subscribed && o.At > result.Barrier {
				moved++
				if o.Node == 2 {
					t.Error("a client came back to the node that is dead")
				}
			}
		}
		if moved != 10 {
			t.Errorf("%d clients came back; there were ten on the dead node", moved)
		}
		accepted := map[wire.EventID]bool{}
		for _, o := range all {
			if o.Kind == history.Replied && o.Err == history.NoErr {
				accepted[o.Event] = true
			}
		}
		for client, seen := range seenBy(all) {
			unique := map[wire.EventID]bool{}
			for _, e := range seen {
				if unique[e] {
					t.Errorf("client %d saw %v twice", client, e)
				}
				unique[e] = true
			}
		}
		if got := count(all, history.Delivered); got < len(accepted)*15 {
			t.Errorf("%d deliveries of %d events to 15 clients each", got, len(accepted))
		}
	})
}

func TestTheDeathOfTheLastNodeEndsTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network, bus := memnet.New(nil), target.NewMemoryBus(target.MemoryBusOptions{})
		defer bus.Close()
		start := startJoined(network.Listen, "target:0", bus)
		p := clusterOf(2, "hologram", 20, 50, time.Hour)
		p.MayDie = true
		result, err := run.Run(t.Context(), p, run.Options{
			ID: 0xabc, Names: new(history.Names), Record: &memoryRecord{closed: make(chan struct{})}, Dial: network.DialContext,
			SaveRun: func(history.Run) error { return nil },
			StartNode: func(ctx context.Context, o run.NodeOptions) (run.Node, error) {
				node, err := start(ctx, o)
				time.AfterFunc(time.Duration(o.Number)*10*time.Second, node.(*localNode).stop)
				return node, err
			},
		})
		const want = "the bundled target died: node 2 (pid 1): ended"
		if err == nil || err.Error() != want || result.Ending != history.EndingFailed {
			t.Errorf("run returned %v, ending %q; want %q", err, result.Ending, want)
		}
	})
}

// deadBus is a bus process that has died.
type deadBus struct{ done chan struct{} }

func (b *deadBus) Addr() string               { return "127.0.0.1:4222" }
func (b *deadBus) PID() int                   { return 7 }
func (b *deadBus) Done() <-chan struct{}      { return b.done }
func (b *deadBus) Exit() string               { return "signal: killed" }
func (b *deadBus) Stop(context.Context) error { return nil }

func TestTheDeathOfTheBusEndsTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network, bus := memnet.New(nil), target.NewMemoryBus(target.MemoryBusOptions{})
		defer bus.Close()
		p := clusterOf(2, "hologram", 20, 50, time.Hour)
		p.Bus.Kind, p.MayDie = run.BusNATS, true
		var urls []string
		start := startJoined(network.Listen, "target:0", bus)
		result, err := run.Run(t.Context(), p, run.Options{
			ID: 0xabc, Names: new(history.Names), Record: &memoryRecord{closed: make(chan struct{})}, Dial: network.DialContext,
			SaveRun: func(history.Run) error { return nil },
			StartNode: func(ctx context.Context, o run.NodeOptions) (run.Node, error) {
				urls = append(urls, fmt.Sprint(o.Bus.Kind, " ", o.Bus.URL, " ", o.Bus.Name, " ", o.Number, " of ", o.Nodes))
				return start(ctx, o)
			},
			StartBus: func(context.Context) (run.BusProcess, error) {
				b := &deadBus{done: make(chan struct{})}
				time.AfterFunc(10*time.Second, func() { close(b.done) })
				return b, nil
			},
		})
		const want = "the bus of the bundled target died (pid 7): signal: killed"
		if err == nil || err.Error() != want || result.Ending != history.EndingFailed || result.Bus == nil || result.Bus.PID != 7 {
			t.Errorf("run returned %v, ending %q, bus %+v; want %q", err, result.Ending, result.Bus, want)
		}
		if want := []string{"nats nats://127.0.0.1:4222 00000abc 1 of 2", "nats nats://127.0.0.1:4222 00000abc 2 of 2"}; !slices.Equal(urls, want) {
			t.Errorf("the nodes were told %q, want %q", urls, want)
		}
	})
}

func TestPlansOfClustersAreChecked(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*run.Plan){
		"17 nodes are asked for, the bundled target has 1..16":                             func(p *run.Plan) { p.Nodes = 17 },
		"0 nodes are asked for, the bundled target has 1..16":                              func(p *run.Plan) { p.Nodes = 0 },
		`there is no bus "kafka"; the buses are nats, jetstream`:                           func(p *run.Plan) { p.Bus.Kind = "kafka" },
		`clients cannot be spread by "luck"; it is one of round-robin, sticky, random`:     func(p *run.Plan) { p.Spread = "luck" },
		"a delay of -1s between nodes is negative":                                         func(p *run.Plan) { p.Bus.Delay = -time.Second },
		"start the bus of the bundled target: there is no way to start one":                func(p *run.Plan) { p.Bus.Kind = "nats" },
		"start node 2 of the bundled target: there is no second process, as far as we see": func(*run.Plan) {},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := clusterOf(2, "hologram", 20, 50, time.Second)
			change(&p)
			network := memnet.New(nil)
			start := startJoined(network.Listen, "target:0", nil)
			_, err := run.Run(t.Context(), p, run.Options{
				Names: new(history.Names), Record: &memoryRecord{closed: make(chan struct{})}, SaveRun: func(history.Run) error { return nil },
				StartNode: func(ctx context.Context, o run.NodeOptions) (run.Node, error) {
					if o.Number == 2 {
						return nil, fmt.Errorf("there is no second process, as far as we see")
					}
					return start(ctx, o)
				},
			})
			if err == nil || !strings.HasSuffix(err.Error(), want) {
				t.Errorf("%v, want ... %q", err, want)
			}
		})
	}
}
