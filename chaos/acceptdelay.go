package chaos

import (
	"context"
	"errors"
	"time"

	"holobench/internal/draw"
)

// AcceptDelay makes new connections late: what takes so long is the way, or a server that is slow to accept.
type AcceptDelay struct {
	Law draw.Law // ns; drawn for each connection
}

// Kind implements Effect.
func (AcceptDelay) Kind() string { return "accept_delay" }

func (AcceptDelay) needs() needs { return needs{ramp: true} }

func (a AcceptDelay) check() error {
	if a.Law.Zero() {
		return errors.New("a delay of nothing: give a law")
	}
	return a.Law.Check()
}

// accept waits as long as an AcceptDelay says.
func (c *Chaos) accept(ctx context.Context, s Socket) error {
	var late time.Duration
	for _, f := range c.faults {
		a, ok := f.Effect.(AcceptDelay)
		if !ok || !f.meets(s) {
			continue
		}
		sc := scope{chaos: c, fault: f, socket: s, dir: Down}
		if m := sc.moment(time.Now().UnixNano()); m.in {
			one := a.Law.Duration(sc.unit(m, 0))
			sc.decided(m, 0, int64(one))
			late += time.Duration(m.strength * float64(one))
		}
	}
	if late == 0 {
		return nil
	}
	timer := time.NewTimer(late)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
