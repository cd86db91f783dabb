package clients

import (
	"context"
	"errors"

	"holobench/wire"
)

// Engine names how a client's stream is held while nothing comes. The zero value is EngineAuto.
//
// Whatever the engine, a stream is dialled, asked for and read by a goroutine of its own until it is subscribed, and again when its
// connection has ended: only in between it may be a loop that holds it.
type Engine string

// The engines.
const (
	EngineAuto      Engine = "auto"      // EngineEpoll where that can be, and else EngineGoroutine
	EngineGoroutine Engine = "goroutine" // a goroutine a stream, on every system and connection
	EngineEpoll     Engine = "epoll"     // one of Crowd.Loops holds it, without a goroutine of its own
	EngineReference Engine = "reference" // r3labs/sse reads it, for a second opinion: see ReferenceDiffers
)

// errHandedOver is why a goroutine leaves a connection that goes on.
var errHandedOver = errors.New("a loop holds the stream")

// idler is a receiver that may idle: from its subscription on it waits for nothing but bytes, and never has an answer for them.
// Only such a stream can do without a goroutine, which would have to time its waits and to send its answers.
type idler interface{ idles() bool }

// idles implements idler.
func (e *eventStream) idles() bool { return true }

// idles implements idler.
func (r *genericReceiver) idles() bool { return r.server.Idles() }

// Idles says whether a subscribed stream waits for nothing but bytes, so that a loop can hold it.
func (g *Generic) Idles() bool {
	return g.Framing != FrameLongPoll && g.Silence == 0 && len(g.React) == 0
}

// mayHandOver says whether the stream is one that a loop could hold, if its connection is one, too.
func (s *stream) mayHandOver() bool {
	if s.crowd.Loops == nil || s.client.stays {
		return false
	}
	idle, ok := s.wire.(idler)
	return ok && idle.idles()
}

// handOver gives the stream to a loop; false = it stays with the goroutine, and is never asked again on this connection. The context
// of the connection ends here, without anything that happens: while a loop holds the stream, hold.letGo and the end of s.until are
// the ends that the client can make of it.
func (s *stream) handOver(life context.Context, conn wire.StampedConn) bool {
	s.idles = false
	c := s.client
	c.mu.Lock()
	defer c.mu.Unlock()
	if life.Err() != nil {
		return false
	}
	letGo, ok := c.crowd.Loops.take(s, conn)
	if !ok {
		return false
	}
	c.hold.letGo(nil)
	c.hold.letGo = letGo
	return true
}

// goOnFrom goes on where a loop let go: at the end of a connection. ended is what the connection ended by; nil = the client
// wanted it, and why says what for; it is nil when s.until ended. It belongs to a goroutine of its own.
func (s *stream) goOnFrom(conn wire.StampedConn, ended error, why func() error) {
	c := s.client
	c.mu.Lock()
	life, letGo := context.WithCancelCause(s.until)
	if cause := why(); cause != nil {
		letGo(cause)
	}
	c.hold.letGo = letGo
	c.mu.Unlock()
	s.close(life, conn, ended)
	s.goOn(s.settle(life, ended))
}
