package clients

import (
	"context"
	"errors"
	"time"
)

// HoldStream holds the client's down stream until ctx ends, and calls ready each time that it is subscribed. It reconnects
// as the wire's own client does. On the plain wire that is a browser's EventSource: after a lost connection and also after a
// clean end of the stream, with Last-Event-ID, after the pause that the server asked for. It returns nil when ctx ended,
// and a *RefusedError when the server does not want it back, or on the other wires never wanted it. Redirects are followed
// on the plain wire only.
func (c *Client) HoldStream(ctx context.Context, ready func()) error {
	over := make(chan error, 1)
	s := c.newStream(ctx, ready, func(err error) { over <- err })
	s.goOn(s.enter())
	return <-over
}

// Hold is HoldStream for who does not wait: done is called once, with what HoldStream would return. A stream that a loop holds
// has no goroutine then (see Engine).
//
// It waits until no more than maxDialing others have still to make their first connection: ten thousand goroutines at once would leave
// behind more than the streams themselves need.
func (c *Client) Hold(ctx context.Context, ready func(), done func(error)) {
	s := c.newStream(ctx, ready, done)
	select {
	case c.crowd.opening <- struct{}{}:
		s.opens = true
	case <-ctx.Done():
	}
	go func() { s.goOn(s.enter()) }()
}

// opened says that the stream has made its first connection, or will never make one.
func (s *stream) opened() {
	if s.opens {
		s.opens = false
		<-s.crowd.opening
	}
}

func (c *Client) newStream(ctx context.Context, ready func(), done func(error)) *stream {
	s := newStream(c)
	s.until, s.ready, s.done = ctx, ready, done
	return s
}

// enter does what comes before the first connection, and waits until one is wanted.
func (s *stream) enter() (life context.Context, ok bool) {
	if err := s.client.enter(s.until); err != nil && s.until.Err() == nil {
		return s.finish(&RefusedError{step: err})
	}
	if life, ok = s.next(s.until); !ok {
		return s.finish(nil)
	}
	return life, true
}

// goOn makes one connection after the other, until no more is wanted or a loop has taken the stream.
func (s *stream) goOn(life context.Context, ok bool) {
	for ok {
		err := s.connectOnce(life)
		if errors.Is(err, errHandedOver) {
			return
		}
		life, ok = s.settle(life, err)
	}
}

// settle decides what follows the end of a connection, and waits until it is time for that. It is false when nothing does.
func (s *stream) settle(life context.Context, err error) (next context.Context, ok bool) {
	s.client.nowEnded(life)
	if life.Err() == nil && s.follow(err) {
		return life, true
	}
	if refused, is := errors.AsType[*RefusedError](err); is && !refused.again && life.Err() == nil {
		return s.finish(refused)
	}
	if life.Err() == nil && s.rest(life) {
		return life, true
	}
	s.client.nowEnded(life)
	if next, ok = s.next(s.until); !ok {
		return s.finish(nil) // how a connection ended is an Observation, not an error
	}
	return next, true
}

// finish says that the stream is over for good.
func (s *stream) finish(refused error) (life context.Context, ok bool) {
	s.opened()
	s.client.given(refused)
	s.done(refused)
	return nil, false
}

// rest waits before a reconnect; false means that ctx ended.
func (s *stream) rest(ctx context.Context) bool {
	timer := time.NewTimer(s.wire.pause())
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
