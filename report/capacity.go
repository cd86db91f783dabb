package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"holobench/history"
	"holobench/scenarios"
)

// searchOf is the load of a run that searched for the capacity; nil when none did.
func searchOf(run *history.Run) *history.Load {
	i := slices.IndexFunc(run.Loads, func(l history.Load) bool { return l.Capacity != nil })
	if i < 0 {
		return nil
	}
	return &run.Loads[i]
}

// capacity is the figure of a search: commands a second of its last good step. A run that searched for nothing has none.
func capacity(run *history.Run) []Metric {
	load := searchOf(run)
	if load == nil {
		return nil
	}
	return []Metric{{
		Name: Capacity, Type: Gauge, Contains: "default", Unit: "count", Count: int64(len(load.Capacity.Steps)),
		Values: []Value{{Name: "value", Value: load.Capacity.Rate}},
	}}
}

// asJudged is a budget as it is judged: one of the whole run is judged in the time in which a search held the capacity that it had
// found, because the steps before were there to break it.
func (r *Report) asJudged(b history.Budget) history.Budget {
	load := searchOf(&r.Run)
	if load == nil || load.Capacity.Held == "" || !criterion(b) {
		return b
	}
	return b.In(load.Capacity.Held)
}

// criterion says whether a search goes by a budget: one of the whole run, whose figure exists by window.
func criterion(b history.Budget) bool {
	name, _, _ := strings.Cut(b.Metric, "{")
	metric, ok := scenarios.Metric(name)
	return ok && b.Whole() && slices.Contains(metric.Tags, scenarios.TagWindow)
}

// isStep says whether a window is that of a step of a search, of which a report shows one line and not all times.
func (r *Report) isStep(window string) bool {
	load := searchOf(&r.Run)
	return load != nil && slices.ContainsFunc(load.Capacity.Steps, func(s history.Step) bool { return s.Window == window })
}

// capacitySentence says what a search found; "" when there was none.
func (r *Report) capacitySentence() string {
	load := searchOf(&r.Run)
	if load == nil {
		return ""
	}
	c := load.Capacity
	tried := plural(int64(len(c.Steps)), "step")
	switch {
	case len(c.Steps) == 0:
		return "The search ended before its first step did."
	case c.Rate == 0 && c.Saturated:
		return fmt.Sprintf("Nothing is known: at %s a second, the lowest rate that was tried, the generator itself was too slow.", rateText(c.Steps[0].Rate))
	case c.Rate == 0:
		return fmt.Sprintf("Below %s commands a second: that was the lowest rate that was tried, and a budget failed.", rateText(c.Steps[0].Rate))
	case c.Saturated:
		return fmt.Sprintf("%s commands a second, or more: at %s the generator itself was too slow (%s).", rateText(c.Rate), rateText(c.Failed), tried)
	case c.Failed == 0:
		return fmt.Sprintf("%s commands a second, or more: no rate that was tried failed (%s).", rateText(c.Rate), tried)
	}
	return fmt.Sprintf("%s commands a second: at %s a budget failed (%s).", rateText(c.Rate), rateText(c.Failed), tried)
}

// rateText prints a rate with four significant digits at least.
func rateText(rate float64) string {
	if rate >= 1000 {
		return thousands(int64(rate + 0.5))
	}
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.1f", rate), "0"), ".")
}

// stepRow is one step of a search, for people.
type stepRow struct {
	Rate    string
	Verdict Verdict
	Text    string
}

// stepRows are the steps of a search from the lowest rate to the highest, with what its budgets measured.
func (r *Report) stepRows() []stepRow {
	load := searchOf(&r.Run)
	if load == nil {
		return nil
	}
	steps := slices.Clone(load.Capacity.Steps)
	slices.SortStableFunc(steps, func(a, b history.Step) int { return cmp.Compare(a.Rate, b.Rate) })
	var rows []stepRow
	for _, s := range steps {
		row := stepRow{Rate: rateText(s.Rate) + "/s", Verdict: Held}
		switch {
		case s.Saturated:
			row.Verdict = Unknown
		case !s.Good:
			row.Verdict = Violated
		}
		var measured []string
		for _, b := range r.Run.Budgets {
			if !criterion(b) {
				continue
			}
			if j := r.judge(b.In(s.Window)); j.Measured {
				measured = append(measured, fmt.Sprintf("%s %s is %s", b.Metric, b.Threshold, j.Value.text(j.Unit)))
			}
		}
		if row.Text = strings.Join(measured, "; "); s.Reason != "" && !r.explains(s) {
			row.Text = s.Reason
		}
		rows = append(rows, row)
	}
	return rows
}

// explains says whether the figures of a step alone tell why it was no good.
func (r *Report) explains(s history.Step) bool {
	return slices.ContainsFunc(r.Run.Budgets, func(b history.Budget) bool {
		return criterion(b) && r.judge(b.In(s.Window)).Verdict == Violated
	})
}

// capacity prints what a search found.
func (p *printer) capacity(r *Report) {
	sentence := r.capacitySentence()
	if sentence == "" {
		return
	}
	p.line("")
	p.line("  " + p.paint(bold, "CAPACITY") + "  " + sentence)
	p.line("")
	for _, row := range r.stepRows() {
		p.dotted(p.mark(row.Verdict), row.Rate, clean(row.Text))
	}
}

// pageCapacity is what a search found.
type pageCapacity struct {
	Sentence string
	Steps    []pageCheck
}

func (r *Report) pageCapacity() *pageCapacity {
	sentence := r.capacitySentence()
	if sentence == "" {
		return nil
	}
	c := &pageCapacity{Sentence: sentence}
	for _, row := range r.stepRows() {
		c.Steps = append(c.Steps, pageCheck{string(row.Verdict), verdictMark(row.Verdict), row.Rate, row.Text})
	}
	return c
}
