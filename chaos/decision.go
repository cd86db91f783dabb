package chaos

import (
	"fmt"
	"sync/atomic"

	"holobench/internal/draw"
	"holobench/wire"
)

// Decision is one thing that a fault judged. When it happened is not part of it, so that the decisions of a seed compare
// whatever the clock and the scheduler did.
type Decision struct {
	Fault     string
	Client    uint32
	Path      Path // AnyPath = of what the sockets of the client share
	Direction Direction
	Epoch     uint32 // which socket of that path, from 0: a reconnect makes the next

	// What was judged: an event, or else a number. Of bytes it is where they begin on their way, of messages and requests
	// how many were before, of the shared part of a delay the number of the time slot.
	Event  wire.EventID
	Number int64

	Occurrence uint64 // of the window
	Amount     int64  // how much: ns of a delay, the distance of a reordering, the place of a corrupted byte; 0 = nothing to say
}

// sums are two numbers that look drawn, of a decision of a fault with that key. Added up they tell two sets apart.
func (d *Decision) sums(key uint64) (first, second uint64) {
	first = draw.Hash(key, uint64(d.Client), uint64(d.Path)<<8|uint64(d.Direction), uint64(d.Epoch),
		uint64(d.Event.Publisher)<<32|uint64(d.Event.Seq), uint64(d.Number), d.Occurrence, uint64(d.Amount)) //nolint:gosec // bits
	return first, draw.Hash(first, key)
}

// Tally is what one fault decided so far.
type Tally struct {
	Fault     string
	Kind      string
	Backend   string // what carried it out
	Clients   int    // how many it hits
	Decisions uint64
	Digest    string // of the decisions, in whatever order they were made
}

// Ledger is the list of what all faults decided so far, in the order of the faults.
type Ledger struct {
	Faults []Tally
	Digest string // of all
}

// tally gathers the decisions of one fault; it is safe for concurrent use.
type tally struct {
	decisions     atomic.Uint64
	first, second atomic.Uint64
}

func (t *tally) add(d *Decision, key uint64) {
	first, second := d.sums(key)
	t.decisions.Add(1)
	t.first.Add(first)
	t.second.Add(second)
}

// ledger sums the tallies of the faults up.
func (c *Chaos) ledger(of func(f *fault) *tally) Ledger {
	var l Ledger
	var first, second uint64
	for _, f := range c.faults {
		t := of(f)
		a, b := t.first.Load(), t.second.Load()
		first, second = first+a, second+b
		l.Faults = append(l.Faults, Tally{
			Fault: f.Name, Kind: f.Effect.Kind(), Backend: Backend, Clients: f.hit, Decisions: t.decisions.Load(), Digest: digest(a, b),
		})
	}
	l.Digest = digest(first, second)
	return l
}

func digest(first, second uint64) string { return fmt.Sprintf("%016x%016x", first, second) }

// Ledger is what was decided, and so carried out, until now.
func (c *Chaos) Ledger() Ledger { return c.ledger(func(f *fault) *tally { return &f.tally }) }
