package chaos

import (
	"errors"
	"math"
)

// Bandwidth lets only so many bytes through in a second, on each socket and direction for itself: a token bucket, full in the beginning.
type Bandwidth struct {
	Rate  float64 // bytes a second
	Burst int64   // bytes that go through at once after a pause; 0 = none
}

// Kind implements Effect.
func (Bandwidth) Kind() string { return "bandwidth" }

func (Bandwidth) needs() needs { return needs{up: true, down: true} }

func (b Bandwidth) check() error {
	if !(b.Rate > 0) || math.IsInf(b.Rate, 1) || b.Burst < 0 {
		return errors.New("give a rate above 0 bytes a second, and a burst of at least 0 bytes")
	}
	return nil
}

// segment is how many bytes a link carries at once: what a TCP segment holds on an Ethernet, with timestamps.
const segment = 1448

type bandwidthStage struct {
	never
	scope
	Bandwidth
	through float64 // when the bucket has room for the next byte, ns after since
	since   int64   // the beginning of the occurrence
	latest  int64
}

func (b Bandwidth) stage(s scope) stage { return &bandwidthStage{scope: s, Bandwidth: b} }

func (b *bandwidthStage) busy(at int64) bool { return b.moment(at).in || b.latest > at }

// pass is the virtual scheduling of a token bucket (GCRA): a byte takes 1/Rate of the link's time, and the link may be
// ahead by Burst bytes.
func (b *bandwidthStage) pass(p piece, next func(piece)) {
	m := b.moment(p.at)
	if !m.in || p.err != nil {
		p.at = max(p.at, b.latest)
		next(p)
		return
	}
	if b.since != m.begin {
		b.since, b.through = m.begin, math.Inf(-1)
	}
	at := p.at
	for n := 0; ; p = p.after(n) {
		n = min(len(p.bytes), segment)
		b.through = max(b.through, float64(at-b.since)-float64(b.Burst)/b.Rate*1e9) + float64(n)/b.Rate*1e9
		part := p
		part.bytes = p.bytes[:n]
		part.at = max(at, b.latest, b.since+int64(math.Round(b.through)))
		b.latest = part.at
		next(part)
		if n == len(p.bytes) {
			return
		}
	}
}
