package chaos

import (
	"errors"
	"time"
)

// Stall freezes what goes through: nothing comes out until the window ends, and then all of it at once. With After it
// lets that many bytes through first, counted on each socket from where the window began, and so can stop in the middle of an
// event.
type Stall struct {
	After int64         // bytes that go through first
	Hold  time.Duration // how long it is frozen, from the last of those bytes on; 0 = until the window ends
}

// Kind implements Effect.
func (Stall) Kind() string { return "stall" }

func (Stall) needs() needs { return needs{up: true, down: true} }

func (s Stall) check() error {
	switch {
	case s.After < 0 || s.Hold < 0:
		return errors.New("give a number of bytes and a time of at least 0")
	case s.Hold > 0 && s.After == 0:
		return errors.New("without bytes that go through first it is frozen for as long as its window is: leave hold out, or give after")
	}
	return nil
}

type stallStage struct {
	never
	scope
	Stall
	begin  int64 // of the occurrence
	passed int64 // bytes in it
	frozen bool
	thaw   int64
	latest int64
}

func (s Stall) stage(sc scope) stage { return &stallStage{scope: sc, Stall: s} }

func (s *stallStage) busy(at int64) bool { return s.moment(at).in || s.latest > at }

func (s *stallStage) pass(p piece, next func(piece)) {
	m := s.moment(p.at)
	if m.in && (s.begin != m.begin || !s.frozen) {
		p = s.run(m, p, next)
		if p.err == nil && len(p.bytes) == 0 {
			return
		}
	}
	if m.in && s.frozen && s.begin == m.begin {
		p.at = max(p.at, s.thaw)
	}
	p.at = max(p.at, s.latest)
	s.latest = p.at
	next(p)
}

// run lets through what may still go, and returns the rest.
func (s *stallStage) run(m moment, p piece, next func(piece)) (rest piece) {
	if s.begin != m.begin {
		s.begin, s.passed, s.frozen = m.begin, 0, false
	}
	n := min(int64(len(p.bytes)), s.After-s.passed)
	if n > 0 {
		part := p
		part.bytes, part.at = p.bytes[:n], max(p.at, s.latest)
		s.latest = part.at
		next(part)
		p = p.after(int(n))
	}
	s.passed += n
	if s.passed == s.After {
		s.frozen, s.thaw = true, m.end
		if s.Hold > 0 {
			s.thaw = min(max(p.at, s.latest)+int64(s.Hold), m.end)
		}
		s.decided(m, s.After, int64(s.Hold))
	}
	return p
}
