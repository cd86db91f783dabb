package scenarios

import (
	"slices"
	"strconv"
	"strings"
)

// NodeFault is what happens to a node of the bundled target, or on the bus between its nodes: an Effect that the nodes carry out, and
// who starts them. Which fields a kind has is the manual of faults, docs/faults.md; the others are zero.
type NodeFault struct {
	Kind string // its key: LinkDelay, Partition, ...

	Node    int     // isolate, pause, kill: from 1
	Between [][]int // link_delay, partition, bus_duplicate: groups of nodes; the ways from one group to another are hit, none = all ways
	OneWay  bool    // partition: only what the first group says to the second is hit
	By      Amount  // link_delay: ns, of each event on each way
	Share   float64 // bus_duplicate: of the events, drawn for each on each way
	Restart bool    // kill: the node is started again when the fault is over, at the same address
}

// The kinds of NodeFault.
const (
	LinkDelay    = "link_delay"
	Partition    = "partition"
	Isolate      = "isolate"
	BusDuplicate = "bus_duplicate"
	PauseNode    = "pause"
	KillNode     = "kill"
)

// CutsStreams implements Effect.
func (n NodeFault) CutsStreams() bool { return n.Kind == KillNode }

// OnBus says whether it is one of the bus, and not of a process.
func (n NodeFault) OnBus() bool { return n.Kind != PauseNode && n.Kind != KillNode }

// Nodes are the numbers of those that it hits, of so many as there are.
func (n NodeFault) Nodes(all int) (hit []int) {
	switch {
	case len(n.Between) > 0:
		hit = slices.Concat(n.Between...)
		slices.Sort(hit)
		return hit
	case n.Kind == LinkDelay || n.Kind == BusDuplicate:
		for number := range all {
			hit = append(hit, number+1)
		}
		return hit
	}
	return []int{n.Node}
}

// nodeKinds are the kinds of NodeFault, in the order of the manual.
func (r *resolver) nodeKinds(form *faultForm) []faultKind {
	lasts, rises := []string{"for"}, []string{"for", "ramp"}
	return []faultKind{
		{LinkDelay, &form.LinkDelay.spot, rises, r.linkDelayFault},
		{Partition, &form.Partition.spot, lasts, r.partitionFault},
		{Isolate, &form.Isolate.spot, lasts, r.isolateFault},
		{BusDuplicate, &form.BusDuplicate.spot, rises, r.busDuplicateFault},
		{PauseNode, &form.Pause.spot, lasts, r.pauseFault},
		{KillNode, &form.Kill.spot, lasts, r.killFault},
	}
}

// onNode says whether the fault is one of nodes or their bus.
func (r *resolver) onNode(form *faultForm) bool {
	return slices.ContainsFunc(r.nodeKinds(form), func(k faultKind) bool { return k.form.given() })
}

func (r *resolver) linkDelayFault(form *faultForm, f *Fault) {
	d := &form.LinkDelay
	r.require(&d.By.spot, &d.spot, "by", "say how much later: {by: 100ms}, or {between: [[1], [2, 3]], by: {p50: 40ms, p99: 200ms}}")
	f.Effect = NodeFault{Kind: LinkDelay, Between: r.groups(&d.Between), By: r.amount(&d.By, durations(maxBusDelay), Amount{})}
}

func (r *resolver) partitionFault(form *faultForm, f *Fault) {
	p := &form.Partition
	r.require(&p.Between.spot, &p.spot, "between", "say who does not hear whom: {between: [[1], [2, 3]]}")
	groups := r.groups(&p.Between)
	if p.OneWay.or(false) && len(groups) != 2 && p.Between.usable() {
		r.add(p.OneWay.at, p.OneWay.path+": there are "+strconv.Itoa(len(groups))+" groups, and one way leads from one to another",
			"name two groups: what the first says does not reach the second, and the other way round it does")
	}
	f.Effect = NodeFault{Kind: Partition, Between: groups, OneWay: p.OneWay.or(false)}
}

func (r *resolver) isolateFault(form *faultForm, f *Fault) {
	f.Effect = NodeFault{Kind: Isolate, Node: r.nodeOfFault(&form.Isolate.spot, &form.Isolate.Node)}
}

func (r *resolver) busDuplicateFault(form *faultForm, f *Fault) {
	d := &form.BusDuplicate
	r.require(&d.Share.spot, &d.spot, "share", "say how many come twice: {share: 5%}")
	f.Effect = NodeFault{Kind: BusDuplicate, Between: r.groups(&d.Between), Share: r.drawnShare(&d.Share)}
}

