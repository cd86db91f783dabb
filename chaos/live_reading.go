package chaos

import "holobench/wire"

// reading follows what comes down on a live link: it numbers the messages, and has them rewritten while a rule on messages
// is in force. Until then not a byte is changed; and since nobody can begin to rewrite in the middle of a chunk, a rule that is set
// on an open stream waits for a read that ends with a message.
type reading struct {
	units    *units
	rules    []eventStage
	rewriter *rewriter // nil = what comes goes on as it is
}

// busy says whether what arrives has to pass.
func (r *reading) busy(at int64) bool {
	return r.rewriter != nil && r.rewriter.busy(at) || len(r.rules) > 0 && !r.units.opaque
}

func (r *reading) wake() int64 {
	if r.rewriter == nil {
		return forever
	}
	return r.rewriter.wake()
}

func (r *reading) tick(now int64, next func(piece)) { r.rewriter.tick(now, next) }

func (r *reading) pass(p piece, next func(piece)) {
	r.begin()
	r.units.pass(p, func(part piece) {
		if r.rewriter == nil {
			next(part)
			return
		}
		r.rewriter.pass(part, next)
	})
	if r.rewriter != nil && len(r.rules) == 0 && !r.rewriter.within && len(r.rewriter.raw) == 0 && !r.rewriter.ends {
		r.rewriter = nil
	}
}

// begin begins to rewrite, where a rule asks for it and it can.
func (r *reading) begin() {
	if len(r.rules) == 0 || r.rewriter != nil || r.units.opaque || r.units.begun {
		return
	}
	chunked, ok := r.units.parser.Boundary()
	if !ok || r.units.parser.Begun() && !r.units.stream {
		return
	}
	r.rewriter = newRewriter(nil)
	if r.units.parser.Begun() {
		r.rewriter.within, r.rewriter.stream, r.rewriter.chunks = true, true, chunked
		r.rewriter.parser = r.units.parser.Clone()
	}
	r.chain()
}

// change gives it other rules; next takes what was held until now.
func (r *reading) change(rules []eventStage, now int64, next func(piece)) {
	r.rules = nil
	if len(rules) > 0 {
		r.rules = append([]eventStage{new(naming)}, rules...)
	}
	if r.rewriter == nil {
		return
	}
	r.chain()
	if len(rules) == 0 && r.rewriter.within && r.rewriter.stream {
		r.rewriter.next, r.rewriter.in = next, piece{at: now, notBefore: now}
		r.rewriter.flush()
	}
}

// chain puts the rules into a row, which ends in what writes.
func (r *reading) chain() {
	w := r.rewriter
	w.rules, w.nexts = r.rules, make([]func(message), len(r.rules))
	next := w.emit
	for i := len(r.rules) - 1; i >= 0; i-- {
		w.nexts[i] = next
		rule, after := r.rules[i], next
		next = func(m message) { rule.judge(m, after) }
	}
}

// end lets go what a rule holds.
func (r *reading) end(rule eventStage, now int64, next func(piece)) {
	if r.rewriter == nil {
		return
	}
	r.rewriter.next, r.rewriter.in = next, piece{at: now, notBefore: now}
	for i, one := range r.rules {
		if one == rule {
			rule.tick(now, r.rewriter.nexts[i])
		}
	}
}

// naming gives the events of an application that puts no marker into them names of their own, by which the rules draw: their numbers on
// the connection, counted from when the first rule was set.
type naming struct {
	calm
	number int64
}

func (*naming) busy(int64) bool { return false }

func (n *naming) judge(m message, next func(message)) {
	if m.event.Seq == 0 && !m.reply && len(content(&m)) > 0 {
		m.event = wire.EventID{Publisher: nobody, Seq: uint32(n.number + 1)} //nolint:gosec // wraps after four billion events
	}
	if m.event.Seq != 0 {
		m.number = n.number
		n.number++
	}
	next(m)
}

// nobody is the publisher of events without a marker.
const nobody = 1<<32 - 1
