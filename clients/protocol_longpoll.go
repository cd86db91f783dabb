package clients

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/http1"
	"holobench/wire/phoenix"
)

// pollProtocol is Phoenix by long polling. Both halves share a session, which the receiver opens, joins the channels in, and
// polls on one keep-alive connection; commands are POSTs to it on another. What comes back for a command is told by the poll,
// and its own reply says only that the session has taken it.
//
// # What is known of a poll
//
// A response to a poll is one JSON text: no message in it can be read before its last byte is there. So the arrival of that
// byte is the arrival of all of them, exactly so where the read that brought it emptied the socket, and one Conn has their
// order from the order of rows. How long a message waited in the session for a poll to come is in its latency, as for a user.
type pollProtocol struct {
	client *Client

	joinings

	token  string // of the session; "" = there is none
	number uint32 // of the connection that polls it
}

func newPollProtocol(c *Client) *pollProtocol {
	return &pollProtocol{client: c, joinings: joinings{changed: make(chan struct{}), topics: topics{now: c.crowd.now}}}
}

// receiver implements protocol.
func (p *pollProtocol) receiver(s *stream) receiver {
	r := &pollReceiver{phoenixStream: phoenixStream{stream: s, path: history.Poll, topics: &p.joinings}, protocol: p}
	r.naming = r.event
	return r
}

// sender implements protocol.
func (p *pollProtocol) sender(giveUp context.Context) sender {
	return newPoster(giveUp, p.client, &pollPhrasing{protocol: p})
}

// joins implements protocol.
func (p *pollProtocol) joins() bool { return true }

// target is what a request for the session asks for.
func (p *pollProtocol) target(token string) string {
	query := url.Values{"vsn": {phoenix.Version}}
	if token != "" {
		query.Set("token", token)
	}
	return phoenix.LongPollPath + "?" + query.Encode()
}

// begin takes up a new session, and words the joins that come first.
func (p *pollProtocol) begin(token string, topics []string) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.topics.reset()
	p.token, p.refused = token, nil
	p.change()
	return p.wordJoins(topics)
}

// polls says by which connection the session is polled from now on.
func (p *pollProtocol) polls(number uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.number = number
}

// end forgets the session; refused says that there will be no other.
func (p *pollProtocol) end(refused error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.topics.reset()
	p.token, p.refused = "", refused
	p.change()
}

// await returns when there is a session and the topic is joined: Phoenix's client keeps a push back until then. A topic that
// nobody has joined yet is joined by what join sends, to the session of that token.
func (p *pollProtocol) await(ctx context.Context, topic string, join func(token string) error) error {
	for {
		p.mu.Lock()
		token, refused, changed := p.token, p.refused, p.changed
		asked, open := p.topics.joined[topic] != "", p.topics.open[topic]
		p.mu.Unlock()
		switch {
		case refused != nil:
			return refused
		case open:
			return nil
		case token != "" && !asked:
			if err := join(token); err != nil {
				return err
			}
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// wordJoin words the join of a topic.
func (p *pollProtocol) wordJoin(topic string) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wordJoins([]string{topic})
}

// wordJoins words joins, as a batch; the caller holds mu.
func (p *pollProtocol) wordJoins(topics []string) []byte {
	var joins []phoenix.Message
	for _, topic := range topics {
		joins = append(joins, p.topics.join(topic))
	}
	return phoenix.AppendBatch(nil, joins...)
}

// join implements mover.
func (p *pollProtocol) join(ctx context.Context, channel string) error {
	return p.await(ctx, channel, func(token string) error {
		return p.client.aside(ctx, func(conn wire.StampedConn) error { return p.post(ctx, conn, token, p.wordJoin(channel)) })
	})
}

// leave implements mover. From when it is asked nothing is owed to the client any more.
func (p *pollProtocol) leave(ctx context.Context, channel string) error {
	p.mu.Lock()
	token := p.token
	if token == "" || p.topics.joined[channel] == "" {
		p.mu.Unlock()
		return nil
	}
	p.client.unsubscribed(p.number, channel)
	body := phoenix.AppendBatch(nil, p.topics.leave(channel))
	p.mu.Unlock()
	err := p.client.aside(ctx, func(conn wire.StampedConn) error { return p.post(ctx, conn, token, body) })
	for err == nil {
		p.mu.Lock()
		done, changed := p.token != token || p.topics.leaving[channel] == "", p.changed
		p.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	return err
}

// post sends messages to the session; what becomes of them the poll says.
func (p *pollProtocol) post(ctx context.Context, conn wire.StampedConn, token string, batch []byte) error {
	_, err := p.client.crowd.exchange(ctx, conn, http1.Request{
		Method: http.MethodPost, Target: p.target(token), Header: []http1.Field{{Name: "Content-Type", Value: phoenix.BatchType}}, Body: batch,
	})
	return err
}

// pollPhrasing words commands as POSTs to the session.
type pollPhrasing struct {
	protocol *pollProtocol
	body     []byte
	status   phoenix.Poll
}

// prepare implements phrasing: it waits for the session that the other half holds, and joins the topic of the next command.
func (p *pollPhrasing) prepare(ctx context.Context, conn wire.StampedConn, channel string) error {
	if channel == "" {
		return nil // the first command waits, and nobody waits for it
	}
	ctx, cancel := context.WithTimeout(ctx, or(p.protocol.client.crowd.ReplyTimeout, 30*time.Second))
	defer cancel()
	return p.protocol.await(ctx, channel, func(token string) error {
		return p.protocol.post(ctx, conn, token, p.protocol.wordJoin(channel))
	})
}

// request implements phrasing.
func (p *pollPhrasing) request(m *Message, payload []byte) http1.Request {
	s := p.protocol
	s.mu.Lock()
	defer s.mu.Unlock()
	p.body = phoenix.AppendPush(p.body[:0], s.topics.push(m), string(payload))
	return http1.Request{
		Method: http.MethodPost, Target: s.target(s.token), Host: s.client.crowd.host(),
		Header: s.client.header([]http1.Field{{Name: "Content-Type", Value: "application/json"}}, s.client.crowd.origin()), Body: p.body,
	}
}

// reply implements phrasing.
func (p *pollPhrasing) reply(rows []history.Observation, _ history.Observation, body []byte) []history.Observation {
	switch err := p.status.Parse(body); {
	case err != nil:
		rows[0].Err = p.protocol.client.crowd.reason(errProtocol)
	case p.status.Status != http.StatusOK:
		rows[0].Err = p.protocol.client.crowd.reason(statusText(p.status.Status))
	}
	return rows
}
