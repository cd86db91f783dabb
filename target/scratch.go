package target

import "sync"

// scratchBytes is how much a buffer of a scratch pool holds at first, how much of it is kept, and how much is written to
// a client at once.
const scratchBytes = 64 << 10

// scratch lends buffers, so that an idle stream needs none of its own.
type scratch struct {
	pool sync.Pool
}

func (s *scratch) get() *[]byte {
	if p, ok := s.pool.Get().(*[]byte); ok {
		return p
	}
	p := make([]byte, 0, scratchBytes)
	return &p
}

func (s *scratch) put(p *[]byte) {
	if cap(*p) > 2*scratchBytes {
		return // one huge message must not pin its buffer
	}
	*p = (*p)[:0]
	s.pool.Put(p)
}
