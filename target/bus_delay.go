package target

import (
	"errors"
	"sync"
	"time"
)

// DelayBus makes the ways of a bus longer, as seen from one node: by delay(from, to) for each message, asked anew for each one,
// but no message overtakes an earlier one on the same way. What a node hands out to its own subscribers is not delayed.
//
// A bus without an order has a way from each other node to this one; a message is held when it comes, by the number of the
// node in it. A bus with an order has its sequencer at the place 0, as in MemoryBus: a message goes from this node to 0, and
// everything, what is this node's own too, comes from 0, in one queue, so that the order of the numbers stays.
func DelayBus(bus Bus, node int, delay func(from, to int) time.Duration) Bus {
	return &delayedBus{bus: bus, node: node, delay: delay}
}

// delayedBus holds messages back for one node.
type delayedBus struct {
	bus   Bus
	node  int
	delay func(from, to int) time.Duration

	mu sync.Mutex
	up *delayedLink // to the sequencer; nil while nobody is subscribed, and without an order
}

// delayedLinkLength bounds the messages that are on one way. A sender that finds it full is told so; a receiver waits, and what
// it does not take waits in the bus.
const delayedLinkLength = 1 << 14

var errLinkFull = errors.New("the way to the bus is full")

// Ordered implements Bus.
func (d *delayedBus) Ordered() bool { return d.bus.Ordered() }

// Publish implements Bus.
func (d *delayedBus) Publish(channel string, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.up == nil {
		return d.bus.Publish(channel, data)
	}
	if !d.up.offer(BusMessage{Channel: channel, Data: data}, d.delay(d.node, 0)) {
		return errLinkFull
	}
	return nil
}

// Subscribe implements Bus.
func (d *delayedBus) Subscribe(receive func(BusMessage)) (stop func(), err error) {
	down := &delayedLinks{deliver: receive, links: make(map[int]*delayedLink), over: make(chan struct{})}
	leave, err := d.bus.Subscribe(func(m BusMessage) {
		from := 0
		if !d.Ordered() {
			from = senderOf(m.Data)
		}
		m.Data = append([]byte(nil), m.Data...)
		down.from(from).put(m, d.delay(from, d.node))
	})
	if err != nil {
		return nil, err
	}
	up := &delayedLinks{over: down.over, links: make(map[int]*delayedLink), deliver: func(m BusMessage) {
		_ = d.bus.Publish(m.Channel, m.Data) // who sent it waits for it to come back, and will miss it
	}}
	if d.Ordered() {
		d.setUp(up.from(d.node))
	}
	return func() {
		d.setUp(nil)
		close(down.over) // before leave, which waits for a receive that may be held up by a full link
		leave()
		down.running.Wait()
		up.running.Wait()
	}, nil
}

func (d *delayedBus) setUp(up *delayedLink) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.up = up
}

// senderOf is the node that a message of the bus comes from.
func senderOf(data []byte) int {
	r := envelopeReader{rest: data}
	r.byte()
	return r.node()
}

// delayedLinks are the ways to one end.
type delayedLinks struct {
	deliver func(BusMessage)
	over    chan struct{} // closed when nothing is to arrive any more
	running sync.WaitGroup

	mu    sync.Mutex
	links map[int]*delayedLink // by where they come from
}

// from returns the way from a place. There are as many as nodes, and no message can name more than a node's number holds.
func (s *delayedLinks) from(place int) *delayedLink {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.links[place]
	if l == nil {
		l = &delayedLink{queue: make(chan delayedMessage, delayedLinkLength), over: s.over}
		s.links[place] = l
		s.running.Go(func() { l.carry(s.deliver) })
	}
	return l
}

// delayedLink is one way, in one direction.
type delayedLink struct {
	queue chan delayedMessage
	over  <-chan struct{}

	mu  sync.Mutex
	due time.Time // of the last message: no later one arrives before it
}

type delayedMessage struct {
	message BusMessage
	due     time.Time
}

// put sets m on its way, and waits while the way is full.
func (l *delayedLink) put(m BusMessage, delay time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.queue <- delayedMessage{m, l.after(delay)}:
	case <-l.over:
	}
}

// offer sets m on its way if there is room.
func (l *delayedLink) offer(m BusMessage, delay time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.queue <- delayedMessage{m, l.after(delay)}:
		return true
	default:
		return false
	}
}

// after is when what sets out now arrives. The caller holds mu.
func (l *delayedLink) after(delay time.Duration) time.Time {
	if due := time.Now().Add(delay); due.After(l.due) {
		l.due = due
	}
	return l.due
}

// carry brings messages to the end of the way, until it is over.
func (l *delayedLink) carry(deliver func(BusMessage)) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case m := <-l.queue:
			timer.Reset(time.Until(m.due))
			select {
			case <-timer.C:
			case <-l.over:
				return
			}
			deliver(m.message)
		case <-l.over:
			return
		}
	}
}
