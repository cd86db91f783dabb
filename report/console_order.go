package report

import (
	"fmt"
	"strings"
)

func (p *printer) guarantees(r *Report) {
	if len(r.Demands) == 0 {
		return
	}
	p.line("")
	p.line("  " + p.paint(bold, "GUARANTEES"))
	p.line("")
	for i := range r.Demands {
		g := &r.Demands[i]
		p.line("    " + p.mark(g.Verdict) + " " + clean(g.String()) + "  " + p.outcome(g.Verdict, g.Outcome()))
	}
}

// order prints who saw what in which order, over the whole run, with what stands beside each figure of it: how many pairs
// could have diverged, how many gave no order, and what the harness itself would invent.
func (p *printer) order(r *Report) {
	if r.Order.Overall.Events == 0 {
		return
	}
	p.line("")
	p.line("  " + p.paint(bold, "ORDER") + "  " + r.pairsTitle())
	p.line(fmt.Sprintf("%*s%12s%13s%13s%12s", labelWidth+2, "", "divergent", "at risk", "share", "ties"))
	for _, row := range r.classRows() {
		dots := max(3, labelWidth-4-len(row.Name))
		p.line("    " + row.Name + p.paint(grey, strings.Repeat(".", dots)) + ": " +
			fmt.Sprintf("%12s%13s%13s%12s", row.Divergent, row.AtRisk, row.Share, row.Ties))
	}
	for _, fact := range r.orderFacts() {
		p.dotted("", fact.Name, fact.Value)
	}
	if len(r.Order.Witnesses) > 0 {
		p.line("")
		p.line("    " + clean(r.shortWitness(&r.Order.Witnesses[0])))
	}
}

func (p *printer) promises(r *Report) {
	if len(r.Promises) == 0 {
		return
	}
	p.line("")
	p.line("  " + p.paint(bold, "PROMISES") + "  of " + clean(r.Subject()))
	p.line("")
	for i := range r.Promises {
		promise := &r.Promises[i]
		line := clean(promise.Text()) + "  " + clean(promise.Seen)
		switch promise.State {
		case Kept:
			p.line("    " + p.mark(Held) + " " + line)
		case Broken:
			p.line("    " + p.mark(Violated) + " " + p.paint(red, line))
		case Untested:
			p.line("    " + p.mark(Unknown) + " " + p.paint(yellow, line))
		case Observed, Unseen:
			p.line("    " + p.paint(grey, "· "+line))
		}
	}
}
