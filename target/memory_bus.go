package target

import (
	"errors"
	"slices"
	"sync"
	"time"
)

// MemoryBus joins nodes of one process: the bus of tests, also inside a testing/synctest bubble. Use NewMemoryBus, and Close
// when all its nodes have ended.
//
// Between each two nodes there is a link, which takes as long as Delay says for each message, but never lets one overtake an
// earlier one. A bus with an order has its sequencer at the place 0: a message goes from its node to 0, where it gets its
// number, and from there to every node.
type MemoryBus struct {
	ordered bool
	delay   func(from, to int) time.Duration
	running sync.WaitGroup
	closed  chan struct{}

	mu        sync.Mutex
	over      bool
	receivers map[int]*memoryReceiver
	links     map[[2]int]*memoryLink
	last      map[string]uint64 // the number of the last message of each channel
}

// MemoryBusOptions say which bus to make. The zero value has no order and no delay.
type MemoryBusOptions struct {
	Ordered bool
	// Delay is asked for each message on each link; nil = none. Nodes are numbered as in Options.Node, 0 is the sequencer of
	// a bus with an order.
	Delay func(from, to int) time.Duration
}

var (
	errBusClosed     = errors.New("the bus is closed")
	errBusSubscribed = errors.New("this node has subscribed to the bus already")
)

// NewMemoryBus returns a bus without nodes.
func NewMemoryBus(o MemoryBusOptions) *MemoryBus {
	if o.Delay == nil {
		o.Delay = func(int, int) time.Duration { return 0 }
	}
	return &MemoryBus{
		ordered: o.Ordered, delay: o.Delay, closed: make(chan struct{}),
		receivers: make(map[int]*memoryReceiver), links: make(map[[2]int]*memoryLink), last: make(map[string]uint64),
	}
}

// Node returns the bus as the node of that number sees it.
func (b *MemoryBus) Node(number int) Bus { return &memoryNode{bus: b, number: number} }

// Close ends all links and waits until they have; what is under way is lost.
func (b *MemoryBus) Close() {
	b.mu.Lock()
	if !b.over {
		b.over = true
		close(b.closed)
	}
	b.mu.Unlock()
	b.running.Wait()
}

// memoryNode is one node's end of a MemoryBus.
type memoryNode struct {
	bus    *MemoryBus
	number int
}

// memoryReceiver is where messages to one node go.
type memoryReceiver struct {
	mu      sync.Mutex // held while it receives
	receive func(BusMessage)
}

// Ordered implements Bus.
func (n *memoryNode) Ordered() bool { return n.bus.ordered }

// Subscribe implements Bus.
func (n *memoryNode) Subscribe(receive func(BusMessage)) (stop func(), err error) {
	b := n.bus
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.receivers[n.number] != nil {
		return nil, errBusSubscribed
	}
	r := &memoryReceiver{receive: receive}
	b.receivers[n.number] = r
	return func() {
		b.mu.Lock()
		delete(b.receivers, n.number)
		b.mu.Unlock()
		r.mu.Lock() // a call that is under way ends first
		defer r.mu.Unlock()
		r.receive = nil
	}, nil
}

// Publish implements Bus.
func (n *memoryNode) Publish(channel string, data []byte) error {
	b := n.bus
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return errBusClosed
	}
	m := BusMessage{Channel: channel, Data: data}
	if b.ordered {
		b.push(n.number, 0, m)
		return nil
	}
	b.spread(n.number, m)
	return nil
}

// spread sends m from a place to every node but the one there, in the order of their numbers. The caller holds b.mu.
func (b *MemoryBus) spread(from int, m BusMessage) {
	numbers := make([]int, 0, len(b.receivers))
	for number := range b.receivers {
		if number != from {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	for _, to := range numbers {
		b.push(from, to, m)
	}
}

// memoryLink is the way from one place to another. It has a goroutine while something is on it.
type memoryLink struct {
	queue []memoryItem
	due   time.Time // of the last message: no other arrives before it
}

type memoryItem struct {
	message BusMessage
	due     time.Time
}

// push puts m on a link. The caller holds b.mu.
func (b *MemoryBus) push(from, to int, m BusMessage) {
	at := [2]int{from, to}
	link := b.links[at]
	if link == nil {
		link = &memoryLink{}
		b.links[at] = link
	}
	if due := time.Now().Add(b.delay(from, to)); due.After(link.due) {
		link.due = due
	}
	link.queue = append(link.queue, memoryItem{message: m, due: link.due})
	if len(link.queue) == 1 {
		b.running.Go(func() { b.carry(to, link) })
	}
}

// carry brings what is on a link to its end, until the link is empty.
func (b *MemoryBus) carry(to int, link *memoryLink) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		b.mu.Lock()
		item := link.queue[0]
		b.mu.Unlock()
		timer.Reset(time.Until(item.due))
		select {
		case <-b.closed:
			return
		case <-timer.C:
		}
		b.arrive(to, item.message)
		b.mu.Lock()
		link.queue = link.queue[1:]
		empty := len(link.queue) == 0
		b.mu.Unlock()
		if empty {
			return
		}
	}
}

// arrive is the end of a link.
func (b *MemoryBus) arrive(to int, m BusMessage) {
	b.mu.Lock()
	if to == 0 {
		if m.Channel != "" {
			b.last[m.Channel]++
			m.Sequence = b.last[m.Channel]
		}
		b.spread(0, m)
		b.mu.Unlock()
		return
	}
	r := b.receivers[to]
	b.mu.Unlock()
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.receive != nil {
		r.receive(m)
	}
}
