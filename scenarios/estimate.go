package scenarios

import (
	"math"
	"slices"
	"time"
)

// Estimate says what a load is expected to ask for and to cause, when nothing is lost and nobody reconnects. Deliveries are what clients
// hear, their own events too where the target tells them. Bytes are of payloads, without what the wire adds.
type Estimate struct {
	Load       string
	Commands   float64 // NaN = not known beforehand
	Deliveries float64 // NaN = not known beforehand
	Up, Down   float64 // bytes; NaN = not known beforehand
	Rough      bool    // there may be fewer or more: it may end early, or do what depends on the server

	PeakCommands, PeakDeliveries float64 // a second, at the highest

	acts float64
}

// Estimates are those of all loads, in the order of the file, and the sum of those that are known. The peaks of the sum are those of the
// second in which most comes together, so that they are not the sum of the peaks.
func (f *File) Estimates() (each []Estimate, sum Estimate) {
	e := newEstimator(f)
	for i := range f.Load {
		each = append(each, e.load(&f.Load[i]))
	}
	for i := range each {
		sum.Commands += known0(each[i].Commands)
		sum.Deliveries += known0(each[i].Deliveries)
		sum.Up += known0(each[i].Up)
		sum.Down += known0(each[i].Down)
		sum.Rough = sum.Rough || each[i].Rough || math.IsNaN(each[i].Deliveries)
	}
	step := max(time.Second, f.End()/maxSlices)
	for at := time.Duration(0); at < f.End(); at += step {
		commands, deliveries := 0.0, 0.0
		for i := range f.Load {
			if acts := f.Load[i].peakIn(at, at+step, each[i].acts); acts > 0 && each[i].acts > 0 {
				commands += acts * known0(each[i].Commands/each[i].acts)
				deliveries += acts * known0(each[i].Deliveries/each[i].acts)
			}
		}
		sum.PeakCommands, sum.PeakDeliveries = max(sum.PeakCommands, commands), max(sum.PeakDeliveries, deliveries)
	}
	return each, sum
}

// maxSlices bounds the slices of time that a peak is looked for in. Each is a second, or longer in a long run.
const maxSlices = 10_000

func known0(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}

// acts is how many acts a load is expected to have; rough = it may be fewer or more. It is NaN where that depends on what happens.
func (l *Load) acts() (n float64, rough bool) {
	switch {
	case l.Closed != nil:
		pause := l.Closed.Every.Mean()
		n := math.Inf(1) // as many as the server lets them
		if pause > 0 {
			n = math.Floor(float64(l.Closed.For-1)/pause) + 1 // the first at once
		}
		if l.Closed.Iterations > 0 {
			n = min(n, float64(l.Closed.Iterations))
		}
		if math.IsInf(n, 0) {
			return math.NaN(), true
		}
		return n * float64(l.Only), true
	case l.Burst != nil:
		return float64(l.Burst.Commands * max(1, len(l.Burst.At))), false
	case l.Reaction != nil, l.Replay != nil:
		return math.NaN(), true
	case l.Capacity != nil:
		sum := 0.0
		for _, rate := range l.Capacity.Rates() {
			sum += rate * l.Capacity.Hold.Seconds()
		}
		return sum + l.Capacity.To*l.Capacity.Hold.Seconds(), true
	}
	return l.Stages.Commands(), false
}

// peakIn is the highest rate of acts of a load, a second, in a time that is about as long; acts is how many it is expected to have in all.
func (l *Load) peakIn(from, to time.Duration, acts float64) float64 {
	if to <= l.Start || from >= l.End() {
		return 0
	}
	swing := 1.0
	switch {
	case l.Arrivals.Kind == Sine:
		swing = 1 + l.Arrivals.Swing
	case l.Arrivals.Kind == Bursts && l.Arrivals.Busy > 0:
		swing = float64(l.Arrivals.Period) / float64(l.Arrivals.Busy)
	}
	switch {
	case l.Burst != nil:
		for _, at := range l.Burst.At {
			if begins := l.Start + at; begins < to && begins+max(l.Burst.Within, time.Millisecond) > from {
				return float64(l.Burst.Commands) / max(1, l.Burst.Within.Seconds()) // a second is the shortest that a peak is counted over
			}
		}
		return 0
	case l.Capacity != nil:
		rates := l.Capacity.Rates()
		step := int((to - 1 - l.Start) / max(1, l.Capacity.Hold))
		return rates[min(max(step, 0), len(rates)-1)] * swing
	case l.Stages != nil:
		return l.Stages.highest(from-l.Start, to-l.Start) * swing
	}
	return known0(acts) / max(1, (l.End()-l.Start).Seconds())
}

// highest is the highest rate between two times of the schedule.
func (s Stages) highest(from, to time.Duration) float64 {
	most, began := 0.0, time.Duration(0)
	for _, stage := range s {
		a, b := max(from, began), min(to, began+stage.For)
		if a < b {
			slope := (stage.To - stage.From) / float64(stage.For)
			most = max(most, stage.From+slope*float64(a-began), stage.From+slope*float64(b-began))
		}
		began += stage.For
	}
	return most
}

// estimator knows who hears what.
type estimator struct {
	file    *File
	hearing map[string]map[string]float64 // of each group, how many of its clients listen to each channel
	all     map[string]float64            // of all groups
	untold  bool                          // nobody is told of its own event
}

