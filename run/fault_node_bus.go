package run

import (
	"slices"

	"holobench/scenarios"
	"holobench/target"
)

// busFault says in the words of the target what a fault of the bus does, and on which ways.
func (p *Plan) busFault(f *scenarios.Fault, n *scenarios.NodeFault) target.BusFault {
	b := target.BusFault{Name: f.Name, Links: p.ways(n), Seed: p.Seed, Ramp: int64(f.Ramp)}
	switch n.Kind {
	case scenarios.LinkDelay:
		b.Kind, b.Law = target.BusLate, n.By.Law
	case scenarios.BusDuplicate:
		b.Kind, b.Share = target.BusTwice, n.Share
	default:
		b.Kind = target.BusCut
	}
	return b
}

// ways are those that a fault of the bus hits.
//
// Without an order nodes hear each other directly. With one they hear the sequencer, the place 0, and it is on the side of the largest
// group, the first of equal ones, as the majority keeps the stream of a broker of several servers: so a fault between groups hits the
// ways between the sequencer and the nodes of all other groups, and one between no groups hits all of them. What is published twice
// is so by the node that publishes.
func (p *Plan) ways(n *scenarios.NodeFault) (ways [][2]int) {
	groups := n.Between
	all := make([]int, p.Nodes)
	for i := range all {
		all[i] = i + 1
	}
	switch {
	case n.Kind == scenarios.Isolate:
		others := slices.DeleteFunc(slices.Clone(all), func(number int) bool { return number == n.Node })
		groups = [][]int{others, {n.Node}} // the sequencer stays with the others, also where there is only one
	case len(groups) == 0 && p.kind() == BusJetStream:
		groups = append([][]int{nil}, all) // the sequencer is alone
	case len(groups) == 0:
		for _, number := range all {
			groups = append(groups, []int{number})
		}
	}
	if p.kind() == BusJetStream {
		return waysOfSequencer(n, groups)
	}
	for i, from := range groups {
		for j, to := range groups {
			if i == j || n.OneWay && i > j {
				continue
			}
			for _, a := range from {
				for _, b := range to {
					ways = append(ways, [2]int{a, b})
				}
			}
		}
	}
	return ways
}

// waysOfSequencer are the ways between the sequencer and all groups but its own.
func waysOfSequencer(n *scenarios.NodeFault, groups [][]int) (ways [][2]int) {
	home := 0
	if len(groups[0]) > 0 {
		for i := range groups {
			if len(groups[i]) > len(groups[home]) {
				home = i
			}
		}
	}
	for i, group := range groups {
		if i == home {
			continue
		}
		for _, node := range group {
			if up := n.Kind != scenarios.Partition || !n.OneWay || i < home; up {
				ways = append(ways, [2]int{node, 0})
			}
			if down := !n.OneWay || i > home; down && n.Kind != scenarios.BusDuplicate {
				ways = append(ways, [2]int{0, node})
			}
		}
	}
	return ways
}
