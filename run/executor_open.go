package run

import (
	"context"
	"iter"
	"time"
)

// open carries out a load that acts by its schedule, whatever the server does.
func (x *execution) open(work context.Context, i int, start time.Time) error {
	acts, err := x.plan.acts(i)
	if err != nil {
		return err
	}
	x.follow(work, i, start, acts)
	return nil
}

// follow begins each act of a schedule when it is due, and returns when the last has begun, or work ends.
func (x *execution) follow(work context.Context, i int, start time.Time, acts iter.Seq[planned]) {
	for a := range acts {
		if !x.plan.sends(i, a.sender) {
			continue
		}
		at := start.Add(a.due)
		if !x.sleepUntil(work, at) {
			return
		}
		x.begin(act{load: i, sender: a.sender, index: a.index, due: at.UnixNano() - x.epoch}, nil)
	}
}
