package clients

import (
	"context"
	"errors"
	"net"
	"slices"
	"time"

	"holobench/history"
	"holobench/wire"
)

// hold is what is wanted of a client's stream, and how it stands. Client.mu guards it.
type hold struct {
	channels []string                // that are to be heard; replaced, never changed
	away     bool                    // no stream is wanted until Reconnect
	sent     int                     // ... and none until ComeBack was called so often
	letGo    context.CancelCauseFunc // ends the stream of what was wanted before; nil = there is none

	held    bool          // HoldStream is at work
	served  bool          // the stream is the one that is wanted
	open    bool          // there is a connection, or one in the making
	ready   bool          // it is subscribed to all that it hears
	refused error         // HoldStream has given up
	changed chan struct{} // closed when anything of this changes; nil = nobody waits
}

// Why a client ends its own stream, other than at the end of the run.
var (
	errDisconnected = errors.New("the client lost its network")
	errAnew         = errors.New("the client wants to hear other channels")
)

// errNoStream says that a client holds no stream that could be changed.
var errNoStream = errors.New("the client holds no stream")

// mover is a protocol that changes the channels of a stream while it goes on. The others open a new stream for that.
type mover interface {
	join(ctx context.Context, channel string) error
	leave(ctx context.Context, channel string) error
}

// Channels are those that the client wants to hear.
func (c *Client) Channels() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hold.channels
}

// Subscribe adds a channel to those that the client hears, in the way of its wire, and waits until it is subscribed: on the
// plain wire and on Hologram's that is a new stream, or a new page, in the place of the old one, and what is sent in between
// does not reach it. Of a client that is away it only changes what it will hear. The error says why it could not be: ctx
// ended, or the client holds no stream.
func (c *Client) Subscribe(ctx context.Context, channel string) error {
	return c.want(ctx, channel, true, func(m mover) error { return m.join(ctx, channel) })
}

// Unsubscribe is the opposite of Subscribe, and waits until nothing can come of that channel any more. The last channel of a
// client takes the stream with it, where a new one would have to be opened.
func (c *Client) Unsubscribe(ctx context.Context, channel string) error {
	return c.want(ctx, channel, false, func(m mover) error { return m.leave(ctx, channel) })
}

// want changes what the client hears, and waits until that is so.
func (c *Client) want(ctx context.Context, channel string, heard bool, change func(mover) error) error {
	m, moves := c.protocol.(mover)
	c.mu.Lock()
	h := &c.hold
	if slices.Contains(h.channels, channel) == heard {
		c.mu.Unlock()
		return nil
	}
	if heard {
		h.channels = append(slices.Clone(h.channels), channel)
	} else {
		h.channels = slices.DeleteFunc(slices.Clone(h.channels), func(name string) bool { return name == channel })
		delete(c.replicas, channel)
	}
	away, held := h.absent(), h.held
	if !moves && !away {
		c.anew(errAnew)
	}
	c.mu.Unlock()
	switch {
	case away:
		return nil
	case !held:
		return errNoStream
	case moves:
		return change(m)
	}
	return c.await(ctx, func(h *hold) bool { return h.ready || len(h.channels) == 0 && !h.open })
}

// Disconnect ends the client's stream hard and without a word, as a phone does that loses its network, and keeps it ended
// until Reconnect. Commands on a connection of their own go on. It returns when the stream has ended.
func (c *Client) Disconnect(ctx context.Context) error {
	c.mu.Lock()
	was := c.hold.absent()
	c.hold.away = true
	if !was {
		c.anew(errDisconnected)
	}
	c.mu.Unlock()
	return c.await(ctx, func(h *hold) bool { return !h.open })
}

// Reconnect lets a client that was disconnected open its stream again, at once and with what its wire has to go on where it
// was, and returns when it is ready. It may be tried again by the wire's own rules meanwhile.
func (c *Client) Reconnect(ctx context.Context) error {
	c.mu.Lock()
	if c.hold.away {
		c.hold.away, c.hold.served = false, false
		c.changed()
	}
	c.mu.Unlock()
	return c.await(ctx, func(h *hold) bool { return h.ready })
}

// GoAway is Disconnect for who does not wait, and is a matter of its own: a fault that sends a client away and a flow that does
// know nothing of each other, and the client is back when both let it.
func (c *Client) GoAway() {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.hold.absent()
	c.hold.sent++
	if !was {
		c.anew(errDisconnected)
	}
}

// ComeBack undoes one GoAway, and does not wait for the stream either.
func (c *Client) ComeBack() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hold.sent--
	if !c.hold.absent() {
		c.hold.served = false
		c.changed()
	}
}

// absent says whether no stream is wanted.
func (h *hold) absent() bool { return h.away || h.sent > 0 }

// anew ends the stream at hand, because another one is wanted, or none; the caller holds mu.
func (c *Client) anew(why error) {
	h := &c.hold
	h.served, h.ready = false, false
	if h.letGo != nil {
		h.letGo(why)
	}
	c.changed()
}

// changed wakes who waits for a change; the caller holds mu.
func (c *Client) changed() {
	if h := &c.hold; h.changed != nil {
		close(h.changed)
		h.changed = nil
	}
}

