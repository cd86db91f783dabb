package clients

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// Arrivals is the schedule of an open load: when each command is due, whatever the server does. It is a chain of stages,
// each paced by a vegeta.Pacer, and a pure function of its stages and seed.
//
// A Pacer says how long to wait for hit n at a given time; asked at the due time of the hit before, in place of the time
// at which that hit really left, its answers add up to the schedule itself, which a late process cannot bend.
type Arrivals struct {
	stages []stage
	began  time.Duration // of the stage at work, from the start of the schedule
	at     time.Duration // due time of the hit before, from the start of the stage
	hits   uint64        // of the stage

	planned      time.Duration // length of all stages so far, also of those that are over
	busy, period time.Duration // of bursts, see Pulse; 0 = there are none. All other times are then busy time

	index, of int // see Only
	passed    int // hits so far, also those that are left out
}

// Only leaves all but the index-th of each count commands out, for one of several processes that share a schedule.
func (a *Arrivals) Only(index, count int) { a.index, a.of = index, count }

type stage struct {
	pacer  vegeta.Pacer
	length time.Duration
}

// Add appends a stage of that length whose rate (commands a second) goes from one value to the other in a straight line.
// A nil rng spaces the commands evenly, otherwise they are a Poisson process of that rate drawn from rng.
func (a *Arrivals) Add(from, to float64, length time.Duration, rng *rand.Rand) error {
	if !(from >= 0 && to >= 0) || math.IsInf(from+to, 0) || length <= 0 {
		return fmt.Errorf("add a stage from %v/s to %v/s for %v: rates must be 0 or more and the length above 0", from, to, length)
	}
	if a.period > 0 {
		more := float64(a.period) / float64(a.busy)
		from, to = from*more, to*more
	}
	if busy := a.busyTime(a.planned+length) - a.busyTime(a.planned); busy > 0 {
		a.append(pacer(from, to, busy, rng), length)
	} else {
		a.planned += length
	}
	return nil
}

// append adds a stage that lasts that long in the time of the run.
func (a *Arrivals) append(p vegeta.Pacer, length time.Duration) {
	a.stages = append(a.stages, stage{pacer: p, length: a.busyTime(a.planned+length) - a.busyTime(a.planned)})
	a.planned += length
}

// Next returns the due time of the next command from the start of the schedule; ok is false when there is none left.
func (a *Arrivals) Next() (due time.Duration, ok bool) {
	for {
		due, ok = a.next()
		a.passed++
		if !ok || a.of < 2 || (a.passed-1)%a.of == a.index {
			return due, ok
		}
	}
}

// next is Next of the whole schedule.
func (a *Arrivals) next() (due time.Duration, ok bool) {
	for len(a.stages) > 0 {
		now := a.stages[0]
		wait, stop := now.pacer.Pace(a.at, a.hits)
		if !stop && a.at+wait <= now.length {
			a.at += wait
			a.hits++
			return a.runTime(a.began + a.at), true
		}
		a.stages = a.stages[1:]
		a.began += now.length
		a.at, a.hits = 0, 0
	}
	return 0, false
}

// pacer picks vegeta's own for a constant rate whose gap is a whole number of nanoseconds: it would round any other, and
// takes a rate of less than one hit in its period for an infinite one. Its LinearPacer is not used: it reads a start at 0 as an infinite rate,
// and approximates each gap by the rate at its beginning, where linear inverts the line exactly.
func pacer(from, to float64, length time.Duration, rng *rand.Rand) vegeta.Pacer {
	const per = 1000 * time.Second // three decimals of a rate in the integers of a vegeta.Rate
	freq := from * per.Seconds()
	if rng == nil && from == to && freq >= 1 && math.Mod(float64(per), freq) == 0 {
		return vegeta.ConstantPacer{Freq: int(freq), Per: per}
	}
	return &linear{from: from, slope: (to - from) / length.Seconds(), rng: rng}
}

// linear is a vegeta.Pacer for a rate that changes in a straight line: evenly spaced, or a Poisson process by stretching
// one of rate 1 (hit n is due when the integral of the rate reaches the sum of n exponential draws).
type linear struct {
	from  float64 // a second
	slope float64 // a second, a second
	rng   *rand.Rand
	area  float64 // the integral of the rate at the hit before
}

// Pace implements vegeta.Pacer.
func (l *linear) Pace(elapsed time.Duration, _ uint64) (wait time.Duration, stop bool) {
	step := 1.0
	if l.rng != nil {
		step = l.rng.ExpFloat64()
	}
	l.area += step
	at := l.when(l.area)
	if math.IsNaN(at) || at > 1e9 {
		return 0, true
	}
	return max(0, time.Duration(at*float64(time.Second))-elapsed), false
}

// Rate implements vegeta.Pacer.
func (l *linear) Rate(elapsed time.Duration) float64 { return l.from + l.slope*elapsed.Seconds() }

// when returns the second at which from*t + slope*t*t/2 reaches area; NaN when it never does.
func (l *linear) when(area float64) float64 {
	if l.slope == 0 {
		return area / l.from
	}
	// The root in the form that does not cancel when slope is small.
	return 2 * area / (l.from + math.Sqrt(l.from*l.from+2*l.slope*area))
}
