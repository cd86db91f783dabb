package proxy

import (
	"crypto/tls"
	"net"
	"os"
	"sync/atomic"
	"time"

	"holobench/wire"
)

// tlsConn is a connection over TLS, with what is beneath. A Close or a cut of it is carried out by whoever holds locks that the API
// waits for, so neither waits for the other end.
type tlsConn struct {
	*tls.Conn
	beneath net.Conn
}

// secureServer is TLS to a client, and secureClient to an upstream.
func secureServer(conn net.Conn, c *tls.Config) tlsConn {
	return tlsConn{tls.Server(newHasty(conn), c), conn}
}

func secureClient(conn net.Conn, c *tls.Config) tlsConn {
	return tlsConn{tls.Client(newHasty(conn), c), conn}
}

// ReadStamped implements wire.StampedConn.
func (c tlsConn) ReadStamped(p []byte) (n int, notBefore, at int64, err error) {
	n, err = c.Read(p)
	return n, 0, time.Now().UnixNano(), err
}

// StampSource says that the stamps are not the kernel's.
func (tlsConn) StampSource() wire.StampSource { return wire.StampUser }

// Reset ends it by a RST, without the goodbye of TLS.
func (c tlsConn) Reset() { reset(c.beneath) }

// CloseWrite says the goodbye of TLS, and sends a FIN.
func (c tlsConn) CloseWrite() error {
	// A write that waits for room holds the lock of what is written. Nothing is to go up any more, so that it may fail.
	c.beneath.SetWriteDeadline(time.Unix(0, 1)) //nolint:errcheck // a connection that is gone says so below
	err := c.Conn.CloseWrite()
	if f, ok := c.beneath.(interface{ CloseWrite() error }); ok {
		return f.CloseWrite()
	}
	return err
}

// hasty is what is beneath TLS, where only the goodbye has a deadline to be written by, of 5 s: it is written at once or not at all.
type hasty struct {
	net.Conn
	prompt prompt
	bye    atomic.Bool
}

func newHasty(conn net.Conn) net.Conn {
	if p, ok := stamped(conn).(prompt); ok {
		return &hasty{Conn: conn, prompt: p}
	}
	return conn
}

// SetWriteDeadline takes a time to come for that of the goodbye.
func (c *hasty) SetWriteDeadline(t time.Time) error {
	c.bye.Store(t.After(time.Now()))
	if c.bye.Load() {
		t = time.Time{}
	}
	return c.Conn.SetWriteDeadline(t)
}

// Write implements net.Conn.
func (c *hasty) Write(p []byte) (n int, err error) {
	if !c.bye.Load() {
		return c.Conn.Write(p)
	}
	n, err = c.prompt.TryWrite(p)
	if n < len(p) && err == nil {
		err = os.ErrDeadlineExceeded
	}
	return n, err
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
	return secureServer(conn, l.config), nil
}
