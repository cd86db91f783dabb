package target

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// waiting are the requests of this node that wait for something to come over the bus: their own event, or an answer.
type waiting struct {
	mu    sync.Mutex
	next  uint64
	calls map[uint64]chan<- arrival
}

// arrival is what came: an event as it was handed out, or a node's answer.
type arrival struct {
	published published
	refused   *refusal
	yes       bool
}

// begin names a request that waits; at most so many arrivals are kept for it.
func (w *waiting) begin(arrivals int) (token uint64, came <-chan arrival) {
	c := make(chan arrival, arrivals)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calls == nil {
		w.calls = make(map[uint64]chan<- arrival)
	}
	w.next++
	w.calls[w.next] = c
	return w.next, c
}

// end forgets it.
func (w *waiting) end(token uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.calls, token)
}

// arrived hands a to the request of that name, if it still waits.
func (w *waiting) arrived(token uint64, a arrival) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case w.calls[token] <- a:
	default: // nobody waits, or everything that was waited for has come
	}
}

// tellNodes sends p to the other nodes. What the bus does not take they never hear of: nothing here can repair it, and the
// event goes its way on this node, as in Phoenix.PubSub.
func (s *Server) tellNodes(p *publication) {
	_ = s.send(p.event.Channel, eventOnBus(time.Now(), s.options.Node, 0, p))
}

// send gives data to the bus, and counts.
func (s *Server) send(channel string, data []byte) error {
	if err := s.bus.Publish(channel, data); err != nil {
		s.counters.Add(BusFailed, 1)
		return err
	}
	s.counters.Add(BusSent, 1)
	return nil
}

// roundTrip publishes over a bus with an order: the event gets its number there, and is handed out on this node, as on any
// other, when it comes back.
func (s *Server) roundTrip(ctx context.Context, p publication) (published, *refusal) {
	token, came := s.waiting.begin(1)
	defer s.waiting.end(token)
	if err := s.send(p.event.Channel, eventOnBus(time.Now(), s.options.Node, token, &p)); err != nil {
		return published{}, refuse(http.StatusServiceUnavailable, "the bus did not take the event")
	}
	timer := time.NewTimer(s.options.BusTimeout)
	defer timer.Stop()
	select {
	case a := <-came:
		a.published.echo = a.published.echo || s.knobs.Echo == EchoReply && p.heard
		return a.published, a.refused
	case <-timer.C:
		s.counters.Add(BusFailed, 1)
		return published{}, refuse(http.StatusGatewayTimeout, "the event did not come back from the bus within %v", s.options.BusTimeout)
	case <-ctx.Done():
		return published{}, refuse(http.StatusGatewayTimeout, "the sender went before its event came back from the bus")
	}
}

// ask asks the other nodes whether an instance hears a channel there. The first yes decides; a node that does not answer in
// time has said no.
func (s *Server) ask(ctx context.Context, instance, channel string) bool {
	others := s.options.Nodes - 1
	if others == 0 {
		return false
	}
	token, came := s.waiting.begin(others)
	defer s.waiting.end(token)
	if s.send("", questionOnBus(s.options.Node, token, instance, channel)) != nil {
		return false
	}
	timer := time.NewTimer(s.options.BusTimeout)
	defer timer.Stop()
	for range others {
		select {
		case a := <-came:
			if a.yes {
				return true
			}
		case <-timer.C:
			s.counters.Add(BusFailed, 1)
			return false
		case <-ctx.Done():
			return false
		}
	}
	return false
}

// receive takes a message from the bus: it is called for one message of a channel at a time.
func (s *Server) receive(m BusMessage) {
	s.counters.Add(BusReceived, 1)
	e, err := parseEnvelope(m.Channel, m.Data)
	if err != nil {
		s.counters.Add(BusFailed, 1)
		return
	}
	if e.kind == eventEnvelope && e.sent >= s.started.UnixNano() { // an ordered bus may begin with what is older than this node
		s.busLag.observe(time.Duration(time.Now().UnixNano() - e.sent))
	}
	own := e.node == s.options.Node
	switch {
	case e.kind == eventEnvelope && (s.ordered || !own):
		result, refused := s.handOut(e.publication, origin{sequence: m.Sequence})
		if own {
			s.waiting.arrived(e.token, arrival{published: result, refused: refused})
		}
	case e.kind == questionEnvelope && !own:
		answer := &envelope{
			kind: answerEnvelope, node: s.options.Node, token: e.token, to: e.node, yes: s.registry.hears(e.sender, e.event.Channel),
		}
		_ = s.send("", encodeEnvelope(answer)) // who asked waits no longer than it can
	case e.kind == answerEnvelope && e.to == s.options.Node:
		s.waiting.arrived(e.token, arrival{yes: e.yes})
	}
}
