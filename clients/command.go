package clients

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/http1"
)

// Message is what a command says, apart from its marker.
type Message struct {
	Channel string
	Name    string
	Text    string // stands behind the marker
	Size    int    // the payload is filled up to it, in bytes; a marker and a text that are longer are not cut
	Load    uint16 // which entry of history.Run.Loads asks for it, from 1; 0 = none
}

// command is one that is due and waits for its turn.
type command struct {
	due     int64
	seq     uint32
	message *Message
}

// Post asks for one command that is due at that time of the run. It does not wait for the server: the command waits in the
// client's own queue, first in first out, while an earlier one is in flight. When the queue is full the command is noted as dropped.
// It returns the event that the command will cause.
func (c *Client) Post(due int64, m *Message) wire.EventID {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq++
	next := command{due: due, seq: c.seq, message: m}
	select {
	case c.waiting() <- next:
	default:
		c.dropped(next, errQueueFull)
	}
	return wire.EventID{Publisher: c.id, Seq: c.seq}
}

// waiting is the client's queue; the caller holds mu.
func (c *Client) waiting() chan command {
	if c.queue == nil {
		limit := c.crowd.QueueLimit
		if limit <= 0 {
			limit = 1024
		}
		c.queue = make(chan command, limit)
	}
	return c.queue
}

// PostCommands makes the connection for commands, calls ready, and carries out what Post asks for until ctx ends. What is
// in the queue then is noted as dropped, as interrupted or, when ErrOverdue is the cause of the end, as still waiting; a
// command in flight is finished first, unless giveUp ends too: then it is noted as unknown.
func (c *Client) PostCommands(ctx, giveUp context.Context, ready func()) error {
	c.mu.Lock()
	queue := c.waiting()
	c.mu.Unlock()
	p := &poster{client: c, giveUp: giveUp}
	defer p.close()
	if _, err := p.connection(ctx); err != nil && ctx.Err() == nil {
		p.close() // the first command tries again and notes the failure
	}
	if ready != nil {
		ready()
	}
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case next := <-queue:
			if ctx.Err() != nil {
				c.dropped(next, whyNotSent(ctx))
				break
			}
			p.post(next)
		}
	}
	for {
		select {
		case left := <-queue:
			c.dropped(left, whyNotSent(ctx))
		default:
			return nil
		}
	}
}

func whyNotSent(ctx context.Context) string {
	if errors.Is(context.Cause(ctx), ErrOverdue) {
		return errOverdue
	}
	return errInterrupted
}

// dropped notes a command that will never be sent.
func (c *Client) dropped(next command, why string) {
	o := c.about(history.Dropped, 0, next, c.crowd.now())
	o.Err = c.crowd.reason(why)
	c.observe(o)
}

// about starts an Observation about one command.
func (c *Client) about(kind history.Kind, conn uint32, next command, at int64) history.Observation {
	o := c.note(kind, conn, at)
	o.Due, o.Event, o.Channel = next.due, wire.EventID{Publisher: c.id, Seq: next.seq}, c.crowd.channel(next.message.Channel)
	o.Load = next.message.Load
	return o
}

// maxReply bounds the body of a reply, in bytes.
const maxReply = 1 << 20

// poster is the command half of a client: one keep-alive connection, one command in flight.
type poster struct {
	client   *Client
	giveUp   context.Context // ends the wait for a reply
	conn     wire.StampedConn
	place    Place // that conn goes to
	number   uint32
	free     int64 // when the previous command was over
	response http1.Parser
	payload  []byte
	json     []byte
	request  []byte

	// Of the reply that is being read.
	status    int
	keep      bool
	body      []byte
	complete  bool
	notBefore int64
	at        int64
	handled   int64
}

