package target

// told is who was reached by one fan-out.
type told struct {
	expected int  // subscribers at this time, the sender included
	enqueued int  // outboxes that took the event
	sender   bool // the sender's own stream is a subscriber
}

// fanOut puts f into the outbox of every subscriber of c (nil = there is none) except the instance that sent it ("" = no
// exception), and counts. Two fan-outs may run at once and then interleave as they like; a design that wants an order
// makes it itself.
func (s *Server) fanOut(c *channel, f *frame, sender string) told {
	var sum told
	if c != nil {
		sum = c.fanOut(f, sender)
	}
	s.counters.Add(EventsDispatched, 1)
	s.counters.Add(DeliveriesExpected, sum.expected)
	s.counters.Add(DeliveriesEnqueuedSSE, sum.enqueued)
	return sum
}

func (c *channel) fanOut(f *frame, sender string) (sum told) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, m := range c.members {
		if sender != "" && m.stream.instance == sender {
			if m.stream.open() {
				sum.sender = true
				sum.expected++
			}
			continue
		}
		switch m.stream.enqueue(f) {
		case enqueued:
			sum.expected++
			sum.enqueued++
		case overflow:
			sum.expected++
		case absent:
		}
	}
	return sum
}
