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
	"holobench/wire/http2"
)

// overHTTP2 is a wire of HTTP that can go over HTTP/2.
type overHTTP2 interface {
	protocol
	// words are those of one who posts commands.
	words() phrasing
}

// http2Protocol is a wire over HTTP/2. A client has one connection for its event stream and its commands, each a stream of HTTP/2,
// as a browser has it. The receiver makes the connection, asks for the events and reads all that comes; the senders write their
// commands to it, and are told of the answer by the receiver. What comes down is of one Conn and handed over by the receiver alone, in the
// order of its bytes.
//
// A connection ends with its event stream: when the server ends or resets that, or announces the end of the connection (GOAWAY),
// what is in flight is still waited for, and the next connection is made as on HTTP/1.1. A browser would ask for the stream anew
// on the same connection, which tells a client nothing else. Redirects are refusals here.
type http2Protocol struct {
	overHTTP2

	client *Client
	link   http2Link
}

func newHTTP2Protocol(c *Client, over overHTTP2) *http2Protocol {
	p := &http2Protocol{overHTTP2: over, client: c}
	p.link.init(c.crowd)
	return p
}

// receiver implements protocol.
func (p *http2Protocol) receiver(s *stream) receiver {
	r := &http2Receiver{receiver: p.overHTTP2.receiver(s), stream: s, link: &p.link}
	r.events, r.described = downOverHTTP2(r.receiver)
	return r
}

// sender implements protocol.
func (p *http2Protocol) sender(giveUp context.Context) sender {
	return &http2Sender{client: p.client, giveUp: giveUp, link: &p.link, words: p.words()}
}

// joins implements protocol.
func (p *http2Protocol) joins() bool { return true }

// renew lets the next connection begin with a new page, on the wire that has one.
func (p *http2Protocol) renew() {
	if page, ok := p.overHTTP2.(interface{ renew() }); ok {
		page.renew()
	}
}

// http2Receiver holds the connection. What the events say is for the receiver of the wire to tell.
type http2Receiver struct {
	receiver

	described *genericReceiver // that receiver, when it is one; else nil

	stream *stream
	events httpBody // of that receiver
	link   *http2Link
	head   []byte         // of the connection: its first bytes
	gone   error          // why the stream of events is over; nil = it is not
	mine   bool           // what was told last is of the stream of events
	exact  bool           // ... and ended with the last byte that was fed
	noting []*http2Flight // commands whose answers were found in the read at hand
}

// begin implements receiver: the preface, and what the wire asks for. A client without channels holds the connection for its
// commands only.
func (r *http2Receiver) begin(ctx context.Context, conn wire.StampedConn) error {
	r.head, r.gone, r.mine, r.exact = nil, nil, false, false
	r.link.lock()
	r.link.begin(conn, r.stream.conn)
	r.link.unlock()
	if len(r.stream.names) > 0 {
		if err := r.receiver.begin(ctx, &http2Begin{conn, r}); err != nil {
			return err
		}
	} else {
		r.stream.announced, r.stream.welcome = true, true
		r.stream.client.nowHeld(true)
	}
	r.link.lock()
	defer r.link.unlock()
	r.link.takes = true
	r.link.change()
	return r.link.flush()
}

// feed implements receiver.
func (r *http2Receiver) feed(b []byte) error {
	err := r.greeting(b)
	if err == nil {
		err = r.take(b)
	}
	if wire, ok := r.receiver.(interface{ judge(error) error }); ok { // without the token: it may wait for one who waits for that
		return wire.judge(err)
	}
	return err
}

// greeting finds a server that answers the preface in HTTP/1.1.
func (r *http2Receiver) greeting(b []byte) error {
	const other = "HTTP/1."
	if len(r.head) == len(other) {
		return nil
	}
	r.head = append(r.head, b[:min(len(b), len(other)-len(r.head))]...)
	if string(r.head) != other {
		return nil
	}
	return &RefusedError{step: errNotHTTP2}
}

