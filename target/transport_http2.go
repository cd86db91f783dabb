package target

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// handler is what an http.Server calls for each request. Over HTTP/2 a connection cannot be taken over, since it is that of other
// requests too: there the goroutine of a request that became a stream stays until the stream is over, because net/http ends
// the stream when it returns. It waits outside of ServeHTTP, which a shutdown waits for.
func (s *Server) handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor < 2 {
			s.ServeHTTP(w, r)
			return
		}
		request := &http2Request{ResponseWriter: w}
		s.ServeHTTP(request, r)
		request.hold()
	})
}

// http2Request is the writer of a request's response over HTTP/2, and remembers the stream that the request became.
type http2Request struct {
	http.ResponseWriter

	stream *http2Conn // nil = the request became none
}

// Unwrap lets an http.ResponseController reach the writer of net/http.
func (q *http2Request) Unwrap() http.ResponseWriter { return q.ResponseWriter }

// take makes the request a stream of server-sent events. The deadlines of a request do not hold for it.
func (q *http2Request) take(r *http.Request) (*http2Conn, error) {
	control := http.NewResponseController(q.ResponseWriter)
	if err := errors.Join(control.SetReadDeadline(time.Time{}), control.SetWriteDeadline(time.Time{})); err != nil {
		return nil, err
	}
	header := q.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-cache")
	header.Set("X-Accel-Buffering", "no")
	q.stream = newHTTP2Conn(q.ResponseWriter, control, r.Context().Done())
	return q.stream, nil
}

// hold returns when the stream is over.
func (q *http2Request) hold() {
	if q.stream != nil {
		<-q.stream.settled
	}
}

// http2Conn makes of one stream of HTTP/2 the connection that streams are written to. Its reads wait for the end.
type http2Conn struct {
	w       http.ResponseWriter
	control *http.ResponseController
	gone    <-chan struct{} // closed when the client has reset the stream, or has gone
	over    chan struct{}   // closed when this side ends it
	settled chan struct{}   // closed when nothing is written any more, so that net/http may end the stream
	timer   *time.Timer     // of the write that is going on

	mu      sync.Mutex
	until   time.Time // what a write takes at most; zero = it may take for ever
	writing bool
	expired bool // until passed during a write
	closed  bool
}

func newHTTP2Conn(w http.ResponseWriter, control *http.ResponseController, gone <-chan struct{}) *http2Conn {
	c := &http2Conn{w: w, control: control, gone: gone, over: make(chan struct{}), settled: make(chan struct{})}
	c.timer = time.AfterFunc(time.Hour, c.expire)
	c.timer.Stop()
	return c
}

// http2Piece is how much of a write goes to net/http at once: so little that it copies it. What is longer it hands on as it is, and
// may still read it when a write that was cut has returned.
const http2Piece = 4 << 10

// Write implements net.Conn. It returns how much certainly went to the connection: beside an error the last 4 KiB may have gone
// there too, in part or as a whole. Writing nothing writes the head.
func (c *http2Conn) Write(p []byte) (n int, err error) {
	if err := c.begin(); err != nil {
		return 0, err
	}
	for {
		piece := p[n:min(n+http2Piece, len(p))]
		if len(piece) > 0 {
			_, err = c.w.Write(piece)
		}
		if err == nil {
			err = c.control.Flush()
		}
		if err != nil {
			break
		}
		if n += len(piece); n == len(p) {
			break
		}
	}
	return n, c.finish(err)
}

// begin begins a write. The deadlines of net/http bound a stream and not a write: they reset it when they pass, also while it is silent,
// and moving one costs a message to the goroutine of the connection. So there is a timer for each stream here, and a deadline
// that has passed is only the means to reset it.
func (c *http2Conn) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	c.writing = true
	if !c.until.IsZero() {
		c.timer.Reset(time.Until(c.until))
	}
	return nil
}

// finish ends a write.
func (c *http2Conn) finish(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer.Stop()
	c.writing = false
	if c.closed {
		close(c.settled)
	}
	switch {
	case err != nil && (c.expired || !c.until.IsZero() && !time.Now().Before(c.until)):
		return os.ErrDeadlineExceeded // net/http says only that the stream is closed
	case err == nil && c.expired:
		return os.ErrDeadlineExceeded // it came through at the last moment, but the stream was reset
	}
	return err
}

// expire cuts the write that takes too long. The timer of an earlier one may have fired at its end.
func (c *http2Conn) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writing && !c.expired && !time.Now().Before(c.until) {
		c.expired = true
		c.reset()
	}
}

// reset ends the stream in the middle, and a write with it. The caller holds c.mu, and sees to it that net/http has not ended it.
func (c *http2Conn) reset() {
	select {
	case <-c.gone: // the client has done so, or has gone
		return
	default:
	}
	_ = c.control.SetWriteDeadline(time.Unix(1, 0)) // it fails only where there are no deadlines, which take found out
}

// Close implements net.Conn: it cuts the stream, unless it has ended. A client can tell that from an end by the reset.
func (c *http2Conn) Close() error {
	c.shut(false)
	return nil
}

// end ends the stream as its client expects it.
func (c *http2Conn) end() error {
	c.shut(true)
	return nil
}

func (c *http2Conn) shut(clean bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	close(c.over)
	if !clean {
		c.reset()
	}
	if !c.writing {
		close(c.settled)
	}
}

// Read implements net.Conn. There is nothing to read: the request had no body.
func (c *http2Conn) Read([]byte) (int, error) {
	select {
	case <-c.gone:
		c.mu.Lock()
		expired := c.expired
		c.mu.Unlock()
		if expired { // it is gone by a reset of this side, and who writes is about to say why
			<-c.over
		}
	case <-c.over:
	}
	return 0, io.EOF
}

// SetWriteDeadline implements net.Conn; it holds for the next write.
func (c *http2Conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	c.until = t
	return nil
}

// SetReadDeadline implements net.Conn; reads have none.
func (c *http2Conn) SetReadDeadline(time.Time) error { return nil }

// SetDeadline implements net.Conn.
func (c *http2Conn) SetDeadline(t time.Time) error { return c.SetWriteDeadline(t) }

// LocalAddr implements net.Conn.
func (c *http2Conn) LocalAddr() net.Addr { return http2Addr{} }

// RemoteAddr implements net.Conn.
func (c *http2Conn) RemoteAddr() net.Addr { return http2Addr{} }

// http2Addr is the address of a stream of HTTP/2, which has none of its own.
type http2Addr struct{}

// Network implements net.Addr.
func (http2Addr) Network() string { return "http2" }

// String implements net.Addr.
func (http2Addr) String() string { return "a stream of HTTP/2" }

// http2Writer is a streamWriter whose connection is a stream of HTTP/2: its body ends with it, and it has an end of its own. Nothing
// is written to it directly, as one frame of many streams goes to a socket at a time.
type http2Writer struct {
	streamWriter

	conn *http2Conn
}

func (w *http2Writer) end(time.Duration) error { return w.conn.end() }
