package clients

import (
	"errors"
	"net"
	"syscall"
	"time"

	"holobench/wire"
)

// UserStamped makes conn stamp its arrivals when its read returns, even if it stamps them otherwise already. Such a stamp is
// late by the scheduler's lag, and unevenly: a few ms at times. It is what is left where the kernel does not stamp, and
// shows elsewhere what that costs.
//
// Over TCP, what a read brought that had to wait came when it returned, but for that lag; so the two times of ReadStamped
// are one, and whoever compares them takes what is less than 5 ms apart for a tie. What was there already came since the
// socket was last found empty. Any other connection does not say whether a read had to wait, so that all it brings came
// since the call of the read that emptied it before.
func UserStamped(conn net.Conn) wire.StampedConn {
	if tcp, ok := conn.(*net.TCPConn); ok {
		if c, err := newPolledConn(tcp, userStamper{}); err == nil {
			return c
		}
	}
	return &userConn{Conn: conn}
}

// userStamper is the stamper of UserStamped for TCP.
type userStamper struct{}

// receive implements stamper.
func (userStamper) receive(fd uintptr, p []byte) (int, syscall.Errno) {
	for {
		n, err := syscall.Read(int(fd), p)
		errno, failed := errors.AsType[syscall.Errno](err)
		switch {
		case !failed:
			return max(0, n), 0
		case errno != syscall.EINTR:
			return 0, errno
		}
	}
}

// arrival implements stamper.
func (userStamper) arrival(a *attempt) (notBefore, at int64, vouched bool) {
	at = time.Now().UnixNano()
	if a.waited {
		return at, at, false
	}
	return a.empty, at, false
}

// userConn is UserStamped for what is not TCP.
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

// StampSource says that the stamps are the process's own.
func (u *userConn) StampSource() wire.StampSource { return wire.StampUser }

// Alive says whether the connection can still carry a request, when what lies beneath can tell.
func (u *userConn) Alive() bool {
	idle, ok := u.Conn.(interface{ Alive() bool })
	return !ok || idle.Alive()
}
