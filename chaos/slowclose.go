package chaos

import (
	"errors"

	"holobench/internal/draw"
)

// SlowClose makes the end of a connection late: down, the client learns so much later that the server closed; up, the server learns
// so much later that the client did.
type SlowClose struct {
	Law draw.Law // ns; of each socket
}

// Kind implements Effect.
func (SlowClose) Kind() string { return "slow_close" }

func (SlowClose) needs() needs { return needs{up: true, down: true} }

func (s SlowClose) check() error {
	if err := s.Law.Check(); err != nil {
		return err
	}
	if s.Law.Zero() {
		return errors.New("an end that is late by nothing: give a law")
	}
	return nil
}

type slowCloseStage struct {
	never
	scope
	law draw.Law
}

func (s SlowClose) stage(sc scope) stage { return &slowCloseStage{scope: sc, law: s.Law} }

func (s *slowCloseStage) busy(at int64) bool { return s.moment(at).in }

func (s *slowCloseStage) pass(p piece, next func(piece)) {
	if m := s.moment(p.at); m.in && p.err != nil && p.cut == cutNone {
		late := s.law.Duration(s.unit(m, 0))
		s.decided(m, 0, int64(late))
		p.at += int64(late)
	}
	next(p)
}
