package clients

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"holobench/wire"
)

// polledConn is a TCP connection that is read attempt by attempt under the runtime's poller. So it knows when it was found empty,
// and needs a buffer only when there is something to put into it. Who takes the stamps is its stamper's business.
type polledConn struct {
	*net.TCPConn
	raw     syscall.RawConn
	stamper stamper
	vouched atomic.Bool // the last read's stamp was taken by the kernel and can be relied on

	reading sync.Mutex // one read at a time; a socket has one reader, this only keeps a mistake from becoming a wild write
	try     func(fd uintptr) bool
	pool    *sync.Pool // non-nil while ReadBorrowed is at work
	lent    wire.Buffer
	into    []byte
	attempt
}

// attempt is what a stamper may know of the read that is at work.
type attempt struct {
	n      int
	errno  syscall.Errno
	full   bool  // the buffer was, so that more may wait in the socket
	waited bool  // the socket was found empty first
	before int64 // the clock just before the attempt
	empty  int64 // the clock just before the attempt that last found the socket empty, or emptied it; not yet of this one
}

// stamper says when bytes arrived. It belongs to one polledConn, which calls it from one read at a time.
type stamper interface {
	// receive is one attempt that does not wait.
	receive(fd uintptr, p []byte) (n int, errno syscall.Errno)
	// arrival tells when the bytes of an attempt came, and whether the kernel vouches for at. That of an end or an error is not asked.
	arrival(a *attempt) (notBefore, at int64, vouched bool)
}

func newPolledConn(conn *net.TCPConn, by stamper) (*polledConn, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("reach the descriptor of %s: %w", conn.RemoteAddr(), err)
	}
	c := &polledConn{TCPConn: conn, raw: raw, stamper: by}
	c.try = c.once
	return c, nil
}

// once is one attempt; false means that the socket is empty and the poller should wait.
func (c *polledConn) once(fd uintptr) bool {
	if c.pool != nil {
		c.lent = c.pool.Get().(wire.Buffer)
		c.into = c.lent.Bytes()
	}
	c.before = time.Now().UnixNano()
	c.n, c.errno = c.stamper.receive(fd, c.into)
	if c.errno != syscall.EAGAIN {
		return true
	}
	c.empty, c.waited = c.before, true
	if c.pool != nil {
		c.pool.Put(c.lent)
		c.lent, c.into = nil, nil
	}
	return false
}

// read makes one attempt after another until there is something.
func (c *polledConn) read() (n int, notBefore, at int64, err error) {
	c.waited = false
	if err := c.raw.Read(c.try); err != nil {
		return 0, 0, 0, err
	}
	if c.errno != 0 {
		return 0, 0, 0, &net.OpError{Op: "read", Net: "tcp", Addr: c.RemoteAddr(), Err: c.errno}
	}
	if c.n == 0 && len(c.into) > 0 {
		return 0, c.empty, time.Now().UnixNano(), io.EOF
	}
	notBefore, at, vouched := c.settle(c.stamper, len(c.into))
	c.vouched.Store(vouched)
	return c.n, notBefore, at, nil
}

// settle tells when the bytes of an attempt that brought some came, into room for so many.
func (a *attempt) settle(by stamper, room int) (notBefore, at int64, vouched bool) {
	a.full = a.n == room
	notBefore, at, vouched = by.arrival(a)
	if !a.full {
		a.empty = a.before
	}
	return notBefore, at, vouched
}

// ReadStamped implements wire.StampedConn.
func (c *polledConn) ReadStamped(p []byte) (n int, notBefore, at int64, err error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	c.pool, c.into = nil, p
	n, notBefore, at, err = c.read()
	c.into = nil
	return n, notBefore, at, err
}

// Read implements net.Conn.
func (c *polledConn) Read(p []byte) (int, error) {
	n, _, _, err := c.ReadStamped(p)
	return n, err
}

// ReadBorrowed implements wire.Borrower: it borrows a buffer for the moment of each attempt.
func (c *polledConn) ReadBorrowed(pool *sync.Pool) (b wire.Buffer, n int, notBefore, at int64, err error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	c.pool = pool
	n, notBefore, at, err = c.read()
	b, c.lent, c.into = c.lent, nil, nil
	if err != nil && b != nil {
		pool.Put(b)
		b = nil
	}
	return b, n, notBefore, at, err
}

// StampSource says who took the stamp of the last read.
func (c *polledConn) StampSource() wire.StampSource {
	if c.vouched.Load() {
		return wire.StampKernel
	}
	return wire.StampUser
}

// Alive says whether an idle connection can still carry a request: the peer has neither closed it nor said anything.
func (c *polledConn) Alive() bool {
	ok := false
	err := c.raw.Control(func(fd uintptr) { ok = quiet(fd) })
	return err == nil && ok
}

// quiet says whether nothing waits in a socket, neither bytes nor an end.
func quiet(fd uintptr) bool {
	var one [1]byte
	_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return errors.Is(err, syscall.EAGAIN)
}
