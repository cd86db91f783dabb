package clients

import (
	"testing"

	"holobench/history"
	"holobench/internal/memnet"
)

// h2Frame is a frame of HTTP/2.
func h2Frame(kind, flags, id byte, payload string) []byte {
	return append([]byte{0, byte(len(payload) >> 8), byte(len(payload)), kind, flags, 0, 0, 0, id}, payload...)
}

// Kinds of frames.
const (
	h2Data         = 0
	h2Headers      = 1
	h2Settings     = 4
	h2WindowUpdate = 8
)

// subscribedByHand returns a stream over HTTP/2 that is fed by hand, subscribed.
func subscribedByHand(t *testing.T) *stream {
	t.Helper()
	network := memnet.New(nil)
	if _, err := network.Listen("two:80"); err != nil {
		t.Fatal(err)
	}
	conn, err := network.DialContext(t.Context(), "tcp", "two:80")
	if err != nil {
		t.Fatal(err)
	}
	crowd := &Crowd{Names: new(history.Names), Run: testRun, HTTP2: true, Observe: func([]history.Observation) {}}
	s := newStream(crowd.NewClient(tab()))
	s.reading = &reading{notBefore: 5, at: 9}
	s.hear("room")
	s.wire = s.client.protocol.receiver(s)
	err = s.wire.begin(t.Context(), Stamped(conn))
	s.asked = 1
	head := h2Frame(h2Headers, 4, 1, "\x88\x5f\x11text/event-stream") // :status 200, content-type
	if err == nil {
		err = s.wire.feed(append(h2Frame(h2Settings, 0, 0, ""), head...))
	}
	if err != nil || s.subscribed != 1 {
		t.Fatalf("%v, %d channels are subscribed", err, s.subscribed)
	}
	return s
}

// TestHTTP2LastMessageOfARead: the stamp of a read is that of its last message only when nothing came behind it, be it of the
// connection alone.
func TestHTTP2LastMessageOfARead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		behind []byte
		exact  bool
	}{
		{"nothing", nil, true},
		{"a window of the connection", h2Frame(h2WindowUpdate, 0, 0, "\x00\x00\x00\x01"), false},
		{"an empty frame", h2Frame(h2Data, 0, 1, ""), false},
		{"the beginning of another frame", h2Frame(h2Data, 0, 1, ": more")[:11], false},
		{"the beginning of another event", h2Frame(h2Data, 0, 1, "data: "), false},
	} {
		s := subscribedByHand(t)
		s.batch, s.last = s.batch[:0], 0
		if err := s.wire.feed(append(h2Frame(h2Data, 0, 1, message(testRun, 1)), c.behind...)); err != nil {
			t.Fatal(err)
		}
		s.settleLast(true)
		if len(s.batch) != 1 || (s.batch[0].NotBefore == s.batch[0].At) != c.exact {
			t.Errorf("behind an event comes %s: %+v", c.name, s.batch)
		}
	}
}

// TestHTTP2ReceiverCost holds that an event costs no allocation. It is not parallel, because allocations are counted for the whole
// process.
func TestHTTP2ReceiverCost(t *testing.T) {
	s := subscribedByHand(t)
	s.batch = make([]history.Observation, 0, 64)
	event := h2Frame(h2Data, 0, 1, message(testRun, 1))
	if got := testing.AllocsPerRun(100, func() {
		s.batch, s.last = s.batch[:0], 0
		if err := s.wire.feed(event); err != nil || len(s.batch) != 1 {
			t.Fatalf("%v, %+v", err, s.batch)
		}
	}); got != 0 {
		t.Errorf("%v allocations an event", got)
	}
}

// FuzzHTTP2Receiver feeds what any server may send behind the head of a stream, cut at any place: nothing panics, and what is noted
// is the same however the bytes were cut.
func FuzzHTTP2Receiver(f *testing.F) {
	event := h2Frame(h2Data, 0, 1, message(testRun, 1))
	f.Add(event, uint16(7))
	f.Add(append(event, h2Frame(h2Data, 1, 1, "")...), uint16(20))
	f.Add(append(h2Frame(h2WindowUpdate, 0, 0, "\x00\x00\x00\x01"), event...), uint16(3))
	f.Add(h2Frame(h2Headers, 5, 3, "\x88"), uint16(1))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), uint16(2))
	f.Fuzz(func(t *testing.T, data []byte, size uint16) {
		one, other := subscribedByHand(t), subscribedByHand(t)
		want := one.wire.feed(data)
		var got error
		for rest := data; len(rest) > 0 && got == nil; {
			n := min(len(rest), max(1, int(size)))
			got = other.wire.feed(rest[:n])
			rest = rest[n:]
		}
		if (want == nil) != (got == nil) {
			t.Fatalf("in one piece %v, in several %v", want, got)
		}
		if want == nil {
			equal(t, JSON, one, other)
		}
	})
}
