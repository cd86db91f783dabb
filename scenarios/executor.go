package scenarios

import "time"

// Exactly one of the following says when a load acts; see Load.
type (
	// Closed lets each sender act, wait for the end of the act, pause, and act again.
	Closed struct {
		Every      Amount        // ns, from the end of one act to the beginning of the next
		Iterations int           // acts of one client; 0 = as many as the time allows
		For        time.Duration // no act begins later; 0 = Iterations bounds it
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
		Depth int           // reactions to reactions to reactions; 1 = to none
		For   time.Duration // nobody reacts later
	}

	// Replay sends what an earlier run sent, when it did: due times and senders are those of its history.
	Replay struct {
		Run   string  // its directory
		Load  string  // which of its loads; "" = all
		Speed float64 // 2 = in half of the time
	}

	// Capacity raises the rate step by step until a budget fails.
	Capacity struct {
		From, To float64       // commands a second
		Factor   float64       // each step is that much more than the one before; 0 = Step says it
		Step     float64       // commands a second more
		Hold     time.Duration // of each step, and of the last good one at the end
	}

	// Arrivals says how the commands of an open load are spread in time.
	Arrivals struct {
		Kind   string        // Constant, Poisson, Sine or Bursts
		Period time.Duration // of Sine; of Bursts: Busy + Quiet
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
