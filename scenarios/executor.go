package scenarios

import (
	"slices"
	"time"
)

// One of the following says when a load acts, where it has no Stages.
type (
	// Closed lets each sender act, wait for the end of the act, pause, and act again.
	Closed struct {
		Every      Amount        // ns, from the end of one act to the beginning of the next
		Iterations int           // acts of one client; 0 = as many as the time allows
		For        time.Duration // no act begins later
	}

	// Burst sends a number of commands in a short time, once or several times.
	Burst struct {
		Commands int
		Within   time.Duration   // evenly spaced over it; 0 = all at once
		At       []time.Duration // when each burst begins, after the load's start
	}

	// Reaction lets a client that hears an event answer it.
	Reaction struct {
		Event string        // the name of the command that caused it; it was another client's
		Share float64       // of those that hear it: from 0 to 1
		After Amount        // ns, from its arrival
		Depth int           // 1 = nobody reacts to what a reaction of this load says; 2 = to those of the first, and so on
		For   time.Duration // no reaction is due later
	}

	// Replay sends what an earlier run sent, when it did: due times and senders are those of its history.
	Replay struct {
		Run   string        // its directory
		Load  string        // which of its loads; "" = all
		Speed float64       // 2 = in half of the time
		For   time.Duration // what would be due later is left out
	}

	// Capacity raises the rate step by step until a budget fails.
	Capacity struct {
		From, To float64       // commands a second
		Factor   float64       // each step is that much more than the one before; 0 = Step says it
		Step     float64       // commands a second more
		Hold     time.Duration // of each step, and of the last good one at the end
	}

	// Arrivals says how the commands of an open load are spread in time. None of them changes how many there are in the long run.
	Arrivals struct {
		Kind   string        // Constant, Poisson, Sine or Bursts; "" = Constant
		Period time.Duration // of Sine; of Bursts: Busy and the quiet time after it
		Swing  float64       // of Sine: from 0 to 1, how far the rate goes up and down
		Busy   time.Duration // of Bursts: all commands of a period come in its beginning, at the rate that makes up for the rest
	}
)

// The kinds of Arrivals.
const (
	Constant = "constant"
	Poisson  = "poisson"
	Sine     = "sine"
	Bursts   = "bursts"
)

// Rates lists the rates that are tried, from the lowest, in commands a second.
func (c *Capacity) Rates() []float64 {
	var all []float64
	for rate := c.From; rate <= c.To*(1+1e-9) && len(all) < maxSteps; { // a sum of steps may end a hair above
		all = append(all, rate)
		next := rate + c.Step
		if c.Factor > 0 {
			next = rate * c.Factor
		}
		if next <= rate {
			break
		}
		rate = next
	}
	return all
}

// End is when the load is over at the latest, after the barrier: nothing is due then or later. A closed load may be over earlier, a
// search for capacity mostly is.
func (l *Load) End() time.Duration {
	switch {
	case l.Closed != nil:
		return l.Start + l.Closed.For
	case l.Burst != nil:
		return l.Start + slices.Max(append([]time.Duration{0}, l.Burst.At...)) + max(l.Burst.Within, time.Millisecond)
	case l.Reaction != nil:
		return l.Start + l.Reaction.For
	case l.Replay != nil:
		return l.Start + l.Replay.For
	case l.Capacity != nil:
		return l.Start + time.Duration(len(l.Capacity.Rates())+1)*l.Capacity.Hold
	}
	return l.Start + l.Stages.Length()
}

// ChannelOf is where the commands of the i-th sender go, i from 0, when the load has no To: the load's own channel, in which client is
// the sender's number in its group, from 1, group is that group, and channel and n are the sender's own; or else the sender's.
func (l *Load) ChannelOf(c *Clients, i int) string {
	if l.Channel == "" {
		return c.ChannelOf(i)
	}
	t := l.channel
	if t == nil {
		parsed, _ := ParseTemplate(l.Channel) // a literal of Go that is none has no name
		t = &parsed
	}
	return t.name(numbers{group: c.Name, client: i + 1, n: c.ChannelNumber(i), channel: c.ChannelOf(i)})
}
