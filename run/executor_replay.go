package run

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"time"

	"holobench/history"
)

// replayActs are the commands of an earlier run.
func (p *Plan) replayActs(i int) iter.Seq[planned] {
	l := &p.Loads[i]
	return func(yield func(planned) bool) {
		for index, c := range l.Replay.Commands {
			if !yield(planned{index: uint64(index), due: c.Due, sender: c.Sender % l.Only}) { //nolint:gosec // not negative
				return
			}
		}
	}
}

// ReadReplay reads from a history when the commands of one of its loads, or of all ("") but its floods, were due, and who of the
// clients that send there it was. They come that many times as fast; what would be due after limit is left out, unless that is 0.
func ReadReplay(h *history.History, load string, speed float64, limit time.Duration) (*Replay, error) {
	wanted := make([]bool, len(h.Run.Loads)+1) // by the number of a load, from 1
	found, begin := load == "", int64(0)
	for i, l := range h.Run.Loads {
		wanted[i+1] = !l.Flood && (load == "" || l.Name == load)
		if load != "" && wanted[i+1] { // a single load begins with itself, not with the barrier of its run
			found, begin = true, l.From
		}
	}
	switch {
	case !found:
		return nil, fmt.Errorf("replay the run %q: it has no load %q whose clients sent", h.Run.Name, load)
	case !(speed > 0):
		return nil, fmt.Errorf("replay the run %q: a speed of %v sends nothing", h.Run.Name, speed)
	}
	r := &Replay{From: h.Run.Name}
	err := h.Scan(func(batch []history.Observation) error {
		for j := range batch {
			o := &batch[j]
			// Each command that was due is one of these, once: it went out, or it could not, or nobody came round to it.
			if o.Kind != history.Sent && o.Kind != history.Dropped && o.Kind != history.Refused || int(o.Load) >= len(wanted) || !wanted[o.Load] {
				continue
			}
			due := time.Duration(float64(o.Due-h.Run.Barrier-begin) / speed)
			if due < 0 || limit > 0 && due >= limit {
				continue
			}
			r.Commands = append(r.Commands, Recorded{Due: due, Sender: placeInGroup(&h.Run, o.Client)})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("replay the run %q: %w", h.Run.Name, err)
	}
	if len(r.Commands) == 0 {
		return nil, fmt.Errorf("replay the run %q: nothing was due in it that could be sent again", h.Run.Name)
	}
	slices.SortFunc(r.Commands, func(a, b Recorded) int { return cmp.Or(cmp.Compare(a.Due, b.Due), cmp.Compare(a.Sender, b.Sender)) })
	return r, nil
}

// placeInGroup is which client of its group it is, from 0.
func placeInGroup(r *history.Run, client uint32) int {
	for _, g := range r.Groups {
		if client >= g.First && client-g.First < g.Count {
			return int(client - g.First)
		}
	}
	return int(client)
}
