package chaos

import (
	"bytes"
	"slices"
	"strconv"

	"holobench/wire"
	"holobench/wire/http1"
)

// message is one event of a stream, with all its lines and the empty one, or the body of one reply.
type message struct {
	bytes     []byte
	notBefore int64
	at        int64
	loose     bool
	reply     bool         // it is the body of a reply
	event     wire.EventID // the first that it bears the marker of; Seq 0 = none
	number    int64        // of this event, or this reply, among those of its connection, from 0
	cut       bool         // the connection ends behind it
}

// eventStage is a rule on messages, as stage is one on pieces. A message is valid during the call only.
type eventStage interface {
	judge(m message, next func(message))
	busy(at int64) bool
	wake() int64
	tick(now int64, next func(message))
}

// rewriter reads what comes down as HTTP/1.1 and lets its rules judge each whole message of a stream, and each reply. The bodies of
// streams it writes anew, a chunk for each message, which says the same. While no rule is in force it hands on at once what it has;
// while one is, it waits until a message is whole. What is no HTTP/1.1, or is compressed, it leaves alone.
type rewriter struct {
	rules []eventStage
	nexts []func(message)
	next  func(piece)
	in    piece // the piece at hand
	ends  bool  // the connection was cut

	opaque bool
	parser http1.Parser
	raw    []byte // of the head, or of a reply while it is held
	within bool   // the head has been read
	stream bool
	chunks bool
	hold   bool // it is a reply, and a rule was in force at its head
	body   []byte
	open   bool // a part of the message at hand is out already
	lines  blankLines
	number int64 // of the next event or reply
}

func newRewriter(rules []eventStage) *rewriter {
	r := &rewriter{rules: rules, nexts: make([]func(message), len(rules))}
	next := r.emit
	for i := len(rules) - 1; i >= 0; i-- {
		r.nexts[i] = next
		rule, after := rules[i], next
		next = func(m message) { rule.judge(m, after) }
	}
	return r
}

// busy: it must see every byte.
func (r *rewriter) busy(int64) bool { return !r.opaque }

func (r *rewriter) wake() int64 {
	earliest := int64(forever)
	for _, rule := range r.rules {
		earliest = min(earliest, rule.wake())
	}
	return earliest
}

func (r *rewriter) tick(now int64, next func(piece)) {
	r.next = next
	for i, rule := range r.rules {
		if rule.wake() <= now {
			rule.tick(rule.wake(), r.nexts[i])
		}
	}
}

// give lets the rules go all that they hold: nothing follows.
func (r *rewriter) give(at int64) {
	for i, rule := range r.rules {
		rule.tick(at, r.nexts[i])
	}
}

// force says whether a rule is in force, so that messages must be whole.
func (r *rewriter) force(at int64) bool {
	for _, rule := range r.rules {
		if rule.busy(at) {
			return true
		}
	}
	return false
}

func (r *rewriter) pass(p piece, next func(piece)) {
	r.next, r.in = next, p
	switch {
	case r.ends:
		return
	case p.err != nil:
		r.give(p.at)
		r.put(r.raw)
		r.write(r.body) // of a message, or of a reply, that will never be whole
		r.raw, r.body = nil, nil
		next(p)
		return
	}
	for b := p.bytes; len(b) > 0 && !r.ends; {
		if r.opaque {
			r.put(b)
			return
		}
		b = b[r.feed(b):]
	}
	if r.within && r.stream && len(r.body) > 0 && (r.open || !r.force(p.at)) {
		r.flush()
	}
}

// feed reads some of b and returns how much.
func (r *rewriter) feed(b []byte) int {
	part := b
	if !r.within { // line by line, so that the end of the head is known
		if end := bytes.IndexByte(b, '\n'); end >= 0 {
			part = b[:end+1]
		}
		r.raw = append(r.raw, part...)
	}
	n, err := r.parser.Feed(part, r)
	switch {
	case err != nil: // nobody knows where anything begins from here on
		r.broken(part[n:])
		return len(part)
	case r.parser.Done():
		r.over()
	}
	return n
}

// broken hands on what is no HTTP any more, so that the client finds it broken as well: the chunk that could not be read is not
// there any more, so another that cannot be read stands for it.
func (r *rewriter) broken(rest []byte) {
	r.put(r.raw)
	if r.within {
		r.write(r.body)
		r.put([]byte("!\r\n"))
		r.put(rest)
	}
	r.opaque, r.raw, r.body = true, nil, nil
}

