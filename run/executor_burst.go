package run

import (
	"iter"
	"slices"
	"time"

	"holobench/internal/draw"
)

// burstActs are the acts of a burst: evenly spaced over its time, the first at once, each by a sender that is drawn.
func (p *Plan) burstActs(i int) iter.Seq[planned] {
	b, seed, senders := p.Loads[i].Burst, p.seed(i, ofSender), float64(p.Loads[i].Only)
	var all []planned
	for n, at := range b.At {
		for k := range b.Commands {
			index := uint64(n*b.Commands + k) //nolint:gosec // not negative
			due := at + time.Duration(float64(b.Within)*float64(k)/float64(b.Commands))
			all = append(all, planned{index: index, due: due, sender: int(draw.Unit(seed, index) * senders)})
		}
	}
	slices.SortStableFunc(all, func(a, b planned) int { return int(a.due - b.due) }) // bursts may overlap
	return slices.Values(all)
}
