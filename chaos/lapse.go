package chaos

import (
	"errors"
	"time"
)

// Lapse resets a connection so long after the first byte that comes, which it loses as all that follows. It is what Toxiproxy calls
// reset_peer.
type Lapse struct {
	After time.Duration
}

// Kind implements Effect.
func (Lapse) Kind() string { return "lapse" }

func (Lapse) needs() needs { return needs{up: true, down: true} }

func (l Lapse) check() error {
	if l.After < 0 {
		return errors.New("give a time of at least 0")
	}
	return nil
}

type lapseStage struct {
	never
	scope
	after time.Duration
	over  bool
}

func (l Lapse) stage(s scope) stage { return &lapseStage{scope: s, after: l.After} }

func (l *lapseStage) busy(at int64) bool { return l.over || l.moment(at).in }

func (l *lapseStage) pass(p piece, next func(piece)) {
	m := l.moment(p.at)
	if l.over || !m.in || p.err != nil {
		if !l.over {
			next(p)
		}
		return
	}
	l.over = true
	l.decided(m, 0, int64(l.after))
	next(piece{at: p.at + int64(l.after), err: endOf(cutRST), cut: cutRST})
}
