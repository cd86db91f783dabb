package clients

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"holobench/wire"
)

// What a held stream is doing. Who brings it to isGone goes on with it; a loop that finds isLeaving does so.
const (
	isIdle uint32 = iota
	isBusy        // a loop is reading it, or it is being handed over
	isLeaving
	isGone
)

// held is a stream that a loop holds, and when that is over the connection that is left of it, which can be read once more and closed.
type held struct {
	loop   *loop
	stream *stream
	last   int64 // as kernelStamper has it
	empty  int64 // as attempt has it
	why    error // the client's own reason to let go; its lock guards it
	state  atomic.Uint32
	fd     int32
	exact  bool // the last read's stamp can be relied on
}

// letGo ends the stream's time with the loop, by its client's own wish. Of two reasons the first counts, as in a context.
func (h *held) letGo(why error) {
	if why != nil && h.why == nil {
		h.why = why
	}
	if h.leave() {
		h.goOn(nil)
	}
}

// leave asks whoever is busy with the stream to go on with it; true = nobody is, and the caller has to. A loop may begin or end a read
// at any moment, so that one look is not enough.
func (h *held) leave() bool {
	for {
		switch {
		case h.state.CompareAndSwap(isIdle, isGone):
			return true
		case h.state.CompareAndSwap(isBusy, isLeaving), h.state.Load() >= isLeaving:
			return false
		}
	}
}

// goOn gives the stream a goroutine again; ended is what its connection ended by.
func (h *held) goOn(ended error) {
	h.loop.of.release(h)
	go h.stream.goOnFrom(h, ended, func() error { return h.why })
}

// readOnce is stream.readOnce for a loop.
func (h *held) readOnce(k *kernelStamper, a *attempt, lent *scratch) error {
	a.before = lent.clock.now()
	notBefore, at, vouched, err := h.attempt(k, a, lent.buf[:])
	switch {
	case err == nil:
		return h.stream.handle(lent, a.n, notBefore, at, !a.full && vouched)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil
	case errors.Is(err, io.EOF):
		return h.stream.handleEnd(lent, notBefore, at)
	}
	return err
}

// attempt reads what waits, once a.before was taken; nothing is os.ErrDeadlineExceeded.
func (h *held) attempt(k *kernelStamper, a *attempt, p []byte) (notBefore, at int64, vouched bool, err error) {
	k.last, a.empty = h.last, h.empty
	a.n, a.errno = k.receive(uintptr(h.fd), p)
	switch {
	case a.errno == syscall.EAGAIN:
		h.empty = a.before
		return 0, 0, false, os.ErrDeadlineExceeded
	case a.errno != 0:
		return 0, 0, false, &net.OpError{Op: "read", Net: "tcp", Err: a.errno}
	case a.n == 0 && len(p) > 0:
		return a.empty, time.Now().UnixNano(), false, io.EOF
	}
	notBefore, at, vouched = a.settle(k, len(p))
	h.last, h.empty = k.last, a.empty
	return notBefore, at, vouched, nil
}

// ReadStamped implements wire.StampedConn. It does not wait.
func (h *held) ReadStamped(p []byte) (n int, notBefore, at int64, err error) {
	a := attempt{before: time.Now().UnixNano()}
	notBefore, at, h.exact, err = h.attempt(new(kernelStamper), &a, p)
	return a.n, notBefore, at, err
}

// Read implements net.Conn.
func (h *held) Read(p []byte) (int, error) {
	n, _, _, err := h.ReadStamped(p)
	return n, err
}

// StampSource says who took the stamp of the last read.
func (h *held) StampSource() wire.StampSource {
	if h.exact {
		return wire.StampKernel
	}
	return wire.StampUser
}

// Alive says whether nothing waits to be read, be it an end.
func (h *held) Alive() bool { return quiet(uintptr(h.fd)) }

// SetLinger is that of net.TCPConn.
func (h *held) SetLinger(sec int) error {
	linger := unix.Linger{Onoff: 1, Linger: int32(max(0, sec))} //nolint:gosec // seconds
	if sec < 0 {
		linger.Onoff = 0
	}
	return unix.SetsockoptLinger(int(h.fd), unix.SOL_SOCKET, unix.SO_LINGER, &linger)
}

// Write implements net.Conn: a stream that idles has nothing to say.
func (h *held) Write([]byte) (int, error) { return 0, errors.ErrUnsupported }

// Close implements net.Conn.
func (h *held) Close() error { return unix.Close(int(h.fd)) }

// LocalAddr implements net.Conn; nobody asks.
func (h *held) LocalAddr() net.Addr { return &net.TCPAddr{} }

// RemoteAddr implements net.Conn; nobody asks.
func (h *held) RemoteAddr() net.Addr { return &net.TCPAddr{} }

// SetDeadline implements net.Conn: no read waits.
func (h *held) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn, as above.
func (h *held) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn, as above.
func (h *held) SetWriteDeadline(time.Time) error { return nil }
