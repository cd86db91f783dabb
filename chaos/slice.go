package chaos

import (
	"errors"
	"time"
)

// Slice cuts what goes through into parts of Size bytes, wherever that falls: within an event, within a character. Each
// part comes Gap after the one before it. The cuts are at multiples of Size from where the connection, or the window, began.
type Slice struct {
	Size int           // bytes
	Gap  time.Duration // between two parts; 0 is allowed, and then the parts are seen together
}

// Kind implements Effect.
func (Slice) Kind() string { return "slice" }

func (Slice) needs() needs { return needs{up: true, down: true} }

func (s Slice) check() error {
	if s.Size < 1 || s.Gap < 0 {
		return errors.New("give a size of at least 1 byte, and a gap of at least 0")
	}
	return nil
}

type sliceStage struct {
	never
	scope
	Slice
	begin  int64 // of the occurrence
	in     int   // bytes of the part at hand
	latest int64 // when the last piece comes out
	next   int64 // when the next part may
}

func (s Slice) stage(sc scope) stage { return &sliceStage{scope: sc, Slice: s} }

func (s *sliceStage) busy(at int64) bool { return s.moment(at).in || s.latest > at }

func (s *sliceStage) pass(p piece, next func(piece)) {
	m := s.moment(p.at)
	if !m.in || p.err != nil {
		p.at = max(p.at, s.latest)
		next(p)
		return
	}
	if s.begin != m.begin {
		s.begin, s.in, s.next = m.begin, 0, 0
	}
	for at := p.at; len(p.bytes) > 0; {
		n := min(len(p.bytes), s.Size-s.in)
		part := p
		part.bytes = p.bytes[:n]
		part.at = max(at, s.latest)
		if s.in == 0 {
			part.at = max(part.at, s.next)
		}
		s.latest = part.at
		if s.in += n; s.in == s.Size {
			s.in, s.next = 0, part.at+int64(s.Gap)
		}
		next(part)
		p = p.after(n)
	}
}