// take takes the bytes of one read.
func (r *http2Receiver) take(b []byte) error {
	l := r.link
	l.lock()
	defer l.unlock()
	err := l.http.Feed(b, r)
	r.exact = !l.http.Pending() && !l.http.Silent() && (!r.mine || !r.events.pending())
	switch {
	case errors.Is(err, http2.ErrBroken):
		return fmt.Errorf("%w: %w", errForeignBytes, err)
	case err != nil || l.finishing:
		return err
	case r.gone != nil:
		return r.gone
	case l.http.Leaving():
		return errGoAway
	}
	return nil
}

// OnHead implements http2.Handler.
func (r *http2Receiver) OnHead(id uint32, h *http2.Head) error {
	r.told(id)
	if r.mine {
		r.described.heads(h)
		if err := r.events.OnHead(&http1.Head{Status: h.Status, ContentType: h.Get("content-type"), ContentEncoding: h.Get("content-encoding")}); err != nil {
			r.gone = err // what is in flight beside it may still be answered
		}
		return nil
	}
	if f := r.link.flights[id]; f != nil {
		f.status = h.Status
		for _, field := range h.Fields {
			if f.wanted {
				f.fields = append(f.fields, http1.Field(field))
			}
		}
	}
	return nil
}

// told begins what the peer tells of a stream.
func (r *http2Receiver) told(id uint32) {
	r.stream.message()
	r.mine = id == r.link.down
}

// OnData implements http2.Handler.
func (r *http2Receiver) OnData(id uint32, b []byte) error {
	r.told(id)
	if f := r.link.flights[id]; f != nil {
		return f.add(b)
	}
	if r.mine && r.gone == nil { // else it is the body of a refusal
		if err := r.events.OnBody(b); err != nil {
			return fmt.Errorf("%w: %w", errForeignBytes, err)
		}
	}
	return nil
}

// OnEnd implements http2.Handler.
func (r *http2Receiver) OnEnd(id uint32) error {
	r.told(id)
	if r.mine {
		r.lose(r.described.endOfBody())
		return nil
	}
	f := r.link.flights[id]
	if f == nil {
		return nil
	}
	r.link.took(f)
	if f.command == nil {
		f.done <- nil // it has room
		return nil
	}
	r.noting = append(r.noting, f)
	r.answered(f)
	return nil
}

// OnReset implements http2.Handler.
func (r *http2Receiver) OnReset(id uint32, _ http2.Code) error {
	r.told(id)
	if r.mine {
		r.lose(errStreamReset)
	} else if f := r.link.flights[id]; f != nil {
		r.link.took(f)
		f.done <- errStreamReset
	}
	return nil
}

// lose ends the stream of events.
func (r *http2Receiver) lose(why error) {
	r.link.down = 0
	if r.gone == nil {
		r.gone = why
	}
}

// answered notes the answer to a command.
func (r *http2Receiver) answered(f *http2Flight) {
	s := r.stream
	from := len(s.batch)
	rows := s.client.replied(s.batch[from:], f.words, f.command, &answered{
		conn: s.conn, notBefore: s.notBefore, at: s.at, handled: s.handled, status: f.status, body: f.body,
	})
	f.outcome = Outcome{
		Kind: history.Replied, At: s.at, OK: rows[0].Err == history.NoErr, Body: f.body, Status: f.status, Fields: f.fields,
	}
	s.batch = append(s.batch[:from], rows...)
}

// whole implements receiver.
func (r *http2Receiver) whole() bool { return r.exact }

// noted implements receiver: only now may the next command go out, so that its Sent stands behind this reply.
func (r *http2Receiver) noted() {
	r.link.lock()
	r.link.free()
	r.link.unlock()
	for _, f := range r.noting {
		f.done <- nil
	}
	clear(r.noting)
	r.noting = r.noting[:0]
}

