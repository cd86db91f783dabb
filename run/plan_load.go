package run

import (
	"fmt"
	"math"
	"slices"
	"time"

	"holobench/clients"
	"holobench/history"
	"holobench/internal/draw"
	"holobench/scenarios"
)

// Load is one reason why commands are sent, and who sends them. Exactly one of Stages, Closed, Burst, Reaction, Replay and Capacity
// says when; each is carried out by a file executor_NAME.go.
type Load struct {
	Name     string
	Start    time.Duration // after the barrier
	After    string        // a load that has to be over before: Start counts in when it is to be, and moves with it; "" = none
	Group    int           // index of the group that sends; of no meaning for a flood
	Only     int           // how many clients of the group send, from its first
	InFlight int           // commands, or acts, that one of them has under way at most; 0 = 1

	Stages   scenarios.Stages
	Arrivals scenarios.Arrivals // of Stages, and of Capacity
	Closed   *scenarios.Closed
	Burst    *scenarios.Burst
	Reaction *scenarios.Reaction
	Replay   *Replay
	Capacity *scenarios.Capacity
	Flood    bool // of Stages: plain POSTs
	Workers  int  // of a flood

	Message clients.Message         // what a command says; its Channel "" = each sender posts to its own
	Payload scenarios.Payload       // whose size is drawn for each command, unless it is constant: then Message.Size is it
	Channel func(sender int) string // where a sender posts; nil = Message.Channel says it
	To      *scenarios.To           // or to the channel of a client of a group; nil = Channel says it
	Flow    []scenarios.Step        // what one act does; nil = it sends Message
}

// Replay are commands of an earlier run.
type Replay struct {
	From     string // where they were, for people
	Commands []Recorded
}

// Recorded is one command of an earlier run.
type Recorded struct {
	Due    time.Duration // after the start of the load
	Sender int           // from 0; senders that there are not any more take the place modulo Load.Only
}

// End is when the load is to be over, after the barrier. Closed loads may be over earlier, a search for capacity earlier or later.
func (l *Load) End() time.Duration { return l.Start + l.length() }

// length is how long the load lasts by its schedule. A closed load without an end of its own is taken for over at once: nobody
// knows how long its acts take.
func (l *Load) length() time.Duration {
	switch {
	case l.Closed != nil:
		return l.Closed.For
	case l.Burst != nil:
		return slices.Max(append([]time.Duration{0}, l.Burst.At...)) + l.Burst.Within
	case l.Reaction != nil:
		return l.Reaction.For
	case l.Replay != nil:
		var end time.Duration
		for i := range l.Replay.Commands {
			end = max(end, l.Replay.Commands[i].Due)
		}
		return end
	case l.Capacity != nil:
		return time.Duration(len(l.Capacity.Rates())+1) * l.Capacity.Hold
	}
	return l.Stages.Length()
}

// inFlight is how many commands or acts one sender has under way at most.
func (l *Load) inFlight() int { return max(1, l.InFlight) }

// inFlight is how many commands the i-th client of a group may have on the wire: as many as the most demanding of its loads says.
func (p *Plan) inFlight(group, i int) int {
	most := 1
	for n := range p.Loads {
		if l := &p.Loads[n]; !l.Flood && l.Group == group && i < l.Only {
			most = max(most, l.inFlight())
		}
	}
	return most
}

// channel is where the i-th sender of a load posts when it has no To.
func (l *Load) channel(g *Group, i int) string {
	switch {
	case l.Channel != nil:
		return l.Channel(i)
	case l.Message.Channel != "" || g.Channel == nil:
		return l.Message.Channel
	}
	return g.Channel(i)
}

// message is what each command of the i-th load says, apart from its channel.
func (p *Plan) message(i int) clients.Message {
	m := p.Loads[i].Message
	m.Load = uint16(i + 1) //nolint:gosec // check bounds it
	return m
}

// Commands is how many acts a load is expected to make: as many commands, where one act is one command. Of a closed load it is what
// would fit if acts took no time, of a search for capacity what its first way up asks for; of reactions it is not known, and 0.
func (p *Plan) Commands(l *Load) float64 {
	switch {
	case l.Closed != nil:
		return l.closedActs() * float64(l.Only)
	case l.Burst != nil:
		return float64(l.Burst.Commands * len(l.Burst.At))
	case l.Replay != nil:
		return float64(len(l.Replay.Commands))
	case l.Capacity != nil:
		sum := 0.0
		for _, rate := range l.Capacity.Rates() {
			sum += rate * l.Capacity.Hold.Seconds()
		}
		return sum
	}
	return l.Stages.Commands()
}

// closedActs is how many acts of one sender are expected.
func (l *Load) closedActs() float64 {
	acts, pause := float64(l.Closed.Iterations), l.Closed.Every.Mean()
	if l.Closed.For > 0 && pause > 0 {
		if fit := math.Floor(float64(l.Closed.For)/pause) + 1; acts == 0 || fit < acts {
			acts = fit
		}
	}
	return acts
}

// Deliveries is how many deliveries a load is expected to cause, when its senders take turns at random and nothing is lost. Where
// senders are not told of their own events they are not counted; values that are left out for newer ones are, since how many there
// will be depends on who keeps up. An act that is a flow counts as one command.
func (p *Plan) Deliveries(l *Load) float64 {
	subscribers := p.Subscribers()
	if l.Flood {
		return p.Commands(l) * float64(subscribers[l.Message.Channel])
	}
	if l.To != nil {
		return p.Commands(l) * p.addressed(l, subscribers)
	}
	sum, group, untold := 0, p.Groups[l.Group], p.Promises()["self_echo"] == ""
	for i := range l.Only {
		channel := l.channel(&group, i)
		sum += subscribers[channel]
		if untold && group.listens() && group.Channel(i) == channel {
			sum--
		}
	}
	return p.Commands(l) * float64(sum) / float64(max(1, l.Only))
}

