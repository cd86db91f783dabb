package chaos

import (
	"errors"
	"fmt"
	"time"

	"holobench/internal/draw"
)

// Delay makes everything later. Law is drawn for the path of a client, which its sockets share: one delay holds for a time,
// then comes the next. Jitter is drawn for each message of each socket, and added. Nothing overtakes: neither on the path, whichever
// socket it is for, nor, with the jitter, on one socket.
type Delay struct {
	Law    draw.Law      // ns; of the path of a client in one direction
	Hold   time.Duration // how long the path keeps one delay; 0 = DefaultHold. At most 1000 times as long is any delay
	Jitter draw.Law      // ns; of each message of a socket: an event, a reply, a request, or 1448 bytes of what cannot be read
}

// Kind implements Effect.
func (Delay) Kind() string { return "delay" }

func (Delay) needs() needs { return needs{up: true, down: true, ramp: true} }

func (d Delay) hold() time.Duration {
	if d.Hold == 0 {
		return DefaultHold
	}
	return d.Hold
}

func (d Delay) check() error {
	if err := d.Law.Check(); err != nil {
		return err
	}
	if err := d.Jitter.Check(); err != nil {
		return fmt.Errorf("its jitter: %w", err)
	}
	switch {
	case d.Hold < 0 || d.Hold > 0 && d.Hold < time.Millisecond:
		return errors.New("the path keeps a delay for less than 1ms: give hold at least that")
	case d.Law.Zero() && d.Jitter.Zero():
		return errors.New("a delay of nothing: give a law, or a jitter")
	}
	return nil
}

// delayStage is Delay on one direction of one socket.
type delayStage struct {
	never
	scope
	path   *path
	jitter draw.Law
	latest int64 // when the last piece comes out
	told   int64 // messages that the ledger has
}

func (d Delay) stage(s scope) stage {
	return &delayStage{scope: s, path: s.chaos.path(s, d), jitter: d.Jitter}
}

func (d *delayStage) busy(at int64) bool {
	m := d.moment(at)
	return m.in || m.begun && max(d.latest, d.path.clear(m)) > at
}

func (d *delayStage) pass(p piece, next func(piece)) {
	p.at = max(d.path.release(p.at, true)+d.own(p), d.latest)
	if p.notBefore != 0 {
		p.notBefore = d.path.release(p.notBefore, false)
	}
	d.latest = p.at
	next(p)
}

// own is what is drawn for this socket alone.
func (d *delayStage) own(p piece) int64 {
	m := d.moment(p.at)
	if !m.in || d.jitter.Zero() {
		return 0
	}
	late := int64(d.jitter.Duration(d.unit(m, p.unit)))
	if p.unit >= d.told {
		d.told = p.unit + 1
		d.decided(m, p.unit, late)
	}
	return int64(m.strength * float64(late))
}
