package report

import (
	"slices"
	"strings"

	"holobench/history"
)

// excuse says what of the run's own doing breaks a promise of that name, whatever the server does; "" = nothing. A promise that is broken
// then says nothing of the server: what was injected was found again.
func excuse(run *history.Run, promise string) string {
	var names []string
	for _, f := range run.Faults {
		// A stream that comes back to a node that was killed comes to another process, which kept nothing.
		killed := f.Kind == "kill" && promise == gapFreeName && strings.Contains(run.Promises[promise], "same node")
		if killed || slices.Contains(breakers(promise), f.Kind) && f.Decisions > 0 {
			names = append(names, f.Name)
		}
	}
	sum, _ := counters(run)
	switch {
	case len(names) == 0 && promise == gapFreeName && sum["bus_fault_lost"] > 0:
		return "a fault lost some between the nodes, which says nothing of the server"
	case len(names) > 0:
		return "the fault " + strings.Join(names, ", ") + " does that, so that it says nothing of the server"
	case promise == gapFreeName && slices.ContainsFunc(run.Groups, func(g history.Group) bool { return g.SlowReader }):
		return "some clients read slowly, and what they have not read yet is not lost by the server"
	}
	return ""
}

// breakers are the kinds of faults that make a promise look broken.
func breakers(promise string) []string {
	switch promise {
	case fifoName, totalName, freshnessName:
		return []string{"reorder"}
	default:
		return []string{"drop", "corrupt", "truncate"}
	}
}
