package chaos

import (
	"sync"
	"time"

	"holobench/internal/draw"
)

// path is the way that all sockets of one client share in one direction, as far as one Delay is concerned. Its delay
// holds for a slot of time and is drawn by the number of the slot; it lets nothing overtake, so that where one slot is
// quicker than the one before, what comes in it waits until all from before is through.
//
// When something that got onto the path at a time gets off it is a function of that time alone, and never falls as the
// time rises: neither what else is on the path nor which goroutine asks has a say.
type path struct {
	scope scope // of no socket in particular
	law   draw.Law
	hold  int64

	mu      sync.Mutex
	floors  [2]floor // the last that were computed, the later one behind
	current uint64   // the occurrence that counted is about
	counted int64    // slots of it that the ledger has
}

// floor is when the last gets off a path that got on before a slot.
type floor struct {
	known      bool
	occurrence uint64
	slot       int64
	at         int64
}

// way names a path.
type way struct {
	fault  *fault
	client uint32
	dir    Direction
}

// path returns the one of a client for a Delay.
func (c *Chaos) path(s scope, d Delay) *path {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := way{s.fault, s.socket.Client, s.dir}
	p := c.paths[key]
	if p == nil {
		s.socket = Socket{Client: s.socket.Client}
		p = &path{scope: s, law: d.Law, hold: int64(d.hold())}
		c.paths[key] = p
	}
	return p
}

// lookback is how many slots the longest delay of a path spans: longer draws are cut.
const lookback = 1000

// draw is the delay in a slot, before the ramp.
func (p *path) draw(occurrence uint64, number int64) int64 {
	u := draw.Unit(p.scope.chaos.options.Seed, p.scope.fault.key, slot, uint64(p.scope.socket.Client), uint64(p.scope.dir), occurrence, uint64(number)) //nolint:gosec // bits
	return min(int64(p.law.Duration(u)), lookback*p.hold)
}

// Slots returns the delays that a Delay of that name has for the path of a client in a direction, for the first n slots of its first
// window: what a proof compares the realised delays with. It is nil for any other fault.
func (c *Chaos) Slots(name string, client uint32, dir Direction, n int64) []time.Duration {
	for _, f := range c.faults {
		d, ok := f.Effect.(Delay)
		if !ok || f.Name != name {
			continue
		}
		p := &path{scope: scope{chaos: c, fault: f, socket: Socket{Client: client}, dir: dir}, law: d.Law, hold: int64(d.hold())}
		all := make([]time.Duration, n)
		for k := range n {
			all[k] = time.Duration(p.draw(0, k))
		}
		return all
	}
	return nil
}

// release is when something gets off that got on at a time; noted says that it really did, so that the draw counts.
func (p *path) release(at int64, noted bool) int64 {
	m := p.scope.moment(at)
	if !m.begun {
		return at
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !m.in {
		return max(at, p.floor(m, p.slots(m)))
	}
	number := (at - m.begin) / p.hold
	before, delay := p.floor(m, number), p.draw(m.occurrence, number)
	if noted {
		p.note(m.occurrence, number, delay)
	}
	return max(at+int64(m.strength*float64(delay)), before)
}

// note puts the draw of a slot into the ledger, once.
func (p *path) note(occurrence uint64, number, delay int64) {
	if p.current != occurrence {
		p.current, p.counted = occurrence, 0
	}
	if number < p.counted {
		return
	}
	p.counted = number + 1
	p.scope.record(Decision{
		Fault: p.scope.fault.Name, Client: p.scope.socket.Client, Direction: p.scope.dir, Number: number, Occurrence: occurrence, Amount: delay,
	})
}

// clear is when all is off again that got on while the window was open, the present one or the last.
func (p *path) clear(m moment) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.floor(m, p.slots(m))
}

// slots is how many the occurrence has.
func (p *path) slots(m moment) int64 { return (m.end-m.begin-1)/p.hold + 1 }

// floor is when the last gets off that got on before a slot: the last of a slot gets on at its very end. The caller holds mu.
func (p *path) floor(m moment, number int64) int64 {
	from, at := max(0, number-lookback), int64(0)
	for _, f := range p.floors {
		if f.known && f.occurrence == m.occurrence && f.slot <= number && f.slot >= from {
			from, at = f.slot, f.at
		}
	}
	if from == 0 && at == 0 && m.occurrence > 0 { // what got on the last time may not be off yet
		last := m
		last.occurrence--
		last.begin -= int64(p.scope.fault.Window.Every)
		last.end = last.begin + int64(p.scope.fault.Window.For)
		at = p.latest(last, max(0, p.slots(last)-lookback), p.slots(last), 0)
	}
	at = p.latest(m, from, number, at)
	if last := p.floors[1]; !last.known || last.occurrence != m.occurrence || last.slot < number {
		p.floors = [2]floor{last, {known: true, occurrence: m.occurrence, slot: number, at: at}}
	}
	return at
}

// latest is when the last gets off of all that got on in some slots, and at least a time.
func (p *path) latest(m moment, from, to, at int64) int64 {
	window := p.scope.fault.Window
	for k := from; k < to; k++ {
		end := min(m.begin+(k+1)*p.hold, m.end)
		delay := p.draw(m.occurrence, k)
		if window.Ramp > 0 {
			delay = int64(window.strength(end-m.begin) * float64(delay))
		}
		at = max(at, end+delay)
	}
	return at
}

// DefaultHold is how long a path keeps one delay, unless Delay.Hold says otherwise.
const DefaultHold = time.Second
