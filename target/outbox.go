package target

import "slices"

// outbox is what a subscriber has not been written yet. It is bounded, and what happens when it is full is a policy
// (Knobs.WhenFull); it never makes a fan-out wait. It is guarded by its stream's mutex.
type outbox struct {
	frames   []*frame // oldest first; nil while empty
	bytes    int      // of frames, without those that do not count
	inFlight int32    // the first so many of frames are being written
	free     int32    // the first so many of frames do not count: the head, and events that are sent again
	replaced int32    // among the first so many of frames is one that took the place of an older one
	oldest   uint64   // no frame was put in before this number was given; see slotLocks
	index    *slots   // where the waiting values are, once there are many
	room     [2]*frame
	slab     *slab  // what frames lie in, when it is not room and not memory of their own
	slabs    *slabs // nil = there are none to borrow
}

// limits are the bounds of an outbox and what to do at them.
type limits struct {
	frames, bytes int
	whenFull      WhenFull
}

// outcome says what became of a frame.
type outcome uint8

const (
	enqueued  outcome = iota
	coalesced         // it took the place of an older value of its key
	crowded           // it was taken, and older events were left out for it
	overflow          // the outbox was full, and the stream is cut
	absent            // the stream was over already: nothing was owed to it
)

// prepend puts f in without counting it: the head of a stream, and what it is sent before it goes on with the others. That is
// bounded by what a log keeps, and must not take away the room of what comes while it is written.
func (b *outbox) prepend(f *frame) {
	b.append(f)
	b.bytes -= len(f.chunk)
	b.free++
}

// append puts f in as it is.
func (b *outbox) append(f *frame) {
	if b.frames == nil {
		b.frames, b.oldest = b.room[:0], f.number
	}
	if len(b.frames) == cap(b.frames) {
		b.grow()
	}
	b.frames = append(b.frames, f)
	b.bytes += len(f.chunk)
	if b.index != nil {
		b.index.add(f, len(b.frames)-1)
	}
}

// grow borrows room for more frames, unless there are so many that they need memory of their own, which append then makes. What is
// being written stays where it is too: it is read without the lock.
func (b *outbox) grow() {
	if b.slab != nil || b.slabs == nil || len(b.frames) > slabFrames/2 {
		b.slab = nil
		return
	}
	b.slab = b.slabs.get()
	b.frames = b.slab[:copy(b.slab[:], b.frames)]
}

// settle gives back what was borrowed, when no frame waits, or moves the frames to its beginning.
func (b *outbox) settle() {
	switch {
	case len(b.frames) == 0:
		b.frames, b.index, b.room = nil, nil, [len(b.room)]*frame{}
		if b.slab != nil {
			b.slabs.put(b.slab)
			b.slab = nil
		}
	case b.slab != nil && b.inFlight == 0: // else a write that goes on reads them where they are
		from, n := slabFrames-cap(b.frames), len(b.frames)
		copy(b.slab[:], b.frames)
		clear(b.slab[max(n, from) : from+n])
		b.frames = b.slab[:n]
	}
}

// put puts f in, as far as the limits let it; dropped is how many events were left out for it.
func (b *outbox) put(f *frame, l limits) (result outcome, dropped int) {
	if l.whenFull == Coalesce && f.slot != "" && len(b.frames) > int(b.inFlight) {
		if at := b.find(f); at >= 0 {
			b.bytes += len(f.chunk) - len(b.frames[at].chunk)
			b.frames[at] = f
			b.replaced = max(b.replaced, int32(at)+1) //nolint:gosec // an outbox has fewer frames
			return coalesced, 1
		}
	}
	for b.full(f, l) {
		if l.whenFull != DropOldest {
			return overflow, 0
		}
		if !b.dropOldest() {
			break // all that there is is being written: one more is what a write makes room for
		}
		dropped++
	}
	b.append(f)
	if dropped > 0 {
		return crowded, dropped
	}
	return enqueued, 0
}

// full says whether f has no room. Where something can be left out for it, what is being written does not count: nothing can
// be done about that any more.
func (b *outbox) full(f *frame, l limits) bool {
	counted := len(b.frames) - int(b.free)
	if l.whenFull != CutStream {
		counted = len(b.frames) - int(max(b.free, b.inFlight))
	}
	return counted >= l.frames || counted > 0 && b.bytes+len(f.chunk) > l.bytes
}

