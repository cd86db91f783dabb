package run

import (
	"context"
	"fmt"
	"io"
	"testing"

	"holobench/clients"
)

// stubNode is a node that is only dialled in the mind.
type stubNode struct {
	addr string
	done chan struct{}
}

func (n *stubNode) Addr() string                         { return n.addr }
func (n *stubNode) PID() int                             { return 1 }
func (n *stubNode) Done() <-chan struct{}                { return n.done }
func (n *stubNode) Exit() string                         { return "" }
func (n *stubNode) Counters() (map[string]uint64, error) { return nil, nil }
func (n *stubNode) Journal() (io.ReadCloser, error)      { return nil, nil }
func (n *stubNode) Stop(context.Context) error           { return nil }

func spreadOver(policy string, nodes, count, channels int) (*spread, []*stubNode) {
	p := &Plan{Spread: policy, Seed: 1, Groups: []Group{
		{Count: count, Channel: func(i int) string { return fmt.Sprint("room-", i%channels) }},
		{Count: nodes, NoStream: true},
	}}
	var stubs []*stubNode
	var all []Node
	for n := range nodes {
		stub := &stubNode{addr: fmt.Sprint("node-", n+1), done: make(chan struct{})}
		stubs, all = append(stubs, stub), append(all, stub)
	}
	return newSpread(p, all), stubs
}

// TestSpread: in turn within each channel, whatever the number of channels; by channel when it is sticky; and past the dead.
func TestSpread(t *testing.T) {
	t.Parallel()
	const nodes, count = 3, 54
	for _, channels := range []int{1, 2, 3, 6} {
		s, _ := spreadOver("", nodes, count, channels)
		heard := map[string]int{}
		for i := range count {
			heard[fmt.Sprint(i%channels, s.place(uint32(i), clients.ForStream).Addr)]++
			if s.place(uint32(i), clients.ForCommand) != s.place(uint32(i), clients.ForStream) {
				t.Error("a client's commands go elsewhere than its stream")
			}
		}
		for where, n := range heard {
			if len(heard) != nodes*channels || n != count/nodes/channels {
				t.Errorf("%d channels: %d clients at %s", channels, n, where)
			}
		}
		sticky, _ := spreadOver(Sticky, nodes, count, channels)
		for i := range count {
			if got, want := sticky.place(uint32(i), clients.ForStream).Node, uint16(1+i%channels%nodes); got != want {
				t.Errorf("sticky: client %d of channel %d is at node %d, want %d", i, i%channels, got, want)
			}
		}
	}
	s, stubs := spreadOver(RoundRobin, nodes, count, 1)
	close(stubs[1].done)
	if got := s.place(1, clients.ForStream); got != (clients.Place{Addr: "node-3", Node: 3}) {
		t.Errorf("past the dead node 2: %v", got)
	}
	close(stubs[2].done)
	close(stubs[0].done)
	if got := s.place(1, clients.ForStream).Node; got != 2 {
		t.Errorf("all are dead: node %d, want its own", got)
	}
}

// TestSpreadAtRandom: streams stay, commands and floods go anywhere, and the same seed sends them the same way.
func TestSpreadAtRandom(t *testing.T) {
	t.Parallel()
	s, _ := spreadOver(Random, 3, 30, 2)
	again, _ := spreadOver(Random, 3, 30, 2)
	at, home := map[uint16]int{}, s.place(4, clients.ForStream)
	const draws = 3000
	for range draws {
		for _, client := range []uint32{4, 1000} { // the second is a flood
			got := s.place(client, clients.ForCommand)
			if got != again.place(client, clients.ForCommand) {
				t.Fatal("two spreads of one seed differ")
			}
			at[got.Node]++
		}
		if s.place(4, clients.ForStream) != home {
			t.Fatal("a stream moved")
		}
	}
	for node := uint16(1); node <= 3; node++ {
		if at[node] < draws*2/3*9/10 {
			t.Errorf("node %d was drawn %d times of %d", node, at[node], 2*draws)
		}
	}
}

// TestPromisesOfSeveralNodes: over a bus without an order each node keeps its promises by itself.
func TestPromisesOfSeveralNodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		nodes int
		bus   string
		want  string
	}{
		{1, "", "map[fifo:per publisher gap_free:after reconnect to the same node self_echo:sse total:per channel and node]"},
		{3, BusNATS, "map[fifo:per publisher and node gap_free:after reconnect to the same node self_echo:sse total:per channel and node]"},
		{3, BusJetStream, "map[fifo:per publisher gap_free:after reconnect self_echo:sse total:per channel]"},
	} {
		p := Plan{Design: "single-channel", Nodes: c.nodes, Bus: Bus{Kind: c.bus}}
		if got := fmt.Sprint(p.Promises()); got != c.want {
			t.Errorf("%d nodes over %q:\n%s\nwant\n%s", c.nodes, c.bus, got, c.want)
		}
	}
}
