package clients

import (
	"holobench/history"
	"holobench/wire"
)

// NameOf finds what the server calls an event, by the id of its SSE message ("" = it has none) and its data; not ok when it does
// not say.
type NameOf func(id string, data []byte) (name []byte, ok bool)

// nameForeign gives an event that bears no marker of this run the name by which the server knows it. What it was noted as begins at from.
func (r *genericReceiver) nameForeign(from int, id string, data []byte) {
	for i := range r.batch[from:] {
		if r.batch[from+i].Kind != history.Alien {
			return
		}
	}
	s := r.server
	for _, find := range []NameOf{s.Replies.event(), s.Foreign} {
		if find == nil {
			continue
		}
		if name, ok := find(id, data); ok && len(name) > 0 {
			r.batch = r.batch[:from+1] // one message is one event, whatever markers of other runs are in it
			o := &r.batch[from]
			o.Kind, o.Err, o.Event, o.Due = history.Foreign, history.NoErr, wire.ForeignEvent(r.client.firstChannel(), name), 0
			s.Replies.join(o)
			return
		}
	}
}

// Succession is what the server's own numbers of its events keep to.
type Succession string

// The successions.
const (
	AnySuccession Succession = ""           // nothing
	Increasing    Succession = "increasing" // each is higher than the one before
	Gapless       Succession = "gapless"    // each is the next
)

// succession holds the numbers of one stream, or of one channel at one client, against what they keep to.
type succession struct {
	last uint64
	any  bool // there was one
}

// broken takes the next number and says in which way it does not keep to that; "" when it does.
func (s *succession) broken(by Succession, number uint64) (why string) {
	last, known := s.last, s.any
	s.last, s.any = number, true
	switch {
	case by == AnySuccession || !known || number == last+1:
		return ""
	case number <= last:
		return errNumberBack
	case by == Gapless:
		return errNumberGap
	}
	return ""
}

// numbered checks the server's number of an event that a message brought.
func (r *genericReceiver) numbered(number uint64, ok bool) {
	by := r.server.Succession
	if by == AnySuccession {
		return
	}
	if !ok {
		r.heartbeat(0, errNoNumber)
		return
	}
	if why := r.numbers.broken(by, number); why != "" {
		r.heartbeat(number, why)
	}
}

// maxNodeNames bounds the nodes that a run tells apart.
const maxNodeNames = 1000

// nodeNamed is the number of the node of that name; 0 when there are too many.
func (o *ownState) nodeNamed(name string) uint16 {
	o.nodes.mu.Lock()
	defer o.nodes.mu.Unlock()
	for i, known := range o.nodes.names {
		if known == name {
			return uint16(i + 1) //nolint:gosec // bounded below
		}
	}
	if len(o.nodes.names) == maxNodeNames {
		return 0
	}
	o.nodes.names = append(o.nodes.names, name)
	return uint16(len(o.nodes.names)) //nolint:gosec // bounded above
}

// NodeNames are the names of the nodes that the clients of a server of the user's own met, by number from 1.
func (c *Crowd) NodeNames() []string {
	c.own.nodes.mu.Lock()
	defer c.own.nodes.mu.Unlock()
	return append([]string(nil), c.own.nodes.names...)
}

// met notes which node the client talks to, once that is known.
func (r *genericReceiver) met() {
	if r.server.Node == nil {
		return
	}
	if name, missing := r.server.Node(nil, r.browser.name); missing == "" && len(name) > 0 {
		r.node = r.crowd.own.nodeNamed(oneLine(string(name[:min(len(name), 60)])))
	}
}
