package chaos

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"holobench/internal/draw"
)

// Reset ends connections by a RST, as a crashed peer or a tired middlebox does: both ends get "connection reset by peer". It hits the
// connections that are open when its window begins. With After it hits within the window each that has carried so many bytes
// down since the window began, or since it was made.
type Reset struct {
	Within time.Duration // each client's moment is drawn, evenly, from so long a time after the beginning; 0 = all at once
	After  int64         // bytes
}

// Close is Reset by a FIN: both ends read the end of the stream behind what was on its way.
type Close struct {
	Within time.Duration // as for Reset
	After  int64         // as for Reset
}

// LimitData ends each connection by a FIN when it has carried so many bytes in its direction since the window began, or
// since it was made.
type LimitData struct {
	Bytes int64
}

// Kind implements Effect.
func (Reset) Kind() string { return "reset" }

// Kind implements Effect.
func (Close) Kind() string { return "close" }

// Kind implements Effect.
func (LimitData) Kind() string { return "limit_data" }

func (r Reset) needs() needs { return needs{instant: r.After == 0} }

func (c Close) needs() needs { return needs{instant: c.After == 0} }

func (LimitData) needs() needs { return needs{up: true, down: true} }

func (r Reset) check() error { return checkCut(r.Within, r.After) }

func (c Close) check() error { return checkCut(c.Within, c.After) }

func (l LimitData) check() error {
	if l.Bytes < 1 {
		return errors.New("give at least 1 byte")
	}
	return nil
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

func (r Reset) stage(s scope) stage { return newLimit(s, r.After, cutRST) }

func (c Close) stage(s scope) stage { return newLimit(s, c.After, cutFIN) }

func (l LimitData) stage(s scope) stage { return newLimit(s, l.Bytes, cutFIN) }

// timed is an effect that cuts connections at a moment of the timeline.
type timed interface {
	// timedCut is how, and within which time; false = this one does not.
	timedCut() (how cut, within time.Duration, ok bool)
}

func (r Reset) timedCut() (how cut, within time.Duration, ok bool) {
	return cutRST, r.Within, r.After == 0
}

func (c Close) timedCut() (how cut, within time.Duration, ok bool) {
	return cutFIN, c.Within, c.After == 0
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

// limitStage ends a connection when so many bytes have passed.
type limitStage struct {
	never
	scope
	after  int64
	how    cut
	begin  int64
	passed int64
	over   bool
}

func newLimit(s scope, after int64, how cut) stage {
	if after == 0 {
		return nil
	}
	return &limitStage{scope: s, after: after, how: how}
}

func (l *limitStage) busy(at int64) bool { return l.over || l.moment(at).in }

func (l *limitStage) pass(p piece, next func(piece)) {
	m := l.moment(p.at)
	if l.over || !m.in || p.err != nil {
		if !l.over {
			next(p)
		}
		return
	}
	if l.begin != m.begin {
		l.begin, l.passed = m.begin, 0
	}
	n := min(int64(len(p.bytes)), l.after-l.passed)
	l.passed += n
	rest := p.after(int(n))
	p.bytes = p.bytes[:n]
	next(p)
	if l.passed == l.after {
		l.over = true
		l.decided(m, l.after, 0)
		rest.bytes, rest.err, rest.cut = nil, endOf(l.how), l.how
		next(rest)
	}
}
