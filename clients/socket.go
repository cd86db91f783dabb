package clients

import (
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"time"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/phoenix"
	"holobench/wire/websocket"
)

// socket is the WebSocket of a client, which its two halves share: one reads, both write.
type socket struct {
	joinings // its lock is held while something is written, so that frames stay whole

	draw   *rand.Rand       // of masks
	conn   wire.StampedConn // nil = none is open, or no WebSocket yet
	number uint32
	flight map[string]*push // the commands that wait for their replies, by ref
	text   []byte
	frame  []byte
}

// push is a command in flight.
type push struct {
	command command
	ref     string
	outcome Outcome    // of meaning when done got nil
	done    chan error // gets one value when the reply was noted, or never comes
}

// nonce draws what a handshake shows.
func (k *socket) nonce() (n [16]byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	binary.LittleEndian.PutUint64(n[:], k.draw.Uint64())
	binary.LittleEndian.PutUint64(n[8:], k.draw.Uint64())
	return n
}

// masked appends a frame; the caller holds mu.
func (k *socket) masked(dst []byte, opcode websocket.Opcode, payload []byte) []byte {
	f := websocket.Frame{Opcode: opcode, Masked: true, Payload: payload}
	binary.LittleEndian.PutUint32(f.Key[:], k.draw.Uint32())
	return websocket.AppendFrame(dst, f)
}

// holds says whether conn is the open socket.
func (k *socket) holds(conn wire.StampedConn) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.conn == conn
}

// open makes conn the socket, and joins the channels.
func (k *socket) open(conn wire.StampedConn, number uint32, channels []string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.conn, k.number = conn, number
	k.topics.reset()
	k.frame = k.frame[:0]
	for _, channel := range channels {
		k.text = phoenix.AppendMessage(k.text[:0], k.topics.join(channel))
		k.frame = k.masked(k.frame, websocket.Text, k.text)
	}
	k.change()
	return k.send()
}

// writeTimeout bounds how long a write may hold up the other half: a server that reads nothing for so long is lost.
const writeTimeout = 10 * time.Second

// send writes the frames that were prepared; the caller holds mu.
func (k *socket) send() error {
	if err := k.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	_, err := k.conn.Write(k.frame)
	return err
}

// pong answers a Ping that carried payload.
func (k *socket) pong(payload []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.frame = k.masked(k.frame[:0], websocket.Pong, payload)
	return k.send()
}

// heartbeat sends one, and returns its ref.
func (k *socket) heartbeat() (ref string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	ref = k.topics.next()
	k.text = phoenix.AppendMessage(k.text[:0], phoenix.Message{Ref: ref, Topic: phoenix.TopicPhoenix, Event: phoenix.EventHeartbeat})
	k.frame = k.masked(k.frame[:0], websocket.Text, k.text)
	return ref, k.send()
}

// leave leaves a topic, and returns when the server has said so, or has gone. From when it is asked nothing is owed to the
// client any more.
func (k *socket) leave(ctx context.Context, c *Client, topic string) error {
	k.mu.Lock()
	conn := k.conn
	if conn == nil || k.topics.joined[topic] == "" {
		k.mu.Unlock()
		return nil
	}
	c.unsubscribed(k.number, topic)
	k.text = phoenix.AppendMessage(k.text[:0], k.topics.leave(topic))
	k.frame = k.masked(k.frame[:0], websocket.Text, k.text)
	err := k.send()
	for err == nil && k.conn == conn && k.topics.leaving[topic] != "" {
		changed := k.changed
		k.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		k.mu.Lock()
	}
	k.mu.Unlock()
	return err
}

// refuse says that there will be no socket.
func (k *socket) refuse(why error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refused = why
	k.change()
}

// close forgets the socket. A command in flight will not be answered any more.
func (k *socket) close(why error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.conn == nil {
		return
	}
	if why == nil { // the client leaves, as a page does that is closed
		why = context.Canceled
		k.frame = k.masked(k.frame[:0], websocket.Close, websocket.AppendClosePayload(nil, websocket.GoingAway, ""))
		k.conn.SetWriteDeadline(time.Now().Add(time.Second)) //nolint:errcheck // the end of it is near
		k.conn.Write(k.frame)                                //nolint:errcheck // it is a courtesy
	}
	k.conn = nil
	for _, p := range k.flight {
		p.done <- why // it has room: nobody else says anything to it
	}
	clear(k.flight)
	k.change()
}

