package clients

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/http1"
)

// RefusedError says that the server answered the request for a stream with something that is no stream. A browser does
// not try again then.
type RefusedError struct {
	Status      int
	ContentType string

	again bool  // the wire's own client would try again all the same
	step  error // which request before the stream it was; nil = that of the stream
}

// Error implements error.
func (e *RefusedError) Error() string {
	if e.step != nil {
		return e.step.Error()
	}
	if e.Status != 200 {
		return fmt.Sprintf("the server refused the stream with status %d", e.Status)
	}
	return fmt.Sprintf("the server answered with content type %q, not text/event-stream", e.ContentType)
}

// stream is the down stream of one client over all its connections, whatever its wire.
//
// Between two events of a stream come those of thousands of others, so that its memory is cold by then. What an event needs of it
// therefore stands first and fills one cache line, with what it would need of the client: see TestAnEventTouchesFewCacheLines.
type stream struct {
	wire     receiver
	client   *Client
	crowd    *Crowd // the client's
	*reading        // the read that is being handled; nil between two
	*hearing
	conn     uint32 // that is held now
	id       uint32 // the client's
	node     uint16 // of conn
	listens  bool   // somebody listens to the client
	draining bool   // the client wants it no more; only what has arrived is still read

	kept held // what a loop knows of it, and stands beside that line

	// Of the connection that is held now.
	announced  bool  // all channels are subscribed, and ready was called
	idles      bool  // ... and a loop may hold the stream
	subscribed int   // channels so far
	asked      int64 // when the request left that makes it a subscription

	until   context.Context // its end ends the stream
	done    func(error)     // is told when the stream is over
	ready   func()
	naming  func(data []byte) []byte // finds the name of an event; nil = none does
	wanted  []string                 // what the client wanted to hear when the connection was made
	retry   time.Duration            // the pause that the server asked for; 0 = it did not
	welcome bool                     // it was subscribed at least once
	opens   bool                     // it counts as one of Crowd.opening
	route

	_ int64 // up to the end of the fourth cache line: what the allocator hands out begins with one then
}

// reading is a read that is being handled.
type reading struct {
	notBefore, at, handled int64 // of the rows that it makes

	batch []history.Observation
	last  int // where in batch begins what is known of the last message
}

// newStream makes the stream of a client, which hears nothing yet.
func newStream(c *Client) *stream {
	return &stream{client: c, crowd: c.crowd, id: c.id, listens: c.listen != nil, hearing: new(hearing)}
}

// connectOnce makes one connection and holds it until it ends; the error says why it did.
//
// It is cut into small functions for more than the reader's sake: an idle stream sleeps at the bottom of these calls, and
// their frames decide whether its stack is one of 4 or of 8 KiB.
func (s *stream) connectOnce(ctx context.Context) error {
	if s.refers() {
		return s.referOnce(ctx)
	}
	conn, err := s.open(ctx)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) }) //nolint:errcheck // a closed connection ends the read as well
	err = s.start(ctx, conn)
	for err == nil {
		if s.idles && stop() {
			if s.handOver(ctx, conn) {
				return errHandedOver
			}
			stop = context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) }) //nolint:errcheck // as above
		}
		err = s.readOnce(ctx, conn)
	}
	stop()
	s.close(ctx, conn, err)
	return err
}

// open makes the connection.
func (s *stream) open(ctx context.Context) (wire.StampedConn, error) {
	c := s.client
	to := s.placed(c.place(ForStream))
	s.conn, s.node = c.newConn(to.Node), to.Node
	s.subscribed = 0 // also when it is not made: a wire that waits longer each time asks for this
	began := c.crowd.now()
	conn, err := c.crowd.connect(s.dialContext(c.dialing(ctx, ForStream)), to.Addr)
	s.opened()
	if err != nil {
		if ctx.Err() == nil {
			s.wire.over(err)
			s.noteEnd(err)
		}
		return nil, err
	}
	opened := c.note(history.Opened, s.conn, c.crowd.now())
	opened.NotBefore = began
	c.observe(opened)
	return s.slowly(conn), nil
}

