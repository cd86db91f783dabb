package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Defaults of the executors.
const (
	defaultSwing    = 0.5
	defaultReply    = 0 // ns, of a reaction
	defaultDepth    = 1
	defaultSpeed    = 1
	defaultCapacity = 1.5
	defaultHold     = 10 * time.Second
)

// executor is one way to say when a load acts, and what stands beside it.
type executor struct {
	key  string
	form *spot
	also []string // which of for, from, arrivals, in_flight it goes with
	read func(*loadForm, *Load)
}

// executors lists them in the order of the manual.
func (r *resolver) executors(form *loadForm) []executor {
	return []executor{
		{"rate", &form.Rate.spot, []string{"for", "arrivals", "in_flight"}, r.open},
		{"stages", &form.Stages.spot, []string{"from", "arrivals", "in_flight"}, r.open},
		{"each", &form.Each.spot, []string{"for"}, r.closed},
		{"burst", &form.Burst.spot, []string{"in_flight"}, r.burst},
		{"when", &form.When.spot, []string{"for", "in_flight"}, r.reaction},
		{"replay", &form.Replay.spot, []string{"for", "in_flight"}, r.replayed},
		{"capacity", &form.Capacity.spot, []string{"arrivals", "in_flight"}, r.capacity},
	}
}

// executor resolves when a load acts: exactly one of the executors says it.
func (r *resolver) executor(form *loadForm, l *Load) {
	var first *executor
	for _, e := range r.executors(form) {
		switch {
		case !e.form.given():
		case first == nil:
			first = &e
		default:
			r.add(e.form.at, e.form.path+" stands beside "+first.key+", and a load has one schedule", "keep one of the two, or make two loads of it")
		}
	}
	if first == nil {
		r.require(&form.Rate.spot, &form.spot, "rate", "say when something is sent, by one of rate, stages, each, burst, when, replay, capacity; for example rate: 50/s and for: 10s")
		first = &r.executors(form)[0]
	}
	for _, beside := range []struct {
		key  string
		form *spot
	}{{"for", &form.For.spot}, {"from", &form.From.spot}, {"arrivals", &form.Arrivals.spot}, {"in_flight", &form.InFlight.spot}} {
		if beside.form.given() && !slices.Contains(first.also, beside.key) {
			r.add(beside.form.at, beside.form.path+" does not go with "+first.key, "leave it out; beside "+first.key+" go "+strings.Join(append(first.also, "send, payload and where it goes"), ", "))
		}
	}
	first.read(form, l)
}

// open resolves rate and stages.
func (r *resolver) open(form *loadForm, l *Load) {
	l.Stages, l.Arrivals = r.stages(form), r.arrivals(&form.Arrivals)
}

// arrivals resolves the key of that name.
func (r *resolver) arrivals(form *arrivalsForm) Arrivals {
	sine, bursts := &form.Sine, &form.Bursts
	switch {
	case sine.given() && bursts.given():
		r.add(bursts.at, bursts.path+" stands beside sine, and arrivals are of one kind", "keep one of the two")
	case sine.given():
		r.require(&sine.Period.spot, &sine.spot, "period", "say after how long it begins again: {period: 10s, swing: 50%}")
		r.checkPeriod(&sine.Period)
		a := Arrivals{Kind: Sine, Period: sine.Period.v, Swing: sine.Swing.or(defaultSwing)}
		if sine.Swing.usable() && a.Swing == 0 {
			r.add(sine.Swing.at, sine.Swing.path+": a rate that swings by nothing is constant", "write how far it goes up and down: swing: 50%")
		}
		return a
	case bursts.given():
		r.require(&bursts.Busy.spot, &bursts.spot, "busy", "say for how long something is sent: {busy: 2s, quiet: 8s}")
		r.require(&bursts.Quiet.spot, &bursts.spot, "quiet", "say for how long nothing is sent: {busy: 2s, quiet: 8s}")
		r.checkPeriod(&bursts.Busy)
		r.checkPeriod(&bursts.Quiet)
		return Arrivals{Kind: Bursts, Period: bursts.Busy.v + bursts.Quiet.v, Busy: bursts.Busy.v}
	case form.given() && !form.word.given() && !form.broken:
		r.add(form.at, form.path+": it says nothing", "write constant or poisson, or {sine: {period: 10s, swing: 50%}}, or {bursts: {busy: 2s, quiet: 8s}}")
	}
	return Arrivals{Kind: r.oneOf(&form.word, Constant, []string{Constant, Poisson})}
}

// checkPeriod refuses a time in which nothing can come and go.
func (r *resolver) checkPeriod(form *duration) {
	if form.usable() && (form.v < time.Millisecond || form.v > maxTime) {
		r.add(form.at, form.path+": "+form.v.String()+" is outside of the limits: it can be from 1ms to "+maxTime.String(), "")
	}
}

// closed resolves each.
func (r *resolver) closed(form *loadForm, l *Load) {
	each := &form.Each
	r.require(&each.Every.spot, &each.spot, "every", "say how long each client pauses between two acts: {every: 300ms..2s}; 0s is no pause")
	l.Closed = &Closed{
		Every:      r.amount(&each.Every, durations(maxPause), Exactly(0)),
		Iterations: int(r.upTo(&each.Iterations, 0, maxIterations, "there can be")), //nolint:gosec // within its limits
		For:        r.length(form, "say how long: for: 30s; iterations may end it sooner"),
	}
}

