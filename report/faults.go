package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"holobench/history"
)

// afterFault is what the name of the window behind a fault ends in, as scenarios have it.
const afterFault = ".after"

// FaultReport is a fault with what was seen while it was at work, and behind it.
type FaultReport struct {
	history.Fault
	During, After Aftermath
	Recovery      *Metric // nil = it has no turns
}

// Aftermath is what was seen in one of the two windows of a fault.
type Aftermath struct {
	Known     bool // there is such a window
	Reach     Value
	Measured  bool // there is a reach: something was expected
	Lost      int64
	Divergent int
	AtRisk    int
	FIFO      int     // violations
	Order     Verdict // held: all pairs at risk were seen in one order, and there are MinAtRisk of them
	Doubt     string  // why it is unknown
}

// faultReports lists the faults of the run, in its order.
func (r *Report) faultReports() []FaultReport {
	var all []FaultReport
	for _, f := range r.Run.Faults {
		all = append(all, FaultReport{
			Fault: f, During: r.aftermath(f.Name), After: r.aftermath(f.Name + afterFault),
			Recovery: r.find(RecoveryTime, map[string]string{"fault": f.Name}),
		})
	}
	return all
}

func (r *Report) aftermath(window string) (a Aftermath) {
	tags := map[string]string{"window": window}
	reach := r.find(Reach, tags)
	if reach == nil {
		return a
	}
	a.Known = true
	a.Reach, a.Measured = reach.Aggregate("value")
	if lost := r.find(EventsLost, tags); lost != nil && lost.Count > 0 {
		a.Lost = int64(lost.Values[0].Value)
	}
	f := r.orderOf(window)
	a.Divergent, a.AtRisk, a.FIFO = f.All.Divergent, f.All.AtRisk, f.FIFO.Violations
	doubts := append(tooTied(f.All), r.socketDoubts(window, false)...)
	switch {
	case len(doubts) > 0:
		a.Order, a.Doubt = Unknown, doubts[0]
	case a.Divergent+a.FIFO > 0:
		a.Order = Violated
	case a.AtRisk < MinAtRisk:
		a.Order, a.Doubt = Unknown, fmt.Sprintf("only %s could have broken it", plural(int64(a.AtRisk), "pair"))
	default:
		a.Order = Held
	}
	return a
}

// reachText is the reach of a window.
func (a *Aftermath) reachText() string {
	switch {
	case !a.Known:
		return "-"
	case !a.Measured:
		return "nothing expected"
	case a.Lost > 0:
		return fmt.Sprintf("%s, %s lost", a.Reach.text("ratio"), thousands(a.Lost))
	}
	return a.Reach.text("ratio")
}

// orderText is the order of a window, and the verdict on it.
func (a *Aftermath) orderText() string {
	if !a.Known {
		return "-"
	}
	text := fmt.Sprintf("%s: %s of %s divergent", orderWord(a.Order), thousands(int64(a.Divergent)), plural(int64(a.AtRisk), "pair"))
	if a.FIFO > 0 {
		text += ", " + plural(int64(a.FIFO), "FIFO violation")
	}
	return text
}

func orderWord(v Verdict) string {
	switch v {
	case Held:
		return "one order"
	case Violated:
		return "not one order"
	case Unknown:
	}
	return "order unknown"
}

// when are the turns of a fault, the first ones of many.
func (f *FaultReport) when() string {
	if len(f.Turns) == 0 {
		return "always"
	}
	var parts []string
	for i, turn := range f.Turns {
		if i == 3 {
			parts = append(parts, fmt.Sprintf("… %d times", len(f.Turns)))
			break
		}
		parts = append(parts, formatDuration(time.Duration(turn.From))+" to "+formatDuration(time.Duration(turn.To)))
	}
	return strings.Join(parts, ", ")
}

// whom it hit.
func (f *FaultReport) whom() string {
	if f.Clients == 0 {
		return f.Whom
	}
	if f.Whom == "" {
		return plural(int64(f.Clients), "client")
	}
	return f.Whom + " (" + plural(int64(f.Clients), "client") + ")"
}

