package proxy

import (
	"net"
	"sync"
	"time"

	"holobench/wire"
)

// bufferSize is that of a buffer, in bytes. There are about as many as connections on which something is going on at one moment.
const bufferSize = 16 << 10

// buffer is a wire.Buffer.
type buffer [bufferSize]byte

// Bytes implements wire.Buffer.
func (b *buffer) Bytes() []byte { return b[:] }

// prompt is a connection that can write without waiting.
type prompt interface {
	// TryWrite writes what there is room for. There is one at a time, and no Write beside it.
	TryWrite(p []byte) (n int, err error)
}

// borrow reads into a buffer of pool, which it takes once there is something to read, where that is possible. The caller gives it
// back, unless it is nil.
func borrow(conn wire.StampedConn, pool *sync.Pool) (b wire.Buffer, n int, err error) {
	if lender, ok := conn.(wire.Borrower); ok {
		b, n, _, _, err = lender.ReadBorrowed(pool)
		return b, n, err
	}
	b = pool.Get().(wire.Buffer)
	n, err = conn.Read(b.Bytes())
	return b, n, err
}

// stamped returns conn as one that stamps, and waits without a buffer if it can.
func stamped(conn net.Conn) wire.StampedConn {
	switch conn := conn.(type) {
	case wire.StampedConn:
		return conn
	case *net.TCPConn:
		if c, err := patient(conn); err == nil {
			return c
		}
	}
	return plainConn{conn}
}

// plainConn stamps what it reads by the clock, when the read returns.
type plainConn struct{ net.Conn }

// ReadStamped implements wire.StampedConn.
func (c plainConn) ReadStamped(p []byte) (n int, notBefore, at int64, err error) {
	n, err = c.Read(p)
	return n, 0, time.Now().UnixNano(), err
}

// StampSource says that the stamps are not the kernel's.
func (plainConn) StampSource() wire.StampSource { return wire.StampUser }
