package clients

import (
	"context"
	"errors"
	"time"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/http2"
)

// http2Sender posts commands over the connection that the other half holds.
type http2Sender struct {
	client  *Client
	giveUp  context.Context
	link    *http2Link
	words   phrasing
	payload []byte
}

// connect implements sender: the other half connects.
func (p *http2Sender) connect(context.Context) error { return nil }

// close implements sender.
func (p *http2Sender) close() {}

// post implements sender. Commands leave in the order in which they were asked for.
func (p *http2Sender) post(next command, turn turn) {
	c := p.client
	ctx, cancel := context.WithTimeout(p.giveUp, or(c.crowd.ReplyTimeout, 30*time.Second))
	defer cancel()
	f, number, err := p.send(ctx, &next)
	turn.over(next.held)
	if err == nil {
		err = p.link.await(ctx, f)
	}
	if err == nil {
		next.ended(f.outcome)
		return
	}
	kind := history.Unknown
	if f == nil {
		kind = history.Refused
	}
	o := c.about(kind, number, next, c.crowd.now())
	o.Err = c.crowd.reason(cause(err))
	c.observe(o)
	next.ended(Outcome{Kind: kind, At: o.At, Why: cause(err)})
}

// send writes a command and notes it, before the answer can be: the receiver needs the token for that. f is nil when nothing was
// written, because the connection was not there, or the server took no more streams all the while.
func (p *http2Sender) send(ctx context.Context, next *command) (f *http2Flight, number uint32, err error) {
	for {
		over, waited, err := p.link.open(ctx)
		if err != nil {
			return nil, 0, err
		}
		if waited {
			next.waited(p.client.crowd.now())
		}
		if err := p.words.prepare(ctx, over, next.message.Channel); err != nil {
			return nil, 0, err
		}
		f, number, changed, err := p.write(over.StampedConn, next)
		if changed == nil {
			return f, number, err
		}
		select {
		case <-changed:
			next.waited(p.client.crowd.now())
		case <-ctx.Done():
			return nil, 0, context.Cause(ctx)
		}
	}
}

// write is send over that connection; changed is not nil when that cannot be now.
func (p *http2Sender) write(conn wire.StampedConn, next *command) (f *http2Flight, number uint32, changed <-chan struct{}, err error) {
	c, l := p.client, p.link
	p.payload = c.appendPayload(p.payload[:0], *next)
	request := p.words.request(next.message, p.payload)
	l.lock()
	defer l.unlock()
	if l.conn != conn || !l.takes {
		return nil, 0, l.changed, nil
	}
	f = &http2Flight{command: next, words: p.words, limit: maxReply, wanted: next.message.Fields}
	if err := l.fly(&request, f); err != nil {
		if errors.Is(err, http2.ErrFull) {
			l.full = true
			return nil, 0, l.changed, nil
		}
		return nil, l.number, nil, err
	}
	sent := c.leaves(l.number, *next)
	err = l.flush()
	sent.Handled = c.crowd.now()
	c.observe(sent)
	if err != nil {
		l.took(f)
	}
	return f, l.number, nil, err
}

// fetch implements sender.
func (p *http2Sender) fetch(path string) (f Fetched, err error) {
	over, _, err := p.link.open(p.giveUp)
	if err != nil {
		return Fetched{}, err
	}
	f, _, err = p.client.crowd.fetch(p.giveUp, over, path, p.client.fieldsOf(p.words))
	return f, err
}
