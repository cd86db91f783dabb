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
		r.checkRate(&form.Rate, false)
		return Stages{{From: form.Rate.v, To: form.Rate.v, For: r.length(form, "say how long: for: 10s")}}
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
