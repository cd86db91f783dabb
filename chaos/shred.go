package chaos

import (
	"errors"
	"time"

	"holobench/internal/draw"
)

// Shred is Slice with parts of unequal size, each drawn: what Toxiproxy calls slicer.
type Shred struct {
	Size draw.Law      // bytes
	Gap  time.Duration // as for Slice
}

// Kind implements Effect.
func (Shred) Kind() string { return "shred" }

func (Shred) needs() needs { return needs{up: true, down: true} }

func (s Shred) check() error {
	switch err := s.Size.Check(); {
	case err != nil:
		return err
	case s.Size.Zero() || s.Gap < 0:
		return errors.New("give sizes above 0 bytes, and a gap of at least 0")
	}
	return nil
}

type shredStage struct {
	never
	scope
	Shred
	number int64 // of the part at hand
	left   int   // bytes of it to come
	latest int64 // when the last piece comes out
	next   int64 // when the next part may
}

func (s Shred) stage(sc scope) stage { return &shredStage{scope: sc, Shred: s} }

func (s *shredStage) busy(at int64) bool { return s.moment(at).in || s.latest > at }

func (s *shredStage) pass(p piece, next func(piece)) {
	m := s.moment(p.at)
	at := p.at
	if !m.in || p.err != nil {
		p.at = max(at, s.latest)
		next(p)
		return
	}
	for len(p.bytes) > 0 {
		p.at = max(at, s.latest)
		if s.left == 0 {
			s.left = max(1, int(s.Size.Quantile(s.unit(m, s.number))))
			s.decided(m, s.number, int64(s.left))
			s.number++
			p.at = max(p.at, s.next)
		}
		n := min(len(p.bytes), s.left)
		part := p
		part.bytes = p.bytes[:n]
		s.latest = part.at
		if s.left -= n; s.left == 0 {
			s.next = part.at + int64(s.Gap)
		}
		next(part)
		p = p.after(n)
	}
}
