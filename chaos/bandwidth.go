package chaos

import (
	"errors"
	"math"
	"sync"
)

// Bandwidth lets only so many bytes through in a second: a token bucket for each client and direction, full in the beginning. The sockets of
// a client share it, as they share the path of a Delay: what comes on one waits for what came on another.
type Bandwidth struct {
	Rate  float64 // bytes a second
	Burst int64   // bytes that go through at once after a pause; 0 = none
	Apart bool    // each socket has a bucket of its own
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

// bucket is Bandwidth for all sockets of a client in one direction.
type bucket struct {
	mu      sync.Mutex
	through float64 // when it has room for the next byte, ns after since
	since   int64   // the beginning of the latest occurrence
}

// bucket returns the one of a client.
func (c *Chaos) bucket(s scope) *bucket {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := way{s.fault, s.socket.Client, s.dir}
	b := c.buckets[key]
	if b == nil {
		b = new(bucket)
		c.buckets[key] = b
	}
	return b
}

// take is when n bytes are through that came at a time: the virtual scheduling of a token bucket (GCRA). A byte takes 1/Rate of the
// link's time, and the link may be ahead by Burst bytes.
func (b *bucket) take(of *Bandwidth, begin, at int64, n int) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.since < begin { // a socket whose bytes were held up less may still be in the occurrence before
		b.since, b.through = begin, math.Inf(-1)
	}
	b.through = max(b.through, float64(at-b.since)-float64(of.Burst)/of.Rate*1e9) + float64(n)/of.Rate*1e9
	return b.since + int64(math.Round(b.through))
}

type bandwidthStage struct {
	never
	scope
	Bandwidth
	bucket *bucket
	latest int64
}

func (b Bandwidth) stage(s scope) stage {
	one := &bandwidthStage{scope: s, Bandwidth: b}
	if b.Apart {
		one.bucket = new(bucket)
	} else {
		one.bucket = s.chaos.bucket(s)
	}
	return one
}

func (b *bandwidthStage) busy(at int64) bool { return b.moment(at).in || b.latest > at }

// pass sends a segment at a time, so that another socket comes in between.
func (b *bandwidthStage) pass(p piece, next func(piece)) {
	m := b.moment(p.at)
	if !m.in || p.err != nil {
		p.at = max(p.at, b.latest)
		next(p)
		return
	}
	at := p.at
	for n := 0; ; p = p.after(n) {
		n = min(len(p.bytes), segment)
		part := p
		part.bytes = p.bytes[:n]
		part.at = max(at, b.latest, b.bucket.take(&b.Bandwidth, m.begin, at, n))
		b.latest = part.at
		next(part)
		if n == len(p.bytes) {
			return
		}
	}
}
