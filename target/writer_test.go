package target

import (
	"errors"
	"net"
	"testing"
	"time"

	"holobench/wire"
)

// shortConn takes so many bytes and then fails.
type shortConn struct {
	net.Conn

	room  int
	taken []byte
}

func (c *shortConn) SetWriteDeadline(time.Time) error { return nil }

func (c *shortConn) Write(p []byte) (int, error) {
	n := min(len(p), c.room)
	c.taken = append(c.taken, p[:n]...)
	c.room -= n
	if n < len(p) {
		return n, errors.New("no room")
	}
	return n, nil
}

// TestPartialWrites cuts a batch at every byte: an event counts exactly from the byte on with which its client has it.
func TestPartialWrites(t *testing.T) {
	t.Parallel()
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	event := s.encode(&message{event: wire.Event{Channel: "red", Name: "message", Payload: "1"}}, formatPlain)
	const body = `data: {"channel":"red","name":"message","payload":"1"}` + "\n\n"
	for _, chunked := range []bool{true, false} {
		batch := []*frame{http1Head(chunked, time.Unix(0, 0)), event, newHeartbeat(), event}
		var whole []byte
		var ends []int // after how many bytes each of batch is visible
		for _, f := range batch {
			ends = append(ends, len(whole)+f.visible(chunked))
			whole = append(whole, f.bytes(chunked)...)
		}
		if got := string(whole[ends[1]-len(body) : ends[1]]); got != body {
			t.Errorf("chunked %v: the event reads %q, want %q", chunked, got, body)
		}
		for room := range len(whole) + 1 {
			conn := &shortConn{room: room}
			w := &http1Writer{conn: conn, chunked: chunked, scratch: &s.scratch}
			got, err := w.write(batch, time.Second)
			want := written{bytes: room}
			for i, end := range ends {
				switch {
				case room < end:
				case i == 1 || i == 3:
					want.events++
				case i == 2:
					want.heartbeats++
				}
			}
			if got != want || (err != nil) != (room < len(whole)) {
				t.Errorf("chunked %v, %d bytes: %+v, %v; want %+v", chunked, room, got, err, want)
			}
		}
	}
}

func TestChunks(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]string{1: "1\r\n", 15: "f\r\n", 16: "10\r\n", 65536: "10000\r\n"} {
		f := newFrame(eventFrame, make([]byte, chunkRoom+size))
		if got := string(f.chunk[:f.from]); got != want || f.to-f.from != size || len(f.chunk) != f.to+2 {
			t.Errorf("a chunk of %d begins %q, body %d..%d of %d", size, got, f.from, f.to, len(f.chunk))
		}
	}
}
