package clients

import (
	"context"
	"net"
	"sync"
	"time"

	"holobench/wire"
)

// userConn stamps an arrival when its read returns: late by the scheduler's lag, and never exact. It is what is left for
// connections that the kernel cannot stamp for us.
type userConn struct {
	net.Conn
	empty int64 // a time at which the connection is known to have held no byte that a later read returns
}

// ReadStamped implements wire.StampedConn. A read that emptied the connection did so after it was called, so that the
// time of its call is the latest that is safe to report as "nothing of the next read had arrived".
func (u *userConn) ReadStamped(p []byte) (n int, notBefore, at int64, err error) {
	called := time.Now().UnixNano()
	n, err = u.Read(p)
	notBefore, at = u.empty, time.Now().UnixNano()
	if n < len(p) {
		u.empty = called
	}
	return n, notBefore, at, err
}

// StampSource says that a userConn's stamps are the process's own.
func (u *userConn) StampSource() wire.StampSource { return wire.StampUser }

// exactStamps says whether the last message of a read that emptied conn arrived exactly at its stamp.
func exactStamps(conn wire.StampedConn) bool {
	s, ok := conn.(interface{ StampSource() wire.StampSource })
	return !ok || s.StampSource() == wire.StampKernel
}

// borrower is a connection that can wait for bytes without holding a buffer.
type borrower interface {
	readBorrowed(pool *sync.Pool) (s *scratch, n int, notBefore, at int64, err error)
}

// readInto reads once from conn into a borrowed buffer, which the caller gives back.
func (c *Crowd) readInto(conn wire.StampedConn) (s *scratch, n int, notBefore, at int64, err error) {
	if b, ok := conn.(borrower); ok {
		return b.readBorrowed(&c.borrowed)
	}
	s = c.borrow()
	n, notBefore, at, err = conn.ReadStamped(s.buf[:])
	if err != nil && n == 0 {
		c.giveBack(s)
		return nil, 0, notBefore, at, err
	}
	return s, n, notBefore, at, nil
}

// DialFunc is the shape of net.Dialer.DialContext.
type DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// StampedDial makes the connections of dial stamp their arrivals. Whatever wraps a connection (a delay, a fault) wraps
// the outcome, so that it sees the stamps and can add to them.
func StampedDial(dial DialFunc) DialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return Stamped(conn), nil
	}
}
