package chaos

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"holobench/internal/draw"
)

// timed is an effect that cuts connections at a moment of the timeline.
type timed interface {
	// timedCut is how, and within which time; false = this one does not.
	timedCut() (how cut, within time.Duration, ok bool)
}

func checkCut(within time.Duration, after int64) error {
	switch {
	case within < 0 || after < 0:
		return errors.New("give a time and a number of bytes of at least 0")
	case within > 0 && after > 0:
		return errors.New("within a time and after so many bytes: give one of both")
	}
	return nil
}

// cutAfter is how long after the beginning of an occurrence the connections of a client are cut, all at one moment.
func (c *Chaos) cutAfter(f *fault, client uint32, occurrence uint64, within time.Duration) time.Duration {
	return time.Duration(draw.Unit(c.options.Seed, f.key, cutting, uint64(client), occurrence) * float64(within))
}

// endOf is what a read says after a cut.
func endOf(how cut) error {
	if how == cutRST {
		return os.NewSyscallError("read", syscall.ECONNRESET)
	}
	return io.EOF
}

// lingerer is a TCP connection, whose Close sends a RST when it does not linger.
type lingerer interface{ SetLinger(seconds int) error }

// resetter is a connection in memory.
type resetter interface{ Reset() }

// finisher is a connection that can be closed in one direction.
type finisher interface{ CloseWrite() error }

func canReset(conn net.Conn) bool {
	switch conn.(type) {
	case lingerer, resetter:
		return true
	}
	return false
}

func canFinish(conn net.Conn) bool {
	_, ok := conn.(finisher)
	return ok
}

// endNow cuts the connection: at that moment the server learns of it, and the client too, behind what was due before; with a
// FIN behind all that was on its way. The caller holds mu.
func (l *link) endNow(how cut, at int64) {
	if l.closed || l.cut != cutNone {
		return
	}
	if how == cutRST {
		l.queue.cutAt(at)
	}
	l.queue.push(piece{at: at, err: endOf(how)})
	l.kill(how)
	l.interrupt()
}

// kill cuts the connection beneath. The caller holds mu.
func (l *link) kill(how cut) {
	if l.cut != cutNone {
		return
	}
	l.cut = how
	l.up.queue = queue{}
	poke(l.up.room)
	switch conn := l.StampedConn.(type) {
	case resetter:
		if how == cutRST {
			conn.Reset()
			return
		}
	case lingerer:
		if how == cutRST {
			conn.SetLinger(0)     //nolint:errcheck // of a connection that is gone already
			l.StampedConn.Close() //nolint:errcheck // as above
			return
		}
	}
	finish(l.StampedConn) //nolint:errcheck // as above
}

// inject puts bytes of the chaos's own into what comes down.
func (l *link) inject(b []byte, at int64) {
	l.queue.push(piece{bytes: b, at: at, notBefore: at})
	l.interrupt()
}

// cutAt cuts a link from the timeline; false = it was over already.
func (l *link) cutAt(how cut, at int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.cut != cutNone {
		return false
	}
	l.endNow(how, at)
	return true
}

// cuts says how the faults may cut this socket, as a set.
func (l *link) cuts() cut {
	var set cut
	for _, f := range l.chaos.faults {
		if !f.meets(l.socket) {
			continue
		}
		switch f.Effect.(type) {
		case Reset:
			set |= cutRST
		case Close, LimitData, Truncate:
			set |= cutFIN
		}
	}
	return set
}