func newEstimator(f *File) *estimator {
	e := &estimator{file: f, hearing: map[string]map[string]float64{}, all: map[string]float64{}, untold: f.Server.URL == nil && f.Server.Bundled.Knobs.Echo == EchoNone}
	for i := range f.Clients {
		c := &f.Clients[i]
		e.hearing[c.Name] = c.listeners(c.Count)
		for name, n := range e.hearing[c.Name] {
			e.all[name] += n
		}
	}
	return e
}

// listeners counts the first clients of a group by the channel that they listen to.
func (c *Clients) listeners(first int) map[string]float64 {
	count := map[string]float64{}
	for i := range first {
		if c.Streams {
			count[c.ChannelOf(i)]++
		}
	}
	return count
}

// load estimates one load.
func (e *estimator) load(l *Load) Estimate {
	acts, rough := l.acts()
	est := Estimate{Load: l.Name, Rough: rough || l.Flow != nil}
	if l.Reaction != nil {
		acts = e.reactions(l)
	}
	est.acts = acts
	silent := 0
	if e.untold {
		silent = l.Only
	}
	for _, s := range l.sending() {
		commands, heard := e.heard(l, s.Send, e.all, silent)
		commands *= acts * s.times
		est.Commands += commands
		est.Deliveries += commands * heard
		size := s.Payload.Size.Mean()
		est.Up += commands * size
		est.Down += commands * heard * size
	}
	step := max(time.Second, (l.End()-l.Start)/maxSlices)
	for at := l.Start; at < l.End(); at += step {
		est.PeakCommands = max(est.PeakCommands, l.peakIn(at, at+step, acts))
	}
	if acts > 0 {
		est.PeakDeliveries = est.PeakCommands * known0(est.Deliveries/acts)
		est.PeakCommands *= known0(est.Commands / acts)
	}
	return est
}

// reactions is how often a reaction is expected: a share of what its clients hear of other loads, and then of its own, as deep as it goes.
func (e *estimator) reactions(l *Load) float64 {
	c, _ := group(e.file.Clients, l.By)
	ears := c.listeners(l.Only)
	heard := 0.0
	for i := range e.file.Load {
		from := &e.file.Load[i]
		acts, _ := from.acts()
		if from.Name == l.Name || math.IsNaN(acts) || from.Start > l.End() || from.End() < l.Start {
			continue
		}
		for _, s := range from.sending() {
			if s.Name == l.Reaction.Event {
				commands, at := e.heard(from, s.Send, ears, l.ownOf(from))
				heard += commands * acts * s.times * at
			}
		}
	}
	first := heard * l.Reaction.Share
	sum, last := first, first
	for _, s := range l.sending() {
		if s.Name != l.Reaction.Event {
			continue
		}
		_, at := e.heard(l, s.Send, ears, l.Only)
		for range l.Reaction.Depth - 1 {
			last *= at * s.times * l.Reaction.Share
			sum += last
		}
	}
	return sum
}

// ownOf is how many of the senders of another load react in this one: to their own events they do not.
func (l *Load) ownOf(other *Load) int {
	if other.By != l.By {
		return 0
	}
	return l.Only
}

// heard says how many commands one send of a load is, and how many clients hear each of them on average; NaN = that is not known. The first
// senders, so many, do not count at their own events.
func (e *estimator) heard(l *Load, s *Send, ears map[string]float64, silent int) (commands, hearers float64) {
	to := s.To
	text, constant := s.Channel.Constant()
	if to == nil && s.Channel.Empty() {
		to = l.To
	}
	switch {
	case to != nil:
		c, _ := group(e.file.Clients, to.Clients)
		if to.Which == All {
			return float64(len(c.ChannelNames)), average(c.ChannelNames, ears)
		}
		names := make([]string, c.Count)
		for i := range names {
			names[i] = c.ChannelOf(i)
		}
		return 1, average(names, ears)
	case !constant:
		return 1, math.NaN()
	case text != "":
		return 1, ears[text]
	case l.Flood:
		return 1, ears[l.Channel]
	}
	c, _ := group(e.file.Clients, l.By)
	sum := 0.0
	for i := range l.Only {
		name := l.ChannelOf(&c, i)
		sum += ears[name]
		if i < silent && c.Streams && c.ChannelOf(i) == name {
			sum--
		}
	}
	return 1, sum / float64(max(1, l.Only))
}

func average(names []string, count map[string]float64) float64 {
	sum := 0.0
	for _, name := range names {
		sum += count[name]
	}
	return sum / float64(max(1, len(names)))
}

// sent is a send, and how often it is expected in one act.
type sent struct {
	*Send
	times float64
}

// sending lists what one act of a load sends.
func (l *Load) sending() []sent {
	if l.Flow == nil {
		return []sent{{&Send{Name: l.Send, Payload: l.Payload}, 1}}
	}
	return sendingOf(l.Flow, 1)
}

// sendingOf lists what a flow sends that is gone through so often. What is done on a reply is not counted: how often is the server's choice,
// and of the two ways of an if each is taken for as likely.
func sendingOf(flow []Step, times float64) []sent {
	var all []sent
	for _, step := range flow {
		switch s := step.(type) {
		case *Send:
			all = append(all, sent{s, times})
		case *Repeat:
			all = slices.Concat(all, sendingOf(s.Flow, times*s.Times.Mean()))
		case *Choose:
			for _, way := range s.Ways {
				all = slices.Concat(all, sendingOf(way.Flow, times*way.Share))
			}
		case *If:
			all = slices.Concat(all, sendingOf(s.Then, times/2), sendingOf(s.Else, times/2))
		}
	}
	return all
}
