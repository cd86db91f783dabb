package target

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"holobench/internal/draw"
	"holobench/wire"
)

// The kinds of BusFault.
const (
	BusCut   = "cut"   // nothing gets through
	BusLate  = "late"  // every message comes later, by Law
	BusTwice = "twice" // a share of the messages comes twice
)

// BusFault is one thing that is wrong with the ways between nodes, from when a FaultyBus is told of it until it is told that the fault
// of that name is over. One that comes again under its name takes the place of the one before.
//
// A way is named by its two ends, as for DelayBus: a bus without an order has one from each node to each other, and the end judges it;
// one with an order has one from each node to its sequencer, the place 0, and one back.
type BusFault struct {
	Name  string   `json:"name"`
	Over  bool     `json:"over,omitempty"`  // it is over, and nothing below is of meaning
	Kind  string   `json:"kind,omitempty"`  // BusCut, BusLate or BusTwice
	Links [][2]int `json:"links,omitempty"` // from, to
	Law   draw.Law `json:"law"`             // of BusLate, in ns
	Ramp  int64    `json:"ramp,omitempty"`  // ns for which the delay or the share rises from nothing, in a straight line
	Share float64  `json:"share,omitempty"` // of BusTwice
	Seed  uint64   `json:"seed,omitempty"`  // of what is drawn
}

// The limits of a BusFault.
const (
	busFaultBytes = 64 << 10 // of one as a line
	busFaultLinks = 1 << 10
)

var errBusFaultLong = fmt.Errorf("a fault of the bus has more than %d bytes or %d links", busFaultBytes, busFaultLinks)

// ParseBusFault reads a fault from a line of JSON, as encoding/json writes one.
func ParseBusFault(line []byte) (f BusFault, err error) {
	if len(line) > busFaultBytes {
		return BusFault{}, errBusFaultLong
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return BusFault{}, fmt.Errorf("reading a fault of the bus: %w", err)
	}
	if d.More() {
		return BusFault{}, errors.New("reading a fault of the bus: something stands behind it")
	}
	return f, f.check()
}

func (f *BusFault) check() error {
	switch {
	case len(f.Links) > busFaultLinks:
		return errBusFaultLong
	case f.Name == "":
		return errors.New("a fault of the bus has no name")
	case !f.Over && (f.Ramp < 0 || f.Ramp > 0 && f.Kind == BusCut):
		return fmt.Errorf("the fault %q of the bus has a ramp that cannot be", f.Name)
	case f.Over, f.Kind == BusCut, f.Kind == BusTwice && f.Share >= 0 && f.Share <= 1:
		return nil
	case f.Kind == BusLate:
		if err := f.Law.Check(); err != nil {
			return fmt.Errorf("the fault %q of the bus: %w", f.Name, err)
		}
		return nil
	}
	return fmt.Errorf("the fault %q of the bus is of no kind, or of a share that is none", f.Name)
}

// FaultyBus is a bus on whose ways faults can be put while a node uses it, as seen from that node. Without an order a cut way loses
// what is said meanwhile, as core NATS does, which keeps nothing for who is not there. With an order nothing is lost: what a node says
// waits at the node, what the bus has for it waits there, and both go on when the way is whole again; but what nodes ask each other
// past the order is lost. No message overtakes another on one way.
type FaultyBus struct {
	bus      Bus
	node     int
	counters *Counters

	mu     sync.Mutex
	faults []busFault // at work, in the order in which they began
	ways   map[int]*faultyWay
	up     *faultyWay    // to the sequencer; nil while nobody is subscribed, and without an order
	over   chan struct{} // closed when the subscription ends
}

// NewFaultyBus returns bus as a node with these counters uses it, without any fault.
func NewFaultyBus(bus Bus, node int, counters *Counters) *FaultyBus {
	return &FaultyBus{bus: bus, node: node, counters: counters}
}

