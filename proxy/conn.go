package proxy

import (
	"crypto/tls"
	"fmt"
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

// tlsConn is a connection over TLS, with what is beneath, which must be told when it shall end by a RST.
type tlsConn struct {
	*tls.Conn
	beneath net.Conn
}

// ReadStamped implements wire.StampedConn.
func (c tlsConn) ReadStamped(p []byte) (n int, notBefore, at int64, err error) {
	n, err = c.Read(p)
	return n, 0, time.Now().UnixNano(), err
}

// StampSource says that the stamps are not the kernel's.
func (tlsConn) StampSource() wire.StampSource { return wire.StampUser }

// SetLinger is that of the connection beneath.
func (c tlsConn) SetLinger(seconds int) error {
	if l, ok := c.beneath.(interface{ SetLinger(seconds int) error }); ok {
		return l.SetLinger(seconds)
	}
	return fmt.Errorf("a %T cannot be reset", c.beneath)
}

// tlsListener makes the accepted connections ones over TLS. Their handshake is theirs.
type tlsListener struct {
	net.Listener
	config *tls.Config
}

// Accept implements net.Listener.
func (l tlsListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return tlsConn{tls.Server(conn, l.config), conn}, nil
}
