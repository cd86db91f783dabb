package clients

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/http1"
	"holobench/wire/sse"
)

// RefusedError says that the server answered the request for a stream with something that is no stream. A browser does
// not try again then.
type RefusedError struct {
	Status      int
	ContentType string
}

// Error implements error.
func (e *RefusedError) Error() string {
	if e.Status != 200 {
		return fmt.Sprintf("the server refused the stream with status %d", e.Status)
	}
	return fmt.Sprintf("the server answered with content type %q, not text/event-stream", e.ContentType)
}

// HoldStream holds the client's down stream until ctx ends, and calls ready each time that it is subscribed. It reconnects
// as a browser does: after a lost connection and also after a clean end of the stream, with Last-Event-ID, after the pause
// that the server asked for. It returns nil when ctx ended, and a *RefusedError when the server does not want it back.
// Redirects are not followed: where a browser would go on elsewhere, they are a refusal here.
func (c *Client) HoldStream(ctx context.Context, ready func()) error {
	s := &stream{client: c, ready: ready, retry: or(c.crowd.Retry, 3*time.Second)}
	for _, name := range c.channels {
		s.channels = append(s.channels, c.crowd.channel(name))
	}
	for {
		err := s.connectOnce(ctx)
		if refused, ok := errors.AsType[*RefusedError](err); ok && ctx.Err() == nil {
			return refused
		}
		if ctx.Err() != nil || !s.pause(ctx) {
			return nil //nolint:nilerr // how a connection ended is an Observation, not an error
		}
	}
}

// pause waits before a reconnect; false means that ctx ended.
func (s *stream) pause(ctx context.Context) bool {
	timer := time.NewTimer(s.retry)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// stream is the down stream of one client over all its connections.
type stream struct {
	client   *Client
	channels []uint32
	ready    func()
	retry    time.Duration
	events   sse.Parser

	// Of the connection that is held now.
	conn      uint32
	node      uint16
	asked     int64
	response  http1.Parser
	notBefore int64
	at        int64
	handled   int64
	batch     []history.Observation // of the read that is being handled
	eventLast bool                  // the last thing in this read was a whole event
	done      bool                  // the body ended
	wasReady  bool
}

// connectOnce makes one connection and holds it until it ends; the error says why it did.
//
// It is cut into small functions for more than the reader's sake: an idle stream sleeps at the bottom of these calls, and
// their frames decide whether its stack is one of 4 or of 8 KiB.
func (s *stream) connectOnce(ctx context.Context) error {
	conn, err := s.open(ctx)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) }) //nolint:errcheck // a closed connection ends the read as well
	err = s.ask(ctx, conn)
	for err == nil {
		err = s.readOnce(ctx, conn)
	}
	stop()
	conn.Close() //nolint:errcheck // whatever it says, the stream is over
	s.over(ctx, err)
	return err
}

// open makes the connection.
func (s *stream) open(ctx context.Context) (wire.StampedConn, error) {
	c := s.client
	to := c.place(ForStream)
	s.conn, s.node = c.newConn(to.Node), to.Node
	began := c.crowd.now()
	conn, err := c.crowd.connect(ctx, to.Addr)
	if err != nil {
		if ctx.Err() == nil {
			s.ended(err)
		}
		return nil, err
	}
	opened := c.note(history.Opened, s.conn, c.crowd.now())
	opened.NotBefore = began
	c.observe(opened)
	return conn, nil
}

// ask sends the request for the stream and gives its head a deadline.
func (s *stream) ask(ctx context.Context, conn wire.StampedConn) error {
	s.done, s.wasReady = false, false
	s.response.Reset()
	s.events.Reset()
	s.asked = s.client.crowd.now()
	if _, err := conn.Write(s.request()); err != nil {
		return err
	}
	if err := conn.SetReadDeadline(time.Now().Add(or(s.client.crowd.HeadTimeout, 30*time.Second))); err != nil {
		return err
	}
	return context.Cause(ctx) // the deadline may have undone the one by which the end of ctx ends a read
}

// over notes how the connection ended: by the end of ctx, or by something that happened to it.
func (s *stream) over(ctx context.Context, err error) {
	if ctx.Err() == nil {
		s.ended(err)
		return
	}
	s.client.observe(s.client.note(history.Closed, s.conn, s.client.crowd.now()))
}

// request is the bytes that ask for the stream.
func (s *stream) request() []byte {
	c := s.client
	query := url.Values{"instance": {c.instance}, "channel": c.channels}
	header := []http1.Field{{Name: "Accept", Value: "text/event-stream"}, {Name: "Cache-Control", Value: "no-cache"}}
	if id := s.events.LastEventID(); id != "" {
		header = append(header, http1.Field{Name: "Last-Event-ID", Value: id})
	}
	return http1.AppendRequest(nil, http1.Request{
		Method: "GET", Target: wire.EventsPath + "?" + query.Encode(), Host: c.crowd.host(), Header: append(header, c.crowd.Header...),
	})
}