// Put puts a fault on the ways, or takes it away.
func (b *FaultyBus) Put(f BusFault) error { //nolint:gocritic // it is kept
	if err := f.check(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = slices.DeleteFunc(b.faults, func(other busFault) bool { return other.Name == f.Name })
	if !f.Over {
		b.faults = append(b.faults, busFault{f, time.Now()})
	}
	for from, way := range b.ways {
		way.hold(b.Ordered() && b.cut(from, b.node))
	}
	if b.up != nil {
		b.up.hold(b.cut(b.node, 0))
	}
	return nil
}

// cut says whether nothing gets through. The caller holds mu.
func (b *FaultyBus) cut(from, to int) bool {
	return slices.ContainsFunc(b.faults, func(f busFault) bool { return f.Kind == BusCut && f.on(from, to) })
}

// busFault is one at work.
type busFault struct {
	BusFault
	since time.Time
}

// strength is how far it has come on, from 0 to 1.
func (f *busFault) strength() float64 {
	if f.Ramp == 0 {
		return 1
	}
	return min(1, float64(time.Since(f.since))/float64(f.Ramp))
}

func (f *BusFault) on(from, to int) bool { return slices.Contains(f.Links, [2]int{from, to}) }

// Ordered implements Bus.
func (b *FaultyBus) Ordered() bool { return b.bus.Ordered() }

// fate is what becomes of a message on a way.
type fate struct {
	lost  bool
	late  time.Duration
	twice bool
}

// judge decides, for a message that sets out now. What is drawn depends on the fault, the way and the event alone; of a message without
// a marker, on its bytes. How far a fault has come on depends on the time. The caller holds mu.
func (b *FaultyBus) judge(from, to int, m *BusMessage) (is fate) {
	is.lost = b.cut(from, to) && (!b.Ordered() || m.Channel == "")
	for i := range b.faults {
		f := &b.faults[i]
		if f.Kind == BusCut || !f.on(from, to) {
			continue
		}
		marker, _, ok := wire.FindMarker(m.Data)
		key := uint64(marker.Event.Publisher)<<32 | uint64(marker.Event.Seq)
		if !ok {
			key = draw.Name(string(m.Data))
		}
		unit := draw.Unit(f.Seed, draw.Name("bus"), draw.Name(f.Name), uint64(from), uint64(to), key)
		switch f.Kind {
		case BusLate:
			is.late += time.Duration(f.strength() * float64(min(f.Law.Duration(unit), maxBusLate)))
		case BusTwice:
			is.twice = is.twice || unit < f.strength()*f.Share
		}
	}
	return is
}

// maxBusLate bounds what a single fault adds to the way of a message.
const maxBusLate = time.Hour

// Publish implements Bus.
func (b *FaultyBus) Publish(channel string, data []byte) error {
	if !b.Ordered() {
		return b.bus.Publish(channel, data) // the other end judges
	}
	b.mu.Lock()
	way, m := b.up, BusMessage{Channel: channel, Data: data}
	if way == nil {
		b.mu.Unlock()
		return b.bus.Publish(channel, data)
	}
	is := b.judge(b.node, 0, &m)
	b.mu.Unlock()
	if !b.count(way, is) {
		return nil // it went, and nobody will hear of it
	}
	if way.idle() && is.late == 0 {
		err := b.bus.Publish(channel, data)
		if is.twice && err == nil {
			err = b.bus.Publish(channel, data)
		}
		return err
	}
	if !way.offer(m, is) {
		return errLinkFull
	}
	return nil
}

// count counts what becomes of a message, and says whether it arrives.
func (b *FaultyBus) count(way *faultyWay, is fate) bool {
	switch {
	case is.lost:
		b.counters.Add(BusFaultLost, 1)
		return false
	case way.held():
		b.counters.Add(BusFaultHeld, 1)
	case is.late > 0:
		b.counters.Add(BusFaultDelayed, 1)
	}
	if is.twice {
		b.counters.Add(BusFaultDoubled, 1)
	}
	return true
}

// Subscribe implements Bus.
func (b *FaultyBus) Subscribe(receive func(BusMessage)) (stop func(), err error) {
	gate := &busGate{receive: receive}
	over := make(chan struct{})
	b.mu.Lock()
	b.ways, b.over = make(map[int]*faultyWay), over
	if b.Ordered() {
		b.up = newFaultyWay(over, func(m BusMessage) {
			_ = b.bus.Publish(m.Channel, m.Data) // who sent it waits for it to come back, and will miss it
		})
		b.up.hold(b.cut(b.node, 0))
	}
	b.mu.Unlock()
	leave, err := b.bus.Subscribe(func(m BusMessage) { b.arrives(m, gate) })
	if err != nil {
		b.end()
		return nil, err
	}
	return func() {
		b.end() // before leave, which waits for a call that may be held up by a full way
		leave()
		gate.close()
	}, nil
}

// end ends all ways: what is on them is lost.
func (b *FaultyBus) end() {
	b.mu.Lock()
	ways := slices.Collect(maps.Values(b.ways))
	if b.up != nil {
		ways = append(ways, b.up)
	}
	b.up, b.ways = nil, nil
	close(b.over)
	b.mu.Unlock()
	for _, way := range ways {
		way.end()
	}
}

// arrives takes a message from the bus.
func (b *FaultyBus) arrives(m BusMessage, gate *busGate) {
	from := 0
	if !b.Ordered() {
		from = senderOf(m.Data)
	}
	b.mu.Lock()
	if b.ways == nil {
		b.mu.Unlock()
		return
	}
	way := b.ways[from]
	if way == nil {
		way = newFaultyWay(b.over, gate.pass)
		way.hold(b.Ordered() && b.cut(from, b.node))
		b.ways[from] = way
	}
	is := b.judge(from, b.node, &m)
	b.mu.Unlock()
	if b.count(way, is) {
		way.put(m, is)
	}
}
