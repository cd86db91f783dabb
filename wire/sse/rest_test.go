package sse

import (
	"testing"
	"time"
)

// told keeps what a parser tells.
type told []string

// OnEvent implements Handler.
func (h *told) OnEvent(e *Event) {
	*h = append(*h, "event "+string(e.Name)+"|"+string(e.ID)+"|"+string(e.Data))
}

// OnComment implements Handler.
func (h *told) OnComment(text []byte) { *h = append(*h, "comment "+string(text)) }

// OnRetry implements Handler.
func (h *told) OnRetry(d time.Duration) { *h = append(*h, "retry "+d.String()) }

// FuzzRest feeds a stream in pieces, and another parser each time that one rests: both tell the same.
func FuzzRest(f *testing.F) {
	f.Add([]byte("id: 7\ndata: a\n\n: still here\n\nretry: 10\ndata: b\r\n\r\nevent: x\rdata: c\r\r"), uint8(3))
	f.Add([]byte("\xef\xbb\xbfdata: a\n\nid\ndata: b\n\n"), uint8(1))
	f.Add([]byte("id: 1\n\nid: 2\x00\ndata: c\n\n"), uint8(8))
	f.Fuzz(func(t *testing.T, data []byte, size uint8) {
		var want, got told
		var one, now Parser
		var other Parser // has a past of its own
		other.Feed([]byte("id: other\nevent: z\ndata: half"), new(told))
		for len(data) > 0 {
			n := min(len(data), max(1, int(size)))
			errOne, errNow := one.Feed(data[:n], &want), now.Feed(append([]byte(nil), data[:n]...), &got)
			if (errOne == nil) != (errNow == nil) {
				t.Fatalf("%v and %v", errOne, errNow)
			}
			data = data[n:]
			if rest, id, ok := now.Rest(nil); ok {
				now, other = other, now
				now.Resume(rest, id)
			}
			if one.LastEventID() != now.LastEventID() || one.Pending() != now.Pending() {
				t.Fatalf("id %q, pending %v; another goes on with %q, %v", one.LastEventID(), one.Pending(), now.LastEventID(), now.Pending())
			}
		}
		if len(want) != len(got) {
			t.Fatalf("%q, and %q", want, got)
		}
		for i := range want {
			if want[i] != got[i] {
				t.Errorf("%q, and %q", want[i], got[i])
			}
		}
	})
}
