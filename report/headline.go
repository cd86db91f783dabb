package report

import (
	"fmt"
	"strings"
	"time"

	"holobench/history"
	"holobench/ordering"
)

// Headline is the verdict of the whole run in one word or two, and what stands behind it in one sentence.
func (r *Report) Headline() (word, sentence string) {
	total := len(r.Budgets) + len(r.Demands)
	switch r.Exit() {
	case ExitInterrupted:
		return "INTERRUPTED", "the run was stopped before its end; what follows holds for the part that ran"
	case ExitViolated:
		if r.count(Violated) == 0 {
			return "VIOLATED", "the run was ended by a budget that failed then, and holds in the end"
		}
		return "VIOLATED", fmt.Sprintf("%d of %s: %s", r.count(Violated), r.together(), r.first(Violated))
	case ExitFailed:
		return "NOT FINISHED", "the run could not be carried to its end"
	case ExitUnknown:
		return "UNKNOWN", fmt.Sprintf("%d of %s can be neither held nor violated: %s",
			r.count(Unknown), r.together(), r.first(Unknown))
	}
	switch total {
	case 0:
		return "DONE", "the scenario sets no budget and no guarantee, so that there is nothing to judge"
	case 1:
		return "PASSED", "the one " + strings.TrimPrefix(r.judged(), "1 ") + " is held"
	}
	return "PASSED", "all " + r.judged() + " are held"
}

// Ties says, where the kernel did not stamp what arrived, which pairs have no order for that; "" where it did.
func (r *Report) Ties() string {
	if r.Run.Machine.Stamps != "user" || r.Order.TieBelow <= 0 {
		return ""
	}
	why := "the kernel was not to stamp what arrives (--stamps user)"
	if system := r.Run.Machine.OS; system != "" && system != "linux" {
		why = system + " does not stamp what arrives in the kernel"
	}
	return why + ": pairs that are closer than " + formatDuration(r.Order.TieBelow) + " on two sockets are ties"
}

// judged names what the scenario asks for: "5 budgets and 1 guarantee".
func (r *Report) judged() string {
	var parts []string
	if n := len(r.Budgets); n > 0 {
		parts = append(parts, plural(int64(n), "budget"))
	}
	if n := len(r.Demands); n > 0 {
		parts = append(parts, plural(int64(n), "guarantee"))
	}
	return strings.Join(parts, " and ")
}

// together counts budgets and guarantees in one, for a part of them: "6 budgets and guarantees".
func (r *Report) together() string {
	if len(r.Budgets) > 0 && len(r.Demands) > 0 {
		return thousands(int64(len(r.Budgets)+len(r.Demands))) + " budgets and guarantees"
	}
	return r.judged()
}

// first tells of the first budget, or else guarantee, with that verdict.
func (r *Report) first(v Verdict) string {
	for i := range r.Budgets {
		if j := &r.Budgets[i]; j.Verdict == v {
			return clean(j.Metric + " " + j.Threshold + " " + j.Outcome())
		}
	}
	for i := range r.Demands {
		if g := &r.Demands[i]; g.Verdict == v {
			return clean("guarantee " + g.String() + " " + g.Outcome())
		}
	}
	return ""
}

// Outcome says what was measured, for example "is 312 ms", and why that decides nothing where it does not.
func (j *Judgement) Outcome() string {
	switch {
	case j.Reason == "":
		return "is " + j.Value.text(j.Unit)
	case j.Measured:
		return "is unknown: " + j.Value.text(j.Unit) + " was measured, but " + j.Reason
	}
	return "is unknown: " + j.Reason
}

// text prints a value, with "~" before it when its tail is thin.
func (v *Value) text(unit string) string {
	if v.Thin {
		return "~" + formatValue(v.Value, unit)
	}
	return formatValue(v.Value, unit)
}

// Sentence says in one sentence what was seen.
func (r *Report) Sentence() string {
	var clients int64
	floods := floodClients(&r.Run)
	for _, g := range r.Run.Groups {
		if _, flood := floods[g.First]; !flood {
			clients += int64(g.Count)
		}
	}
	if r.Events+r.ForeignEvents == 0 && r.lookedOn() {
		return r.nothingSeen(clients)
	}
	parts := []string{fmt.Sprintf("%s saw %s of %s in %s",
		plural(clients, "client"), plural(r.Deliveries+r.Foreign, "delivery"), plural(r.Events+r.ForeignEvents, "event"), plural(int64(r.Channels), "channel"))}
	if load := r.loadLength(); load > 0 {
		parts[0] += fmt.Sprintf(", %s a second over %s", significant(float64(r.Deliveries+r.Foreign)/load.Seconds()), formatDuration(load))
	}
	if m := r.find(HTTPReqFailed, nil); m != nil && len(m.Values) > 0 && m.Values[0].Value > 0 {
		parts = append(parts, fmt.Sprintf("%.0f of %s failed", m.Values[0].Value*float64(m.Count), plural(m.Count, "command")))
	}
	if m := r.find(FanoutLatency, nil); m != nil && m.Count > 0 {
		p50, p99 := m.percentile("", 50), m.percentile("", 99)
		parts = append(parts, fmt.Sprintf("half of them within %s of due, 99 %% within %s",
			p50.text("ms"), p99.text("ms")))
	}
	if r.Events+r.ForeignEvents > 0 {
		parts = append(parts, r.lossSentence())
	}
	return strings.Join(parts, "; ") + "."
}