// connection returns the connection for the next command, a new one when there is none that can be used: a server may
// have closed an idle one long ago, and a command written to it would be lost without anybody's fault.
func (p *poster) connection(ctx context.Context) (wire.StampedConn, error) {
	c := p.client
	to := c.place(ForCommand)
	if p.conn != nil {
		if idle, ok := p.conn.(interface{ Alive() bool }); p.place == to && (!ok || idle.Alive()) {
			return p.conn, nil
		}
		p.close()
	}
	p.number, p.place = c.newConn(to.Node), to
	began := c.crowd.now()
	conn, err := c.crowd.connect(ctx, to.Addr)
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
func (p *poster) post(next command) {
	c := p.client
	free := max(next.due, p.free)
	defer func() { p.free = c.crowd.now() }()
	conn, err := p.connection(p.giveUp)
	if err != nil {
		o := c.about(history.Refused, p.number, next, c.crowd.now())
		o.Err = c.crowd.reason(cause(err))
		c.observe(o)
		return
	}
	p.encode(next)
	p.response.Reset()
	p.body, p.complete, p.status = p.body[:0], false, 0
	sent := c.about(history.Sent, p.number, next, c.crowd.now())
	sent.NotBefore = free
	err = conn.SetDeadline(time.Now().Add(or(c.crowd.ReplyTimeout, 30*time.Second)))
	if err == nil {
		sent.At = c.crowd.now()
		_, err = conn.Write(p.request)
	}
	sent.Handled = c.crowd.now()
	c.observe(sent)
	stop := context.AfterFunc(p.giveUp, func() { conn.SetReadDeadline(time.Unix(1, 0)) }) //nolint:errcheck // a closed connection ends the read as well
	defer stop()
	for err == nil && !p.complete {
		err = p.readOnce()
	}
	if err != nil {
		o := c.about(history.Unknown, p.number, next, c.crowd.now())
		o.Err = c.crowd.reason(cause(err))
		c.observe(o)
		p.close()
		return
	}
	p.replied(next)
	if !p.keep {
		p.close()
	}
}

// encode builds the request of a command in the poster's own buffers.
func (p *poster) encode(next command) {
	c, m := p.client, next.message
	p.payload = AppendPayload(p.payload[:0], wire.Marker{
		Run: c.crowd.Run, Event: wire.EventID{Publisher: c.id, Seq: next.seq}, Due: next.due,
	}, m)
	p.json = wire.AppendCommandJSON(p.json[:0], wire.Command{
		Instance: c.instance, Channel: m.Channel, Name: m.Name, Payload: string(p.payload),
	})
	if c.head == nil {
		c.head = append([]http1.Field{{Name: "Content-Type", Value: "application/json"}}, c.crowd.Header...)
	}
	p.request = http1.AppendRequest(p.request[:0], http1.Request{
		Method: "POST", Target: wire.CommandPath, Host: c.crowd.host(), Header: c.head, Body: p.json,
	})
}

// AppendPayload appends the payload of a command: its marker, the text of m, and filler up to the size of m.
func AppendPayload(dst []byte, marker wire.Marker, m *Message) []byte {
	start := len(dst)
	dst = wire.AppendMarker(dst, marker)
	dst = append(dst, m.Text...)
	for len(dst)-start < m.Size {
		dst = append(dst, 'x')
	}
	return dst
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

// OnHead implements http1.Handler.
func (p *poster) OnHead(h *http1.Head) error {
	p.status, p.keep = h.Status, h.KeepAlive
	return nil
}

// OnBody implements http1.Handler.
func (p *poster) OnBody(b []byte) error {
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

// replied notes the reply and, in a design that puts it there, the sender's own view of its event (self-echo).
func (p *poster) replied(next command) {
	c := p.client
	stamp := func(o history.Observation) history.Observation {
		o.NotBefore, o.At, o.Handled = p.notBefore, p.at, p.handled
		return o
	}
	batch := []history.Observation{stamp(c.about(history.Replied, p.number, next, p.at))}
	if p.status < 200 || p.status > 299 {
		batch[0].Err = c.crowd.reason(statusText(p.status))
		c.crowd.Observe(batch)
		return
	}
	var reply wire.Reply
	if len(p.body) > 0 && json.Unmarshal(p.body, &reply) != nil {
		batch[0].Err = c.crowd.reason(errProtocol) // whatever it brought the sender, nobody can read it
	} else {
		for _, echo := range reply.Echo {
			o := stamp(c.note(history.Delivered, p.number, p.at))
			o.Path, o.Channel = history.Reply, c.crowd.channel(echo.Channel)
			batch = c.crowd.name(batch, o, []byte(echo.Payload))
		}
	}
	c.crowd.Observe(batch)
}
