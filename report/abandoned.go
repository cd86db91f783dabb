package report

import (
	"slices"

	"holobench/history"
)

// unanswered remembers the commands without a whole reply until it is known what became of the target. When the target
// died, those that failed after its last reply to anybody are abandoned: they were on their way when it went, or were
// sent to nobody. That the target died is the outcome of such a run (exit code 1); that its death cut a command short is
// no second one, just as the deliveries that it cut short are indeterminate and not lost.
type unanswered struct {
	died      bool // a node of the target ended by itself
	lastReply int64
	list      []history.Observation
}

func newUnanswered(run *history.Run) unanswered {
	return unanswered{died: slices.ContainsFunc(run.Nodes, func(n history.Node) bool { return n.Exit != "" })}
}

func (u *unanswered) add(o *history.Observation) {
	switch {
	case !u.died:
	case o.Kind == history.Replied:
		u.lastReply = max(u.lastReply, o.At)
	case o.Kind == history.Unknown || o.Kind == history.Refused:
		u.list = append(u.list, *o)
	}
}

// abandoned calls visit with each abandoned command.
func (u *unanswered) abandoned(visit func(o *history.Observation)) {
	for i := range u.list {
		if o := &u.list[i]; o.At > u.lastReply {
			visit(o)
		}
	}
}
