package target

import "sync"

// slab is the room of an outbox in which more than a few frames wait.
type slab [slabFrames]*frame

const slabFrames = 128

// slabs lend slabs, so that outboxes which fill and empty again and again make no garbage, and idle ones hold no room.
type slabs struct {
	pool sync.Pool
}

func (s *slabs) get() *slab {
	if room, ok := s.pool.Get().(*slab); ok {
		return room
	}
	return new(slab)
}

// put takes room back, which holds no frame any more, and which nobody reads.
func (s *slabs) put(room *slab) { s.pool.Put(room) }
