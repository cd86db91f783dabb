package report

import (
	"fmt"
	"time"

	"holobench/history"
	"holobench/ordering"
)

// The limits of recovery_time; docs/results.md gives the grounds of each.
const (
	RecoverySeconds   = 3   // in a row that must be inside the budgets
	MinRecoveryEvents = 5   // due in a second, or commands, without which it is no evidence
	maxRecoverySecond = 120 // behind the end of a fault that are looked at
	maxRecoveryTurns  = 100 // ends of faults that are looked at
)

// recovery looks at the seconds behind the end of each turn of each fault: for how long are the figures outside of their budgets? A
// second is that of the commands that were due in it, as with windows.
type recovery struct {
	barrier int64
	bounds  []bound // that a second must keep
	turns   []recoveryTurn
	faults  []string
	nodes   bool // some of them hit nodes, or what nodes say to each other
}

// recoveryTurn are the seconds behind one turn of a fault.
type recoveryTurn struct {
	fault   string
	from    int64    // since the barrier: when the turn ended
	seconds []second // whole ones, up to the next turn or the end of the load
}

// second is what is known of one.
type second struct {
	latency  [roles]moments
	duration moments
	failed   int64
	outcomes int64
	events   int64
	expected int64
	reached  int64
}

// newRecovery finds what there is to look at in a run: nothing without faults, or without budgets to be inside of.
func newRecovery(run *history.Run) (v recovery) {
	v.barrier = run.Barrier
	for _, f := range run.Faults {
		if len(f.Turns) > 0 {
			v.faults = append(v.faults, f.Name)
		}
		switch f.Kind {
		case "partition", "isolate", "bus_duplicate", "kill":
			v.nodes = true
		}
	}
	for _, b := range run.Budgets {
		if read, err := readBudget(b); err == nil && len(v.faults) > 0 && read.recovers(v.faults) {
			v.bounds = append(v.bounds, read)
		}
	}
	if len(v.bounds) == 0 || run.LoadEnd <= run.Barrier {
		return v
	}
	for i := range run.Faults {
		turns := run.Faults[i].Turns
		for n, turn := range turns {
			end := run.LoadEnd - run.Barrier
			if n+1 < len(turns) {
				end = min(end, turns[n+1].From)
			}
			count := min(max(0, end-turn.To)/int64(time.Second), maxRecoverySecond)
			if len(v.turns) < maxRecoveryTurns && turn.From < run.LoadEnd-run.Barrier {
				v.turns = append(v.turns, recoveryTurn{run.Faults[i].Name, turn.To, make([]second, count)})
			}
		}
	}
	return v
}

// at calls visit for each second to which a due time belongs.
func (v *recovery) at(due int64, visit func(s *second)) {
	for i := range v.turns {
		t := &v.turns[i]
		if since := due - v.barrier - t.from; since >= 0 && since < int64(len(t.seconds))*int64(time.Second) {
			visit(&t.seconds[since/int64(time.Second)])
		}
	}
}

func (v *recovery) delivered(due int64, role int, latency int64) {
	v.at(due, func(s *second) { s.latency[role].record(latency) })
}

// settled notes the outcome of a command; took is of meaning when its sending is on record.
func (v *recovery) settled(o *history.Observation, took int64, known bool) {
	if o.Kind == history.Dropped {
		return
	}
	v.at(o.Due, func(s *second) {
		s.outcomes++
		if o.Kind != history.Replied || o.Err != history.NoErr {
			s.failed++
		}
		if o.Kind == history.Replied && known {
			s.duration.record(took)
		}
	})
}

// stood notes where an event stands.
func (v *recovery) stood(e *ordering.Standing) {
	v.at(e.Due, func(s *second) {
		s.events++
		s.expected += int64(e.Expected)
		s.reached += int64(e.Reached)
	})
}

