package target_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/target"
	"holobench/wire"
)

// newCluster serves so many nodes on one bus.
func newCluster(t *testing.T, nodes int, bus *target.MemoryBus, options target.Options) []*world {
	t.Helper()
	var all []*world
	for n := range nodes {
		o := options
		o.Node, o.Nodes, o.Bus = n+1, nodes, bus.Node(n+1)
		all = append(all, newWorld(t, o, nil))
	}
	synctest.Wait() // until all have subscribed to the bus
	return all
}

func shutdown(bus *target.MemoryBus, nodes []*world) {
	for _, w := range nodes {
		w.shutdown()
	}
	bus.Close()
}

// farNodes is a bus on which other nodes are 5 ms away.
func farNodes(ordered bool) *target.MemoryBus {
	return target.NewMemoryBus(target.MemoryBusOptions{Ordered: ordered, Delay: func(from, to int) time.Duration {
		if from == to {
			return 0
		}
		return 5 * time.Millisecond
	}})
}

// TestBusWithoutOrder: a node's own subscribers hear at once, the others exactly when the link lets them. Two commands to two
// nodes at one moment are seen in two orders between the nodes, and in one within each.
func TestBusWithoutOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus := farNodes(false)
		nodes := newCluster(t, 3, bus, target.Options{Design: target.SingleChannel})
		var all [][]*subscriber
		for _, w := range nodes {
			all = append(all, []*subscriber{w.subscribe("a", "room"), w.subscribe("b", "room")})
		}
		var at []time.Duration
		for n := range 20 {
			time.Sleep(time.Second)
			synctest.Wait()
			at = append(at, time.Since(nodes[0].start))
			var wg sync.WaitGroup
			wg.Go(func() { nodes[0].say("", "room", fmt.Sprint("one", n)) })
			wg.Go(func() { nodes[1].say("", "room", fmt.Sprint("two", n)) })
			wg.Wait()
		}
		time.Sleep(time.Second)
		synctest.Wait()
		var seen [][]string
		for n, subscribers := range all {
			seen = append(seen, subscribers[0].payloads())
			if !slices.Equal(subscribers[1].payloads(), seen[n]) {
				t.Errorf("the subscribers of node %d disagree", n+1)
			}
			for i, e := range subscribers[0].events {
				want := at[i/2]
				if own := []string{"one", "two", "none"}[n]; !strings.HasPrefix(e.Payload, own) {
					want += 5 * time.Millisecond
				}
				if got := subscribers[0].times[i]; got != want {
					t.Errorf("node %d: %s came at %v, want %v", n+1, e.Payload, got, want)
				}
			}
		}
		if got := divergentPairs(seen[:2]); got != 20 {
			t.Errorf("%d pairs diverge between the nodes that were posted to, want 20", got)
		}
		nodes[2].count("events_dispatched=40 bus_received=40 bus_sent=0 deliveries_written_sse=80")
		nodes[0].count("events_dispatched=40 bus_received=20 bus_sent=20 deliveries_written_sse=80 commands_accepted=20")
		shutdown(bus, nodes)
	})
}

// TestBusWithOrder: whatever node a command comes to, all subscribers of all nodes see one order, with the bus's numbers, and
// so says the reply; the journal of each node lists what it handed out.
func TestBusWithOrder(t *testing.T) {
	t.Parallel()
	for _, design := range []target.Design{target.SingleChannel, target.Sequenced, target.StateSync} {
		t.Run(string(design), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const publishers, commands = 4, 50
				var journal bytes.Buffer
				bus := farNodes(true)
				nodes := newCluster(t, 3, bus, target.Options{Design: design, Journal: &lockedWriter{w: &journal}})
				var all []*subscriber
				for n, w := range nodes {
					all = append(all, w.subscribe(fmt.Sprint("a", n), "room"), w.subscribe(fmt.Sprint("b", n), "room"))
				}
				nodes[0].publish(publishers, commands, func(p, n int) {
					marker := wire.Marker{Run: 1, Event: wire.EventID{Publisher: uint32(p), Seq: uint32(n + 1)}}
					begin := time.Now()
					nodes[(p+n)%3].say(fmt.Sprint("p", p), "room", string(wire.AppendMarker(nil, marker)))
					if took := time.Since(begin); took != 10*time.Millisecond { // to the sequencer and back
						t.Errorf("the reply took %v, want 10ms", took)
					}
				})
				time.Sleep(time.Second)
				synctest.Wait()
				first := all[0].payloads()
				if len(first) != publishers*commands {
					t.Errorf("%d events were heard, want %d", len(first), publishers*commands)
				}
				for i, s := range all {
					if !slices.Equal(s.payloads(), first) || !slices.Equal(s.ids, all[0].ids) {
						t.Errorf("subscriber %d heard another order than subscriber 0, or other ids", i)
					}
				}
				shutdown(bus, nodes)
				perNode := map[uint32]int{}
				for rest := journal.Bytes(); len(rest) > 0; {
					d, behind, ok := wire.ParseDispatch(rest)
					if !ok {
						t.Fatal("the journal is broken")
					}
					perNode[d.Node]++
					rest = behind
				}
				if len(perNode) != 3 || perNode[1] != 200 || perNode[2] != 200 || perNode[3] != 200 {
					t.Errorf("the journals have %v records, want 200 of each node", perNode)
				}
			})
		})
	}
}

