package scenarios

import (
	"cmp"
	"slices"
	"time"

	"holobench/internal/draw"
)

// Fault is one thing that goes wrong on purpose, on the timeline of the run. It makes two windows: one of its own name, in which it is
// at work, and NAME.after.
type Fault struct {
	Place
	Name   string
	At     time.Duration // when it begins, after the barrier
	For    time.Duration // how long it is at work, and the length of its window; more than 0
	Every  time.Duration // it begins again so long after it began, as long as the load goes on; 0 = once
	Ramp   time.Duration // its strength rises in a straight line, from nothing, for so long; 0 = it has all of it at once
	Moment bool          // it was given no length: For is what its kind makes of it
	Where  Where
	Effect Effect
}

// Where says whom a fault hits.
type Where struct {
	Clients string  // a group; "" = all clients that hold a stream, and for a LinkFault the others too: see OnLinksOf
	Share   float64 // of them, above 0 and at most 1; see Fault.Hits

	Path      string // of a LinkFault: PathStream or PathCommand, "" = both
	Direction string // of a LinkFault: Down, Up or Both, "" = what its kind is about
}

// Where on the way a LinkFault is.
const (
	PathStream  = "stream"  // the socket that the stream is held on
	PathCommand = "command" // the socket that commands are posted on
	Down        = "down"    // to the client
	Up          = "up"      // to the server
	Both        = "both"
)

// Effect is what a fault does: one of the types of the files fault_NAME.go.
type Effect interface {
	// CutsStreams says whether it ends streams that the server would have kept.
	CutsStreams() bool
}

// Begins lists when the fault begins, the last time before end.
func (f *Fault) Begins(end time.Duration) []time.Duration {
	all := []time.Duration{f.At}
	for at := f.At + f.Every; f.Every > 0 && at+f.For <= end; at += f.Every {
		all = append(all, at)
	}
	return all
}

// Hits picks whom the fault hits in one of its turns, from 0, out of count clients: a share of them, one at least, in rising order. It
// depends on the seed, the name of the fault and the turn alone, so that every process of a run picks the same.
func (f *Fault) Hits(seed uint64, turn, count int) []int {
	type ticket struct {
		client int
		number uint64
	}
	tickets := make([]ticket, count)
	for i := range tickets {
		tickets[i] = ticket{i, draw.Hash(seed, draw.Name("fault"), draw.Name(f.Name), uint64(turn), uint64(i))} //nolint:gosec // neither is negative
	}
	slices.SortFunc(tickets, func(a, b ticket) int { return cmp.Or(cmp.Compare(a.number, b.number), a.client-b.client) })
	hit := make([]int, min(count, max(1, int(f.Where.Share*float64(count)+0.5))))
	for i := range hit {
		hit[i] = tickets[i].client
	}
	slices.Sort(hit)
	return hit
}

// afterFault is what the name of the window behind a fault ends in.
const afterFault = ".after"

// windowsOfFaults are the two windows of each fault: its own, from when it begins for the first time until it ends for the last, and the
// rest of the load behind that. A fault that ends with the load has only the first.
func windowsOfFaults(faults []Fault, end time.Duration) []Window {
	var all []Window
	for i := range faults {
		f := &faults[i]
		begins := f.Begins(end)
		last := begins[len(begins)-1] + f.For
		all = append(all, Window{Name: f.Name, From: f.At, To: last, Fault: f.Name})
		if last < end {
			all = append(all, Window{Name: f.Name + afterFault, From: last, To: end, Fault: f.Name})
		}
	}
	return all
}
