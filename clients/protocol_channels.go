package clients

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"time"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/http1"
	"holobench/wire/phoenix"
	"holobench/wire/websocket"
)

// socketProtocol is Phoenix Channels over WebSocket. Both halves share one socket: the receiver opens it, joins the channels
// and reads; the sender writes its commands to it and is told by the receiver of the reply. A command, its reply and the
// events are all of one Conn, and what comes down it is handed over by the receiver alone, in the order of its bytes.
type socketProtocol struct {
	client *Client
	socket socket
}

func newSocketProtocol(c *Client) *socketProtocol {
	// The standard wants masks that nobody can predict, against pages that attack proxies. Here the same run shall send the
	// same bytes, and whoever could predict them has written them.
	draw := rand.New(rand.NewPCG(uint64(c.crowd.Run), uint64(c.id)))
	return &socketProtocol{client: c, socket: socket{
		draw: draw, flight: make(map[string]*push), joinings: joinings{changed: make(chan struct{}), topics: topics{now: c.crowd.now}},
	}}
}

// receiver implements protocol.
func (p *socketProtocol) receiver(s *stream) receiver {
	r := &socketReceiver{phoenixStream: phoenixStream{stream: s, path: history.WebSocket, topics: &p.socket.joinings}, socket: &p.socket}
	r.naming = r.event
	return r
}

// sender implements protocol.
func (p *socketProtocol) sender(giveUp context.Context) sender {
	return &socketSender{client: p.client, giveUp: giveUp, socket: &p.socket}
}

// join implements mover.
func (p *socketProtocol) join(ctx context.Context, channel string) error {
	_, err := p.socket.await(ctx, channel)
	return err
}

// leave implements mover.
func (p *socketProtocol) leave(ctx context.Context, channel string) error {
	return p.socket.leave(ctx, p.client, channel)
}

// joins implements protocol.
func (p *socketProtocol) joins() bool { return true }

// heartbeatEvery is how often a client of Phoenix says that it is there. One that was not answered by the next ends the
// connection.
const heartbeatEvery = 30 * time.Second

// socketReceiver holds the socket.
type socketReceiver struct {
	phoenixStream
	socket *socket

	key      string // of the handshake
	response http1.Parser
	upgrade  http1.Switch
	frames   websocket.Parser
	opened   bool     // the handshake is over: frames follow
	beating  bool     // heartbeats are sent
	beat     string   // the ref of a heartbeat that was not answered yet
	answers  []*push  // that were found in the read at hand
	pings    [][]byte // what came in a Ping and has to go back
}

// begin implements receiver.
func (r *socketReceiver) begin(_ context.Context, conn wire.StampedConn) error {
	r.opened, r.beating, r.beat = false, false, ""
	r.rejoin()
	r.pings = r.pings[:0]
	r.response.Switch = &r.upgrade
	r.response.Reset()
	r.frames.Reset()
	r.key = websocket.Key(r.socket.nonce())
	var header []http1.Field
	for _, field := range websocket.RequestFields(r.key) {
		header = append(header, http1.Field(field))
	}
	query := url.Values{"vsn": {phoenix.Version}}
	return r.ask(conn, http1.AppendRequest(nil, http1.Request{
		Method: http.MethodGet, Target: phoenix.WebSocketPath + "?" + query.Encode(), Host: r.crowd.host(),
		Header: r.client.header(header, r.crowd.origin()),
	}))
}

// feed implements receiver.
func (r *socketReceiver) feed(b []byte) error {
	if !r.opened {
		used, err := r.response.Feed(b, r)
		if refused, ok := errors.AsType[*RefusedError](err); ok {
			return r.judge(refused)
		}
		if err != nil {
			return fmt.Errorf("%w: %w", errForeignBytes, err)
		}
		if !r.response.Done() {
			return nil
		}
		r.opened = true
		b = b[used:]
	}
	err := r.frames.Feed(b, r)
	if _, ok := errors.AsType[*websocket.FaultError](err); ok {
		return fmt.Errorf("%w: %w", errForeignBytes, err)
	}
	return r.judge(err)
}

// judge says of a refusal whether it is final: it is until the client was subscribed once.
func (r *socketReceiver) judge(err error) error {
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		refused.again = r.welcome
		if !r.welcome {
			r.socket.refuse(refused)
		}
	}
	return err
}

// OnHead implements http1.Handler.
func (r *socketReceiver) OnHead(h *http1.Head) error {
	if err := websocket.CheckAnswer(h.Status, r.upgrade.Values, r.key); err != nil {
		if h.Status != http.StatusSwitchingProtocols {
			return &RefusedError{Status: h.Status, ContentType: h.ContentType}
		}
		return err
	}
	return nil
}

// OnBody implements http1.Handler: the answer has none.
func (r *socketReceiver) OnBody([]byte) error { return nil }

// OnEnd implements http1.Handler.
func (r *socketReceiver) OnEnd() error { return nil }