// readOnce handles what one read brings: every event of it becomes an Observation, and all are handed over at once.
func (s *stream) readOnce(ctx context.Context, conn wire.StampedConn) error {
	crowd := s.client.crowd
	lent, n, notBefore, at, err := crowd.readInto(conn)
	if err != nil {
		return s.endOfInput(err)
	}
	defer crowd.giveBack(lent)
	s.notBefore, s.at, s.handled = since(notBefore, crowd.Epoch), at-crowd.Epoch, crowd.now()
	s.batch, s.eventLast = lent.obs[:0], false
	wasReady := s.wasReady

	_, err = s.response.Feed(lent.buf[:n], s)
	s.settleLast(n < len(lent.buf) && exactStamps(conn))
	if len(s.batch) > 0 {
		crowd.Observe(s.batch)
	}
	lent.obs, s.batch = s.batch[:0], nil
	if s.wasReady && !wasReady {
		if err := s.nowReady(ctx, conn); err != nil {
			return err
		}
	}
	return s.verdict(err)
}

// verdict says whether the stream goes on after a read that the parsers answered with err.
func (s *stream) verdict(err error) error {
	refused, ok := errors.AsType[*RefusedError](err)
	switch {
	case ok:
		return refused
	case err != nil:
		return fmt.Errorf("%w: %w", errForeignBytes, err)
	case s.done:
		return io.EOF
	}
	return nil
}

// nowReady lifts the deadline of the head and reports the subscription.
func (s *stream) nowReady(ctx context.Context, conn wire.StampedConn) error {
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	if ctx.Err() != nil { // as in ask
		return context.Cause(ctx)
	}
	if s.ready != nil {
		s.ready()
	}
	return nil
}

// settleLast narrows the interval of the last event: when the stamp is that of the last byte which had arrived, and nothing
// came behind the event, then the stamp is its own.
func (s *stream) settleLast(stampOfLast bool) {
	if stampOfLast && s.eventLast && !s.events.Pending() && len(s.batch) > 0 {
		last := &s.batch[len(s.batch)-1]
		last.NotBefore = last.At
	}
}

// endOfInput turns the end of a connection into its reason: a cut in mid-chunk is no clean end.
func (s *stream) endOfInput(err error) error {
	if !errors.Is(err, io.EOF) {
		return err
	}
	if err := s.response.Close(s); err != nil {
		return err
	}
	return io.EOF
}

// ended notes that the server or the network ended the connection, or never let it come about.
func (s *stream) ended(err error) {
	o := s.client.note(history.Ended, s.conn, s.client.crowd.now())
	text := cause(err)
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		text = errNotAStream
		if refused.Status != 200 {
			text = statusText(refused.Status)
		}
	}
	o.Err = s.client.crowd.reason(text)
	s.client.observe(o)
}

// OnHead implements http1.Handler.
func (s *stream) OnHead(h *http1.Head) error {
	kind, _, _ := strings.Cut(h.ContentType, ";")
	if h.Status != 200 || !strings.EqualFold(strings.TrimSpace(kind), "text/event-stream") {
		return &RefusedError{Status: h.Status, ContentType: h.ContentType}
	}
	for _, channel := range s.channels {
		o := s.client.note(history.Subscribed, s.conn, s.at)
		o.NotBefore, o.Handled, o.Channel = s.asked, s.handled, channel
		s.batch = append(s.batch, o)
	}
	s.wasReady = true
	return nil
}

// OnBody implements http1.Handler.
func (s *stream) OnBody(b []byte) error { return s.events.Feed(b, s) }

// OnEnd implements http1.Handler.
func (s *stream) OnEnd() error {
	s.done = true
	return nil
}

// OnEvent implements sse.Handler.
func (s *stream) OnEvent(e sse.Event) {
	c := s.client
	o := history.Observation{
		Kind: history.Delivered, Path: history.SSE, Client: c.id, Node: s.node, Conn: s.conn,
		NotBefore: s.notBefore, At: s.at, Handled: s.handled, Channel: s.channelOf(e.Data),
	}
	s.batch = c.crowd.name(s.batch, o, e.Data)
	s.eventLast = true
}

// OnComment implements sse.Handler: a comment is a heartbeat.
func (s *stream) OnComment([]byte) {
	o := s.client.note(history.Heartbeat, s.conn, s.at)
	o.NotBefore, o.Handled = s.notBefore, s.handled
	s.batch = append(s.batch, o)
	s.eventLast = false
}

// OnRetry implements sse.Handler.
func (s *stream) OnRetry(pause time.Duration) { s.retry = pause }

// channelOf finds the channel of an event: it needs to look only when the client has more than one.
func (s *stream) channelOf(data []byte) uint32 {
	if len(s.channels) == 1 {
		return s.channels[0]
	}
	name, ok := wire.EventChannel(data)
	if !ok {
		return history.NoChannel
	}
	for i, channel := range s.client.channels {
		if channel == string(name) {
			return s.channels[i]
		}
	}
	return history.NoChannel
}

// name appends o once for each marker of this run in data, or once as Alien when there is none.
func (c *Crowd) name(batch []history.Observation, o history.Observation, data []byte) []history.Observation {
	m, rest, ok := wire.FindMarker(data)
	if !ok {
		o.Kind, o.Err = history.Alien, c.reason(errNoMarker)
		return append(batch, o)
	}
	for ; ok; m, rest, ok = wire.FindMarker(rest) {
		one := o
		one.Event, one.Due = m.Event, m.Due
		if m.Run != c.Run {
			one.Kind, one.Err = history.Alien, c.reason(errOtherRun)
		}
		batch = append(batch, one)
	}
	return batch
}

// since converts a stamp to the time of the run; 0 stays "not known".
func since(stamp, epoch int64) int64 {
	if stamp == 0 {
		return 0
	}
	return stamp - epoch
}