// change returns what is closed at the next change; the caller holds mu.
func (c *Client) change() <-chan struct{} {
	h := &c.hold
	if h.changed == nil {
		h.changed = make(chan struct{})
	}
	return h.changed
}

// await returns when the stream stands as it should, or why it will not.
func (c *Client) await(ctx context.Context, so func(*hold) bool) error {
	for {
		c.mu.Lock()
		h := &c.hold
		done, held, refused, changed := so(h), h.held, h.refused, c.change()
		c.mu.Unlock()
		switch {
		case done:
			return nil
		case refused != nil:
			return refused
		case !held:
			return errNoStream
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// next waits until a stream is wanted, and makes s ready for it. What it returns ends with ctx, and before that when another
// stream is wanted, or none; false means that ctx ended.
func (s *stream) next(ctx context.Context) (life context.Context, ok bool) {
	c := s.client
	for ctx.Err() == nil {
		c.mu.Lock()
		h := &c.hold
		h.held = true
		if !h.absent() && (len(h.channels) > 0 || c.protocol.joins()) {
			if h.letGo != nil {
				h.letGo(nil)
			}
			life, h.letGo = context.WithCancelCause(ctx)
			h.served, h.open = true, true
			channels := h.channels
			c.changed()
			c.mu.Unlock()
			s.take(channels)
			return life, true
		}
		changed := c.change()
		c.mu.Unlock()
		s.opened() // nobody knows when
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return nil, false
}

// take makes s the stream of these channels.
func (s *stream) take(channels []string) {
	_, moves := s.client.protocol.(mover)
	switch {
	case s.wire != nil && slices.Equal(channels, s.wanted):
		return
	case s.wire != nil && moves: // it may hear others, too: see phoenixStream
		for _, name := range s.wanted {
			if slot := s.slot([]byte(name)); slot >= 0 && !slices.Contains(channels, name) {
				s.forget(slot)
			}
		}
		for _, name := range channels {
			if s.slot([]byte(name)) < 0 {
				s.hear(name)
			}
		}
	default:
		if page, ok := s.client.protocol.(interface{ renew() }); ok && s.wire != nil {
			page.renew()
		}
		s.hearing = new(hearing)
		s.hear(channels...)
		s.wire = s.client.protocol.receiver(s)
	}
	s.wanted = channels
}

// nowHeld tells who waits how the stream stands.
func (c *Client) nowHeld(ready bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hold.ready = ready && c.hold.served
	c.changed()
}

// nowEnded says that a connection has ended, and for good when the client wanted it.
func (c *Client) nowEnded(life context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hold.ready = false
	if life.Err() != nil {
		c.hold.open = false
	}
	c.changed()
}

// given says that HoldStream is over.
func (c *Client) given(refused error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := &c.hold
	h.held, h.open, h.ready, h.refused = false, false, false, refused
	if h.letGo != nil {
		h.letGo(nil)
	}
	c.changed()
}

// leaves ends a connection that the client itself wants no more. What had arrived by then is still read: else an event that
// everybody else got before would count as lost to this client, though only nobody looked. And the end is noted with the time
// at which the client wanted it, since from then on nothing is owed to it.
func (s *stream) leaves(ctx context.Context, conn wire.StampedConn) {
	c, why := s.client, context.Cause(ctx)
	left := c.crowd.now()
	s.drain(ctx, conn)
	if errors.Is(why, errDisconnected) {
		s.wire.over(why)
		drop(conn)
	} else {
		s.finishOthers(conn)
		s.wire.over(nil)
		conn.Close() //nolint:errcheck // whatever it says, the stream is over
	}
	for _, name := range s.names {
		if errors.Is(why, errAnew) && !slices.Contains(c.Channels(), name) {
			o := c.note(history.Unsubscribed, s.conn, left)
			o.Channel = c.crowd.channel(name)
			c.observe(o)
		}
	}
	c.observe(c.note(history.Closed, s.conn, left))
}

// drain reads what waits in the socket.
func (s *stream) drain(ctx context.Context, conn wire.StampedConn) {
	s.draining = true
	defer func() { s.draining = false }()
	for range maxDrains {
		idle, ok := conn.(interface{ Alive() bool })
		if !ok || idle.Alive() {
			return
		}
		if conn.SetReadDeadline(time.Now().Add(drainTime)) != nil || s.readOnce(ctx, conn) != nil {
			return
		}
	}
}

const (
	maxDrains = 64                    // reads at most, of 64 KiB: a server that sends all the time would never let go
	drainTime = 10 * time.Millisecond // for the rest of what has begun to arrive
)

// drop ends a connection without a word to the peer, as far as that can be had: it learns of it by a RST when it looks.
func drop(conn net.Conn) {
	switch hard := conn.(type) {
	case *slowConn:
		drop(hard.StampedConn)
		return
	case *tlsConn:
		drop(hard.records.StampedConn)
		return
	case interface{ SetLinger(sec int) error }:
		hard.SetLinger(0) //nolint:errcheck // without it the end is as good a one, only politer
	case interface{ Reset() }:
		hard.Reset()
	}
	conn.Close() //nolint:errcheck // whatever it says, the stream is over
}
