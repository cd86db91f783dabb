package chaos

// HalfOpen kills connections without a word: who is connected while the window is open hears nothing from there on, in that direction
// or in both, and no end either, also after the window. Only a time-out, or a heartbeat that is missed, tells.
type HalfOpen struct{}

// Kind implements Effect.
func (HalfOpen) Kind() string { return "half_open" }

func (HalfOpen) needs() needs { return needs{up: true, down: true} }

func (HalfOpen) check() error { return nil }

type halfOpenStage struct {
	never
	scope
	dead bool
}

func (HalfOpen) stage(s scope) stage { return &halfOpenStage{scope: s} }

// busy says whether the connection is dead: it is when a window was open since it was made.
func (h *halfOpenStage) busy(at int64) bool {
	if m := h.moment(at); !h.dead && m.begun && m.end > h.opened {
		h.dead = true
		h.decided(m, 0, 0)
	}
	return h.dead
}

func (h *halfOpenStage) pass(p piece, next func(piece)) {
	if !h.busy(p.at) || p.cut != cutNone {
		next(p)
	}
}
