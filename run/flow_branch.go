package run

import (
	"holobench/internal/draw"
	"holobench/scenarios"
)

// branch carries out a step in which others stand.
func (w *walk) branch(step scenarios.Step) error {
	switch s := step.(type) {
	case *scenarios.Repeat:
		return w.repeat(s)
	case *scenarios.Choose:
		return w.through(w.chosen(s))
	case *scenarios.If:
		if s.Is.Holds(w.fill(s.Place, &s.Value), w.fill(s.Place, &s.Operand)) {
			return w.through(s.Then)
		}
		return w.through(s.Else)
	}
	return nil // there is no other step
}

// repeat goes through the same steps several times; each round has draws of its own.
func (w *walk) repeat(s *scenarios.Repeat) error {
	around := w.round
	defer func() { w.round = around }()
	for i := range s.Times.Whole(w.uniform(s.Place)) {
		w.round = draw.Hash(around, draw.Name(s.Path), uint64(i)+1) //nolint:gosec // it is not negative
		if err := w.through(s.Flow); err != nil {
			return err
		}
	}
	return nil
}

// chosen draws one of the ways.
func (w *walk) chosen(s *scenarios.Choose) []scenarios.Step {
	sum := 0.0
	for _, way := range s.Ways {
		sum += way.Share
	}
	u := w.uniform(s.Place) * sum
	for _, way := range s.Ways {
		if u -= way.Share; u < 0 {
			return way.Flow
		}
	}
	return nil // only when there is none
}
