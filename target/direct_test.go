package target

import (
	"bytes"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"holobench/wire"
)

// TestSplits cuts a try behind each of its bytes. What was taken, what is left and what comes behind it are the whole again,
// and each frame is counted once, on that side on which it becomes whole.
func TestSplits(t *testing.T) {
	t.Parallel()
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	event := &message{event: wire.Event{Channel: "red", Name: "message", Payload: strings.Repeat("x", 20)}}
	for _, chunked := range []bool{true, false} {
		plain := http1Writer{chunked: chunked, scratch: &s.scratch}
		hologram := &hologramWriter{http1Writer: plain, ids: &atomic.Uint64{}}
		head := http1Head(chunked, time.Unix(0, 0))
		shared, own := s.encode(event, formatPlain), s.encode(event, formatHologram)
		splits(t, []*frame{head, shared, newHeartbeat(), shared}, func(f []*frame, n int) tried { return plain.split(f, n) },
			func(f []*frame) (whole []byte) {
				for _, f := range f {
					whole = append(whole, f.bytes(chunked)...)
				}
				return whole
			})
		splits(t, []*frame{head, own, newHeartbeat(), own}, func(f []*frame, n int) tried { return hologram.split(f, 5, n) },
			func(f []*frame) (whole []byte) {
				next := uint64(5)
				for _, f := range f {
					whole = hologram.spell(whole, f, &next)
				}
				return whole
			})
	}
}

func splits(t *testing.T, frames []*frame, split func([]*frame, int) tried, spell func([]*frame) []byte) {
	t.Helper()
	whole := spell(frames)
	all := split(frames, len(whole))
	if all.whole != len(frames) || all.rest != nil || all.events != 2 || all.heartbeats != 1 {
		t.Errorf("all of it is %+v", all)
	}
	for n := range whole {
		first := split(frames, n)
		behind := slices.Clone(frames[first.whole:])
		if first.rest != nil {
			behind[0] = first.rest
		}
		left := spell(behind)
		if first.rest != nil && !bytes.HasPrefix(left, whole[n:n+len(first.rest.chunk)]) {
			t.Fatalf("after %d bytes %q is left, not %q", n, left, whole[n:])
		}
		if len(left) != len(whole)-n {
			t.Fatalf("after %d bytes %d are left of %d", n, len(left), len(whole))
		}
		second := split(behind, len(left))
		if first.bytes+second.bytes != len(whole) || first.events+second.events != 2 || first.heartbeats+second.heartbeats != 1 {
			t.Fatalf("cut after %d bytes it is counted as %+v and %+v", n, first, second)
		}
		if again := split(behind, len(left)/2); again.events+first.events > 2 {
			t.Fatalf("cut after %d bytes, and again, it is counted as %+v and %+v", n, first, again)
		}
	}
}
