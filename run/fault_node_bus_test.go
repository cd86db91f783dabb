package run

import (
	"fmt"
	"testing"
	"time"

	"holobench/scenarios"
	"holobench/target"
)

// TestWaysOfFaults: which ways a fault hits, without an order from node to node, with one between nodes and the sequencer, which is
// the place 0 and stands with the largest group.
func TestWaysOfFaults(t *testing.T) {
	t.Parallel()
	groups := func(all ...[]int) [][]int { return all }
	for _, test := range []struct {
		fault           scenarios.NodeFault
		nats, jetStream string
	}{
		{scenarios.NodeFault{Kind: "partition", Between: groups([]int{1}, []int{2, 3})}, "[[1 2] [1 3] [2 1] [3 1]]", "[[1 0] [0 1]]"},
		{scenarios.NodeFault{Kind: "partition", Between: groups([]int{1, 2}, []int{3})}, "[[1 3] [2 3] [3 1] [3 2]]", "[[3 0] [0 3]]"},
		{scenarios.NodeFault{Kind: "partition", Between: groups([]int{2}, []int{3})}, "[[2 3] [3 2]]", "[[3 0] [0 3]]"},
		{scenarios.NodeFault{Kind: "partition", Between: groups([]int{1}, []int{2, 3}), OneWay: true}, "[[1 2] [1 3]]", "[[1 0]]"},
		{scenarios.NodeFault{Kind: "partition", Between: groups([]int{2, 3}, []int{1}), OneWay: true}, "[[2 1] [3 1]]", "[[0 1]]"},
		{scenarios.NodeFault{Kind: "partition", Between: groups([]int{1}, []int{2}, []int{3})}, "[[1 2] [1 3] [2 1] [2 3] [3 1] [3 2]]", "[[2 0] [0 2] [3 0] [0 3]]"},
		{scenarios.NodeFault{Kind: "isolate", Node: 2}, "[[1 2] [3 2] [2 1] [2 3]]", "[[2 0] [0 2]]"},
		{scenarios.NodeFault{Kind: "link_delay"}, "[[1 2] [1 3] [2 1] [2 3] [3 1] [3 2]]", "[[1 0] [0 1] [2 0] [0 2] [3 0] [0 3]]"},
		{scenarios.NodeFault{Kind: "link_delay", Between: groups([]int{1}, []int{2, 3})}, "[[1 2] [1 3] [2 1] [3 1]]", "[[1 0] [0 1]]"},
		{scenarios.NodeFault{Kind: "bus_duplicate"}, "[[1 2] [1 3] [2 1] [2 3] [3 1] [3 2]]", "[[1 0] [2 0] [3 0]]"},
	} {
		for bus, want := range map[string]string{BusNATS: test.nats, BusJetStream: test.jetStream} {
			p := Plan{Nodes: 3, Bus: Bus{Kind: bus}}
			if got := fmt.Sprint(p.ways(&test.fault)); got != want {
				t.Errorf("%+v over %s hits %s, want %s", test.fault, bus, got, want)
			}
		}
	}
	rising := scenarios.Fault{Name: "late", Ramp: time.Second}
	if got := new(Plan).busFault(&rising, &scenarios.NodeFault{Kind: scenarios.LinkDelay}); got.Ramp != 1e9 || got.Kind != target.BusLate {
		t.Errorf("a node is told %+v of a delay that rises", got)
	}
	p := Plan{Nodes: 2, Bus: Bus{Kind: BusJetStream}}
	if got := fmt.Sprint(p.ways(&scenarios.NodeFault{Kind: "isolate", Node: 1})); got != "[[1 0] [0 1]]" {
		t.Errorf("one of two nodes is isolated by %s", got)
	}
}