// length resolves for, where it is required.
func (r *resolver) length(form *loadForm, remedy string) time.Duration {
	r.require(&form.For.spot, &form.spot, "for", remedy)
	r.checkLength(&form.For)
	return form.For.v
}

// burst resolves the key of that name.
func (r *resolver) burst(form *loadForm, l *Load) {
	burst := &form.Burst
	r.require(&burst.Commands.spot, &burst.spot, "commands", "say how many there are: {commands: 400, within: 500ms, at: [20s, 30s]}")
	b := &Burst{
		Commands: int(r.upTo(&burst.Commands, 1, maxBurst, "there can be")), //nolint:gosec // within its limits
		Within:   burst.Within.or(0),
	}
	for _, at := range burst.At.items {
		if !at.usable() {
			continue
		}
		if n := len(b.At); n > 0 && at.v < b.At[n-1]+b.Within {
			r.add(at.at, at.path+": the burst at "+at.v.String()+" begins before that at "+b.At[n-1].String()+" is over", "write them in their order, and at least within apart; overlapping bursts are two loads")
		}
		b.At = append(b.At, at.v)
	}
	switch {
	case b.At == nil:
		b.At = []time.Duration{0}
	case len(b.At) > maxBursts:
		r.add(burst.At.at, burst.At.path+": there are "+strconv.Itoa(len(b.At))+", the limit is "+strconv.Itoa(maxBursts), "")
	}
	l.Burst = b
}

// reaction resolves when.
func (r *resolver) reaction(form *loadForm, l *Load) {
	when := &form.When
	r.require(&when.Event.spot, &when.spot, "event", "name the command that others send and these clients answer: {event: message, share: 1%, after: 200ms..900ms}")
	r.check(&when.Event, checkLabel)
	l.Reaction = &Reaction{
		Event: when.Event.v, Share: when.Share.or(1),
		After: r.amount(&when.After, durations(maxPause), Exactly(defaultReply)),
		Depth: int(r.upTo(&when.Depth, defaultDepth, maxReactions, "it can be")), //nolint:gosec // within its limits
		For:   r.length(form, "say for how long they react: for: 30s"),
	}
	if when.Share.usable() && when.Share.v == 0 {
		r.add(when.Share.at, when.Share.path+": a reaction of none sends nothing", "write a share above 0%, or leave the load out")
	}
}

// replayed resolves replay.
func (r *resolver) replayed(form *loadForm, l *Load) {
	replay := &form.Replay
	r.require(&replay.Run.spot, &replay.spot, "run", "name the directory of the earlier run: {run: holobench-runs/latest}")
	if replay.Speed.usable() && (replay.Speed.v < 0.01 || replay.Speed.v > 100) {
		r.add(replay.Speed.at, fmt.Sprintf("%s: %g is outside of the limits: it can be from 0.01 to 100", replay.Speed.path, replay.Speed.v), "2 is twice as fast as it was")
	}
	l.Replay = &Replay{
		Run: replay.Run.or(""), Load: replay.Load.or(""), Speed: replay.Speed.or(defaultSpeed),
		For: r.length(form, "say for how long, at most: for: 60s; what would be due later is left out"),
	}
}

// capacity resolves the key of that name.
func (r *resolver) capacity(form *loadForm, l *Load) {
	search := &form.Capacity
	const example = "{from: 100/s, factor: 1.5, to: 5000/s, hold: 10s}"
	r.require(&search.From.spot, &search.spot, "from", "say where it begins: "+example)
	r.require(&search.To.spot, &search.spot, "to", "say where it ends at the latest: "+example)
	for _, form := range []*rate{&search.From, &search.To, &search.Step} {
		r.checkRate(form, false)
	}
	c := &Capacity{From: search.From.v, To: search.To.v, Factor: search.Factor.or(0), Step: search.Step.or(0), Hold: search.Hold.or(defaultHold)}
	r.checkLength(&search.Hold)
	switch {
	case search.Factor.given() && search.Step.given():
		r.add(search.Step.at, search.Step.path+" stands beside factor, and both say how the rate rises", "keep one of the two")
	case !search.Factor.given() && !search.Step.given():
		c.Factor = defaultCapacity
	case search.Factor.usable() && (c.Factor < 1.01 || c.Factor > 10):
		r.add(search.Factor.at, fmt.Sprintf("%s: %g is outside of the limits: it can be from 1.01 to 10", search.Factor.path, c.Factor), "1.5 makes each step half as much again as the one before")
		c.Factor = defaultCapacity
	}
	if search.From.usable() && search.To.usable() && c.From >= c.To {
		r.add(search.To.at, fmt.Sprintf("%s: %g/s is not above %g/s, where it begins", search.To.path, c.To, c.From), "write the highest rate that is tried")
	}
	if steps := c.Rates(); len(steps) >= maxSteps {
		r.add(search.at, search.path+": there are "+strconv.Itoa(maxSteps)+" steps or more", "let it rise faster")
	}
	l.Capacity, l.Arrivals = c, r.arrivals(&form.Arrivals)
}

// checkSearches refuses more than one search for capacity: of two nobody could say which failed a budget.
func (r *resolver) checkSearches(f *File) {
	first := ""
	for i := range f.Load {
		switch {
		case f.Load[i].Capacity == nil:
		case first == "":
			first = f.Load[i].Name
		default:
			search := &r.form.Load.list[i].form.Capacity
			r.add(search.at, search.path+": "+first+" searches already, and of two nobody could say which failed a budget", "search for one in a scenario")
		}
	}
}