// lossSentence says what was lost, as far as anybody knows who should have got it, and what came twice.
func (r *Report) lossSentence() string {
	lost, duplicated := r.total(EventsLost), r.total(EventsDuplicated)
	unowed := r.ForeignEvents > 0 && r.Run.Promises[broadcastName] == ""
	switch {
	case r.Events == 0 && unowed && duplicated == 0:
		return "nothing came twice"
	case r.Events == 0 && unowed:
		return plural(duplicated, "delivery") + " came twice or more"
	case lost == 0 && duplicated == 0 && unowed:
		return "nothing that this run sent was lost, and nothing came twice"
	case lost == 0 && duplicated == 0:
		return "nothing was lost or came twice"
	case unowed:
		return fmt.Sprintf("%s lost of what this run sent, %s came twice or more", thousands(lost), thousands(duplicated))
	}
	return fmt.Sprintf("%s lost, %s came twice or more", thousands(lost), thousands(duplicated))
}

// nothingSeen is the sentence of a run whose clients only looked on, and saw no event that has a name.
func (r *Report) nothingSeen(clients int64) string {
	text := plural(clients, "client") + " looked on"
	if load := r.loadLength(); load > 0 {
		text += " for " + formatDuration(load)
	}
	var unnamed int64
	for _, t := range r.Troubles {
		if t.Kind == history.Alien.String() {
			unnamed += t.Count
		}
	}
	if unnamed > 0 {
		return text + fmt.Sprintf("; %s came, but none with a name by which it is told from others.", plural(unnamed, "event"))
	}
	return text + "; no event came."
}

// OrderSentence says in one sentence who disagreed with whom; "" when no pair was at risk.
func (r *Report) OrderSentence() string {
	o := &r.Order.Overall
	if o.All.AtRisk == 0 {
		return ""
	}
	said := func(p *ordering.Pairs) string {
		return fmt.Sprintf("%s of %s", thousands(int64(p.Divergent)), plural(int64(p.AtRisk), "at-risk pair"))
	}
	text := fmt.Sprintf("Between the author of an event and the others, %s came in two orders; between onlookers, %s",
		said(&o.OriginatorObserver), said(&o.ObserverObserver))
	if r.Events == 0 { // nobody is known to be an author
		text = "Between the clients, " + said(&o.ObserverObserver) + " came in two orders"
	}
	if o.All.Tied > 0 {
		text += fmt.Sprintf("; %s give no order", plural(int64(o.All.Tied), "pair"))
	}
	return text + "."
}

func (r *Report) total(name string) int64 {
	if m := r.find(name, nil); m != nil && len(m.Values) > 0 {
		return int64(m.Values[0].Value)
	}
	return 0
}

// loadLength is how long the load lasted; 0 when that is not known.
func (r *Report) loadLength() time.Duration {
	w := windowsOf(&r.Run)
	return w.load
}

// Ending says how the run ended when it did not end as planned; "" when it did.
func (r *Report) Ending() string {
	switch {
	case !r.Run.Finished:
		return "The run has not said how it ended: it is still going on, or its generator was killed. What it saw in its last seconds may be missing, " +
			"and deliveries that are missing then are called indeterminate, not lost."
	case r.Run.Ending == history.EndingInterrupted && r.Run.Barrier == 0:
		return "The run was interrupted before its load began: nothing was sent, and there is nothing to report."
	case r.Run.Ending == history.EndingInterrupted:
		said := "The run was interrupted"
		if load := r.loadLength(); load > 0 {
			said += " after " + formatDuration(load) + " of load"
		}
		return said + ": what was sent until then was drained, and is all that this report speaks of."
	case r.Run.Ending == history.EndingAborted:
		return "The run was ended: " + r.Run.Failure + ". What was sent until then was drained, and is all that this report speaks of."
	case r.Run.Ending == history.EndingFailed && r.Run.Failure != "":
		return "The run could not go on: " + r.Run.Failure + "."
	case r.Run.Ending != history.EndingComplete:
		return "The run could not go on, and did not say why."
	}
	return ""
}

// Subject names what was measured. A bundled run speaks of a design under this load, never of a product.
func (r *Report) Subject() string {
	switch r.Run.Design {
	case "":
		return "a server of your own"
	case "hologram":
		return "bundled imitation of Hologram v0.9-v0.11 (Go)"
	}
	return "bundled design " + r.Run.Design
}
