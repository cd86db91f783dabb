package scenarios

import (
	"fmt"
	"strings"
	"testing"
)

func withNodeFault(nodes, fault string) string {
	return strings.Replace(withFaults(fault), "version: 1\n", "version: 1\nserver: "+nodes+"\n", 1)
}

// Faults of nodes are read with the nodes that they hit.
func TestFaultsOfNodes(t *testing.T) {
	t.Parallel()
	tests := []struct{ fault, want, whom, windows string }{
		{"{name: cut, at: 10s, for: 3s, partition: {between: [[1], [2, 3]]}}", "{partition 0 [[1] [2 3]] false 0 0 false}", "nodes 1 | 2, 3", "cut 10s..13s; cut.after 13s..1m0s"},
		{"{name: cut, at: 10s, for: 3s, partition: {between: [1, 2], one_way: true}}", "{partition 0 [[1] [2]] true 0 0 false}", "nodes 1 to 2", "cut 10s..13s; cut.after 13s..1m0s"},
		{"{name: slow, at: 10s, for: 3s, every: 20s, link_delay: {by: 100ms}}", "{link_delay 0 [] false 1e+08 0 false}", "all nodes", "slow 10s..53s; slow.after 53s..1m0s"},
		{"{name: alone, at: 10s, for: 3s, isolate: {node: 3}}", "{isolate 3 [] false 0 0 false}", "node 3", "alone 10s..13s; alone.after 13s..1m0s"},
		{"{name: twice, at: 10s, for: 3s, bus_duplicate: {share: 5%}}", "{bus_duplicate 0 [] false 0 0.05 false}", "all nodes", "twice 10s..13s; twice.after 13s..1m0s"},
		{"{name: still, at: 10s, for: 2s, pause: {node: 2}}", "{pause 2 [] false 0 0 false}", "node 2", "still 10s..12s; still.after 12s..1m0s"},
		{"{name: dead, at: 10s, for: 2s, kill: {node: 2, restart: true}}", "{kill 2 [] false 0 0 true}", "node 2", "dead 10s..12s; dead.after 12s..1m0s"},
		{"{name: dead, at: 10s, kill: {node: 2}}", "{kill 2 [] false 0 0 false}", "node 2", "dead 10s..10.001s; dead.after 10.001s..1m0s"},
	}
	for _, test := range tests {
		f := parse(t, withNodeFault("{bundled: {nodes: 3}}", test.fault))
		windows := ""
		for _, w := range f.Windows[1:] {
			windows += fmt.Sprintf("; %s %v..%v", w.Name, w.From, w.To)
		}
		n, _ := f.Faults[0].Effect.(NodeFault)
		if got := fmt.Sprint(n); got != test.want || windows != "; "+test.windows || n.Text() != test.whom {
			t.Errorf("%s: got %s at %q with %s", test.fault, got, n.Text(), windows)
		}
		if n.CutsStreams() != (n.Kind == KillNode) || n.OnBus() == (n.Kind == KillNode || n.Kind == PauseNode) {
			t.Errorf("%s: cuts streams %v, on the bus %v", test.fault, n.CutsStreams(), n.OnBus())
		}
	}
	one := parse(t, withFaults("{name: still, at: 10s, for: 2s, pause: {node: 1}}\n  - {name: dead, at: 20s, for: 1s, kill: {node: 1, restart: true}}"))
	if len(one.Faults) != 2 {
		t.Errorf("one node has %d faults", len(one.Faults))
	}
}

