package target

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// value says of what an event is the new value, so that it may take the place of an older one that waits in an outbox. The
// zero value is that of no value.
type value struct {
	slot   string // the channel and the key; "" = nothing
	hash   uint64 // of slot
	number uint64 // of the event among all that were handed out on this node; 0 = it has none
	since  uint64 // numbers above it were given after the last older value of this slot had reached every outbox
}

// slotLocks put the values of one key into one order, while those of most others go on. There are so many of them that two
// keys seldom share one, and they cost nothing for the keys that there were.
//
// They also say without a look into an outbox that it holds no older value of a key. Each event is given a number before the first
// outbox gets it. When the last outbox has it, the newest number that was given is noted for its key. An older value which
// still waits behind some frame of an outbox was put in after that frame, and so after the number of that frame was
// given: what was noted for the key is at least that number. For a queue that moves on it is not, unless the key is one that
// was just written: see outbox.oldest. Many keys share a note, which only makes some look into an outbox for nothing.
type slotLocks struct {
	seed  maphash.Seed
	given atomic.Uint64
	locks [64]sync.Mutex
	notes []uint64 // by hash; the lock of a hash guards its note, as there are a multiple of locks of them
}

// slotNotes is how many notes there are: 32 KiB of them.
const slotNotes = 64 * 64

// newSlotLocks makes those of a server that lets newer values take the place of older ones, or of one that does not.
func newSlotLocks(coalesces bool) *slotLocks {
	s := &slotLocks{seed: maphash.MakeSeed()}
	if coalesces {
		s.notes = make([]uint64, slotNotes)
	}
	return s
}

// enter waits until nobody else hands out a value of this key, and returns what the next one is. The caller leaves when every
// outbox has it.
func (s *slotLocks) enter(channel, key string) value {
	v := value{hash: maphash.String(s.seed, channel) ^ 31*maphash.String(s.seed, key)}
	if key != "" {
		v.slot = channel + "\x00" + key
	}
	s.locks[v.hash%uint64(len(s.locks))].Lock()
	v.number, v.since = s.given.Add(1), s.notes[v.hash%slotNotes]
	return v
}

func (s *slotLocks) leave(v value) {
	s.notes[v.hash%slotNotes] = s.given.Load()
	s.locks[v.hash%uint64(len(s.locks))].Unlock()
}
