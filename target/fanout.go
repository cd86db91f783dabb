package target

import (
	"math/rand/v2"
)

// told is who was reached by one fan-out.
type told struct {
	expected  int              // subscribers at this time, the sender included when it is to be told at all
	enqueued  [formatCount]int // outboxes that took the event
	coalesced int              // waiting values whose place it took
	dropped   int              // waiting events that were left out for it
	sender    bool             // the sender's own stream is a subscriber
}

// fanOut puts m into the outbox of every subscriber of c (nil = there is none) except the instance that sent it ("" = no
// exception), and counts. Two fan-outs may run at once and then interleave as they like; who wants an order holds a lock.
func (s *Server) fanOut(c *channel, m *message, sender string) told {
	var sum told
	if c != nil {
		s.tellAll(c, m, sender, &sum)
	}
	s.counters.Add(EventsDispatched, 1)
	s.counters.Add(DeliveriesExpected, sum.expected)
	for f, n := range sum.enqueued {
		s.counters.Add(format(f).counters().enqueued, n)
	}
	s.counters.Add(OutboxCoalesced, sum.coalesced)
	s.counters.Add(OutboxDropped, sum.dropped)
	return sum
}

func (s *Server) tellAll(c *channel, m *message, sender string, sum *told) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if s.knobs.FanoutOrder == Shuffled {
		at, step := s.shuffle(c)
		for range c.members {
			s.tell(&c.members[at], m, sender, sum)
			at = (at + step) % len(c.members)
		}
		return
	}
	for i := range c.members {
		s.tell(&c.members[i], m, sender, sum)
	}
}

// tell puts m into the outbox of one subscriber.
func (s *Server) tell(to *member, m *message, sender string, sum *told) {
	st := to.stream
	if sender != "" && st.instance == sender {
		if st.open() {
			sum.sender = true
			if s.knobs.Echo == EchoReply {
				sum.expected++
			}
		}
		return
	}
	result, dropped := st.deliver(m, to.slot)
	switch result {
	case enqueued:
		sum.expected++
		sum.enqueued[st.format]++
	case coalesced:
		sum.expected++
		sum.enqueued[st.format]++
		sum.coalesced += dropped
	case crowded:
		sum.expected++
		sum.enqueued[st.format]++
		sum.dropped += dropped
	case overflow:
		sum.expected++
	case absent:
	}
	if s.options.Pause != nil {
		s.options.Pause(&m.event)
	}
}

// shuffle returns where to begin among the members of c and how far to step, so that each of them is reached once: the step
// shares no factor with their number. That is not every order there is, but costs no memory, and each has its turn at each
// place. The same seed, channel and number of fan-outs give the same order. The caller holds c.mu.
func (s *Server) shuffle(c *channel) (at, step int) {
	n := len(c.members)
	if n < 2 {
		return 0, 1
	}
	random := rand.New(rand.NewPCG(s.options.Seed, c.fanouts.Add(1)))
	at, step = random.IntN(n), 1+random.IntN(n-1)
	for gcd(step, n) != 1 {
		step = 1 + step%(n-1)
	}
	return at, step
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
