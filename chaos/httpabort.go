package chaos

import (
	"errors"
	"fmt"
)

// HTTPAbort answers requests itself, with a status and no body; the server never sees them. On the path of streams that
// refuses the subscription.
type HTTPAbort struct {
	Status int     // such as 503
	Method string  // only requests of this one, such as POST; "" = all
	Share  float64 // of the requests, drawn for each; 0 = all
}

// Kind implements Effect.
func (HTTPAbort) Kind() string { return "http_abort" }

func (HTTPAbort) needs() needs { return needs{ramp: true, http: true} }

func (h HTTPAbort) check() error {
	switch {
	case h.Status < 200 || h.Status > 599 || h.Status == 204 || h.Status == 304:
		return fmt.Errorf("a status of %d: give one from 200 to 599, and not 204 or 304", h.Status)
	case !(h.Share >= 0) || h.Share > 1:
		return errors.New("give a share from 0 to 1")
	}
	return nil
}

// decide draws for a request; amount is the status.
func (h HTTPAbort) decide(s *scope, m moment, number int64) (hit bool, amount int64) {
	return s.unit(m, number*2) < portion(h.Share)*m.strength, int64(h.Status)
}

func (h HTTPAbort) stageUp(s scope, inject func([]byte, int64)) stage {
	return &requestStage{scope: s, effect: h, only: h.Method, answer: inject}
}
