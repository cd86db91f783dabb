package chaos

import (
	"errors"
	"time"
)

// Buffer holds bytes back as a proxy does that collects before it hands on: until it has so many, or until so much time has passed since
// the first of them, or until the window ends. Then all of them come at once.
type Buffer struct {
	Bytes int           // 0 = any number
	For   time.Duration // 0 = any time
}

// Kind implements Effect.
func (Buffer) Kind() string { return "buffer" }

func (Buffer) needs() needs { return needs{up: true, down: true} }

func (b Buffer) check() error {
	switch {
	case b.Bytes < 0 || b.For < 0:
		return errors.New("give a number of bytes and a time of at least 0")
	case b.Bytes == 0 && b.For == 0:
		return errors.New("nothing ends the waiting but the window: give bytes, or for, or use a stall")
	}
	return nil
}

type bufferStage struct {
	scope
	Buffer
	held   []byte
	until  int64 // when it goes at the latest
	latest int64
	source piece // of the last bytes
}

func (b Buffer) stage(s scope) stage { return &bufferStage{scope: s, Buffer: b, until: forever} }

func (b *bufferStage) busy(at int64) bool { return b.moment(at).in || len(b.held) > 0 || b.latest > at }

func (b *bufferStage) wake() int64 { return b.until }

// tick implements stage: what was held arrives at the moment at which it is let go.
func (b *bufferStage) tick(_ int64, next func(piece)) { b.release(b.until, next) }

func (b *bufferStage) pass(p piece, next func(piece)) {
	if b.until <= p.at { // its time was over before this came
		b.release(b.until, next)
	}
	m := b.moment(p.at)
	if !m.in || p.err != nil {
		b.release(p.at, next)
		p.at = max(p.at, b.latest)
		next(p)
		return
	}
	if len(b.held) == 0 {
		b.until = m.end
		if b.For > 0 {
			b.until = min(b.until, p.at+int64(b.For))
		}
	}
	b.held = append(b.held, p.bytes...)
	b.source = p
	if b.Bytes > 0 && len(b.held) >= b.Bytes {
		b.release(p.at, next)
	}
}

func (b *bufferStage) release(at int64, next func(piece)) {
	b.until = forever
	if len(b.held) == 0 {
		return
	}
	p := b.source
	p.bytes, p.at, p.notBefore, p.loose = b.held, max(at, b.latest), max(at, b.latest), false
	b.latest = p.at
	b.held = nil
	next(p)
}