// inside says whether the second keeps all bounds; known is false when there is too little of it. One bound that is broken is enough.
func (s *second) inside(bounds []bound) (inside, known bool) {
	known = true
	for i := range bounds {
		value, ok := s.value(bounds[i].metric, bounds[i].aggregation)
		if ok && !bounds[i].holds(value) {
			return false, true
		}
		known = known && ok
	}
	return known, known
}

// value is one figure of the second, in the unit of its metric.
func (s *second) value(metric, aggregation string) (value float64, ok bool) {
	switch metric {
	case Reach:
		return float64(s.reached) / float64(max(1, s.expected)), s.expected > 0 && s.events >= MinRecoveryEvents
	case HTTPReqFailed:
		return float64(s.failed) / float64(max(1, s.outcomes)), s.outcomes >= MinRecoveryEvents
	case HTTPReqDuration:
		value, ok = s.duration.aggregate(aggregation)
		return value, ok && s.outcomes >= MinRecoveryEvents
	}
	var all moments
	for role := range s.latency {
		if metric == FanoutLatency || metric == OwnLatency && role == own || metric == OtherLatency && role == other {
			all.merge(s.latency[role])
		}
	}
	value, ok = all.aggregate(aggregation)
	return value, ok && s.events >= MinRecoveryEvents
}

// aggregate is a figure of durations in ms.
func (m *moments) aggregate(name string) (value float64, ok bool) {
	if m.count() == 0 {
		return 0, false
	}
	switch name {
	case "avg":
		return ms(m.counts.Mean()), true
	case "min":
		return ms(float64(m.counts.Min())), true
	case "max":
		return ms(float64(m.counts.Max())), true
	case "med":
		name = "p(50)"
	}
	p, ok := percentileOf(name)
	return ms(float64(m.percentile(p))), ok
}

// recovered is when a turn had recovered: the begin of the first RecoverySeconds seconds in a row that are inside, by those of which
// enough is known. Open: there are none, and it took at least so long. Known is false when too little is known of all.
func (t *recoveryTurn) recovered(bounds []bound) (took time.Duration, open, known bool) {
	streak, seen := 0, 0
	for i := range t.seconds {
		inside, ok := t.seconds[i].inside(bounds)
		switch {
		case !ok:
			continue
		case !inside:
			streak, took = 0, time.Duration(i+1)*time.Second
		default:
			streak++
		}
		if seen++; streak == RecoverySeconds {
			return took, false, true
		}
	}
	return took, true, seen >= RecoverySeconds || took > 0
}

// metrics lists recovery_time of all faults, and of each; nothing when the run has no fault.
func (v *recovery) metrics() (list []Metric) {
	if len(v.faults) == 0 {
		return nil
	}
	for _, fault := range append([]string{""}, v.faults...) {
		var times Histogram
		var open, unseen int64
		for i := range v.turns {
			t := &v.turns[i]
			if fault != "" && t.fault != fault {
				continue
			}
			took, isOpen, known := t.recovered(v.bounds)
			if !known {
				unseen++
				continue
			}
			if isOpen {
				open++
			}
			times.Record(int64(took))
		}
		var tags []Tag
		if fault != "" {
			tags = []Tag{{"fault", fault}}
		}
		m := trend(RecoveryTime, tags, &times, nil)
		m.Events, m.Open, m.Unseen = 0, open, unseen
		list = append(list, m)
	}
	return list
}

// recoveryDoubts are the reasons for which a recovery must not be judged.
func (m *Metric) recoveryDoubts() []string {
	var reasons []string
	if m.Open > 0 {
		reasons = append(reasons, fmt.Sprintf("after %s the figures were not seen inside their budgets for %d seconds in a row: it is that at least",
			plural(m.Open, "fault"), RecoverySeconds))
	}
	if m.Unseen > 0 {
		reasons = append(reasons, fmt.Sprintf("after %s too little was seen: fewer than %d seconds with %d events", plural(m.Unseen, "fault"), RecoverySeconds, MinRecoveryEvents))
	}
	return reasons
}
