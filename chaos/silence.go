package chaos

import (
	"errors"
	"time"
)

// Silence loses all bytes, and after a time ends the connection by a FIN. It is what Toxiproxy calls timeout, and for connections whose
// faults are set by hand: when it is cleared it ends those that it hit.
type Silence struct {
	For time.Duration // from when it is set, or the connection opened; 0 = until it is cleared
}

// Kind implements Effect.
func (Silence) Kind() string { return "silence" }

func (Silence) needs() needs { return needs{up: true, down: true} }

func (s Silence) check() error {
	if s.For < 0 {
		return errors.New("give a time of at least 0")
	}
	return nil
}

type silenceStage struct {
	scope
	until int64
	over  bool
}

func (s Silence) stage(sc scope) stage {
	one := &silenceStage{scope: sc, until: forever}
	if s.For > 0 {
		one.until = max(sc.opened, sc.chaos.zero.Load()) + int64(s.For)
	}
	return one
}

func (s *silenceStage) busy(at int64) bool { return s.over || s.moment(at).in }

func (s *silenceStage) wake() int64 { return s.until }

func (s *silenceStage) tick(_ int64, next func(piece)) { s.end(s.until, next) }

// end ends the connection.
func (s *silenceStage) end(at int64, next func(piece)) {
	if s.over {
		return
	}
	s.over, s.until = true, forever
	s.decided(moment{}, 0, 0)
	next(piece{at: at, err: endOf(cutFIN), cut: cutFIN})
}

func (s *silenceStage) pass(p piece, next func(piece)) {
	if !s.over && (p.err != nil || !s.moment(p.at).in) {
		next(p)
	}
}
