package memnet

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Conn is one end of a connection. It is safe for concurrent use; two Reads (or two Writes) at once take turns in no
// particular order.
type Conn struct {
	lock          *sync.Mutex // of both ends
	in, out       *direction
	local, remote Addr
	now           func() int64
	closed        bool
}

// pair is a connection whole, so that it is one allocation.
type pair struct {
	mu        sync.Mutex
	ways      [2]direction
	near, far Conn
}

func newPair(local, remote Addr, limit int, now func() int64) (near, far *Conn) {
	p := &pair{}
	p.ways[0].init(&p.mu, limit)
	p.ways[1].init(&p.mu, limit)
	p.near = Conn{lock: &p.mu, in: &p.ways[0], out: &p.ways[1], local: local, remote: remote, now: now}
	p.far = Conn{lock: &p.mu, in: &p.ways[1], out: &p.ways[0], local: remote, remote: local, now: now}
	return &p.near, &p.far
}

// Alive says whether an idle connection can still carry a request: the peer has neither closed it nor said anything.
func (c *Conn) Alive() bool {
	c.lock.Lock()
	defer c.lock.Unlock()
	return !c.closed && !c.in.reset && !c.in.finished && c.in.queued() == 0
}

// Read is ReadStamped without the times.
func (c *Conn) Read(p []byte) (int, error) {
	n, _, _, err := c.ReadStamped(p)
	return n, err
}

// ReadStamped implements wire.StampedConn. Each Write of the peer is a segment that arrives at once, stamped by the clock
// of the network; all that waits to be read carries the stamp of the segment that came last, also when p takes only a
// part of it, because that is what the kernel does. "Just before the read" is the moment at which this call looked into
// the queue. Without bytes (an error) at is when the error was found.
func (c *Conn) ReadStamped(p []byte) (n int, notBefore, at int64, err error) {
	c.lock.Lock()
	defer c.lock.Unlock()
	for {
		now := c.now()
		switch {
		case c.closed:
			err = c.opError("read", net.ErrClosed)
		case c.in.readBy.expired():
			err = c.opError("read", os.ErrDeadlineExceeded)
		case c.in.queued() > 0:
			if len(p) > 0 {
				n, notBefore, at = c.in.pull(p, now)
				return n, notBefore, at, nil
			}
			return 0, c.in.notBefore, now, nil
		case c.in.reset:
			err = c.opError("read", errno("read", syscall.ECONNRESET))
		case c.in.finished:
			err = io.EOF
		case len(p) == 0:
			return 0, c.in.notBefore, now, nil
		}
		if err != nil {
			return 0, c.in.notBefore, now, err
		}
		c.in.notBefore = now
		c.in.readable.Wait()
	}
}

// Write sends p as one segment, or as several when it has to wait for room. n bytes were accepted, also beside an error.
func (c *Conn) Write(p []byte) (n int, err error) { return c.write(p, true) }

// TryWrite sends what there is room for at once, as one segment.
func (c *Conn) TryWrite(p []byte) (n int, err error) { return c.write(p, false) }

func (c *Conn) write(p []byte, wait bool) (n int, err error) {
	c.lock.Lock()
	defer c.lock.Unlock()
	for {
		switch {
		case c.closed:
			err = c.opError("write", net.ErrClosed)
		case c.out.writeBy.expired():
			err = c.opError("write", os.ErrDeadlineExceeded)
		case c.out.finished, c.out.refused:
			err = c.opError("write", errno("write", syscall.EPIPE))
		case c.out.reset:
			err = c.opError("write", errno("write", syscall.ECONNRESET))
		case c.out.readerGone:
			c.out.refused = len(p) > n
			return len(p), nil
		}
		if err != nil {
			return n, err
		}
		n += c.out.push(p[n:], c.now())
		if n == len(p) || !wait {
			return n, nil
		}
		c.out.writable.Wait()
	}
}

// CloseWrite sends a FIN: the peer reads what was written and then io.EOF; this end can still read.
func (c *Conn) CloseWrite() error {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.closed {
		return c.opError("close", net.ErrClosed)
	}
	c.out.finished = true
	c.out.wake()
	return nil
}

// Close ends both directions at once, and every call that waits on this end. When bytes from the peer are still unread it
// is a Reset, as on Linux; else the peer reads io.EOF behind what was written.
func (c *Conn) Close() error {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.closed {
		return c.opError("close", net.ErrClosed)
	}
	c.close(c.in.queued() > 0)
	return nil
}

// Reset closes this end with a RST: the peer's reads and writes fail with ECONNRESET, its reads once it has read what
// had arrived before. On a closed end it does nothing.
func (c *Conn) Reset() {
	c.lock.Lock()
	defer c.lock.Unlock()
	if !c.closed {
		c.close(true)
	}
}

// close needs the lock.
func (c *Conn) close(reset bool) {
	c.closed = true
	c.in.readerGone = true
	c.in.buf, c.in.from = nil, 0
	c.in.readBy.stop()
	c.out.writeBy.stop()
	if reset {
		c.in.reset, c.out.reset = true, true
	} else {
		c.out.finished = true
	}
	c.in.wake()
	c.out.wake()
}

// LocalAddr is an Addr.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is an Addr.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error { return c.setDeadlines(t, true, true) }

// SetReadDeadline ends a Read that waits, and every later one, at t with os.ErrDeadlineExceeded; zero = never.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.setDeadlines(t, true, false) }

// SetWriteDeadline ends a Write that waits, and every later one, at t with os.ErrDeadlineExceeded; zero = never.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.setDeadlines(t, false, true) }

func (c *Conn) setDeadlines(t time.Time, read, write bool) error {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.closed {
		return c.opError("set", net.ErrClosed)
	}
	if read {
		c.in.readBy.set(&c.in.readable, t)
	}
	if write {
		c.out.writeBy.set(&c.out.writable, t)
	}
	return nil
}

func (c *Conn) opError(op string, err error) error { return opError(op, c.local, c.remote, err) }