// proceed implements receiver.
func (r *http2Receiver) proceed(ctx context.Context, conn wire.StampedConn) error {
	r.link.lock()
	err := r.link.flush()
	r.link.unlock()
	if err == nil && r.described != nil && !r.stream.draining {
		err = r.described.proceed(ctx, conn)
	}
	return err
}

// overdue implements receiver: the head did not come in time, unless nobody waits for one.
func (r *http2Receiver) overdue(ctx context.Context, conn wire.StampedConn) error {
	switch {
	case r.link.finishing:
		return nil
	case r.stream.announced && r.described != nil:
		return r.described.overdue(ctx, conn)
	case r.stream.announced:
		return r.stream.deadline(ctx, conn, 0)
	}
	return os.ErrDeadlineExceeded
}

// ended implements receiver: a stream that has not ended is cut.
func (r *http2Receiver) ended() error {
	if r.link.down != 0 || r.link.http.Pending() {
		return io.ErrUnexpectedEOF
	}
	return io.EOF
}

// over implements receiver.
func (r *http2Receiver) over(why error) {
	r.receiver.over(why)
	if refused, ok := errors.AsType[*RefusedError](why); ok && !refused.again {
		r.link.refuse(refused)
	}
	if why == nil {
		why = context.Canceled // the client leaves
	}
	r.link.close(why)
}

// finish implements finisher: what is in flight is waited for, as long as who sent it does.
func (r *http2Receiver) finish(conn wire.StampedConn) {
	r.stream.draining = true
	defer func() { r.stream.draining = false }()
	r.link.lock()
	r.link.takes, r.link.finishing = false, true
	if r.link.down != 0 {
		r.link.http.Cancel(r.link.down)
		r.link.down = 0
	}
	r.link.unlock()
	for r.unanswered(conn) && r.stream.readOnce(context.Background(), conn) == nil {
		continue
	}
}

// unanswered sends what has to be sent, and says whether anything is in flight; if so the next read waits for it. Of a connection on
// which the peer broke the protocol nothing more is to be had.
func (r *http2Receiver) unanswered(conn wire.StampedConn) bool {
	r.link.lock()
	defer r.link.unlock()
	if r.link.http.Feed(nil, r) != nil || r.link.flush() != nil || len(r.link.flights) == 0 {
		return false
	}
	return conn.SetReadDeadline(time.Time{}) == nil
}

// http2Begin is a connection while it begins: whoever asks something reads the answer himself.
type http2Begin struct {
	wire.StampedConn

	receiver *http2Receiver
}

// request implements requester: it asks for the events.
func (b *http2Begin) request(r *http1.Request) (err error) {
	l := b.receiver.link
	l.lock()
	defer l.unlock()
	if l.down, err = l.request(r); err != nil {
		return err
	}
	return l.flush()
}

// exchange implements exchanger.
func (b *http2Begin) exchange(ctx context.Context, r *http1.Request) (*answer, error) {
	s, l, f := b.receiver.stream, b.receiver.link, newExchange()
	l.lock()
	err := l.fly(r, f)
	if err == nil {
		err = l.flush()
	}
	l.unlock()
	if err == nil {
		err = s.deadline(ctx, b.StampedConn, or(s.crowd.HeadTimeout, 30*time.Second))
	}
	for err == nil {
		select {
		case err := <-f.done:
			return f.answer(), err
		default:
		}
		err = b.readOnce(ctx)
	}
	l.giveUp(f) // else whoever gives the connection up would wait for it
	return nil, err
}

// readOnce handles what one read brings.
func (b *http2Begin) readOnce(ctx context.Context) error {
	s := b.receiver.stream
	lent, n, notBefore, at, err := s.crowd.readInto(b.StampedConn)
	if err != nil {
		return s.unread(ctx, b.StampedConn, notBefore, err)
	}
	defer s.crowd.giveBack(lent)
	if err := s.handle(lent, n, notBefore, at, n < len(lent.buf) && exactStamps(b.StampedConn)); err != nil {
		return err
	}
	return b.receiver.proceed(ctx, b.StampedConn)
}
