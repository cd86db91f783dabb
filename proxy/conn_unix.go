//go:build unix

package proxy

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"holobench/wire"
)

// patientConn is a TCP connection that waits for bytes without a buffer.
type patientConn struct {
	*net.TCPConn
	raw syscall.RawConn

	read   func(fd uintptr) bool // is made once: a closure a read would be garbage
	pool   *sync.Pool            // of the read at hand
	buffer wire.Buffer
	n      int
	failed error

	write     func(fd uintptr) bool // as read
	out       []byte                // of the write at hand
	written   int
	unwritten error
}

func patient(conn *net.TCPConn) (wire.StampedConn, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	c := &patientConn{TCPConn: conn, raw: raw}
	c.read, c.write = c.tryRead, c.tryWrite
	return c, nil
}

// ReadStamped implements wire.StampedConn.
func (c *patientConn) ReadStamped(p []byte) (n int, notBefore, at int64, err error) {
	n, err = c.Read(p)
	return n, 0, time.Now().UnixNano(), err
}

// StampSource says that the stamps are not the kernel's.
func (*patientConn) StampSource() wire.StampSource { return wire.StampUser }

// ReadBorrowed implements wire.Borrower.
func (c *patientConn) ReadBorrowed(pool *sync.Pool) (b wire.Buffer, n int, notBefore, at int64, err error) {
	c.pool, c.buffer, c.n, c.failed = pool, nil, 0, nil
	err = c.raw.Read(c.read)
	at = time.Now().UnixNano()
	b, n = c.buffer, max(c.n, 0)
	switch {
	case err != nil:
	case c.failed != nil:
		err = os.NewSyscallError("read", c.failed)
	case n == 0:
		err = io.EOF
	}
	if err != nil && b != nil {
		pool.Put(b)
		b, n = nil, 0
	}
	c.buffer = nil
	return b, n, 0, at, err
}

// tryRead reads, or says that there is nothing yet.
func (c *patientConn) tryRead(fd uintptr) bool {
	c.buffer = c.pool.Get().(wire.Buffer)
	for {
		c.n, c.failed = syscall.Read(int(fd), c.buffer.Bytes()) //nolint:gosec // a file descriptor is an int
		if !errors.Is(c.failed, syscall.EINTR) {
			break
		}
	}
	if errors.Is(c.failed, syscall.EAGAIN) {
		c.pool.Put(c.buffer)
		c.buffer, c.failed = nil, nil
		return false
	}
	return true
}

// TryWrite implements prompt.
func (c *patientConn) TryWrite(p []byte) (n int, err error) {
	c.out, c.written, c.unwritten = p, 0, nil
	err = c.raw.Write(c.write)
	c.out = nil
	if err == nil && c.unwritten != nil {
		err = os.NewSyscallError("write", c.unwritten)
	}
	return c.written, err
}

// tryWrite writes once, and never waits.
func (c *patientConn) tryWrite(fd uintptr) bool {
	for {
		n, err := syscall.Write(int(fd), c.out) //nolint:gosec // as in tryRead
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		c.written = max(n, 0)
		if err != nil && !errors.Is(err, syscall.EAGAIN) {
			c.unwritten = err
		}
		return true
	}
}
