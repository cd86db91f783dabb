package clients

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/http1"
)

// maxReply bounds the body of a reply, in bytes.
const maxReply = 1 << 20

// phrasing is how a wire words commands as HTTP requests, and what it reads in the replies.
type phrasing interface {
	// prepare gets what the next command needs, over its connection or from elsewhere. Its channel is "" while there is none.
	prepare(ctx context.Context, conn wire.StampedConn, channel string) error
	// request is the request of a command with that payload. Its slices are valid until the next one.
	request(m *Message, payload []byte) http1.Request
	// reply reads the body of a reply whose status is a success. rows holds its Replied, and echo is the beginning of each
	// delivery that is appended to it.
	reply(rows []history.Observation, echo history.Observation, body []byte) []history.Observation
}

// judging is a phrasing that knows better than HTTP which statuses say that a command was taken.
type judging interface{ takes(status int) bool }

// streamed is a phrasing whose replies are read as they come: take notes what b brought, as observations that begin like o, and
// says whether the command is over.
type streamed interface {
	inParts() bool
	take(o history.Observation, b []byte) (over bool, err error)
}

// poster is the sender of the wires that post over HTTP: one keep-alive connection, one command in flight.
type poster struct {
	client   *Client
	giveUp   context.Context // ends the wait for a reply
	words    phrasing
	conn     wire.StampedConn
	place    Place // that conn goes to
	number   uint32
	channel  uint32 // of the command at hand
	response http1.Parser
	payload  []byte
	bytes    []byte // of the request

	// Of the reply that is being read.
	status    int
	keep      bool
	body      []byte
	fields    []http1.Field // nil when nobody wants them
	complete  bool
	notBefore int64
	at        int64
	handled   int64
}

func newPoster(giveUp context.Context, c *Client, words phrasing) *poster {
	return &poster{client: c, giveUp: giveUp, words: words}
}

// connect implements sender.
func (p *poster) connect(ctx context.Context) error { return p.ready(ctx, "") }

// ready makes all that a command to that channel needs.
func (p *poster) ready(ctx context.Context, channel string) error {
	conn, err := p.connection(ctx)
	if err != nil {
		return err
	}
	if err := p.client.enter(ctx); err != nil {
		return err
	}
	return p.words.prepare(ctx, conn, channel)
}

// connection returns the connection for the next command, a new one when there is none that can be used: a server may
// have closed an idle one long ago, and a command written to it would be lost without anybody's fault.
func (p *poster) connection(ctx context.Context) (wire.StampedConn, error) {
	c := p.client
	to := c.place(ForCommand)
	if elsewhere, ok := p.words.(interface{ addr() string }); ok && elsewhere.addr() != "" {
		to = Place{Addr: elsewhere.addr()}
	}
	if p.conn != nil {
		if idle, ok := p.conn.(interface{ Alive() bool }); p.place == to && (!ok || idle.Alive()) {
			return p.conn, nil
		}
		p.close()
	}
	p.number, p.place = c.newConn(to.Node), to
	began := c.crowd.now()
	conn, err := c.crowd.connect(c.dialing(ctx, ForCommand), to.Addr)
	if err != nil {
		return nil, err
	}
	p.conn = conn
	opened := c.note(history.Opened, p.number, c.crowd.now())
	opened.NotBefore, opened.Path = began, history.Reply
	c.observe(opened)
	return conn, nil
}

// close gives the connection up.
func (p *poster) close() {
	if p.conn == nil {
		return
	}
	p.conn.Close() //nolint:errcheck // nothing is lost with it: what it carried is noted already
	p.client.observe(p.client.note(history.Closed, p.number, p.client.crowd.now()))
	p.conn = nil
}

// post sends one command and waits for its reply. It is not cut short by the end of the load: a reply that comes within
// ReplyTimeout, and before giveUp ends, is still part of the run.
func (p *poster) post(next command, turn turn) {
	turn.over(0) // the others have connections of their own
	c := p.client
	before := p.number
	if err := p.ready(p.giveUp, next.message.Channel); err != nil {
		p.failed(history.Refused, next, err)
		return
	}
	if p.number != before {
		next.waited(c.crowd.now()) // it took a new connection
	}
	p.encode(next)
	err := p.send(next)
	stop := context.AfterFunc(p.giveUp, p.interrupt())
	defer stop()
	for err == nil && !p.complete {
		err = p.readOnce()
	}
	if other, ok := p.words.(awaited); ok && err == nil {
		err = other.await(p.giveUp, p)
	}
	if err != nil {
		p.failed(history.Unknown, next, err)
		return
	}
	p.replied(next)
	if !p.keep {
		p.close()
	}
}