// take returns the command that a reply with this ref answers, once.
func (k *socket) take(ref string) *push {
	k.mu.Lock() // also until the Sent of that command was noted: see send
	defer k.mu.Unlock()
	p := k.flight[ref]
	delete(k.flight, ref)
	return p
}

// await returns when there is a socket and the topic is joined: Phoenix's client keeps a push back until then. A topic that
// nobody has joined yet it joins.
func (k *socket) await(ctx context.Context, topic string) (waited bool, err error) {
	for {
		changed, err := k.prepare(topic)
		if changed == nil {
			return waited, err
		}
		waited = true
		select {
		case <-changed:
		case <-ctx.Done():
			return waited, context.Cause(ctx)
		}
	}
}

// prepare returns nil when a push may go to the topic, or with why none ever will, and else what to wait for.
func (k *socket) prepare(topic string) (changed <-chan struct{}, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.refused != nil:
		return nil, k.refused
	case k.conn != nil && k.topics.open[topic]:
		return nil, nil
	case k.conn != nil && k.topics.joined[topic] == "":
		k.text = phoenix.AppendMessage(k.text[:0], k.topics.join(topic))
		k.frame = k.masked(k.frame[:0], websocket.Text, k.text)
		if err := k.send(); err != nil {
			return nil, err
		}
	}
	return k.changed, nil
}

// socketSender posts commands over the socket that the other half holds.
type socketSender struct {
	client  *Client
	giveUp  context.Context
	socket  *socket
	payload []byte
}

// connect implements sender: the other half connects.
func (p *socketSender) connect(context.Context) error { return nil }

// close implements sender.
func (p *socketSender) close() {}

// post implements sender.
func (p *socketSender) post(next command, turn turn) {
	c := p.client
	ctx, cancel := context.WithTimeout(p.giveUp, or(c.crowd.ReplyTimeout, 30*time.Second))
	defer cancel()
	flying, number, err := p.send(ctx, &next)
	turn.over(next.held)
	if err == nil {
		err = p.wait(ctx, flying)
	}
	if err == nil {
		next.ended(flying.outcome)
		return
	}
	kind := history.Unknown
	if flying == nil {
		kind = history.Refused
	}
	o := c.about(kind, number, next, c.crowd.now())
	o.Err = c.crowd.reason(cause(err))
	c.observe(o)
	next.ended(Outcome{Kind: kind, At: o.At, Why: cause(err)})
}

// send writes a command and notes it, before the reply can be: the receiver has to take the lock for that. flying is nil when
// nothing was written.
func (p *socketSender) send(ctx context.Context, next *command) (flying *push, number uint32, err error) {
	c, k := p.client, p.socket
	waited, err := k.await(ctx, next.message.Channel)
	if err != nil {
		return nil, 0, err
	}
	if waited {
		next.waited(c.crowd.now())
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.conn == nil {
		return nil, 0, io.EOF // it ended since
	}
	p.payload = c.appendPayload(p.payload[:0], *next)
	m := k.topics.push(next.message)
	k.text = phoenix.AppendPush(k.text[:0], m, string(p.payload))
	k.frame = k.masked(k.frame[:0], websocket.Text, k.text)

	flying = &push{command: *next, ref: m.Ref, done: make(chan error, 1)}
	k.flight[m.Ref] = flying
	sent := c.leaves(k.number, *next)
	err = k.send()
	sent.Handled = c.crowd.now()
	c.observe(sent)
	if err != nil {
		delete(k.flight, m.Ref)
	}
	return flying, k.number, err
}

// fetch implements sender: a page would fetch beside its socket.
func (p *socketSender) fetch(path string) (f Fetched, err error) {
	err = p.client.aside(p.giveUp, func(conn wire.StampedConn) (err error) {
		f, _, err = p.client.crowd.fetch(p.giveUp, conn, path, nil)
		return err
	})
	return f, err
}

// wait returns when the reply was noted, with nil, or never will be.
func (p *socketSender) wait(ctx context.Context, flying *push) error {
	select {
	case err := <-flying.done:
		return err
	case <-ctx.Done():
	}
	if p.socket.take(flying.ref) == nil { // it was taken before, and is being noted
		return <-flying.done
	}
	return context.Cause(ctx)
}
