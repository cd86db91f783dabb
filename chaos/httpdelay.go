package chaos

import (
	"errors"

	"holobench/internal/draw"
)

// HTTPDelay makes requests late, each as a whole, on their way up.
type HTTPDelay struct {
	Law    draw.Law // ns; drawn for each
	Method string   // as for HTTPAbort
	Share  float64  // as for HTTPAbort
}

// Kind implements Effect.
func (HTTPDelay) Kind() string { return "http_delay" }

func (HTTPDelay) needs() needs { return needs{ramp: true, http: true} }

func (h HTTPDelay) check() error {
	switch {
	case !(h.Share >= 0) || h.Share > 1:
		return errors.New("give a share from 0 to 1")
	case h.Law.Zero():
		return errors.New("a delay of nothing: give a law")
	}
	return h.Law.Check()
}

// decide draws for a request; amount is in ns.
func (h HTTPDelay) decide(s *scope, m moment, number int64) (hit bool, amount int64) {
	return s.unit(m, number*2) < portion(h.Share)*m.strength, int64(h.Law.Duration(s.unit(m, number*2+1)))
}

func (h HTTPDelay) stageUp(s scope, _ func([]byte, int64)) stage {
	return &requestStage{scope: s, effect: h, only: h.Method}
}
