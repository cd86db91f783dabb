package chaos

// maxHeld bounds what one direction of a link holds back, in bytes. Beyond it the bytes wait in the socket, and their
// delay grows as it would behind any full queue.
const maxHeld = 1 << 20

// queue is what waits for its time in one direction, in the order in which it will be seen.
type queue struct {
	pieces []piece // with bytes of their own
	base   []piece // what pieces is a part of
	rooms  *rooms  // for the bytes; nil = each piece gets a new one
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
	q.held += len(p.bytes)
	var bytes []byte
	if p.room = q.rooms.take(len(p.bytes)); p.room != nil {
		bytes = p.room.bytes
	}
	p.bytes = append(bytes, p.bytes...)
	q.add(p)
}

// add appends a piece. Where half of the base is behind already, the rest moves to its beginning.
func (q *queue) add(p piece) {
	n := len(q.pieces)
	full := n == cap(q.pieces)
	if full && 2*n <= cap(q.base) && cap(q.base) > 0 {
		whole := q.base[:cap(q.base)]
		q.pieces = whole[:copy(whole, q.pieces)]
		clear(whole[n:])
		full = false
	}
	q.pieces = append(q.pieces, p)
	if full {
		q.base = q.pieces
	}
}

// head is when the first piece is due; forever = there is none.
func (q *queue) head() int64 {
	if len(q.pieces) == 0 {
		return forever
	}
	return q.pieces[0].at
}

// keptPieces is for how many pieces an empty queue keeps the place.
const keptPieces = 8

// drop forgets the first piece. Where the queue has rooms its bytes are valid no more.
func (q *queue) drop() {
	q.held -= len(q.pieces[0].bytes)
	q.rooms.put(q.pieces[0].room)
	q.pieces[0] = piece{}
	q.pieces = q.pieces[1:]
	switch {
	case len(q.pieces) > 0:
	case cap(q.base) > keptPieces:
		q.pieces, q.base = nil, nil
	default:
		q.pieces = q.base[:0]
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
