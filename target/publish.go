package target

import (
	"context"
	"net/http"
)

// publish is the one path by which an event comes about, in every design and on every wire: number it, note it in the journal,
// keep it for those who come back, put it into the outboxes of this node, and send it to the other nodes. It returns when all
// outboxes of this node have it, so that a reply which is written afterwards can never make its reader act before the
// event is on its way. It is called in the goroutine of each request, by many at once; what order there is, is made by the log
// of the channel (Knobs.Dispatch) or by the bus.
func (s *Server) publish(ctx context.Context, p publication) (published, *refusal) {
	if p.key == "" {
		p.key = p.sender
	}
	if s.document && p.key == "" {
		return published{}, refuse(http.StatusBadRequest, "a mutation names a key, or has an instance, whose key is meant else")
	}
	if s.knobs.Echo == EchoReply && s.knobs.Registry == Shared && s.bus != nil && p.sender != "" &&
		!s.registry.hears(p.sender, p.event.Channel) {
		p.heard = s.ask(ctx, p.sender, p.event.Channel)
	}
	if s.ordered {
		return s.roundTrip(ctx, p)
	}
	return s.handOut(p, origin{here: true})
}

// origin says where a publication comes from.
type origin struct {
	here     bool   // a client of this node sent it, and the bus does not know of it yet
	sequence uint64 // the number that an ordered bus has given it; 0 = none
}

// handOut gives an event its place in its channel and brings it to the subscribers of this node.
func (s *Server) handOut(p publication, from origin) (published, *refusal) {
	var of value
	if s.knobs.WhenFull == Coalesce { // values of one key must reach every outbox in one order; others may race
		v := s.slots.enter(p.event.Channel, p.key)
		defer s.slots.leave(v)
		of = v
	}
	m := s.message(&p, of)
	if !s.keeps {
		return s.deliver(m, &p, from), nil
	}
	l := s.logs.acquire(p.event.Channel)
	if l == nil {
		return published{}, refuse(http.StatusServiceUnavailable, "%v", errManyLogs)
	}
	defer s.logs.release(l)
	if s.knobs.Dispatch == Serialized {
		l.order.Lock()
		defer l.order.Unlock()
	} else { // a stream that comes back shuts everybody out while it reads the log
		l.order.RLock()
		defer l.order.RUnlock()
	}
	if result, refused, goesOn := l.append(m, &p, from.sequence); !goesOn {
		return result, refused
	}
	return s.deliver(m, &p, from), nil
}

// message is the event of p, which has no number in its channel yet.
func (s *Server) message(p *publication, of value) *message {
	m := &message{event: p.event, value: of}
	if s.keyed {
		m.event.Key = p.key
	}
	return m
}

// deliver notes m in the journal and brings it to everybody.
func (s *Server) deliver(m *message, p *publication, from origin) published {
	s.journal.record(m.event.Payload)
	if p.before != nil {
		p.before(&m.event)
	}
	if from.here && s.bus != nil { // the others first, as Phoenix.PubSub does: they have the longer way
		s.tellNodes(p)
	}
	left := p.sender
	if s.knobs.Echo == EchoStream {
		left = ""
	}
	told := s.fanOut(s.registry.channel(m.event.Channel), m, left)
	echo := s.knobs.Echo == EchoReply && (told.sender || p.heard)
	if echo || s.knobs.Echo == EchoNone { // else a sender without a stream hears of its event when it comes back
		m.left = p.sender
	}
	return published{event: m.event, sequence: m.sequence, echo: echo}
}
