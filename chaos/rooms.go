package chaos

import "sync"

// room is for the bytes of one piece: a slice of no bytes, with capacity.
type room struct{ bytes []byte }

// rooms are those that no piece is in at the moment, in two sizes. A piece that is larger has bytes of its own, and so has each
// where rooms are nil.
type rooms struct{ small, large sync.Pool }

// The sizes, in bytes: an event of a usual size with its chunk, and a segment.
const (
	smallRoom = 512
	largeRoom = 1536
)

// take returns one for n bytes; nil = there is none of that size.
func (r *rooms) take(n int) *room {
	if r == nil || n == 0 || n > largeRoom {
		return nil
	}
	pool, size := &r.large, largeRoom
	if n <= smallRoom {
		pool, size = &r.small, smallRoom
	}
	if one, ok := pool.Get().(*room); ok {
		return one
	}
	return &room{bytes: make([]byte, 0, size)}
}

// put takes one back, or nil.
func (r *rooms) put(one *room) {
	switch {
	case one == nil:
	case cap(one.bytes) == smallRoom:
		r.small.Put(one)
	default:
		r.large.Put(one)
	}
}
