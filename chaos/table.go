package chaos

import (
	"sync"

	"holobench/wire"
)

// Planned is what a table of decisions is made over.
type Planned struct {
	Events   []wire.EventID // that every client shall receive
	Messages int64          // of each socket: messages down, requests up
	Slots    int64          // of time, of each path
	Workers  int            // how many goroutines share the work; 0 = 1
}

// Table decides now what the faults would decide over all that is planned, at each client that they hit: on the first
// socket of each path, in the first occurrence of each window, when it has come on. It says nothing about when. Two
// runs of a seed have one digest of it, whatever the machine did; that is the promise of a replay.
func (c *Chaos) Table(p Planned) Ledger {
	tallies := make(map[*fault]*tally)
	for _, f := range c.faults {
		tallies[f] = new(tally)
	}
	workers := max(1, p.Workers)
	var done sync.WaitGroup
	for worker := range workers {
		done.Go(func() {
			for client := worker; client < c.options.Clients; client += workers {
				for _, f := range c.faults {
					if f.hits(uint32(client)) { //nolint:gosec // clients are numbered in 32 bits
						c.tabulate(f, uint32(client), p, tallies[f]) //nolint:gosec // as above
					}
				}
			}
		})
	}
	done.Wait()
	return c.ledger(func(f *fault) *tally { return tallies[f] })
}

// tabulate decides for one fault at one client.
func (c *Chaos) tabulate(f *fault, client uint32, p Planned, into *tally) {
	for _, path := range []Path{Stream, Command} {
		s := scope{chaos: c, fault: f, socket: Socket{Client: client, Path: path}, into: into}
		if !f.meets(s.socket) {
			continue
		}
		for _, dir := range []Direction{Down, Up} {
			if f.Where.Direction != Both && f.Where.Direction != dir {
				continue
			}
			s.dir = dir
			f.tableOfBytes(s, p)
		}
		f.tableOfSocket(s, p)
	}
}

// full is the moment at which a fault is in force and has come on.
func full() moment { return moment{begun: true, in: true, end: forever, strength: 1} }

// tableOfBytes is for the effects that have a direction.
func (f *fault) tableOfBytes(s scope, p Planned) {
	m := full()
	switch e := f.Effect.(type) {
	case Delay:
		if s.socket.Path == Stream || f.Where.Path == Command { // the sockets share it
			shared := path{scope: s, law: e.Law, hold: int64(e.hold())}
			shared.scope.socket = Socket{Client: s.socket.Client}
			for k := range p.Slots {
				shared.note(0, k, shared.draw(0, k))
			}
		}
		for n := range p.Messages {
			if !e.Jitter.Zero() {
				s.decided(m, n, int64(e.Jitter.Duration(s.unit(m, n))))
			}
		}
	case Loss:
		for n := range p.Messages {
			if late := e.stall(s.unit(m, n*packets), e.Rate); late > 0 {
				s.decided(m, n*packets, int64(late))
			}
		}
	case SlowClose:
		s.decided(m, 0, int64(e.Law.Duration(s.unit(m, 0))))
	}
}

// tableOfSocket is for the effects that have none.
func (f *fault) tableOfSocket(s scope, p Planned) {
	m := full()
	s.dir = Down
	switch e := f.Effect.(type) {
	case timed:
		if _, within, ok := e.timedCut(); ok {
			s.decided(m, 0, int64(s.chaos.cutAfter(f, s.socket.Client, 0, within)))
		}
	case Refuse:
		if s.dir = Up; e.hits(&s, m) {
			s.decided(m, 0, 0)
		}
	case AcceptDelay:
		s.decided(m, 0, int64(e.Law.Duration(s.unit(m, 0))))
	case onRequests:
		s.dir = Up
		for n := range p.Messages {
			if hit, amount := e.decide(&s, m, n); hit {
				s.decided(m, n, amount)
			}
		}
	case picker:
		pick, amount := e.picking()
		for i, event := range p.Events {
			if one := (message{event: event, number: int64(i)}); s.picks(pick, m, &one) {
				s.judged(pick, m, &one, amount)
			}
		}
	}
}
