package ordering

import (
	"cmp"
	"slices"
)

// views counts how the clients of one kind saw a pair.
type views struct {
	shared   int // saw both
	forward  int // the first event of the pair first
	backward int
}

func (v views) ordered() int    { return v.forward + v.backward }
func (v views) divergent() bool { return v.forward > 0 && v.backward > 0 }

// nodes are the views of the clients of each node.
type nodes []nodeViews

type nodeViews struct {
	node uint16
	views
}

// of returns the views of one node.
func (n *nodes) of(node uint16) *views {
	for i := range *n {
		if (*n)[i].node == node {
			return &(*n)[i].views
		}
	}
	*n = append(*n, nodeViews{node: node})
	return &(*n)[len(*n)-1].views
}

// pair is two events of one channel, the one due later second, and how all clients saw them.
type pair struct {
	a, b      *candidate
	all       views
	observers views // those of them that published neither
	several   bool  // there are several nodes
	byNode    nodes // then: those of them that got both from one node
}

// compare asks every client that saw both, but for pairs of which one was everywhere before the other was anywhere: most
// pairs are such, and all that is left to find out about them is how many clients saw both.
func (w *walk) compare(a, b *candidate) pair {
	p := pair{a: a, b: b, several: w.nodes}
	if w.nodes {
		eachShared(a, b, func(s, t *sight) {
			if s.node == t.node {
				order, _ := s.against(t, w.least)
				p.byNode.of(s.node).count(order)
			}
		})
	}
	if w.forward {
		switch {
		case b.begin-a.last >= w.least:
			p.all.forward, p.observers.forward = sharedBy(a, b)
		case a.begin-b.last >= w.least:
			p.all.backward, p.observers.backward = sharedBy(a, b)
		}
		if n := p.all.ordered(); n > 0 {
			p.all.shared, p.observers.shared = n, p.observers.ordered()
			return p
		}
	}
	eachShared(a, b, func(s, t *sight) {
		order, _ := s.against(t, w.least)
		p.all.count(order)
		if s.client != a.part.id.Publisher && s.client != b.part.id.Publisher {
			p.observers.count(order)
		}
	})
	return p
}

// sharedBy counts the clients that saw both, and those of them that published neither.
func sharedBy(a, b *candidate) (all, observers int) {
	if a.viewers == b.viewers {
		all = len(a.sights)
	} else {
		eachShared(a, b, func(*sight, *sight) { all++ })
	}
	observers = all
	if p := a.part.id.Publisher; a.seenBy(p) && b.seenBy(p) {
		observers--
	}
	if p := b.part.id.Publisher; p != a.part.id.Publisher && a.seenBy(p) && b.seenBy(p) {
		observers--
	}
	return all, observers
}

func (e *candidate) seenBy(client uint32) bool {
	_, seen := slices.BinarySearchFunc(e.sights, client, func(s sight, client uint32) int { return cmp.Compare(s.client, client) })
	return seen
}

// eachShared calls visit with the sights of each client that saw both, by client.
func eachShared(a, b *candidate, visit func(s, t *sight)) {
	for i, k := 0, 0; i < len(a.sights) && k < len(b.sights); {
		s, t := &a.sights[i], &b.sights[k]
		switch {
		case s.client < t.client:
			i++
		case s.client > t.client:
			k++
		default:
			visit(s, t)
			i++
			k++
		}
	}
}

func (v *views) count(o order) {
	v.shared++
	switch o {
	case forward:
		v.forward++
	case backward:
		v.backward++
	case tied:
	}
}

// class returns the class of a divergent pair.
func (p *pair) class() Class {
	if p.observers.divergent() {
		return ObserverObserver
	}
	return OriginatorObserver
}

// enter counts the pair in c.
func (p *pair) enter(c *Classes) {
	if p.all.shared < 2 {
		return
	}
	exposed := p.all.ordered() >= 2
	c.All.enter(exposed, p.all.divergent())
	if p.observers.shared >= 2 {
		c.ObserverObserver.enter(p.observers.ordered() >= 2, p.observers.divergent())
	}
	if p.all.shared > p.observers.shared {
		exposed = exposed && p.all.ordered() > p.observers.ordered()
		c.OriginatorObserver.enter(exposed, p.all.divergent() && !p.observers.divergent())
	}
}

// enterNodes counts the pair in f by what clients of one node could have disagreed about.
func (p *pair) enterNodes(f *Figures) {
	if p.all.shared < 2 {
		return
	}
	if !p.several {
		f.SameNode.enter(p.all.ordered() >= 2, p.all.divergent())
		return
	}
	shared, exposed, divergent := false, false, false
	for _, n := range p.byNode {
		shared, exposed, divergent = shared || n.shared >= 2, exposed || n.ordered() >= 2, divergent || n.divergent()
	}
	if shared {
		f.SameNode.enter(exposed, divergent)
	}
}

func (c *Pairs) enter(exposed, divergent bool) {
	if !exposed {
		c.Tied++
		return
	}
	c.AtRisk++
	if divergent {
		c.Divergent++
	}
}

// inversions counts the clients that saw the pair against the order of first sight.
func (p *pair) inversions() int {
	if p.a.rank < p.b.rank {
		return p.all.backward
	}
	return p.all.forward
}

// fifo judges two commands of one publisher: whether the second was sent after the reply to the first, and how many clients
// saw it first. ok is false when they are not two such commands, when it is not on record that both were sent, or when no
// client orders them.
func (p *pair) fifo() (sequential bool, wrong int, ok bool) {
	if p.a.part.id.Publisher != p.b.part.id.Publisher || p.a.part.id == p.b.part.id || p.all.ordered() == 0 {
		return false, 0, false
	}
	first, second := p.a.command, p.b.command
	if first == nil || second == nil || !first.sent || !second.sent {
		return false, 0, false
	}
	wrong = p.all.backward
	if sentBefore(p.b, p.a) {
		first, second, wrong = second, first, p.all.forward
	}
	return first.replied && first.repliedAt < second.sentAt, wrong, true
}

// sentBefore is the order in which one publisher sent: by time, then by number.
func sentBefore(a, b *candidate) bool {
	if a.command.sentAt != b.command.sentAt {
		return a.command.sentAt < b.command.sentAt
	}
	return a.part.id.Seq < b.part.id.Seq
}

// enter counts the pair in f, when it is one of f's.
func (f *FIFO) enter(p *pair) {
	sequential, wrong, ok := p.fifo()
	switch {
	case !ok:
	case sequential:
		f.Pairs++
		f.Views += wrong
		if wrong > 0 {
			f.Violations++
			if p.a.command.node != p.b.command.node {
				f.OtherNode++
			}
		}
	default:
		f.InFlight++
		if wrong > 0 {
			f.Concurrent++
		}
	}
}
