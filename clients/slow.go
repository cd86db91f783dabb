package clients

import (
	"context"
	"os"
	"sync"
	"syscall"
	"time"

	"holobench/wire"
)

// slowConn is the connection of a stream that its client reads slowly, or not at all once it is subscribed. What it has not
// read fills the socket's small buffer, then the server's, and is the server's to deal with.
//
// Each read takes at most a tenth of a second's worth, and the next one waits until so much time has passed as that is worth.
type slowConn struct {
	wire.StampedConn

	rate int // bytes a second; negative = as fast as they come, until stop
	full bool

	mu       sync.Mutex
	next     time.Time // when the next read may begin
	deadline time.Time
	stopped  bool
	changed  chan struct{} // has room for one: the deadline was set, or reading was stopped
}

// slowBuffer is the receive buffer of a slow reader's socket, in bytes: with the system's own, which grows to megabytes, it
// would take minutes until the server notices.
const slowBuffer = 4 << 10

func newSlowConn(conn wire.StampedConn, rate int) *slowConn {
	return &slowConn{StampedConn: conn, rate: rate, changed: make(chan struct{}, 1)}
}

// ReadStamped implements wire.StampedConn.
func (c *slowConn) ReadStamped(p []byte) (n int, notBefore, at int64, err error) {
	if err := c.wait(); err != nil {
		return 0, 0, time.Now().UnixNano(), err
	}
	if c.rate > 0 {
		p = p[:min(len(p), max(1, c.rate/10))]
	}
	n, notBefore, at, err = c.StampedConn.ReadStamped(p)
	c.full = n == len(p)
	if c.rate > 0 && n > 0 {
		c.mu.Lock()
		c.next = time.Now().Add(time.Duration(n) * time.Second / time.Duration(c.rate))
		c.mu.Unlock()
	}
	return n, notBefore, at, err
}

// Read implements net.Conn.
func (c *slowConn) Read(p []byte) (int, error) {
	n, _, _, err := c.ReadStamped(p)
	return n, err
}

// wait returns when the next read may begin, or the deadline has passed.
func (c *slowConn) wait() error {
	for {
		c.mu.Lock()
		now, until, deadline, stopped := time.Now(), c.next, c.deadline, c.stopped
		c.mu.Unlock()
		if !deadline.IsZero() && !now.Before(deadline) {
			return os.ErrDeadlineExceeded
		}
		if !stopped && !now.Before(until) {
			return nil
		}
		if stopped || !deadline.IsZero() && deadline.Before(until) {
			until = deadline
		}
		var due <-chan time.Time
		if !until.IsZero() {
			timer := time.NewTimer(until.Sub(now))
			defer timer.Stop()
			due = timer.C
		}
		select {
		case <-due:
		case <-c.changed:
		}
	}
}

// stop ends the reading of one who never reads.
func (c *slowConn) stop() {
	c.mu.Lock()
	c.stopped = true
	c.mu.Unlock()
	c.wake()
}

func (c *slowConn) wake() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// SetReadDeadline implements net.Conn.
func (c *slowConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	c.deadline = t
	c.mu.Unlock()
	c.wake()
	return c.StampedConn.SetReadDeadline(t)
}

// SetDeadline implements net.Conn.
func (c *slowConn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// StampSource says whether the last read's stamp is exact: one that took all it was allowed may have left something behind it.
func (c *slowConn) StampSource() wire.StampSource {
	if c.full || !exactStamps(c.StampedConn) {
		return wire.StampUser
	}
	return wire.StampKernel
}

// slowly makes a connection one that the client reads as it shall.
func (s *stream) slowly(conn wire.StampedConn) wire.StampedConn {
	if s.client.readRate == 0 {
		return conn
	}
	return newSlowConn(conn, s.client.readRate)
}

// nowSlow is called when the stream is subscribed. To a client that reads no more nothing is owed: what the server writes to it
// nobody will see, and it would be called lost.
func (s *stream) nowSlow(conn wire.StampedConn) {
	slow, ok := conn.(*slowConn)
	if !ok || slow.rate > 0 {
		return
	}
	slow.stop()
	for _, name := range s.names {
		s.client.unsubscribed(s.conn, name)
	}
}

// smallBuffer is the key of a context in which a connection with a small receive buffer is made.
type smallBuffer struct{}

// dialContext is that of a stream's connection.
func (s *stream) dialContext(ctx context.Context) context.Context {
	if s.client.readRate == 0 {
		return ctx
	}
	return context.WithValue(ctx, smallBuffer{}, slowBuffer)
}

// shrinkBuffer gives the socket of a slow reader a small receive buffer, which has to be done before it connects.
func shrinkBuffer(ctx context.Context, conn syscall.RawConn) error {
	size, ok := ctx.Value(smallBuffer{}).(int)
	if !ok {
		return nil
	}
	var failed error
	err := conn.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, size)
	})
	if err != nil {
		return err
	}
	return failed
}