// OnText implements websocket.Handler.
func (r *socketReceiver) OnText(text []byte) error {
	r.message()
	if err := r.incoming.Parse(text); err != nil {
		return fmt.Errorf("%w: %w", errForeignBytes, err)
	}
	if r.incoming.Event == phoenix.EventReply {
		return r.reply()
	}
	return r.told()
}

// reply notes what the server answered: to a heartbeat, to a join, or to a command.
func (r *socketReceiver) reply() error {
	m := &r.incoming
	if m.Ref == r.beat && m.Topic == phoenix.TopicPhoenix {
		r.beat = ""
		r.heartbeat(0, "")
		return nil
	}
	reply, err := phoenix.ParseReply(m.Payload)
	if err != nil {
		return fmt.Errorf("%w: %w", errForeignBytes, err)
	}
	if m.Ref != "" && m.Ref == m.JoinRef {
		return r.answered(r.socket.joinRef(m.Topic), &reply)
	}
	if p := r.socket.take(m.Ref); p != nil {
		r.answers = append(r.answers, p)
		r.replied(p, &reply)
	}
	return nil
}

// replied notes the reply to a command, and the events in it.
func (r *socketReceiver) replied(p *push, reply *phoenix.Reply) {
	crowd := r.crowd
	o := r.client.about(history.Replied, r.conn, p.command, r.at)
	o.NotBefore, o.Handled = r.notBefore, r.handled
	if reply.Status != phoenix.StatusOK {
		o.Err = crowd.reason(errPushRefused)
	}
	if rest, ok := bytes.CutPrefix(reply.Response, []byte(`{"seq":`)); ok {
		o.Sequence, _ = leadingNumber(rest)
	}
	r.batch = append(r.batch, o)
	p.outcome = Outcome{Kind: history.Replied, At: r.at, OK: reply.Status == phoenix.StatusOK, Status: http.StatusBadRequest}
	if p.outcome.OK {
		p.outcome.Status = http.StatusOK
	}
	if p.command.settled != nil {
		p.outcome.Body = bytes.Clone(reply.Response) // the read is over before it is handed over
	}
	r.echoed(p.command.message.Channel, reply)
}

// OnBinary implements websocket.Handler: no serializer is in use that sends any.
func (r *socketReceiver) OnBinary([]byte) error {
	return fmt.Errorf("%w: a binary message, which nobody asked for", errForeignBytes)
}

// OnPing implements websocket.Handler.
func (r *socketReceiver) OnPing(b []byte) error {
	r.message()
	r.heartbeat(0, "")
	r.pings = append(r.pings, append([]byte(nil), b...))
	return nil
}

// OnPong implements websocket.Handler.
func (r *socketReceiver) OnPong([]byte) error {
	r.message()
	return nil
}

// OnClose implements websocket.Handler.
func (r *socketReceiver) OnClose(websocket.Code, []byte) error {
	r.message()
	return io.EOF
}

// whole implements receiver.
func (r *socketReceiver) whole() bool { return r.opened && !r.frames.Pending() }

// noted implements receiver: only now may the next command go out, so that its Sent stands behind this reply, or behind
// that to the join.
func (r *socketReceiver) noted() {
	for _, p := range r.answers {
		p.done <- nil
	}
	r.answers = r.answers[:0]
	if len(r.confirmed) > 0 {
		r.socket.confirm(r.confirmed)
		r.confirmed = r.confirmed[:0]
	}
}

// proceed implements receiver: when the handshake is over the channels are joined.
func (r *socketReceiver) proceed(ctx context.Context, conn wire.StampedConn) error {
	if !r.opened {
		return nil
	}
	if r.socket.holds(conn) {
		return r.goOn(ctx, conn)
	}
	r.asked = r.crowd.now() // the joins
	if err := r.socket.open(conn, r.conn, r.names); err != nil {
		return err
	}
	if len(r.channels) == 0 {
		r.announced, r.welcome = true, true
	}
	return nil
}

// goOn answers Pings, and begins to send heartbeats when the channels are joined.
func (r *socketReceiver) goOn(ctx context.Context, conn wire.StampedConn) error {
	for _, ping := range r.pings {
		if err := r.socket.pong(ping); err != nil {
			return err
		}
	}
	r.pings = r.pings[:0]
	if r.announced && !r.beating {
		r.beating = true
		return r.deadline(ctx, conn, heartbeatEvery)
	}
	return nil
}

// overdue implements receiver: the handshake or a join was not answered in time, or it is time for a heartbeat.
func (r *socketReceiver) overdue(ctx context.Context, conn wire.StampedConn) error {
	if !r.announced || r.beat != "" {
		return os.ErrDeadlineExceeded
	}
	ref, err := r.socket.heartbeat()
	if err != nil {
		return err
	}
	r.beat = ref
	return r.deadline(ctx, conn, heartbeatEvery)
}

// ended implements receiver.
func (r *socketReceiver) ended() error {
	switch {
	case !r.opened:
		return r.response.Close(r)
	case r.frames.Pending():
		return io.ErrUnexpectedEOF
	}
	return io.EOF
}

// over implements receiver.
func (r *socketReceiver) over(why error) {
	r.count()
	r.socket.close(why)
}