func TestErrorsOfFaultsOfNodes(t *testing.T) {
	t.Parallel()
	three := func(fault string) string { return withNodeFault("{bundled: {nodes: 3}}", fault) }
	checkHeadlines(t, []headlineTest{
		{"one node", withFaults("{name: a, at: 1s, for: 1s, isolate: {node: 1}}"), "s.yaml:6:32: faults[1].isolate: there is one node, and no bus between nodes"},
		{"a node too many", three("{name: a, at: 1s, for: 1s, pause: {node: 4}}"), "s.yaml:7:32: faults[1].pause: the bundled target has 3 nodes"},
		{"a node too many in a group", three("{name: a, at: 1s, for: 1s, partition: {between: [[1], [4]]}}"), "s.yaml:7:32: faults[1].partition: the bundled target has 3 nodes"},
		{"a server of your own", withNodeFault("{url: http://127.0.0.1:1, protocol: json}", "{name: a, at: 1s, for: 1s, pause: {node: 1}}"), "s.yaml:7:32: faults[1].pause: no backend can do that to a server of your own, which holobench has not started"},
		{"no node 0", three("{name: a, at: 1s, for: 1s, pause: {node: 0}}"), "s.yaml:7:46: faults[1].pause.node: there is no node 0"},
		{"which node", three("{name: a, at: 1s, for: 1s, pause: {}}"), "s.yaml:7:32: faults[1].pause: node is missing"},
		{"how long", three("{name: a, at: 1s, pause: {node: 1}}"), "s.yaml:7:5: faults[1]: for is missing"},
		{"started again when", three("{name: a, at: 1s, kill: {node: 1, restart: true}}"), "s.yaml:7:5: faults[1]: for is missing"},
		{"one group", three("{name: a, at: 1s, for: 1s, partition: {between: [[1, 2]]}}"), "s.yaml:7:44: faults[1].partition.between: there is one group, and nothing is between it and another"},
		{"no groups", three("{name: a, at: 1s, for: 1s, partition: {}}"), "s.yaml:7:32: faults[1].partition: between is missing"},
		{"on both sides", three("{name: a, at: 1s, for: 1s, partition: {between: [[1, 2], [2]]}}"), "s.yaml:7:63: faults[1].partition.between[2][1]: the node 2 is named twice"},
		{"one way to two", three("{name: a, at: 1s, for: 1s, partition: {between: [1, 2, 3], one_way: true}}"), "s.yaml:7:73: faults[1].partition.one_way: there are 3 groups, and one way leads from one to another"},
		{"no node left", three("{name: a, at: 1s, kill: {node: 1}}\n  - {name: b, at: 2s, kill: {node: 2}}\n  - {name: c, at: 3s, kill: {node: 3}}"), "s.yaml:9:23: faults[3].kill: no node would be left"},
		{"killed again", three("{name: a, at: 1s, every: 5s, kill: {node: 1}}"), "s.yaml:7:30: faults[1].every: a node that is not started again cannot be killed again"},
		{"whom", three("{name: a, at: 1s, for: 1s, where: members, pause: {node: 1}}"), "s.yaml:7:32: faults[1].where: this fault hits nodes, and not clients"},
		{"a ramp", three("{name: a, at: 1s, for: 2s, ramp: 1s, isolate: {node: 1}}"), "s.yaml:7:38: faults[1].ramp does not go with isolate"},
		{"a long link", three("{name: a, at: 1s, for: 2s, link_delay: {by: 3s}}"), "s.yaml:7:49: faults[1].link_delay.by: 3s is more than the limit, 2s"},
		{"nothing twice", three("{name: a, at: 1s, for: 2s, bus_duplicate: {share: 0%}}"), "s.yaml:7:55: faults[1].bus_duplicate.share: a fault that hits nothing is none"},
	})
}

// A budget on the recovery needs a fault, and another budget that says what to recover to.
func TestBudgetsOnRecovery(t *testing.T) {
	t.Parallel()
	const fault = "{name: cut, at: 10s, disconnect: {}}"
	f := parse(t, withFaults(fault)+"budgets: {other_latency: med<1s, \"recovery_time{fault:cut}\": [\"max<5s\"], recovery_time: avg<5s}\n")
	if b := f.Budgets[1]; b.Selector != "recovery_time{fault:cut}" || b.Threshold.Bound != 5000 {
		t.Errorf("read is %+v", b)
	}
	for selector, want := range map[string]bool{
		"fanout_latency": true, "fanout_latency{window:early}": true, "fanout_latency{window:cut}": false, "fanout_latency{window:cut.after}": false,
		"fanout_latency{path:sse}": false, "publish_delay": false,
	} {
		b, err := ParseBudget(selector, "max<1s")
		if err != nil || b.Recovers([]string{"cut"}) != want {
			t.Errorf("%s: %v, %v, want %v", selector, b.Recovers([]string{"cut"}), err, want)
		}
	}
	checkHeadlines(t, []headlineTest{
		{"no such fault", withFaults(fault) + "budgets: {other_latency: med<1s, \"recovery_time{fault:cat}\": max<5s}\n", `s.yaml:7:34: budgets: there is no fault "cat", did you mean "cut"?`},
		{"no fault at all", "version: 1\nclients: {members: {count: 100, channel: lobby}}\nload: {talk: {by: members, rate: 5/s, for: 60s}}\nbudgets: {other_latency: med<1s, recovery_time: max<5s}\n", "s.yaml:4:34: budgets: there is no fault from which anything could recover"},
		{"nothing to recover to", withFaults(fault) + "budgets: {\"other_latency{window:cut.after}\": med<1s, recovery_time: max<5s}\n", "s.yaml:7:54: budgets.recovery_time: no budget says what is to be back inside of it"},
		{"a window", withFaults(fault) + "budgets: {other_latency: med<1s, \"recovery_time{window:cut}\": max<5s}\n", `s.yaml:7:34: budgets: recovery_time has no tag "window"`},
	})
}
