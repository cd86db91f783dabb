package target

import (
	"errors"
	"net"
	"syscall"
)

// directSocket writes what a socket takes at once, and never waits for it. net.Conn has no such write: the nearest to it, a
// deadline, costs a timer at each write. It goes past the poller of the runtime, by Control and not by Write of
// syscall.RawConn, which would fail once a deadline of an earlier, slower write has passed.
type directSocket struct {
	raw  syscall.RawConn
	call func(fd uintptr) // write, bound once: a closure would be allocated at each write
	p    []byte
	n    int
	err  error
}

// newDirectSocket returns nil for a connection that is no socket, such as one in memory or one that encrypts.
func newDirectSocket(conn net.Conn) *directSocket {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil
	}
	d := &directSocket{raw: raw}
	d.call = d.attempt
	return d
}

// write returns how much of p was taken; that the socket has no more room is no error.
func (d *directSocket) write(p []byte) (n int, err error) {
	d.p, d.n, d.err = p, 0, nil
	if err := d.raw.Control(d.call); err != nil {
		return 0, err
	}
	d.p = nil // it must not outlive its event
	return d.n, d.err
}

func (d *directSocket) attempt(fd uintptr) {
	for {
		n, err := syscall.Write(int(fd), d.p)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EAGAIN):
		case err != nil:
			d.err = err
		default:
			d.n = n
		}
		return
	}
}
