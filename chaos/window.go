package chaos

import (
	"errors"
	"math"
	"time"
)

// Window is when a fault is in force, counted from the barrier, the moment at which the last client is subscribed. The
// zero value is from there to the end.
type Window struct {
	At     time.Duration // when it begins
	For    time.Duration // how long it is; 0 = until the end of the run
	Every  time.Duration // it begins again after so long; 0 = once
	Times  int           // how often it begins, with Every; 0 = again and again
	Ramp   time.Duration // it comes on evenly over so long, within For; 0 = at once
	Always bool          // before the barrier too, from the first connection to the last: At, For, Every and Ramp are 0
}

func (w Window) check(n needs) error {
	switch {
	case w.At < 0 || w.For < 0 || w.Every < 0 || w.Times < 0 || w.Ramp < 0:
		return errors.New("a window with a negative time: give only times of at least 0")
	case w.Always && w != (Window{Always: true}):
		return errors.New("it is always in force, and also at times: give one of both")
	case w.Always && n.instant:
		return errors.New("it happens at a moment, so it cannot be in force always: say when")
	case w.Times > 0 && w.Every == 0:
		return errors.New("how often, but not after how long: give every")
	case w.Every > 0 && w.For == 0 && !n.instant:
		return errors.New("it begins again without having ended: give for")
	case w.Every > 0 && w.For > w.Every:
		return errors.New("it begins again before it ends: give every at least the length of for")
	case w.Ramp > 0 && !n.ramp:
		return errors.New("it cannot come on slowly: leave the ramp out")
	case w.For > 0 && w.Ramp > w.For:
		return errors.New("its ramp is longer than its window: give a shorter one")
	}
	return nil
}

// moment is how a window stands to a time.
type moment struct {
	begun      bool    // an occurrence has, and may be over
	in         bool    // it is in force
	occurrence uint64  // from 0
	begin, end int64   // of the occurrence, ns since 1970
	strength   float64 // from 0 to 1, while it is in force
}

const forever = math.MaxInt64

// moment is pure: where the barrier was at zero (0 = not yet) it says all about a time. Always counts from epoch.
func (w Window) moment(zero, epoch, at int64) moment {
	if w.Always {
		return moment{begun: true, in: true, begin: epoch, end: forever, strength: 1}
	}
	since := at - zero - int64(w.At)
	if zero == 0 || since < 0 {
		return moment{}
	}
	var m moment
	m.begun, m.begin = true, zero+int64(w.At)
	if w.Every > 0 {
		k := since / int64(w.Every)
		if w.Times > 0 {
			k = min(k, int64(w.Times)-1)
		}
		m.occurrence = uint64(k) //nolint:gosec // at least 0
		m.begin += k * int64(w.Every)
		since = at - m.begin
	}
	m.end = forever
	if w.For > 0 {
		m.end = m.begin + int64(w.For)
	}
	m.in = at < m.end
	m.strength = w.strength(since)
	return m
}

// strength is how far a window has come on, so long after its beginning.
func (w Window) strength(since int64) float64 {
	if since >= int64(w.Ramp) {
		return 1
	}
	return float64(since) / float64(w.Ramp)
}

// occurrence is when the window begins and ends for the k-th time; false = it does not. Always has none.
func (w Window) occurrence(zero int64, k uint64) (begin, end int64, ok bool) {
	if w.Always || k > 0 && w.Every == 0 || w.Times > 0 && k >= uint64(w.Times) { //nolint:gosec // checked to be positive
		return 0, 0, false
	}
	begin = zero + int64(w.At) + int64(k)*int64(w.Every) //nolint:gosec // a run is not that long
	if w.For == 0 {
		return begin, forever, true
	}
	return begin, begin + int64(w.For), true
}
