package run

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"holobench/history"
	"holobench/scenarios"
)

// search is a search for the capacity at work: the rate goes up step by step until a budget fails. Then it goes halfway back, and
// on like this, until the lowest rate that failed is at most searchPrecision above the highest that did not, which is the result: the
// knee lies between the two. In the end that rate is held once more, and this time is what the budgets of the run are judged by.
type search struct {
	x     *execution
	load  int
	start time.Time
	found history.Capacity
	good  float64 // the highest rate that was good; 0 = none
	bad   float64 // the lowest that was not; 0 = none
	again bool    // the step before told nothing, because the generator was too slow, and is tried once more
}

const (
	searchPrecision = 1.05 // the lowest bad rate by the highest good one
	maxSearchSteps  = 64
)

// capacity carries out a search. It returns when the last good rate was held, or none was good.
func (x *execution) capacity(work context.Context, i int, start time.Time) error {
	switch {
	case x.o.Judge == nil:
		return errors.New("search for the capacity: there is nobody who judges a step")
	case !x.judgeable():
		return errors.New("search for the capacity: there is no budget that could fail while the run goes on (give one without a window, such as fanout_latency: p(95)<250ms)")
	}
	s := &search{x: x, load: i, start: start}
	for n := range maxSearchSteps {
		rate, more := s.next()
		if !more {
			break
		}
		if ok, err := s.try(work, n, rate); err != nil || !ok {
			return err
		}
		if s.found.Saturated {
			break // twice is no hiccup of the machine: this generator sends no more
		}
	}
	if s.good == 0 {
		return nil
	}
	_, err := s.hold(work, len(s.found.Steps), s.good, "held")
	return err
}

// next is the rate of the next step.
func (s *search) next() (rate float64, more bool) {
	c := s.x.plan.Loads[s.load].Capacity
	switch {
	case s.bad == 0:
		for _, rate := range c.Rates() {
			if rate > s.good {
				return rate, true
			}
		}
		return 0, false // the highest was good
	case s.good == 0:
		return 0, false // the lowest was bad
	case s.bad <= s.good*searchPrecision:
		return 0, false
	}
	return (s.good + s.bad) / 2, true
}

// try carries one step out, judges it, and writes down what was found; ok is false when work ended first.
func (s *search) try(work context.Context, n int, rate float64) (ok bool, err error) {
	window, err := s.hold(work, n, rate, fmt.Sprintf("step-%d", n+1))
	if err != nil || work.Err() != nil {
		return false, err
	}
	step := history.Step{Window: window, Rate: rate}
	unsettled := s.settle(work)
	if work.Err() != nil {
		return false, nil //nolint:nilerr // an interruption is no error
	}
	if step.Reason, step.Saturated = s.x.judgeStep(window); step.Reason == "" && unsettled > 0 {
		step.Reason = fmt.Sprintf("%d commands were not over when as much time again had passed", unsettled)
	}
	switch step.Good = step.Reason == ""; {
	case step.Good:
		s.good = rate
	case !step.Saturated || s.again:
		s.bad, s.found.Saturated = rate, step.Saturated
	}
	s.again = step.Saturated && !s.again
	s.found.Steps = append(s.found.Steps, step)
	s.found.Rate, s.found.Failed = s.good, s.bad
	found := s.found
	return true, s.x.save(func(r *history.Run) { r.Loads[s.load].Capacity = &found })
}

// hold lets the load act at that rate for the time of a step, in a window of its own, which it returns.
func (s *search) hold(work context.Context, n int, rate float64, name string) (window string, err error) {
	x, l := s.x, &s.x.plan.Loads[s.load]
	acts, err := x.plan.stepActs(s.load, n, rate)
	if err != nil {
		return "", err
	}
	begin := time.Now()
	if n == 0 {
		begin = s.start
	}
	window = l.Name + "." + name
	from := begin.UnixNano() - x.epoch
	err = x.save(func(r *history.Run) {
		since := from - r.Barrier
		r.Windows = append(r.Windows, history.Window{Name: window, From: since, To: since + int64(l.Capacity.Hold)})
		if name == "held" {
			s.found.Held = window
			found := s.found
			r.Loads[s.load].Capacity = &found
		}
	})
	if err != nil {
		return "", err
	}
	x.follow(work, s.load, begin, acts)
	x.sleepUntil(work, begin.Add(l.Capacity.Hold))
	return window, nil
}

// settle waits until all that was asked for is over, as long as a step takes at most, and until who judges has seen it. It returns
// how many commands are not over.
func (s *search) settle(work context.Context) (unsettled int64) {
	limit := time.NewTimer(s.x.plan.Loads[s.load].Capacity.Hold)
	defer limit.Stop()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for over := false; !over && s.x.tally.unsettled() > 0; {
		select {
		case <-poll.C:
		case <-limit.C:
			over = true
		case <-work.Done():
			return 0
		}
	}
	unsettled = s.x.tally.unsettled()
	s.x.sleepUntil(work, time.Now().Add(judgeLag))
	return unsettled
}

// stepActs are the acts of the n-th step of a search, counted from 0, at that rate.
func (p *Plan) stepActs(i, n int, rate float64) (iter.Seq[planned], error) {
	arrivals, err := p.arrivalsOf(i, scenarios.Stages{{From: rate, To: rate, For: p.Loads[i].Capacity.Hold}}, uint64(n)+1) //nolint:gosec // not negative
	if err != nil {
		return nil, err
	}
	return p.deal(i, arrivals, uint64(n)+1), nil //nolint:gosec // not negative
}
