package clients

import (
	"fmt"
	"time"
)

// Pulse lets all commands of the stages that are added after it come in the first part of each period, at the rate that makes up
// for the rest of it: as many come in a whole period as without. The first period begins with the schedule.
//
// The schedule is paced in busy time, which stands still in the quiet part of each period, and each due time is put back into
// that of the run.
func (a *Arrivals) Pulse(busy, period time.Duration) error {
	if busy <= 0 || period < busy {
		return fmt.Errorf("let commands come in %v of each %v: the busy time must be above 0, and no longer than the period", busy, period)
	}
	a.busy, a.period = busy, period
	return nil
}

// busyTime is how much of the schedule up to t is busy.
func (a *Arrivals) busyTime(t time.Duration) time.Duration {
	if a.period == 0 {
		return t
	}
	return t/a.period*a.busy + min(t%a.period, a.busy)
}

// runTime is the inverse of busyTime; the end of a busy part is its own, not the beginning of the next.
func (a *Arrivals) runTime(busy time.Duration) time.Duration {
	if a.period == 0 || busy == 0 {
		return busy
	}
	periods := (busy - 1) / a.busy
	return periods*a.period + busy - periods*a.busy
}
