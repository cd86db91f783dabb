package clients

import (
	"context"
	"net/http"
	"net/url"
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
	joined  bool   // the client's channels are, so that commands may go to it
	topics  topics
	refused error         // the server wants no session; nil = it was not asked, or it does
	changed chan struct{} // closed when joined or refused changes
}

func newPollProtocol(c *Client) *pollProtocol {
	return &pollProtocol{client: c, changed: make(chan struct{})}
}

// receiver implements protocol.
func (p *pollProtocol) receiver(s *stream) receiver {
	return &pollReceiver{phoenixStream: phoenixStream{stream: s, path: history.Poll}, protocol: p}
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

// set changes the session. One that ends takes its joins with it.
func (p *pollProtocol) set(token string, refused error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if token != p.token {
		p.topics.reset()
	}
	p.token, p.refused, p.joined = token, refused, false
	close(p.changed)
	p.changed = make(chan struct{})
}

// announce says that the channels are joined.
func (p *pollProtocol) announce() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.joined {
		p.joined = true
		close(p.changed)
		p.changed = make(chan struct{})
	}
}

// session waits until there is one, and the channels are joined: Phoenix's client keeps a push back until then.
func (p *pollProtocol) session(ctx context.Context) error {
	for {
		p.mu.Lock()
		joined, refused, changed := p.joined, p.refused, p.changed
		p.mu.Unlock()
		switch {
		case refused != nil:
			return refused
		case joined:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// joinAll words the joins of the client's channels, as a batch.
func (p *pollProtocol) joinAll() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	var joins []phoenix.Message
	for _, channel := range p.client.channels {
		joins = append(joins, p.topics.join(channel))
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

// prepare implements phrasing: it waits for the session that the other half holds.
func (p *pollPhrasing) prepare(ctx context.Context, _ wire.StampedConn, channel string) error {
	if channel == "" {
		return nil // the first command waits, and nobody waits for it
	}
	ctx, cancel := context.WithTimeout(ctx, or(p.protocol.client.crowd.ReplyTimeout, 30*time.Second))
	defer cancel()
	return p.protocol.session(ctx)
}

// request implements phrasing. A channel in which the client only speaks is joined by the same request.
func (p *pollPhrasing) request(dst []byte, m *Message, payload []byte) []byte {
	s := p.protocol
	s.mu.Lock()
	defer s.mu.Unlock()
	kind := "application/json"
	p.body = p.body[:0]
	if s.topics.joined[m.Channel] == "" {
		kind = phoenix.BatchType
		p.body = append(phoenix.AppendMessage(p.body, s.topics.join(m.Channel)), '\n')
	}
	p.body = phoenix.AppendPush(p.body, s.topics.push(m), string(payload))
	return http1.AppendRequest(dst, http1.Request{
		Method: http.MethodPost, Target: s.target(s.token), Host: s.client.crowd.host(),
		Header: append([]http1.Field{{Name: "Content-Type", Value: kind}}, s.client.crowd.Header...), Body: p.body,
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