// dropOldest leaves out the event that has waited longest and is not being written; false = there is none. The id in front
// of an event of its own goes with it.
func (b *outbox) dropOldest() bool {
	from := max(int(b.inFlight), int(b.free))
	at := from
	for at < len(b.frames) && b.frames[at].kind != eventFrame {
		at++
	}
	if at == len(b.frames) {
		return false
	}
	first := at
	if first > from && b.frames[first-1].kind == idFrame {
		first--
	}
	for _, f := range b.frames[first : at+1] {
		b.bytes -= len(f.chunk)
	}
	b.frames = slices.Delete(b.frames, first, at+1)
	return true
}

// find returns the place of the waiting value that f is newer than, -1 = there is none.
func (b *outbox) find(f *frame) int {
	if f.since < b.oldest { // nearly always, where nothing piles up: all values that f is newer than were handed out before
		return -1
	}
	slot := f.slot
	from := max(int(b.inFlight), int(b.free))
	if b.index == nil && len(b.frames)-from <= fewSlots {
		for at := len(b.frames) - 1; at >= from; at-- {
			if waiting := b.frames[at]; waiting.hash == f.hash && waiting.slot == slot {
				return at
			}
		}
		return -1
	}
	if b.index == nil {
		b.index = &slots{number: make(map[string]uint64, 2*fewSlots)}
		for at, f := range b.frames {
			b.index.add(f, at)
		}
	}
	if number, ok := b.index.number[slot]; ok && number >= b.index.first+uint64(from) {
		return int(number - b.index.first)
	}
	return -1
}

// take returns the frames of the next write, which may be read without the lock: others are only ever put behind them.
func (b *outbox) take() []*frame {
	size := 0
	b.inFlight = 0
	for _, f := range b.frames {
		if size += len(f.chunk); b.inFlight > 0 && size > scratchBytes {
			break
		}
		b.inFlight++
	}
	return b.frames[:b.inFlight:b.inFlight]
}

// wrote removes what take returned.
func (b *outbox) wrote() { b.advance(int(b.inFlight), nil) }

// advance removes the first done frames, which take returned, and puts rest, unless it is nil, into the place of the next one.
// What take returned beside them stays in flight until it is taken again: it was promised to a write, which goes on.
func (b *outbox) advance(done int, rest *frame) {
	b.inFlight -= int32(done)
	for at, f := range b.frames[:done] {
		if at >= int(b.free) {
			b.bytes -= len(f.chunk)
		}
	}
	b.free = max(0, b.free-int32(done))
	if b.index != nil {
		b.index.remove(b.frames[:done])
	}
	clear(b.frames[:done])
	b.frames = b.frames[done:]
	b.replaced = max(0, b.replaced-int32(done)) //nolint:gosec // an outbox has fewer frames
	if b.replaced == 0 && len(b.frames) > 0 {   // else an older one may wait behind it
		b.oldest = b.frames[0].number
	}
	if rest != nil {
		if b.free == 0 {
			b.bytes += len(rest.chunk) - len(b.frames[0].chunk)
		}
		b.frames[0] = rest
	}
	b.settle()
}

// clear lets everything go, also what is being written: who writes it does not come back to say that it did.
func (b *outbox) clear() {
	b.frames, b.bytes, b.index, b.free, b.inFlight, b.replaced, b.slab = nil, 0, nil, 0, 0, 0, nil
}

// fewSlots is how many waiting frames are looked through one by one: a client that nearly keeps up needs no index.
const fewSlots = 128

// slots find the waiting frame of a slot in an outbox with many of them. Each frame has a number that does not change while
// those in front of it are written.
type slots struct {
	number map[string]uint64 // of the newest frame of each slot
	first  uint64            // of the first frame in the outbox
}

func (s *slots) add(f *frame, at int) {
	if f.slot != "" {
		s.number[f.slot] = s.first + uint64(at)
	}
}

// remove forgets frames that were written, which are the first in the outbox.
func (s *slots) remove(written []*frame) {
	for at, f := range written {
		if s.number[f.slot] == s.first+uint64(at) {
			delete(s.number, f.slot)
		}
	}
	s.first += uint64(len(written))
}
