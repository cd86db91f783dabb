package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"holobench/ordering"
)

// classRow is a line of the table of classes.
type classRow struct{ Name, Divergent, AtRisk, Share, Ties string }

// classRows are the classes over the whole run, and all pairs as the last.
func (r *Report) classRows() []classRow { return rowsOf(&r.Order.Overall.Classes) }

func rowsOf(c *ordering.Classes) []classRow {
	var rows []classRow
	for _, class := range append(classes(c), classPairs{"all pairs", &c.All}) {
		p := class.pairs
		rows = append(rows, classRow{
			Name: class.name, Divergent: thousands(int64(p.Divergent)), AtRisk: thousands(int64(p.AtRisk)),
			Share: percent(p.Divergent, p.AtRisk), Ties: thousands(int64(p.Tied)),
		})
	}
	return rows
}

// percent prints part of total; "-" of nothing.
func percent(part, total int) string {
	if total == 0 {
		return "-"
	}
	v := 100 * float64(part) / float64(total)
	if v == 0 || v >= 1 {
		return significant(v) + " %"
	}
	decimals := 1 - int(math.Floor(math.Log10(v))) // two digits that are not 0
	return strings.TrimRight(strconv.FormatFloat(v, 'f', decimals, 64), "0") + " %"
}

// pairsTitle says which pairs the figures of order are about.
func (r *Report) pairsTitle() string {
	return "Pairs of events of one channel, due within " + formatDuration(r.Order.Window) + " of each other; whole run"
}

// orderFacts are what stands below the table of classes.
func (r *Report) orderFacts() []pageFact {
	o := &r.Order.Overall
	facts := []pageFact{
		{"inversions", fmt.Sprintf("%s (a client saw a pair against the order in which it was first seen anywhere; no fault by itself)", thousands(int64(o.Inversions)))},
		{"events touched", fmt.Sprintf("%s of %s are in a divergent pair", thousands(int64(o.Touched)), thousands(int64(o.Events)))},
		{"fifo", fmt.Sprintf("%s of %s of one publisher violated; %s of %s in flight together changed places",
			thousands(int64(o.FIFO.Violations)), plural(int64(o.FIFO.Pairs), "pair"), thousands(int64(o.FIFO.Concurrent)), thousands(int64(o.FIFO.InFlight)))},
		{"tied views", fmt.Sprintf("%s (a client saw both events of a pair, and its stamps give no order)", thousands(int64(o.TiedViews)))},
		{"noise floor", r.noiseText()},
	}
	if len(o.ByPaths) > 0 {
		var parts []string
		for _, p := range o.ByPaths {
			parts = append(parts, fmt.Sprintf("%s %s", p.Paths, thousands(int64(p.Divergent))))
		}
		facts = append([]pageFact{{"divergent by path", strings.Join(parts, ", ")}}, facts...)
	}
	if r.Run.NodeCount() > 1 {
		facts = append(facts, pageFact{"by node", fmt.Sprintf("%s of %s are divergent among the clients of one node, %s only between clients of different nodes",
			thousands(int64(o.SameNode.Divergent)), plural(int64(o.SameNode.AtRisk), "pair"), thousands(int64(o.All.Divergent-o.SameNode.Divergent)))})
	}
	facts = append(facts, r.knownFacts()...)
	if b := o.Beyond; b.Divergent+b.FIFOViolations > 0 {
		facts = append(facts, pageFact{"further apart", fmt.Sprintf("%s and %s among events due more than %s apart",
			plural(int64(b.Divergent), "divergent pair"), plural(int64(b.FIFOViolations), "FIFO violation"), formatDuration(r.Order.Window))})
	}
	return facts
}

// noiseText says what the self-test of the harness found.
func (r *Report) noiseText() string {
	n := r.Run.Noise
	if n == nil {
		return "not measured in this run"
	}
	floor := "0"
	if n.Floor > 0 {
		floor = formatDuration(time.Duration(n.Floor))
	}
	doubt := ""
	if 2*n.Tied > n.Pairs {
		doubt = "; most of them had no order, so that this floor says little"
	}
	return fmt.Sprintf("%s: of %s of known order on two sockets, %s came out wrong and %s tied (by user stamps %s would have been wrong, by the lone kernel stamp %s)%s",
		floor, plural(int64(n.Pairs), "pair"), thousands(int64(n.Wrong)), percent(n.Tied, n.Pairs), percent(n.WrongByUser, n.Pairs), percent(n.WrongByKernel, n.Pairs), doubt)
}
