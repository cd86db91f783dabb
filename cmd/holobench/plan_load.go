package main

import (
	"fmt"
	"strings"

	"holobench/report"
	"holobench/run"
	"holobench/scenarios"
)

// timesOf says from when to when a load goes on.
func timesOf(l *run.Load) string {
	times := fmt.Sprintf("%v to %v", l.Start, l.End())
	if l.Closed != nil && l.Closed.For == 0 {
		times = fmt.Sprintf("from %v", l.Start)
	}
	if l.After != "" {
		times += " (after " + l.After + ")"
	}
	return times
}

// actsOf says by what rule a load acts.
func actsOf(l *run.Load) string {
	switch {
	case l.Closed != nil:
		text := "each acts, waits for the end of it, and pauses " + l.Closed.Every.TextDurations()
		if l.Closed.Iterations > 0 {
			text += fmt.Sprintf(", %d times", l.Closed.Iterations)
		}
		return text
	case l.Burst != nil:
		return fmt.Sprintf("%s within %v, %d times", report.Number(float64(l.Burst.Commands)), l.Burst.Within, len(l.Burst.At))
	case l.Reaction != nil:
		r := l.Reaction
		return fmt.Sprintf("%g%% of those that hear %q of others answer after %s", 100*r.Share, r.Event, r.After.TextDurations())
	case l.Replay != nil:
		return "as in the run " + l.Replay.From
	case l.Capacity != nil:
		c, step := l.Capacity, ""
		if step = fmt.Sprintf("%g/s more", c.Step); c.Factor > 0 {
			step = fmt.Sprintf("%g times as many", c.Factor)
		}
		return fmt.Sprintf("from %g/s, each %v %s, until a budget fails or up to %g/s, %s", c.From, c.Hold, step, c.To, arrivalsOf(&l.Arrivals))
	}
	return ratesOf(l.Stages) + ", " + arrivalsOf(&l.Arrivals)
}

func ratesOf(stages scenarios.Stages) string {
	var parts []string
	for _, s := range stages {
		if s.From == s.To {
			parts = append(parts, fmt.Sprintf("%g/s for %v", s.To, s.For))
		} else {
			parts = append(parts, fmt.Sprintf("%g/s to %g/s in %v", s.From, s.To, s.For))
		}
	}
	return strings.Join(parts, ", then ")
}

func arrivalsOf(a *scenarios.Arrivals) string {
	switch a.Kind {
	case scenarios.Poisson:
		return "Poisson"
	case scenarios.Sine:
		return fmt.Sprintf("swinging by %g%% in %v", 100*a.Swing, a.Period)
	case scenarios.Bursts:
		return fmt.Sprintf("all in the first %v of each %v", a.Busy, a.Period)
	}
	return "evenly spaced"
}

func sendersOf(p *run.Plan, l *run.Load) string {
	size := fmt.Sprintf("%d B", max(l.Message.Size, len(l.Message.Text)))
	if !l.Payload.Size.Constant() {
		size = l.Payload.Size.String() + " B"
	}
	if l.Flood {
		return fmt.Sprintf("plain POSTs by %d workers, %s", l.Workers, size)
	}
	who := fmt.Sprintf("by %s of %s", report.Number(float64(l.Only)), p.Groups[l.Group].Name)
	if l.InFlight > 1 {
		who += fmt.Sprintf(", %d at once", l.InFlight)
	}
	if l.To != nil {
		who += fmt.Sprintf(" to %s of %s", l.To.Which, l.To.Clients)
	}
	if l.Flow != nil {
		return fmt.Sprintf("a flow of %d steps %s", len(l.Flow), who)
	}
	return fmt.Sprintf("%q %s, %s", l.Message.Name, who, size)
}
