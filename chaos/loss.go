package chaos

import (
	"errors"
	"time"
)

// Loss loses packets as TCP shows it: nothing is ever missing, but the packet comes when it was sent again, 200 ms later,
// and if that is lost too after 400 ms more, and so on; everything behind it waits. A packet is up to 1448 bytes of one
// message. That a loss is noticed sooner because more is under way (fast retransmit) is left out: where events are
// small and far apart, as here, it hardly happens.
type Loss struct {
	Rate    float64       // the share of packets that are lost
	Timeout time.Duration // until a packet is sent again, the first time; 0 = 200 ms, as Linux on short ways
}

// Kind implements Effect.
func (Loss) Kind() string { return "loss" }

func (Loss) needs() needs { return needs{up: true, down: true, ramp: true} }

func (l Loss) check() error {
	if !(l.Rate > 0) || l.Rate > 1 || l.Timeout < 0 {
		return errors.New("give a rate above 0 and up to 1, and a time-out of at least 0")
	}
	return nil
}

// mostRetries is how often a packet is lost at most: with the standard time-out its stall is then 102 s, near which Linux
// gives the connection up.
const mostRetries = 9

// stall is how long a packet is late whose draw is u.
func (l Loss) stall(u, rate float64) time.Duration {
	timeout := l.Timeout
	if timeout == 0 {
		timeout = 200 * time.Millisecond
	}
	var late time.Duration
	for range mostRetries {
		if u >= rate {
			break
		}
		u /= rate // what is left of the draw says whether the next is lost too
		late += timeout
		timeout *= 2
	}
	return late
}

type lossStage struct {
	never
	scope
	Loss
	message int64 // the message at hand
	bytes   int   // of it so far
	latest  int64
}

func (l Loss) stage(s scope) stage { return &lossStage{scope: s, Loss: l} }

func (l *lossStage) busy(at int64) bool { return l.moment(at).in || l.latest > at }

// packets is how many packets of one message have numbers of their own.
const packets = 1 << 16

func (l *lossStage) pass(p piece, next func(piece)) {
	if p.err != nil {
		p.at = max(p.at, l.latest)
		next(p)
		return
	}
	if p.unit != l.message || p.first {
		l.message, l.bytes = p.unit, 0
	}
	at := p.at
	for len(p.bytes) > 0 {
		n := min(len(p.bytes), segment-l.bytes%segment)
		part := p
		part.bytes = p.bytes[:n]
		if m := l.moment(at); m.in && l.bytes%segment == 0 {
			number := p.unit*packets + int64(l.bytes/segment)%packets
			if late := l.stall(l.unit(m, number), l.Rate*m.strength); late > 0 {
				part.at += int64(late)
				l.decided(m, number, int64(late))
			}
		}
		part.at = max(part.at, l.latest)
		l.latest = part.at
		l.bytes += n
		next(part)
		p = p.after(n)
	}
}
