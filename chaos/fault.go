package chaos

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Fault is one thing that goes wrong: what, to whom, and when.
type Fault struct {
	Name   string // of this fault in this run; part of every draw, so that two faults of one kind have luck of their own
	Window Window
	Where  Where
	Effect Effect
}

// Effect is what a fault does: Delay, Bandwidth, Reset and so on, one a file of this package. Its fields are its
// parameters; docs/faults.md is their manual.
type Effect interface {
	// Kind is the word for it in scenarios and reports.
	Kind() string

	check() error
	needs() needs
}

// needs says what an effect can be asked for, and of what.
type needs struct {
	up, down bool // the directions that it knows; none = it concerns a connection as a whole
	ramp     bool // it can come on slowly
	streams  bool // it is for streams only
	http     bool // it must be able to read what is said: HTTP/1.1, neither encrypted nor upgraded
	instant  bool // it happens when its window begins, so that the length of the window says nothing
}

// Path says which sockets of a client are meant.
type Path uint8

// The paths.
const (
	AnyPath Path = iota
	Stream       // the socket that its down stream is held on, or its only one
	Command      // the socket that its commands are posted on
)

// String is the word for the path.
func (p Path) String() string {
	switch p {
	case Stream:
		return "stream"
	case Command:
		return "command"
	default:
		return "any"
	}
}

// Direction says which way bytes go.
type Direction uint8

// The directions.
const (
	Down Direction = iota // to the client
	Up                    // to the server
	Both
)

// String is the word for the direction.
func (d Direction) String() string {
	switch d {
	case Up:
		return "up"
	case Both:
		return "both"
	default:
		return "down"
	}
}

// Where says whom a fault hits.
type Where struct {
	Clients   []Range // by their numbers; none = all
	Share     float64 // of those clients, chosen by the seed, rounded to whole clients; 0 = all of them
	Path      Path
	Direction Direction // of effects on bytes
}

// Range is the clients from From to before To.
type Range struct {
	From, To uint32
}

// has says whether the clients of w, before the share is taken, include that one.
func (w Where) has(client uint32) bool {
	return len(w.Clients) == 0 || slices.ContainsFunc(w.Clients, func(r Range) bool { return r.has(client) })
}

func (r Range) has(client uint32) bool { return r.From <= client && client < r.To }

// meets says whether any of those clients is one of w, before the share is taken.
func (w Where) meets(clients []Range) bool {
	return slices.ContainsFunc(clients, func(r Range) bool {
		return r.From < r.To && (len(w.Clients) == 0 || slices.ContainsFunc(w.Clients, func(own Range) bool { return own.From < r.To && r.From < own.To }))
	})
}

// Check says what is wrong with a fault, and what to do about it. opaque says that the bytes cannot be read: they are
// encrypted, or no HTTP.
func (f Fault) Check(opaque bool) error {
	if f.Name == "" {
		return errors.New("a fault without a name: give it one, since its draws and its windows are called by it")
	}
	if f.Effect == nil {
		return fmt.Errorf("fault %q does nothing: give it an effect", f.Name)
	}
	if err := f.check(opaque); err != nil {
		return fmt.Errorf("fault %q (%s): %w", f.Name, f.Effect.Kind(), err)
	}
	return nil
}

func (f Fault) check(opaque bool) error {
	n := f.Effect.needs()
	if math.IsNaN(f.Where.Share) || f.Where.Share < 0 || f.Where.Share > 1 {
		return fmt.Errorf("a share of %g of the clients: give one from 0 to 1", f.Where.Share)
	}
	for _, r := range f.Where.Clients {
		if r.To <= r.From {
			return fmt.Errorf("the clients from %d to before %d are none: end above the beginning", r.From, r.To)
		}
	}
	up, down := f.Where.Direction != Down, f.Where.Direction != Up
	switch {
	case f.Where.Direction > Both || f.Where.Path > Command:
		return errors.New("an unknown path or direction: use those of this package")
	case !n.up && !n.down && up:
		return errors.New("it concerns a connection as a whole: leave the direction out")
	case up && !n.up && n.down:
		return errors.New("it works on what comes down only: leave the direction out")
	case down && !n.down && n.up:
		return errors.New("it works on what goes up only: give the direction up")
	case n.streams && f.Where.Path == Command:
		return errors.New("it is for events of streams: leave the path out, or give the stream")
	case n.http && opaque:
		return errors.New("no backend can do this here, where what is said cannot be read (it is encrypted, or no HTTP/1.1): " +
			"use a fault on bytes, or speak plain HTTP")
	}
	if err := f.Window.check(n); err != nil {
		return err
	}
	return f.Effect.check()
}
