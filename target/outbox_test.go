package target

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// modelOutbox is what an outbox means, without its index, its accounts and its spare room.
type modelOutbox struct {
	free, inFlight int // how many of frames
	frames         []*frame
}

func (m *modelOutbox) bytes() (sum int) {
	for _, f := range m.frames[m.free:] {
		sum += len(f.chunk)
	}
	return sum
}

// put is written from the words of the policies.
func (m *modelOutbox) put(f *frame, l limits) (outcome, int) {
	fixed := max(m.free, m.inFlight)
	if l.whenFull == Coalesce && f.slot != "" {
		for i := len(m.frames) - 1; i >= fixed; i-- {
			if m.frames[i].slot == f.slot {
				m.frames[i] = f
				return coalesced, 1
			}
		}
	}
	dropped := 0
	for {
		counted := len(m.frames) - m.free
		if l.whenFull != CutStream {
			counted = len(m.frames) - fixed
		}
		if counted < l.frames && (counted == 0 || m.bytes()+len(f.chunk) <= l.bytes) {
			break
		}
		if l.whenFull != DropOldest {
			return overflow, 0
		}
		if len(m.frames) == fixed {
			break
		}
		m.frames = slices.Delete(m.frames, fixed, fixed+1)
		dropped++
	}
	m.frames = append(m.frames, f)
	if dropped > 0 {
		return crowded, dropped
	}
	return enqueued, 0
}

// TestOutbox lays the outbox beside its model, over thousands of random steps in each policy.
func TestOutbox(t *testing.T) {
	t.Parallel()
	for _, policy := range []WhenFull{CutStream, DropOldest, Coalesce} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			random := rand.New(rand.NewPCG(seed, 0))
			indexed := false
			for round := range 60 {
				l := limits{frames: 1 + random.IntN(60), bytes: 1 + random.IntN(3000), whenFull: policy}
				if round%4 == 0 { // enough room for what waits to need an index
					l = limits{frames: 500, bytes: 1 << 20, whenFull: policy}
				}
				indexed = compareOutboxes(t, random, l) || indexed
				if t.Failed() {
					t.Fatalf("in round %d with %+v", round, l)
				}
			}
			if indexed != (policy == Coalesce) {
				t.Errorf("an index was used: %t", indexed)
			}
		})
	}
}

// compareOutboxes says whether the outbox came to need an index.
func compareOutboxes(t *testing.T, random *rand.Rand, l limits) (indexed bool) {
	t.Helper()
	lent := new(slabs)
	box := outbox{slabs: lent}
	var model modelOutbox
	for range random.IntN(4) {
		f := &frame{chunk: make([]byte, random.IntN(1000)), kind: headFrame}
		box.prepend(f)
		model.frames, model.free = append(model.frames, f), model.free+1
	}
	names, rests, notes := 40+random.IntN(400), 12, map[int]uint64{} // one for some slots
	if l.frames > 100 {
		rests = 200
	}
	for step := range 300 + 2*l.frames {
		switch {
		case random.IntN(rests) == 0 && (model.inFlight == 0 || model.frames[0].raw):
			model.inFlight = len(box.take())
		case model.inFlight > 0 && random.IntN(12) == 0:
			done, rest := model.inFlight, (*frame)(nil)
			if random.IntN(2) == 0 { // a write that got through in part
				done = random.IntN(model.inFlight)
				whole := model.frames[done]
				rest = &frame{chunk: whole.chunk[len(whole.chunk)/2:], kind: whole.kind, raw: true, value: whole.value}
			}
			box.advance(done, rest)
			model.frames = model.frames[done:]
			model.free = max(0, model.free-done)
			model.inFlight -= done
			if rest != nil {
				model.frames[0] = rest
			}
		default:
			f := &frame{chunk: make([]byte, random.IntN(200)), kind: eventFrame}
			if random.IntN(5) > 0 {
				n := random.IntN(names)
				f.slot, f.hash = fmt.Sprint(n), uint64(n%97)*31 // some slots have one hash
				f.number, f.since, notes[n%97] = uint64(step+1), notes[n%97], uint64(step+1)
			}
			got, dropped := box.put(f, l)
			want, wantDropped := model.put(f, l)
			if got != want || dropped != wantDropped {
				t.Fatalf("step %d: put said %d, %d; want %d, %d", step, got, dropped, want, wantDropped)
			}
		}
		if !slices.Equal(box.frames, model.frames) || box.bytes != model.bytes() || int(box.free) != model.free {
			t.Fatalf("step %d: %d frames of %d bytes, %d free; want %d of %d, %d", step, len(box.frames), box.bytes, box.free,
				len(model.frames), model.bytes(), model.free)
		}
		if s := box.slab; s != nil && (cap(box.frames) > slabFrames || len(box.frames) > 0 && &box.frames[0] != &s[slabFrames-cap(box.frames)]) {
			t.Fatalf("step %d: the frames do not lie in what was borrowed for them", step)
		}
		if len(box.frames) == 0 {
			if s := lent.get(); box.slab != nil || *s != (slab{}) || box.room != [2]*frame{} {
				t.Fatalf("step %d: an empty outbox holds room, or has left frames in it", step)
			}
		}
		indexed = indexed || box.index != nil
		if box.index != nil && len(box.index.number) > len(box.frames) {
			t.Fatalf("step %d: the index holds %d slots of %d frames", step, len(box.index.number), len(box.frames))
		}
	}
	return indexed
}

// TestDropOldestTakesTheIDAlong: the id in front of an event that is left out names a place that was not reached.
func TestDropOldestTakesTheIDAlong(t *testing.T) {
	t.Parallel()
	var box outbox
	l := limits{frames: 4, bytes: 1000, whenFull: DropOldest}
	put := func(n uint64) {
		box.append(newIDFrame("\n", n))
		box.put(&frame{chunk: []byte{byte(n)}, kind: eventFrame}, l)
	}
	put(1)
	put(2)
	put(3)
	if len(box.frames) != 4 || string(box.frames[0].chunk[3:8]) != "id: 2" || box.frames[1].chunk[0] != 2 {
		t.Errorf("%d frames are left, the first is %q", len(box.frames), box.frames[0].chunk)
	}
}
