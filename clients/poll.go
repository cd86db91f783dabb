package clients

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"holobench/wire"
	"holobench/wire/http1"
	"holobench/wire/phoenix"
)

// pollReceiver polls a session.
type pollReceiver struct {
	phoenixStream
	protocol *pollProtocol
	token    string // of the session that is polled
	request  []byte // of each poll
	resumed  bool   // the connection is new and the session is not: its first answer says that all goes on

	response http1.Parser
	status   int
	keep     bool
	complete bool
	body     []byte
	poll     phoenix.Poll
}

// begin implements receiver: a session when there is none, the joins, and the first poll.
func (r *pollReceiver) begin(ctx context.Context, conn wire.StampedConn) error {
	r.protocol.polls(r.conn)
	r.resumed = r.token != ""
	if r.token == "" {
		if err := r.open(ctx, conn); err != nil {
			return r.judge(err)
		}
	}
	if r.resumed {
		return r.ask(conn, r.again())
	}
	_, err := conn.Write(r.again()) // it was the joins that asked
	return err
}

// open begins a session and joins the channels.
func (r *pollReceiver) open(ctx context.Context, conn wire.StampedConn) error {
	var first phoenix.Poll
	if err := r.exchange(ctx, conn, &first, http1.Request{Method: http.MethodGet, Target: r.protocol.target("")}); err != nil {
		return err
	}
	if first.Token == "" {
		return &RefusedError{Status: first.Status}
	}
	r.token = first.Token
	r.rejoin()
	r.request = r.request[:0]
	joins := r.protocol.begin(r.token, r.names)
	r.asked = r.crowd.now()
	if len(r.channels) == 0 {
		return nil
	}
	return r.exchange(ctx, conn, &first, http1.Request{
		Method: http.MethodPost, Target: r.protocol.target(r.token),
		Header: []http1.Field{{Name: "Content-Type", Value: phoenix.BatchType}}, Body: joins,
	})
}

// exchange sends a request of the session's and reads the answer.
func (r *pollReceiver) exchange(ctx context.Context, conn wire.StampedConn, into *phoenix.Poll, request http1.Request) error {
	request.Header = append(request.Header, r.client.cookies()...)
	a, err := r.crowd.exchange(ctx, conn, request)
	switch {
	case err != nil:
		return err
	case a.status != http.StatusOK:
		return &RefusedError{Status: a.status}
	}
	if err := into.Parse(a.body); err != nil {
		return fmt.Errorf("%w: %w", errForeignBytes, err)
	}
	if into.Status != http.StatusOK && into.Token == "" {
		r.lose()
		return &RefusedError{Status: into.Status}
	}
	return nil
}

// again is the request of a poll, and makes the parser ready for its answer. A poll that asks again is no new subscription.
func (r *pollReceiver) again() []byte {
	r.response.Reset()
	r.body, r.complete, r.status = r.body[:0], false, 0
	if cap(r.body) > keptBody {
		r.body = nil
	}
	if len(r.request) == 0 {
		r.request = http1.AppendRequest(nil, http1.Request{
			Method: http.MethodGet, Target: r.protocol.target(r.token), Host: r.crowd.host(),
			Header: r.client.header([]http1.Field{{Name: "Accept", Value: "application/json"}}, r.crowd.origin()),
		})
	}
	return r.request
}

// keptBody is the longest buffer that a session keeps between two polls, in bytes: thousands of idle ones must stay small.
const keptBody = 4 << 10

// lose forgets the session.
func (r *pollReceiver) lose() {
	r.token = ""
	r.protocol.end(nil)
}

// judge says of a refusal whether it is final: it is until the client was subscribed once.
func (r *pollReceiver) judge(err error) error {
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		refused.again = r.welcome
		if !r.welcome {
			r.protocol.end(refused)
		}
	}
	return err
}

// feed implements receiver.
func (r *pollReceiver) feed(b []byte) error {
	used, err := r.response.Feed(b, r)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errForeignBytes, err)
	case !r.complete:
		return nil
	case used < len(b):
		return fmt.Errorf("%w: something follows the answer to a poll", errForeignBytes)
	}
	return r.judge(r.took())
}

