package report

import (
	"fmt"

	"holobench/history"
	"holobench/ordering"
)

// Standing is what is known of a budget while the run goes on.
type Standing struct {
	Violated  bool
	Text      string // the budget and what was measured, for people
	Unknown   string // why it cannot be said; "" = it can
	Saturated bool   // that is because the generator itself was too slow
	Later     bool   // that is because it is known only when the run is over
}

// Follow takes what run.json says now: where the barrier was, and which windows there are. A window is to be known before anything is
// due in it; one that was known stays what it was.
func (l *Live) Follow(run history.Run) { //nolint:gocritic // it is what run.Options.SaveRun gets
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.figures
	f.windows, f.floods = windowsOf(&run), floodClients(&run)
	for len(f.tallies) < f.windows.count() {
		f.tallies = append(f.tallies, tally{})
	}
}

// Judge says how a budget stands by what was seen so far. It goes by less than the report in the end: a tail may be thin, and what
// needs the whole history (reach, loss, order) is unknown. Commands that were dropped in the window of the budget break it, whatever
// it is about: the load was not the one that it speaks of.
func (l *Live) Judge(b history.Budget) Standing {
	bound, err := readBudget(b)
	if err != nil {
		return Standing{Unknown: err.Error()}
	}
	if wholeOnly(bound.metric) || bound.tags["group"] != "" {
		return Standing{Unknown: b.Metric + " is known only when the run is over", Later: true}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.figuresOf(bound.tags["window"])
	m := r.find(bound.metric, bound.tags)
	if m == nil {
		return Standing{Unknown: "there is no such figure"}
	}
	j := Judgement{Metric: b.Metric, Threshold: b.Threshold, Bound: bound.value, Unit: m.Unit}
	if bound.aggregation == "count" {
		j.Unit = "count"
	}
	if dropped := r.find(DroppedIterations, windowTags(bound.tags)); dropped != nil && m.Name != DroppedIterations && bound.tags["window"] != "" {
		if v, ok := dropped.Aggregate("count"); ok && v.Value > 0 {
			return Standing{Violated: true, Text: plural(int64(v.Value), "command") + " dropped: too many waited for their senders to be answered"}
		}
	}
	if j.Value, j.Measured = m.Aggregate(bound.aggregation); !j.Measured {
		return Standing{Unknown: "nothing was observed that it could count"}
	}
	text := fmt.Sprintf("%s %s is %s", b.Metric, b.Threshold, formatValue(j.Value.Value, j.Unit))
	if bound.holds(j.Value.Value) {
		return Standing{Text: text} // whoever was slow, it was not too much
	}
	if j.Unit == "ms" && m.Name != PublishDelay && m.Name != GeneratorLag {
		if signs := r.saturation(bound.tags["window"], max(j.Value.Value, j.Bound)); len(signs) > 0 {
			return Standing{Text: text, Unknown: text + ", but " + signs[0], Saturated: true}
		}
	}
	return Standing{Violated: true, Text: text}
}

// figuresOf are the figures of one window so far, and of the whole run; the caller holds mu as long as it uses them.
func (l *Live) figuresOf(window string) *Report {
	part := *l.figures
	part.tallies, part.windows.named = l.figures.tallies[:1:1], nil
	for i := 1; i < l.figures.windows.count(); i++ {
		if l.figures.windows.name(i) == window {
			part.tallies = append(part.tallies, l.figures.tallies[i])
			part.windows.named = append(part.windows.named, l.figures.windows.named[i-1])
		}
	}
	order := &ordering.Divergence{Windows: make([]ordering.WindowFigures, len(part.windows.named))} // nobody asks for it
	return &Report{Metrics: part.metrics(order)}
}

// wholeOnly says whether a figure needs the whole history.
func wholeOnly(metric string) bool {
	switch metric {
	case Reach, EventsLost, EventsDuplicated, Indeterminate, FanoutSpread, AtRiskPairs, Ties, Capacity, RecoveryTime, EventsMissedAway, EventsCaughtUp:
		return true
	}
	return isOrder(metric) || isCure(metric)
}

// windowTags are the tags of a figure of the same window that has no others.
func windowTags(tags map[string]string) map[string]string {
	if tags["window"] == "" {
		return nil
	}
	return map[string]string{"window": tags["window"]}
}
