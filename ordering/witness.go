package ordering

import (
	"cmp"
	"slices"
	"time"

	"holobench/history"
	"holobench/wire"
)

// Witness proves one divergent pair: First saw A before B, Second saw B before A.
type Witness struct {
	Class   Class
	Rank    int // 1 = the largest margin of its class
	Of      int // divergent pairs of its class
	Channel uint32
	A, B    Event // A was due first
	Margin  time.Duration
	First   View
	Second  View
}

// Event is one event of a Witness.
type Event struct {
	ID       wire.EventID
	Part     uint32 // 0 = the whole event
	Due      int64  // ns since the epoch of the run
	Sent     int64  // 0 = no Sent is on record
	Replied  int64  // arrival of the good reply; 0 = none is on record
	Earliest int64  // At of its first delivery anywhere
	Load     uint16 // which entry of Run.Loads asked for it, from 1; 0 = not known

	Dispatched []Dispatch // by time: when the nodes began to hand it out; none = no journal says
}

// Dispatch is one line of a node's journal: the server's own word on when an event was handed out, and as which in its order.
type Dispatch struct {
	At       int64
	Sequence uint64
	Node     uint16
}

// View is how one client saw a pair. Earlier and Later are its deliveries as they stand in the history. Margin is the time
// between the intervals of the two, or, when ByBytes, between their At: then both came by one socket, whose order of bytes is
// sure however small the margin is.
type View struct {
	Client     uint32
	Originator bool // it published one of the two events
	Earlier    history.Observation
	Later      history.Observation
	Margin     time.Duration
	ByBytes    bool
}

// proof is a divergent pair, by the indexes of its events, and the margin of its best witness.
type proof struct {
	margin int64
	a, b   uint32
}

// testimony is the view of one client with the largest margin so far.
type testimony struct {
	margin int64
	s, t   *sight // nil = no client yet
}

func (x *testimony) hear(margin int64, s, t *sight) {
	if x.s == nil || margin > x.margin {
		*x = testimony{margin, s, t}
	}
}

// evidence is what the clients say about one divergent pair.
type evidence struct {
	forward, backward           testimony
	forwardPaths, backwardPaths combinations
}

func (e *evidence) margin() int64 { return min(e.forward.margin, e.backward.margin) }

// evidence picks the two clients with the largest margin that show the class of the pair: two observers, or else an
// originator and whoever disagrees with it. Of equal margins the client with the smaller number speaks.
func (w *walk) evidence(p *pair) evidence {
	var anyone, observers, originators evidence
	eachShared(p.a, p.b, func(s, t *sight) {
		order, margin := s.against(t, w.least)
		role := &originators
		if s.client != p.a.part.id.Publisher && s.client != p.b.part.id.Publisher {
			role = &observers
		}
		switch order {
		case forward:
			anyone.forward.hear(margin, s, t)
			role.forward.hear(margin, s, t)
			anyone.forwardPaths.add(pathSet(s.path) | pathSet(t.path))
		case backward:
			anyone.backward.hear(margin, s, t)
			role.backward.hear(margin, s, t)
			anyone.backwardPaths.add(pathSet(s.path) | pathSet(t.path))
		case tied:
		}
	})
	best := anyone
	if p.class() == ObserverObserver {
		best.forward, best.backward = observers.forward, observers.backward
		return best
	}
	one, other := best, best
	one.forward, other.backward = originators.forward, originators.backward
	if one.forward.s == nil || other.backward.s != nil && other.margin() > one.margin() {
		return other
	}
	return one
}

// witnesses shows the divergent pairs of one class with the largest, the median and the smallest margin, each once.
func (w *walk) witnesses(class Class) (list []Witness) {
	proofs := w.proofs[class]
	slices.SortFunc(proofs, func(p, q proof) int {
		return cmp.Or(cmp.Compare(q.margin, p.margin), cmp.Compare(p.a, q.a), cmp.Compare(p.b, q.b))
	})
	if len(proofs) == 0 {
		return nil
	}
	shown := []int{0, len(proofs) / 2, len(proofs) - 1}
	for _, n := range slices.Compact(shown) {
		a, b := &w.events[proofs[n].a], &w.events[proofs[n].b]
		p := w.compare(a, b)
		e := w.evidence(&p)
		list = append(list, Witness{
			Class: class, Rank: n + 1, Of: len(proofs), Channel: a.channel, A: a.event(), B: b.event(), Margin: time.Duration(e.margin()),
			First:  w.view(&p, e.forward, e.forward.s, e.forward.t),
			Second: w.view(&p, e.backward, e.backward.t, e.backward.s),
		})
	}
	return list
}

func (w *walk) view(p *pair, x testimony, earlier, later *sight) View {
	return View{
		Client: x.s.client, Originator: x.s.client == p.a.part.id.Publisher || x.s.client == p.b.part.id.Publisher,
		Earlier: w.observation(earlier.row), Later: w.observation(later.row),
		Margin: time.Duration(x.margin), ByBytes: x.s.byBytes(x.t),
	}
}

// observation makes the delivery an Observation again, with all that the kind Delivered fills.
func (w *walk) observation(row uint32) history.Observation {
	d := &w.deliveries[row]
	about := &w.candidates[d.candidate]
	kind, due := kindOf(about)
	return history.Observation{
		Kind: kind, Due: due, NotBefore: d.notBefore, At: d.at, Handled: d.handled, Client: d.client,
		Event: about.part.id, Part: about.part.number, Channel: about.channel, Conn: d.conn, Host: d.host, Node: d.node, Path: d.path,
	}
}

func (e *candidate) event() Event {
	shown := Event{ID: e.part.id, Part: e.part.number, Due: e.due, Earliest: e.first}
	if e.command != nil {
		shown.Sent, shown.Replied, shown.Load = e.command.sentAt, e.command.repliedAt, e.command.load
		shown.Dispatched = slices.SortedFunc(slices.Values(e.command.dispatches), func(a, b Dispatch) int {
			return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Node, b.Node), cmp.Compare(a.Sequence, b.Sequence))
		})
	}
	return shown
}
