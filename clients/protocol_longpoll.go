package clients

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"sync"
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

	mu      sync.Mutex
	token   string // of the session; "" = there is none
	topics  topics
	refused error         // the server wants no session; nil = it was not asked, or it does
	changed chan struct{} // closed when anything of this changes
}

func newPollProtocol(c *Client) *pollProtocol {
	return &pollProtocol{client: c, changed: make(chan struct{})}
}

// receiver implements protocol.
func (p *pollProtocol) receiver(s *stream) receiver {
	r := &pollReceiver{phoenixStream: phoenixStream{stream: s, path: history.Poll}, protocol: p}
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

// end forgets the session; refused says that there will be no other.
func (p *pollProtocol) end(refused error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.topics.reset()
	p.token, p.refused = "", refused
	p.change()
}

// change wakes who waits for the session; the caller holds mu.
func (p *pollProtocol) change() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// confirm says that the joins of these topics were answered.
func (p *pollProtocol) confirm(topics []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, topic := range topics {
		p.topics.confirm(topic)
	}
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
		case token != "" && !asked && !slices.Contains(p.client.channels, topic):
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

// join words the join of a topic.
func (p *pollProtocol) join(topic string) []byte {
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

// joinRef is the ref by which a topic was joined; "" = it was not.
func (p *pollProtocol) joinRef(topic string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.topics.joined[topic]
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
		_, err := p.protocol.client.crowd.exchange(ctx, conn, http1.Request{ // what became of it the poll says
			Method: http.MethodPost, Target: p.protocol.target(token),
			Header: []http1.Field{{Name: "Content-Type", Value: phoenix.BatchType}}, Body: p.protocol.join(channel),
		})
		return err
	})
}

// request implements phrasing.
func (p *pollPhrasing) request(dst []byte, m *Message, payload []byte) []byte {
	s := p.protocol
	s.mu.Lock()
	defer s.mu.Unlock()
	p.body = phoenix.AppendPush(p.body[:0], s.topics.push(m), string(payload))
	return http1.AppendRequest(dst, http1.Request{
		Method: http.MethodPost, Target: s.target(s.token), Host: s.client.crowd.host(),
		Header: append([]http1.Field{{Name: "Content-Type", Value: "application/json"}}, s.client.crowd.Header...), Body: p.body,
	})
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
