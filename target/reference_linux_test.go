package target_test

import (
	"net"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/r3labs/sse/v2"
)

// newReferenceEngine serves one stream with r3labs/sse, as its documentation says. It does not count what it has written, so
// its connections do.
func newReferenceEngine(l net.Listener) *engine {
	reference := sse.New()
	reference.AutoReplay = false // it would keep every event for ever
	reference.CreateStream("room")
	counting := &countingListener{Listener: l}
	go http.Serve(counting, reference)
	data := []byte(`{"channel":"room","name":"message","payload":"` + strings.Repeat("x", fanoutPayload) + `"}`)
	return &engine{
		publish: func(int) { reference.Publish("room", &sse.Event{Data: data}) },
		written: func() uint64 { return counting.events.Load() },
		bytes:   func() uint64 { return counting.bytes.Load() },
		checkUp: func() error { return nil },
	}
}

type countingListener struct {
	net.Listener

	events, bytes atomic.Uint64 // each event is a write of its own
}

func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return &countingConn{Conn: conn, listener: l}, err
}

type countingConn struct {
	net.Conn

	listener *countingListener
}

func (c *countingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.listener.bytes.Add(uint64(n))
	c.listener.events.Add(1)
	return n, err
}
