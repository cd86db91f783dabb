package clients

import (
	"context"
	"net"

	"holobench/wire"
)

// exactStamps says, after a read that emptied conn, whether its last message arrived exactly at its stamp.
func exactStamps(conn wire.StampedConn) bool {
	s, ok := conn.(interface{ StampSource() wire.StampSource })
	return !ok || s.StampSource() == wire.StampKernel
}

// readInto reads once from conn into a borrowed buffer, which the caller gives back.
func (c *Crowd) readInto(conn wire.StampedConn) (s *scratch, n int, notBefore, at int64, err error) {
	if lender, ok := conn.(wire.Borrower); ok {
		b, n, notBefore, at, err := lender.ReadBorrowed(&c.borrowed)
		s, _ = b.(*scratch) // all that is in the pool; nil beside an error
		return s, n, notBefore, at, err
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

// StampedDial makes the connections of dial stamp their arrivals: by the kernel where that can be had, or by this process
// (see UserStamped) when source asks for it. Whatever wraps a connection (a delay, a fault) wraps the outcome, so that it
// sees the stamps and can add to them.
func StampedDial(dial DialFunc, source wire.StampSource) DialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		if source == wire.StampUser {
			return UserStamped(conn), nil
		}
		return Stamped(conn), nil
	}
}