// addressed is how many deliveries one act of a load with a To causes.
func (p *Plan) addressed(l *Load, subscribers map[string]int) float64 {
	g := p.group(l.To.Clients)
	if g == nil || g.Channel == nil {
		return 0
	}
	sum := 0
	for i := range g.Count {
		sum += subscribers[g.Channel(i)]
	}
	if l.To.Which == scenarios.All {
		return float64(sum)
	}
	return float64(sum) / float64(g.Count)
}

// group finds a group by its name; nil when there is none.
func (p *Plan) group(name string) *Group {
	i := slices.IndexFunc(p.Groups, func(g Group) bool { return g.Name == name })
	if i < 0 {
		return nil
	}
	return &p.Groups[i]
}

// indexOf finds a load by its name; -1 when there is none.
func (p *Plan) indexOf(name string) int {
	return slices.IndexFunc(p.Loads, func(l Load) bool { return l.Name == name })
}

// aspect is what a random draw of a load is for. The draws of two aspects have nothing to do with each other.
type aspect uint64

// The aspects. Their numbers are part of what a seed means: new ones come last.
const (
	ofGaps     aspect = iota // the time between two arrivals
	ofSender                 // who sends an act of an open load
	ofTarget                 // to which client a command goes
	ofSize                   // of a payload
	ofPause                  // between two acts of a closed load
	ofFirst                  // when a sender of a closed load begins
	ofReacting               // whether an event is answered
	ofDelay                  // how long that takes
)

// seed is what the draws of one aspect of a load are made from. Loads go by their names, so that one draws the same whichever
// others stand beside it.
func (p *Plan) seed(load int, of aspect) uint64 {
	return draw.Hash(p.Seed, draw.Name(p.Loads[load].Name), uint64(of))
}

// checkLoads finds what is wrong with the loads of a plan.
func (p *Plan) checkLoads() error {
	if len(p.Loads) > math.MaxUint16 {
		return fmt.Errorf("check the plan: %d loads are more than an Observation can tell apart", len(p.Loads))
	}
	searches := 0
	for i := range p.Loads {
		l := &p.Loads[i]
		if l.Capacity != nil {
			searches++
		}
		if err := p.checkLoad(l); err != nil {
			return err
		}
		if l.After == "" {
			continue
		}
		if before := p.indexOf(l.After); before < 0 || p.waitsFor(before, i) {
			return fmt.Errorf("check the plan: load %q comes after %q, which is not there or waits for it", l.Name, l.After)
		}
	}
	if searches > 1 {
		return fmt.Errorf("check the plan: %d loads search for the capacity, and would measure each other", searches)
	}
	return nil
}

// waitsFor says whether a load begins after another, directly or not.
func (p *Plan) waitsFor(load, other int) bool {
	for range p.Loads {
		if load == other {
			return true
		}
		if load = p.indexOf(p.Loads[load].After); load < 0 {
			return false
		}
	}
	return true // round and round
}

// checkLoad finds what is wrong with one load.
func (p *Plan) checkLoad(l *Load) error {
	kinds := 0
	for _, given := range []bool{len(l.Stages) > 0, l.Closed != nil, l.Burst != nil, l.Reaction != nil, l.Replay != nil, l.Capacity != nil} {
		if given {
			kinds++
		}
	}
	switch {
	case kinds == 0:
		return fmt.Errorf("check the plan: load %q has no stage, and nothing else that says when it acts", l.Name)
	case kinds > 1:
		return fmt.Errorf("check the plan: load %q acts by %d rules, it can have one", l.Name, kinds)
	case l.Flood:
		return nil
	case l.Group < 0 || l.Group >= len(p.Groups):
		return fmt.Errorf("check the plan: load %q is sent by group %d of %d", l.Name, l.Group, len(p.Groups))
	case l.Only < 1 || l.Only > p.Groups[l.Group].Count:
		return fmt.Errorf("check the plan: load %q has %d senders of %d clients", l.Name, l.Only, p.Groups[l.Group].Count)
	case l.Closed != nil && l.Closed.Iterations < 1 && l.Closed.For <= 0:
		return fmt.Errorf("check the plan: the closed load %q has neither iterations nor an end", l.Name)
	case l.Burst != nil && (l.Burst.Commands < 1 || len(l.Burst.At) == 0):
		return fmt.Errorf("check the plan: the burst %q has no commands, or no time", l.Name)
	case l.Capacity != nil && (len(l.Capacity.Rates()) == 0 || l.Capacity.From <= 0 || l.Capacity.Hold <= 0):
		return fmt.Errorf("check the plan: the search %q has no rate, or no time to try one", l.Name)
	}
	if l.To != nil {
		if g := p.group(l.To.Clients); g == nil || g.Channel == nil || g.Count < 1 {
			return fmt.Errorf("check the plan: load %q goes to %q, which are no clients with a channel", l.Name, l.To.Clients)
		}
	}
	return nil
}

// describeLoad is what run.json says of a load before it began.
func (p *Plan) describeLoad(l *Load) history.Load {
	return history.Load{
		Name: l.Name, From: int64(l.Start), To: int64(l.End()), Expected: uint64(p.Commands(l) + 0.5), Flood: l.Flood,
		Message: history.Message{Name: l.Message.Name, Text: l.Message.Text, Size: l.Message.Size},
	}
}