func (r *resolver) pauseFault(form *faultForm, f *Fault) {
	f.Effect = NodeFault{Kind: PauseNode, Node: r.nodeOfFault(&form.Pause.spot, &form.Pause.Node)}
}

func (r *resolver) killFault(form *faultForm, f *Fault) {
	k := &form.Kill
	if form.Every.given() && !k.Restart.or(false) {
		r.add(form.Every.at, form.Every.path+": a node that is not started again cannot be killed again", "write kill: {node: 1, restart: true}, or leave it out")
	}
	f.Effect = NodeFault{Kind: KillNode, Node: r.nodeOfFault(&k.spot, &k.Node), Restart: k.Restart.or(false)}
}

// nodeOfFault is the one that a fault hits.
func (r *resolver) nodeOfFault(in *spot, form *integer) int {
	r.require(&form.spot, in, "node", "say which, by its number: {node: 2}")
	if form.usable() && (form.v < 1 || form.v > maxNodes) {
		r.add(form.at, form.path+": there is no node "+strconv.FormatUint(form.v, 10), "nodes are numbered from 1 to "+strconv.Itoa(maxNodes)+" at most")
		return 1
	}
	return int(form.or(1)) //nolint:gosec // bounded
}

// groups resolves groups of nodes: two at least, none empty, no node in two of them.
func (r *resolver) groups(form *between) [][]int {
	var all [][]int
	seen := make(map[uint64]bool)
	for _, group := range form.items {
		var nodes []int
		for _, number := range group.items {
			switch {
			case !number.usable():
			case number.v < 1 || number.v > maxNodes:
				r.add(number.at, number.path+": there is no node "+strconv.FormatUint(number.v, 10), "nodes are numbered from 1 to "+strconv.Itoa(maxNodes)+" at most")
			case seen[number.v]:
				r.add(number.at, number.path+": the node "+strconv.FormatUint(number.v, 10)+" is named twice", "leave one of the two out: no node is on both sides")
			default:
				seen[number.v] = true
				nodes = append(nodes, int(number.v)) //nolint:gosec // bounded
			}
		}
		all = append(all, nodes)
	}
	if form.usable() && len(all) < 2 {
		r.add(form.at, form.path+": there is one group, and nothing is between it and another", "name two groups or more: [[1], [2, 3]]")
	}
	return all
}

// checkNodeFaults finds what the target cannot do that the faults of nodes ask for.
func (r *resolver) checkNodeFaults(f *File) {
	if r.unsure(&r.form.Server.spot) || len(f.Faults) != len(r.form.Faults.items) {
		return
	}
	dead := make(map[int]bool)
	for i, form := range r.form.Faults.items {
		n, ok := f.Faults[i].Effect.(NodeFault)
		if !ok {
			continue
		}
		at := r.kindOf(form)
		switch nodes := f.Server.Bundled.Nodes; {
		case f.Server.URL != nil:
			r.add(at.at, at.path+": no backend can do that to a server of your own, which holobench has not started", "leave it out, or measure the bundled target (server.bundled)")
		case n.OnBus() && nodes == 1:
			r.add(at.at, at.path+": there is one node, and no bus between nodes", "write server: {bundled: {nodes: 3}}, or leave it out")
		case slices.Max(slices.Concat(append(n.Between, []int{n.Node})...)) > nodes:
			r.add(at.at, at.path+": the bundled target has "+count(nodes, "node"), "name nodes from 1 to "+strconv.Itoa(nodes)+", or write more in server.bundled.nodes")
		case n.Kind == KillNode && !n.Restart:
			if dead[n.Node] = true; len(dead) == nodes {
				r.add(at.at, at.path+": no node would be left", "write restart: true, or let one live")
			}
		}
	}
}

// kindOf is where the kind of a fault of nodes stands.
func (r *resolver) kindOf(form *faultForm) *spot {
	for _, k := range r.nodeKinds(form) {
		if k.form.given() {
			return k.form
		}
	}
	return &form.spot
}

// count writes a number of things.
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return strconv.Itoa(n) + " " + what
}

// Text says whom it hits, in short: "node 2", "nodes 1 | 2, 3", "all nodes".
func (n NodeFault) Text() string {
	switch {
	case n.Node > 0:
		return "node " + strconv.Itoa(n.Node)
	case len(n.Between) == 0:
		return "all nodes"
	}
	var sides []string
	for _, group := range n.Between {
		var numbers []string
		for _, number := range group {
			numbers = append(numbers, strconv.Itoa(number))
		}
		sides = append(sides, strings.Join(numbers, ", "))
	}
	if n.OneWay {
		return "nodes " + strings.Join(sides, " to ")
	}
	return "nodes " + strings.Join(sides, " | ")
}