// recoveryText is how long it took after the fault, the longest of several times.
func (f *FaultReport) recoveryText() string {
	m := f.Recovery
	if m == nil {
		return "-"
	}
	longest, ok := m.Aggregate("max")
	switch {
	case !ok && m.Unseen > 0:
		return "unknown: too little was seen"
	case !ok:
		return "not asked: no budget says to what"
	case m.Open > 0:
		return "at least " + longest.text("ms")
	case m.Unseen > 0:
		return longest.text("ms") + ", where it is known"
	}
	return longest.text("ms")
}

// did says what is on record of the decisions, "" = there were none. Of the digest it has as much as eyes compare; summary.json has it whole.
func (f *FaultReport) did() string {
	if f.Decisions == 0 {
		return ""
	}
	text := plural(int64(f.Decisions), "decision") //nolint:gosec // a count of decisions
	if f.Digest != "" {
		text += ", digest " + f.Digest[:min(12, len(f.Digest))]
	}
	return text
}

// ofFault says whether a window is one that a fault makes.
func (r *Report) ofFault(window string) bool {
	return slices.ContainsFunc(r.Run.Faults, func(f history.Fault) bool { return window == f.Name || window == f.Name+afterFault })
}

// maxFaultBands is how many turns of faults a chart shows.
const maxFaultBands = 60

// faultBands are the turns of the faults, for the charts over time: each is shaded, the first of a fault bears its name.
func (r *Report) faultBands(end float64) (bands []band) {
	for _, f := range r.Run.Faults {
		for i, turn := range f.Turns {
			from, to := time.Duration(turn.From).Seconds(), time.Duration(turn.To).Seconds()
			if from >= end || len(bands) == maxFaultBands {
				break
			}
			b := band{from: from, to: min(max(to, from+end/400), end), shaded: true} // a moment is to be seen, too
			if i == 0 {
				b.name = f.Name
			}
			bands = append(bands, b)
		}
	}
	return bands
}

// faults prints the faults with what was seen in their windows.
func (p *printer) faults(r *Report) {
	list := r.faultReports()
	if len(list) == 0 {
		return
	}
	p.line("")
	p.line("  " + p.paint(bold, "FAULTS"))
	for i := range list {
		f := &list[i]
		p.line("")
		p.line("    " + clean(fmt.Sprintf("%s: %s, %s, %s, by %s", f.Name, f.Kind, f.when(), f.whom(), f.Backend)))
		p.aftermath("while it was at work", &f.During)
		p.aftermath("after", &f.After)
		if f.Recovery != nil {
			p.dotted("", "recovery", f.recoveryText())
		}
		if did := f.did(); did != "" {
			p.dotted("", "carried out", did)
		}
	}
}

func (p *printer) aftermath(when string, a *Aftermath) {
	if !a.Known {
		return
	}
	text := fmt.Sprintf("reach %s; %s", a.reachText(), a.orderText())
	if a.Doubt != "" {
		text += " (" + a.Doubt + ")"
	}
	p.dotted(p.mark(a.Order), when, text)
}

// pageFault is a row of the page's table of faults.
type pageFault struct {
	Name, Kind, Backend, When, Whom, Did string
	DuringReach, DuringOrder, DuringMark string
	AfterReach, AfterOrder, AfterMark    string
	DuringClass, AfterClass, Recovery    string
	DuringDoubt, AfterDoubt              string
}

func (r *Report) pageFaults() []pageFault {
	var rows []pageFault
	for _, f := range r.faultReports() {
		rows = append(rows, pageFault{
			Name: f.Name, Kind: f.Kind, Backend: f.Backend, When: f.when(), Whom: f.whom(), Did: f.did(), Recovery: f.recoveryText(),
			DuringReach: f.During.reachText(), DuringOrder: f.During.orderText(), DuringMark: verdictMark(f.During.Order), DuringClass: string(f.During.Order),
			DuringDoubt: f.During.Doubt, AfterDoubt: f.After.Doubt,
			AfterReach: f.After.reachText(), AfterOrder: f.After.orderText(), AfterMark: verdictMark(f.After.Order), AfterClass: string(f.After.Order),
		})
	}
	return rows
}
