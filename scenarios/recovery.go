package scenarios

import (
	"slices"
	"strings"
)

// RecoveryTime is the metric of how long it takes, after the end of a fault, until the figures are back inside their budgets.
const RecoveryTime = "recovery_time"

// Recovers tells whether a budget is one by which the recovery from faults of these names is judged: on a figure that is known second
// by second, of the clients as a whole, and not on the time in which a fault is at work or its effects are expected.
func (b *Budget) Recovers(faults []string) bool {
	switch b.Metric {
	case "fanout_latency", "own_latency", "other_latency", "http_req_duration", "http_req_failed", "reach":
	default:
		return false
	}
	window := b.Tags[TagWindow]
	return b.Tags[TagPath] == "" && b.Tags[TagLoad] == "" && b.Tags[TagGroup] == "" && b.Threshold.Aggregation != "count" &&
		!slices.Contains(faults, strings.TrimSuffix(window, afterFault))
}

// checkRecovery refuses a budget on the recovery where no other budget says what it is to be recovered to.
func (r *resolver) checkRecovery(f *File) {
	var faults []string
	for i := range f.Faults {
		faults = append(faults, f.Faults[i].Name)
	}
	if slices.ContainsFunc(f.Budgets, func(b Budget) bool { return b.Recovers(faults) }) || r.form.Budgets.broken {
		return
	}
	for _, e := range r.form.Budgets.list {
		b, _, err := parseSelector(e.name)
		if err == nil && b.Metric == RecoveryTime && len(f.Faults) > 0 {
			r.add(e.key, "budgets."+e.name+": no budget says what is to be back inside of it",
				"add one on a latency, http_req_duration, http_req_failed or reach that names no window of a fault: fanout_latency: [\"p(95)<250ms\"]")
		}
	}
}