// took notes what a whole answer brought.
func (r *pollReceiver) took() error {
	if r.status != http.StatusOK {
		return &RefusedError{Status: r.status}
	}
	if err := r.poll.Parse(r.body); err != nil {
		return fmt.Errorf("%w: %w", errForeignBytes, err)
	}
	switch r.poll.Status {
	case http.StatusOK, http.StatusNoContent:
	case http.StatusGone:
		r.lose()
		return errSessionLost
	default:
		r.lose()
		return &RefusedError{Status: r.poll.Status}
	}
	if r.resumed {
		r.resumed = false
		for slot, joined := range r.joined {
			if joined {
				r.subscribe(slot)
			}
		}
	}
	if len(r.channels) == 0 {
		r.announced, r.welcome = true, true // as much as a client that only sends ever gets
	}
	r.message() // the whole answer is one: see pollProtocol
	for _, text := range r.poll.Messages {
		if err := r.incoming.Parse(text); err != nil {
			return fmt.Errorf("%w: %w", errForeignBytes, err)
		}
		if err := r.read(); err != nil {
			return err
		}
	}
	return nil
}

// read notes one message.
func (r *pollReceiver) read() error {
	m := &r.incoming
	if m.Event != phoenix.EventReply {
		if err := r.told(); err != nil {
			r.lose()
			return err
		}
		return nil
	}
	reply, err := phoenix.ParseReply(m.Payload)
	if err != nil {
		return fmt.Errorf("%w: %w", errForeignBytes, err)
	}
	switch {
	case m.Ref != "" && m.Ref == m.JoinRef:
		err := r.answered(r.protocol.joinRef(m.Topic), &reply)
		if err != nil {
			r.lose()
		}
		return err
	case reply.Status != phoenix.StatusOK:
		r.heartbeat(0, errPushRefused) // its POST said only that the session took it
	default:
		r.echoed(m.Topic, &reply)
	}
	return nil
}

// whole implements receiver.
func (r *pollReceiver) whole() bool { return r.complete }

// noted implements receiver: only now may commands go where a join was answered, so that their Sent stands behind it.
func (r *pollReceiver) noted() {
	if len(r.confirmed) > 0 {
		r.protocol.confirm(r.confirmed)
		r.confirmed = r.confirmed[:0]
	}
}

// proceed implements receiver: after an answer comes the next poll.
func (r *pollReceiver) proceed(ctx context.Context, conn wire.StampedConn) error {
	if !r.complete {
		return nil
	}
	if !r.keep {
		return io.EOF
	}
	if _, err := conn.Write(r.again()); err != nil {
		return err
	}
	return r.deadline(ctx, conn, or(r.crowd.HeadTimeout, 30*time.Second))
}

// overdue implements receiver: a poll is answered within its window, which is 10 s.
func (r *pollReceiver) overdue(context.Context, wire.StampedConn) error {
	return os.ErrDeadlineExceeded
}

// ended implements receiver: the end of the connection may be that of an answer.
func (r *pollReceiver) ended() error {
	if err := r.response.Close(r); err != nil {
		return err
	}
	if err := r.judge(r.took()); err != nil {
		return err
	}
	return io.EOF
}

// over implements receiver.
func (r *pollReceiver) over(error) { r.count() }

// OnHead implements http1.Handler.
func (r *pollReceiver) OnHead(h *http1.Head) error {
	r.status, r.keep = h.Status, h.KeepAlive
	return nil
}

// OnBody implements http1.Handler.
func (r *pollReceiver) OnBody(b []byte) error {
	if len(r.body)+len(b) > phoenix.MaxPoll {
		return fmt.Errorf("the answer to a poll is longer than %d bytes", phoenix.MaxPoll)
	}
	r.body = append(r.body, b...)
	return nil
}

// OnEnd implements http1.Handler.
func (r *pollReceiver) OnEnd() error {
	r.complete = true
	return nil
}