// failed notes a command without a reply, and gives the connection up.
func (p *poster) failed(kind history.Kind, next command, why error) {
	c := p.client
	o := c.about(kind, p.number, next, c.crowd.now())
	o.Err = c.crowd.reason(cause(why))
	c.observe(o)
	p.close()
	next.ended(Outcome{Kind: kind, At: o.At, Why: cause(why)})
}

// encode builds the request of a command in the poster's own buffers.
func (p *poster) encode(next command) {
	p.payload = p.client.appendPayload(p.payload[:0], next)
	p.bytes = http1.AppendRequest(p.bytes[:0], p.words.request(next.message, p.payload))
	p.channel = p.client.crowd.channel(next.message.Channel)
}

// send writes the request of a command and notes it.
func (p *poster) send(next command) error {
	c := p.client
	p.response.Field, p.fields = nil, nil
	if next.message.Fields {
		p.response.Field = p.onField
	}
	p.response.Reset()
	p.body, p.complete, p.status = p.body[:0], false, 0
	sent := c.leaves(p.number, next)
	err := p.conn.SetDeadline(time.Now().Add(or(c.crowd.ReplyTimeout, 30*time.Second)))
	if err == nil {
		sent.At = c.crowd.now()
		_, err = p.conn.Write(p.bytes)
	}
	sent.Handled = c.crowd.now()
	c.observe(sent)
	return err
}

// interrupt ends the reads of the connection that is at hand now.
func (p *poster) interrupt() func() {
	conn := p.conn
	return func() { conn.SetReadDeadline(time.Unix(1, 0)) } //nolint:errcheck // a closed connection ends the read as well
}

// readOnce handles one read of the reply.
func (p *poster) readOnce() error {
	crowd := p.client.crowd
	lent, n, notBefore, at, err := crowd.readInto(p.conn)
	if err != nil {
		if errors.Is(err, io.EOF) {
			return p.response.Close(p)
		}
		return err
	}
	defer crowd.giveBack(lent)
	p.notBefore, p.at, p.handled = since(notBefore, crowd.Epoch), at-crowd.Epoch, crowd.now()
	used, err := p.response.Feed(lent.buf[:n], p)
	if err != nil {
		return fmt.Errorf("%w: %w", errForeignBytes, err)
	}
	if p.complete {
		if used < n {
			p.keep = false // something follows that nobody asked for: not a connection to go on with
		} else if n < len(lent.buf) && exactStamps(p.conn) {
			p.notBefore = p.at
		}
	}
	return nil
}

// onField keeps a field of the head.
func (p *poster) onField(name, value []byte) {
	p.fields = append(p.fields, http1.Field{Name: string(name), Value: string(value)})
}

// OnHead implements http1.Handler.
func (p *poster) OnHead(h *http1.Head) error {
	p.status, p.keep = h.Status, h.KeepAlive
	return nil
}

// OnBody implements http1.Handler.
func (p *poster) OnBody(b []byte) error {
	if s, ok := p.words.(streamed); ok && s.inParts() && p.took() {
		o := p.client.note(history.Delivered, p.number, p.at)
		o.NotBefore, o.Handled, o.Path, o.Channel = p.notBefore, p.handled, history.Reply, p.channel
		over, err := s.take(o, b)
		if over {
			p.complete, p.keep = true, false // what follows is not waited for
		}
		return err
	}
	if len(p.body)+len(b) > maxReply {
		return fmt.Errorf("the reply is longer than %d bytes", maxReply)
	}
	p.body = append(p.body, b...)
	return nil
}

// OnEnd implements http1.Handler.
func (p *poster) OnEnd() error {
	p.complete = true
	return nil
}

// replied notes the reply.
func (p *poster) replied(next command) {
	c := p.client
	batch := c.replied(nil, p.words, &next, &answered{
		conn: p.number, notBefore: p.notBefore, at: p.at, handled: p.handled, status: p.status, body: p.body,
	})
	ok := batch[0].Err == history.NoErr
	c.crowd.Observe(batch)
	next.ended(Outcome{Kind: history.Replied, At: p.at, OK: ok, Body: p.body, Status: p.status, Fields: p.fields})
}

// took says whether the status of the reply says that the command was taken.
func (p *poster) took() bool { return taken(p.words, p.status) }

// fetch implements sender.
func (p *poster) fetch(path string) (Fetched, error) {
	conn, err := p.connection(p.giveUp)
	if err != nil {
		return Fetched{}, err
	}
	f, closes, err := p.client.crowd.fetch(p.giveUp, conn, path, p.client.fieldsOf(p.words))
	if closes {
		p.close()
	}
	return f, err
}
