package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Stage is a part of a load: its rate goes from one value to the other in a straight line. Rates are per second.
type Stage struct {
	From, To float64
	For      time.Duration
}

// Stages is the schedule of a load: one stage after another.
type Stages []Stage

// Length is how long the schedule lasts.
func (s Stages) Length() time.Duration {
	var sum time.Duration
	for _, stage := range s {
		sum += stage.For
	}
	return sum
}

// Commands is how many commands the schedule is expected to ask for: the area under its rate.
func (s Stages) Commands() float64 {
	sum := 0.0
	for _, stage := range s {
		sum += (stage.From + stage.To) / 2 * stage.For.Seconds()
	}
	return sum
}

// stages resolves a constant rate, or the stages of a ramp.
func (r *resolver) stages(form *loadForm) Stages {
	if !form.Stages.given() {
		r.require(&form.Rate.spot, &form.spot, "rate", "say how many commands are sent: rate: 50/s, or stages: [{rate: 50/s, for: 10s}]")
		r.require(&form.For.spot, &form.spot, "for", "say how long: for: 10s")
		if form.From.given() {
			r.add(form.From.at, form.From.path+": from is where the first stage begins, and there are no stages", "write stages: [{rate: 50/s, for: 10s}]")
		}
		r.checkRate(&form.Rate, false)
		r.checkLength(&form.For)
		return Stages{{From: form.Rate.v, To: form.Rate.v, For: form.For.v}}
	}
	for _, s := range []*spot{&form.Rate.spot, &form.For.spot} {
		if s.given() {
			r.add(s.at, s.path+" stands beside stages", "keep one of the two: each stage has a rate and a for of its own")
		}
	}
	r.checkRate(&form.From, true)
	last, sum := form.From.v, form.From.v
	var all Stages
	for _, item := range form.Stages.items {
		r.require(&item.Rate.spot, &item.spot, "rate", "say where its rate goes: rate: 50/s")
		r.require(&item.For.spot, &item.spot, "for", "say how long it lasts: for: 10s")
		r.checkRate(&item.Rate, true)
		r.checkLength(&item.For)
		all = append(all, Stage{From: last, To: item.Rate.v, For: item.For.v})
		last, sum = item.Rate.v, sum+item.Rate.v
	}
	broken := form.Stages.broken || form.From.broken || slices.ContainsFunc(form.Stages.items, func(s *stageForm) bool { return !s.Rate.usable() })
	switch {
	case sum == 0 && !broken:
		r.add(form.Stages.at, form.Stages.path+": the rate never rises above 0", "give a stage a rate")
	case len(all) > maxStages:
		r.add(form.Stages.at, form.Stages.path+": there are "+strconv.Itoa(len(all))+" stages, the limit is "+strconv.Itoa(maxStages), "")
	}
	return all
}

func (r *resolver) checkRate(form *rate, zero bool) {
	switch {
	case !form.usable():
	case form.v > maxRate:
		r.add(form.at, fmt.Sprintf("%s: %g/s is more than the limit, %g/s", form.path, form.v, maxRate), "")
	case form.v == 0 && !zero:
		r.add(form.at, form.path+": a rate of 0 sends nothing", "write more, or leave the load out")
	}
}

func (r *resolver) checkLength(form *duration) {
	switch {
	case !form.usable():
	case form.v > maxTime:
		r.add(form.at, form.path+": "+form.v.String()+" is more than the limit, "+maxTime.String(), "")
	case form.v == 0:
		r.add(form.at, form.path+": no time at all sends nothing", "write more, or leave it out")
	}
}
