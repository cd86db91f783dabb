package run

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"holobench/history"
	"holobench/scenarios"
)

// Verdict is what is known of a budget while the run goes on.
type Verdict struct {
	Violated  bool
	Text      string // the budget with what was measured, for people
	Unknown   string // why it cannot be said; "" = it can
	Saturated bool   // that is because the generator itself was too slow
	Later     bool   // that is because it is known only when the run is over
}

// Judge says how a budget stands. It is asked in turn, never at once.
type Judge func(b history.Budget) Verdict

// judgeLag is how long an Observation may take on its way to who judges.
const judgeLag = 300 * time.Millisecond

// abortedError is the cause that ends a run because a budget failed that says so.
type abortedError struct{ budget string }

// Error implements error.
func (e *abortedError) Error() string { return "a budget failed that ends the run: " + e.budget }

// watchBudgets ends the run as soon as a budget fails that is to end it. It looks once a second, until the function that it
// returns is called.
func (x *execution) watchBudgets(work context.Context, barrier time.Time, fail context.CancelCauseFunc) (stop func()) {
	var watched []history.Budget
	for _, b := range x.plan.Budgets {
		if b.AbortOnFail {
			watched = append(watched, b)
		}
	}
	if len(watched) == 0 || x.o.Judge == nil {
		return func() {}
	}
	return eachSecond(work.Done(), func() (more bool) {
		for _, b := range watched {
			if time.Since(barrier) < time.Duration(b.AbortDelay) {
				continue
			}
			if v := x.judge(b); v.Violated {
				fail(&abortedError{v.Text})
				return false
			}
		}
		return true
	})
}

// judge asks, and lets nobody else ask meanwhile.
func (x *execution) judge(b history.Budget) Verdict {
	x.judging.Lock()
	defer x.judging.Unlock()
	return x.o.Judge(b)
}

// criteria are the budgets that a search for the capacity goes by: those of the whole run, whose figure exists by window.
func (p *Plan) criteria() []history.Budget {
	var all []history.Budget
	for _, b := range p.Budgets {
		if b.Whole() && windowed(b) {
			all = append(all, b)
		}
	}
	return all
}

// windowed says whether the figure of a budget exists by window.
func windowed(b history.Budget) bool {
	name, _, _ := strings.Cut(b.Metric, "{")
	metric, ok := scenarios.Metric(name)
	return ok && slices.Contains(metric.Tags, scenarios.TagWindow)
}

// judgeable says whether any of the criteria of a search can be judged while the run goes on.
func (x *execution) judgeable() bool {
	return slices.ContainsFunc(x.plan.criteria(), func(b history.Budget) bool { return !x.judge(b).Later })
}

// judgeStep says why a step of a search is no good; "" = all budgets hold in it. Saturated says that it is the generator's fault.
func (x *execution) judgeStep(window string) (reason string, saturated bool) {
	known := 0
	var unknown string
	for _, b := range x.plan.criteria() {
		v := x.judge(b.In(window))
		switch {
		case v.Later:
		case v.Saturated:
			return v.Unknown, true
		case v.Unknown != "":
			unknown = fmt.Sprintf("%s %s: %s", b.Metric, b.Threshold, v.Unknown)
		case v.Violated:
			return v.Text, false
		default:
			known++
		}
	}
	if known == 0 && unknown != "" {
		return unknown, false
	}
	return "", false
}