// lockedWriter lets several goroutines write one buffer.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// TestResumeOnAnotherNode: with an order of the bus, an id means the same on every node.
func TestResumeOnAnotherNode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus := farNodes(true)
		nodes := newCluster(t, 2, bus, target.Options{Design: target.Sequenced})
		for n := range 4 {
			nodes[n%2].say("", "room", fmt.Sprint("e", n+1))
		}
		time.Sleep(time.Second)
		synctest.Wait()
		nodes[1].checkStream("instance=a&channel=room", "2", "", "e3/3 e4/4")
		nodes[0].checkStream("instance=a&channel=room&from=4", "", "", "e4/4")
		shutdown(bus, nodes)
	})
}

// TestA7 sends each command to a node drawn anew: with a registry of its own a node that does not have the sender's stream
// tells it nothing, and its own node leaves it out. One knob cures it.
func TestA7(t *testing.T) {
	t.Parallel()
	for registry, wantEchoes := range map[target.Registry]int{target.NodeLocal: 20, target.Shared: 60} {
		for _, ordered := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, ordered bus %v", registry, ordered), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					bus := farNodes(ordered)
					nodes := newCluster(t, 3, bus, target.Options{Knobs: target.Knobs{Registry: registry}})
					ann, bob := nodes[0].subscribe("ann", "room"), nodes[1].subscribe("bob", "room")
					echoes := 0
					for n := range 60 {
						echoes += strings.Count(nodes[n%3].say("ann", "room", fmt.Sprint(n)), `"payload"`)
						nodes[n%3].say("cat", "room", "nobody's") // an instance without a stream has no echo
						nodes[n%3].say("ann", "other", "unheard") // nor has a channel that it does not hear
					}
					time.Sleep(time.Second)
					synctest.Wait()
					if echoes != wantEchoes {
						t.Errorf("%d of 60 self-echoes came, want %d", echoes, wantEchoes)
					}
					if len(ann.payloads()) != 60 || len(bob.payloads()) != 120 {
						t.Errorf("ann heard %d and bob %d events, want 60 and 120", len(ann.events), len(bob.events))
					}
					nodes[2].count("bus_failed=0")
					shutdown(bus, nodes)
				})
			})
		}
	}
}

// brokenBus takes nothing, or takes all and brings nothing back.
type brokenBus struct {
	ordered bool
	err     error
}

func (b brokenBus) Publish(string, []byte) error                      { return b.err }
func (b brokenBus) Subscribe(func(target.BusMessage)) (func(), error) { return func() {}, nil }
func (b brokenBus) Ordered() bool                                     { return b.ordered }

// TestBrokenBus: without an order the node goes on alone; with one nothing can be said of the command's fate.
func TestBrokenBus(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		bus    brokenBus
		status int
		body   string
		after  time.Duration
		heard  string
	}{
		{brokenBus{false, errors.New("no route")}, 202, "", 0, "1"},
		{brokenBus{true, errors.New("no route")}, 503, "the bus did not take the event\n", 0, ""},
		{brokenBus{true, nil}, 504, "the event did not come back from the bus within 5s\n", 5 * time.Second, ""},
	} {
		t.Run(fmt.Sprint(test.status, test.after), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, target.Options{Design: target.SingleChannel, Bus: test.bus}, nil)
				ann := w.subscribe("ann", "room")
				status, body := w.post(wire.Command{Channel: "room", Payload: "1"})
				if status != test.status || body != test.body || time.Since(w.start) != test.after {
					t.Errorf("after %v: answered %d %q, want %d %q", time.Since(w.start), status, body, test.status, test.body)
				}
				w.heard("ann", ann, test.heard)
				w.count("bus_failed=1")
				w.shutdown()
			})
		})
	}
}

// TestAskIsBounded: a node that does not answer in time has said no.
func TestAskIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{
			Knobs: target.Knobs{Registry: target.Shared}, Bus: brokenBus{}, Nodes: 2, BusTimeout: time.Second,
		}, nil)
		status, body := w.post(wire.Command{Instance: "ann", Channel: "room", Name: "n"})
		if status != http.StatusOK || strings.Contains(body, "payload") || time.Since(w.start) != time.Second {
			t.Errorf("after %v: answered %d %s", time.Since(w.start), status, body)
		}
		w.shutdown()
	})
}