// OnHead implements http1.Handler.
func (r *rewriter) OnHead(h *http1.Head) error {
	r.within, r.stream, r.chunks = true, isStream(h), h.Chunked
	if r.stream && h.ContentLength >= 0 {
		r.raw, r.chunks = unmeasured(r.raw)
		r.stream = r.chunks
	}
	r.hold = !isStream(h) && h.ContentEncoding == "" && r.force(r.in.at)
	if !r.hold {
		r.put(r.raw)
		r.raw = r.raw[:0]
	}
	return nil
}

// unmeasured returns the head of a stream whose length was known as one whose body comes in chunks: who reads a length waits for what
// the rules took away. HTTP/1.0 knows no chunks, so there the head stays as it is, and the stream is left alone.
func unmeasured(head []byte) (_ []byte, chunks bool) {
	var out []byte
	for line := range bytes.SplitAfterSeq(head, []byte("\n")) {
		name, _, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.HasPrefix(line, []byte("HTTP/1.0")):
			return head, false
		case !bytes.EqualFold(name, []byte("Content-Length")):
			out = append(out, line...)
		}
	}
	end := len(bytes.TrimRight(out, "\r\n")) // of the last field
	return slices.Concat(out[:end], []byte("\r\nTransfer-Encoding: chunked\r\n\r\n")), true
}

// OnBody implements http1.Handler.
func (r *rewriter) OnBody(b []byte) error {
	switch {
	case r.hold:
		r.body = append(r.body, b...)
		return nil
	case !r.stream:
		r.write(b)
		return nil
	}
	for len(b) > 0 && !r.ends {
		n := r.lines.next(b)
		if n < 0 {
			r.body = append(r.body, b...)
			return nil
		}
		r.body = append(r.body, b[:n]...)
		b = b[n:]
		if r.open {
			r.flush()
			r.open = false
			continue
		}
		r.judge(message{bytes: r.body})
		r.body = r.body[:0]
	}
	return nil
}

// OnEnd implements http1.Handler.
func (r *rewriter) OnEnd() error { return nil }

// over ends a response.
func (r *rewriter) over() {
	if r.hold {
		r.judge(message{bytes: r.body, reply: true})
	} else {
		r.give(r.in.at) // behind the last chunk there is no place for it
		r.flush()
		if r.chunks && r.within {
			r.put([]byte("0\r\n\r\n"))
		}
	}
	r.parser.Reset()
	r.raw, r.body = r.raw[:0], r.body[:0]
	r.within, r.stream, r.chunks, r.hold, r.open, r.lines = false, false, false, false, false, blankLines{}
}

// judge sends a message through the rules.
func (r *rewriter) judge(m message) {
	m.notBefore, m.at, m.loose = r.in.notBefore, r.in.at, r.in.loose
	marker, _, ok := wire.FindMarker(m.bytes)
	m.event = marker.Event
	if ok || m.reply {
		m.number = r.number
		r.number++
	}
	if len(r.rules) == 0 {
		r.emit(m)
		return
	}
	r.rules[0].judge(m, r.nexts[0])
}

// emit writes what the rules made of a message.
func (r *rewriter) emit(m message) {
	was := r.in
	defer func() { r.in = was }()
	r.in.notBefore, r.in.at, r.in.loose = m.notBefore, m.at, m.loose
	if m.reply {
		r.reply(m)
	} else {
		r.write(m.bytes)
	}
	if m.cut && !r.ends {
		r.ends = true
		end := r.in
		end.bytes, end.err, end.cut = nil, endOf(cutFIN), cutFIN
		r.next(end)
	}
}

// reply writes the head as it was, and the body.
func (r *rewriter) reply(m message) {
	r.put(r.raw)
	r.write(m.bytes)
	if r.chunks && !m.cut {
		r.put([]byte("0\r\n\r\n"))
	}
}

// flush hands on what there is of the message at hand.
func (r *rewriter) flush() {
	if len(r.body) == 0 || r.hold {
		return
	}
	r.write(r.body)
	r.body, r.open = r.body[:0], true
}

// write writes a part of a body.
func (r *rewriter) write(b []byte) {
	switch {
	case len(b) == 0:
	case r.chunks:
		chunk := make([]byte, 0, len(b)+12)
		chunk = append(strconv.AppendInt(chunk, int64(len(b)), 16), '\r', '\n')
		r.put(append(append(chunk, b...), '\r', '\n'))
	default:
		r.put(b)
	}
}

// put hands bytes on as they are.
func (r *rewriter) put(b []byte) {
	if len(b) == 0 {
		return
	}
	p := r.in
	p.bytes = b
	r.next(p)
}
