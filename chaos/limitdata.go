package chaos

import "errors"

// LimitData ends each connection by a FIN when it has carried so many bytes in its direction since the window began, or
// since it was made.
type LimitData struct {
	Bytes int64
}

// Kind implements Effect.
func (LimitData) Kind() string { return "limit_data" }

func (LimitData) needs() needs { return needs{up: true, down: true} }

func (l LimitData) check() error {
	if l.Bytes < 1 {
		return errors.New("give at least 1 byte")
	}
	return nil
}

func (l LimitData) stage(s scope) stage { return newLimit(s, l.Bytes, cutFIN) }

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
