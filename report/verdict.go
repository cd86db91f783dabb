package report

import (
	"fmt"
	"math"
	"strings"

	"holobench/history"
)

// Verdict is what is known about a budget.
type Verdict string

// The verdicts.
const (
	Held     Verdict = "held"
	Violated Verdict = "violated"
	Unknown  Verdict = "unknown" // it can be neither called held nor violated; Judgement.Reason says why
)

// Judgement is a budget with its verdict.
type Judgement struct {
	Metric    string // with its tags, as in the scenario
	Threshold string
	Verdict   Verdict
	Value     Value   // what was measured; of meaning when Measured
	Measured  bool    // there was anything to measure
	Bound     float64 // of Threshold, in Unit
	Unit      string  // "ms", "ratio" or "count"
	Reason    string  // why it is unknown; "" otherwise
}

// The limits above which a generator counts as saturated, so that figures of time are unknown. docs/results.md gives the
// grounds of each.
const (
	MaxLatenessShare = 0.25 // of publish_delay p(99), and of generator_lag p(99), in the larger of value and bound
	MaxStealShare    = 0.10 // of the CPU time of the machine, on average over the load
)

// judge decides one budget.
func (r *Report) judge(b history.Budget) Judgement {
	j := Judgement{Metric: b.Metric, Threshold: b.Threshold, Verdict: Unknown}
	bound, err := readBudget(b)
	if err != nil {
		j.Reason = err.Error()
		return j
	}
	j.Bound = bound.value
	m := r.find(bound.metric, bound.tags)
	if m == nil {
		j.Reason = "this run has no such figure: nothing was observed under these tags"
		return j
	}
	if j.Unit = m.Unit; bound.aggregation == "count" {
		j.Unit = "count"
	}
	if j.Value, j.Measured = m.Aggregate(bound.aggregation); !j.Measured {
		j.Reason = strings.Join(append([]string{"there is no data: nothing was observed that this figure could count"}, m.recoveryDoubts()...), "; ")
		return j
	}
	if m.Open > 0 && !bound.holds(j.Value.Value) && !bound.holds(math.Inf(1)) { // it is that at least, and so is too much
		j.Verdict = Violated
		return j
	}
	if reasons := r.doubts(m, &j); len(reasons) > 0 {
		j.Reason = strings.Join(reasons, "; ")
		return j
	}
	if !bound.holds(j.Value.Value) {
		j.Verdict = Violated
		return j
	}
	if reason := r.exposure(m); reason != "" {
		j.Reason = reason
		return j
	}
	j.Verdict = Held
	return j
}

// find returns the metric with exactly these tags; nil when there is none.
func (r *Report) find(name string, tags map[string]string) *Metric {
	for i := range r.Metrics {
		if r.Metrics[i].Name == name && r.Metrics[i].sameTags(tags) {
			return &r.Metrics[i]
		}
	}
	return nil
}

// doubts are the reasons for which a measured value must not be judged.
func (r *Report) doubts(m *Metric, j *Judgement) []string {
	var reasons []string
	if r.Damaged > 0 {
		reasons = append(reasons, plural(int64(r.Damaged), "segment")+" of the history cannot be read")
	}
	if j.Value.Thin {
		reasons = append(reasons, fmt.Sprintf("fewer than %d events lie at or above it: the run is too short for this percentile", ThinTail))
	}
	reasons = append(append(reasons, r.orderDoubts(m)...), m.recoveryDoubts()...)
	if j.Unit == "ms" && m.Name != PublishDelay && m.Name != GeneratorLag {
		reasons = append(reasons, r.saturation(m.Tag("window"), max(j.Value.Value, j.Bound))...)
	}
	return reasons
}

// saturation says by which signs the generator itself was too slow in a window ("" = the whole run) for a time of that
// many ms to be the server's.
func (r *Report) saturation(window string, judged float64) []string {
	var signs, late []string
	tags := map[string]string{}
	if window != "" {
		tags["window"] = window
	}
	for _, name := range []string{PublishDelay, GeneratorLag} {
		m := r.find(name, tags)
		if m == nil || m.Count == 0 {
			continue
		}
		if p99 := m.percentile("p(99)", 99); p99.Value > MaxLatenessShare*judged {
			late = append(late, fmt.Sprintf("its %s p(99) is %s", name, formatValue(p99.Value, "ms")))
		}
	}
	if len(late) > 0 {
		signs = append(signs, fmt.Sprintf("the generator was saturated: %s, more than %.0f %% of %s",
			strings.Join(late, " and "), 100*MaxLatenessShare, formatValue(judged, "ms")))
	}
	if m := r.find(DroppedIterations, tags); m != nil {
		if v, ok := m.Aggregate("count"); ok && v.Value > 0 {
			signs = append(signs, fmt.Sprintf("the load was not the one asked for: %s dropped", plural(int64(v.Value), "command")))
		}
	}
	if r.StealShare > MaxStealShare {
		signs = append(signs, fmt.Sprintf("the machine was taken away: CPU steal is %.1f %% on average, more than %.0f %%",
			100*r.StealShare, 100*MaxStealShare))
	}
	if r.ClockSteps > 0 {
		signs = append(signs, "the clock of the machine jumped "+plural(int64(r.ClockSteps), "time"))
	}
	return signs
}

// The exit codes of a reported run; docs/method.md explains them.
const (
	ExitHeld        = 0
	ExitFailed      = 1
	ExitUnknown     = 90
	ExitViolated    = 99
	ExitInterrupted = 105
)

// Exit is the exit code of the run: the first that applies of interrupted, violated, could not finish, unknown, held.
func (r *Report) Exit() int {
	switch {
	case r.Run.Ending == history.EndingInterrupted:
		return ExitInterrupted
	case r.count(Violated) > 0 || r.Run.Ending == history.EndingAborted:
		return ExitViolated
	case r.unfinished():
		return ExitFailed
	case r.count(Unknown) > 0:
		return ExitUnknown
	}
	return ExitHeld
}

// unfinished says whether the run ended in another way than it should and than its user asked for.
func (r *Report) unfinished() bool {
	return r.Run.Ending != history.EndingComplete && r.Run.Ending != history.EndingInterrupted || !r.Run.Finished
}

func (r *Report) count(v Verdict) int {
	n := 0
	for _, j := range r.Budgets {
		if j.Verdict == v {
			n++
		}
	}
	for _, g := range r.Demands {
		if g.Verdict == v {
			n++
		}
	}
	return n
}