// start asks for the stream and gives its first bytes a deadline.
func (s *stream) start(ctx context.Context, conn wire.StampedConn) error {
	s.subscribed, s.announced, s.idles = 0, false, false
	if err := s.wire.begin(ctx, conn); err != nil {
		return err
	}
	return s.deadline(ctx, conn, or(s.crowd.HeadTimeout, 30*time.Second))
}

// ask sends the request for the stream, or a part of it.
func (s *stream) ask(conn wire.StampedConn, request []byte) error {
	s.asked = s.crowd.now()
	_, err := conn.Write(request)
	return err
}

// requester is a connection on which a request has other bytes than those of HTTP/1.1.
type requester interface{ request(r *http1.Request) error }

// askFor sends the request for the stream.
func (s *stream) askFor(conn wire.StampedConn, r http1.Request) error {
	if other, ok := conn.(requester); ok {
		s.asked = s.crowd.now()
		return other.request(&r)
	}
	return s.ask(conn, http1.AppendRequest(nil, r))
}

// deadline gives the next read as much time; 0 = as much as it takes.
func (s *stream) deadline(ctx context.Context, conn wire.StampedConn, d time.Duration) error {
	var t time.Time
	if d > 0 {
		t = time.Now().Add(d)
	}
	if err := conn.SetReadDeadline(t); err != nil {
		return err
	}
	return context.Cause(ctx) // this may have undone the deadline by which the end of ctx ends a read
}

// close gives the connection up and notes how it ended: by the end of ctx, or by something that happened to it.
func (s *stream) close(ctx context.Context, conn wire.StampedConn, why error) {
	if why := context.Cause(ctx); errors.Is(why, errDisconnected) || errors.Is(why, errAnew) {
		s.leaves(ctx, conn)
		return
	}
	if ctx.Err() != nil {
		s.wire.over(nil)
		conn.Close() //nolint:errcheck // whatever it says, the stream is over
		s.client.observe(s.client.note(history.Closed, s.conn, s.crowd.now()))
		return
	}
	ended := s.crowd.now()
	s.finishOthers(conn)
	conn.Close() //nolint:errcheck // as above
	s.wire.over(why)
	s.noteEndAt(why, ended)
}

// finisher is a receiver whose connection carries more than the stream, and may not be given up before finish has returned.
type finisher interface{ finish(conn wire.StampedConn) }

// finishOthers lets what else a connection carries come to its end.
func (s *stream) finishOthers(conn wire.StampedConn) {
	if f, ok := s.wire.(finisher); ok {
		f.finish(conn)
	}
}

// readOnce handles what one read brings, and does what has to follow it.
func (s *stream) readOnce(ctx context.Context, conn wire.StampedConn) error {
	lent, n, notBefore, at, err := s.crowd.readInto(conn)
	if err != nil {
		return s.unread(ctx, conn, notBefore, err)
	}
	defer s.crowd.giveBack(lent)
	err = s.handle(lent, n, notBefore, at, n < len(lent.buf) && exactStamps(conn))
	if s.draining {
		return err
	}
	if s.subscribed > 0 && s.subscribed == len(s.channels) && !s.announced {
		if failed := s.nowReady(ctx, conn); failed != nil {
			return failed
		}
	}
	if err != nil {
		return err
	}
	return s.wire.proceed(ctx, conn)
}

// handle takes what one read brought: every event of it becomes an Observation, and all are handed over at once. exact says that the
// stamp is that of the last byte which had arrived, and can be relied on.
func (s *stream) handle(lent *scratch, n int, notBefore, at int64, exact bool) error {
	epoch := s.crowd.Epoch
	s.beginRead(lent, since(notBefore, epoch), at-epoch)
	err := s.wire.feed(lent.buf[:n])
	s.settleLast(exact)
	s.endRead()
	s.wire.noted()
	return err
}

// handleEnd takes the end of the bytes, which may be what completes a message.
func (s *stream) handleEnd(lent *scratch, notBefore, at int64) error {
	epoch := s.crowd.Epoch
	s.beginRead(lent, since(notBefore, epoch), at-epoch)
	err := s.wire.ended()
	s.endRead()
	s.wire.noted()
	return err
}

