package chaos

// maxHeld bounds what one direction of a link holds back, in bytes. Beyond it the bytes wait in the socket, and their
// delay grows as it would behind any full queue.
const maxHeld = 1 << 20

// queue is what waits for its time in one direction, in the order in which it will be seen.
type queue struct {
	pieces []piece // with bytes of their own
	held   int     // bytes
	latest int64   // when the last of them is due: what follows is never due before it
	ended  bool    // the last of them is the end
}

// push takes a piece, whose bytes it copies. Nothing follows an end.
func (q *queue) push(p piece) {
	if q.ended {
		return
	}
	p.at = max(p.at, q.latest)
	if p.notBefore != 0 {
		p.notBefore = min(max(p.notBefore, q.latest), p.at)
	}
	if n := len(q.pieces); n > 0 && p.err == nil && q.pieces[n-1].at == p.at {
		last := &q.pieces[n-1] // they are seen at once: one read may bring both
		last.bytes = append(last.bytes, p.bytes...)
		last.loose = p.loose
		q.held += len(p.bytes)
		return
	}
	q.latest = p.at
	q.ended = p.err != nil
	if p.err == nil && len(p.bytes) == 0 {
		return
	}
	p.bytes = append([]byte(nil), p.bytes...)
	q.held += len(p.bytes)
	q.pieces = append(q.pieces, p)
}

// head is when the first piece is due; forever = there is none.
func (q *queue) head() int64 {
	if len(q.pieces) == 0 {
		return forever
	}
	return q.pieces[0].at
}

// drop forgets the first piece.
func (q *queue) drop() {
	q.held -= len(q.pieces[0].bytes)
	q.pieces[0] = piece{}
	q.pieces = q.pieces[1:]
	if len(q.pieces) == 0 {
		q.pieces = nil
	}
}

// cutAt forgets what is due after a time, and the end too.
func (q *queue) cutAt(at int64) {
	for len(q.pieces) > 0 && (q.pieces[len(q.pieces)-1].at > at || q.pieces[len(q.pieces)-1].err != nil) {
		last := len(q.pieces) - 1
		q.held -= len(q.pieces[last].bytes)
		q.pieces = q.pieces[:last]
	}
	q.latest, q.ended = min(q.latest, at), false
}