// beginRead begins what endRead ends: all that is noted meanwhile is noted of this read.
func (s *stream) beginRead(lent *scratch, notBefore, at int64) {
	r := &lent.reading
	r.notBefore, r.at, r.handled, r.last = notBefore, at, lent.clock.now()-s.crowd.Epoch, 0
	s.reading = r
}

// endRead hands over what was noted.
func (s *stream) endRead() {
	r := s.reading
	if len(r.batch) > 0 {
		s.crowd.Observe(r.batch)
		r.batch = r.batch[:0]
	}
	s.reading = nil
}

// unread is what follows a read that brought nothing; notBefore is that of an end.
func (s *stream) unread(ctx context.Context, conn wire.StampedConn, notBefore int64, err error) error {
	switch {
	case ctx.Err() != nil:
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return s.wire.overdue(ctx, conn)
	case errors.Is(err, io.EOF):
		lent := s.crowd.borrow()
		defer s.crowd.giveBack(lent)
		return s.handleEnd(lent, notBefore, time.Now().UnixNano())
	}
	return err
}

// nowReady lifts the deadline of the first bytes and reports the subscription.
func (s *stream) nowReady(ctx context.Context, conn wire.StampedConn) error {
	s.announced, s.welcome, s.idles = true, true, s.mayHandOver()
	if err := s.deadline(ctx, conn, 0); err != nil {
		return err
	}
	s.nowSlow(conn)
	s.client.nowHeld(true)
	if s.ready != nil {
		s.ready()
	}
	return nil
}

// message begins a message: what is noted from here on is known by it.
func (s *stream) message() { s.last = len(s.batch) }

// note starts an Observation of what the read at hand brought.
func (s *stream) note(kind history.Kind) history.Observation {
	return history.Observation{
		Kind: kind, Client: s.id, Node: s.node, Conn: s.conn, NotBefore: s.notBefore, At: s.at, Handled: s.handled,
	}
}

// subscribe notes that the channel at that place of the stream's list is subscribed: by what the read at hand brought, in
// answer to what was asked.
func (s *stream) subscribe(slot int) {
	o := s.note(history.Subscribed)
	o.NotBefore, o.Channel = s.asked, s.channels[slot]
	s.batch = append(s.batch, o)
	s.subscribed++
}

// delivered notes the events that data bears markers of, as one message.
func (s *stream) delivered(path history.Path, slot int, sequence uint64, data []byte) {
	o := s.note(history.Delivered)
	o.Path, o.Sequence = path, sequence
	if slot >= 0 {
		o.Channel = s.channels[slot]
	}
	from := len(s.batch)
	s.batch = s.crowd.name(s.batch, &o, data)
	if s.listens {
		s.client.hears(s.batch[from:], data, s.naming)
	}
}

// heartbeat notes a message that is no event; why is a text of Observation.Err, "" = none.
func (s *stream) heartbeat(sequence uint64, why string) {
	o := s.note(history.Heartbeat)
	o.Sequence = sequence
	if why != "" {
		o.Err = s.crowd.reason(why)
	}
	s.batch = append(s.batch, o)
}

// settleLast narrows the interval of the last message: when the stamp is that of the last byte which had arrived, and
// nothing came behind the message, then the stamp is its own. A subscription began somewhere between question and answer.
func (s *stream) settleLast(stampOfLast bool) {
	if !stampOfLast || !s.wire.whole() {
		return
	}
	for i := range s.batch[s.last:] {
		if o := &s.batch[s.last+i]; o.Kind != history.Subscribed {
			o.NotBefore = o.At
		}
	}
}

// noteEnd notes that the server or the network ended the connection, or never let it come about.
func (s *stream) noteEnd(err error) { s.noteEndAt(err, s.crowd.now()) }

func (s *stream) noteEndAt(err error, at int64) {
	o := s.client.note(history.Ended, s.conn, at)
	o.Err = s.crowd.reason(cause(err))
	s.client.observe(o)
}
