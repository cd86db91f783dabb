package clients

import (
	"context"
	"net/http"
	"time"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/http1"
)

// Fetched is the answer to a fetch.
type Fetched struct {
	At     int64         // when it was there, or when it was known that none will come
	Status int           // 0 = no whole answer came
	Why    string        // ... why
	Fields []http1.Field // of its head
	Body   []byte
}

// fetching is a fetch that waits for its turn.
type fetching struct {
	path string
	done func(*Fetched)
}

// Fetch asks for a path by GET, in its turn behind the commands that wait, and over a connection for commands as they do; on a
// WebSocket over one of its own. done is called once, at the latest when PostCommands ends; the connection stands still meanwhile.
// A fetch is no command: the history has nothing of it but a connection that was made for it.
func (c *Client) Fetch(path string, done func(*Fetched)) {
	next := command{fetch: &fetching{path: path, done: done}}
	c.mu.Lock()
	queue := c.waiting()
	c.mu.Unlock()
	select {
	case queue <- next:
	default:
		c.dropped(next, errQueueFull)
	}
}

// carryOut does what comes next.
func (c *Client) carryOut(s sender, next command, turn turn) {
	if next.fetch == nil {
		s.post(next, turn)
		return
	}
	turn.over(next.held)
	f, err := s.fetch(next.fetch.path)
	if err != nil {
		f = Fetched{Why: cause(err)}
	}
	f.At = c.crowd.now()
	next.fetch.done(&f)
}

// fetch gets a path over a connection, within the time for a reply. closes says that no second request can follow.
func (c *Crowd) fetch(ctx context.Context, conn wire.StampedConn, path string, fields []http1.Field) (f Fetched, closes bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, or(c.ReplyTimeout, 30*time.Second))
	defer cancel()
	a, closes, err := c.ask(ctx, conn, http1.Request{
		Method: http.MethodGet, Target: path, Header: append(fields, http1.Field{Name: "Accept", Value: "*/*"}),
	})
	switch {
	case err != nil && ctx.Err() != nil:
		return Fetched{}, true, context.Cause(ctx)
	case err != nil:
		return Fetched{}, true, err
	}
	return Fetched{Status: a.status, Fields: a.fields, Body: a.body}, closes, nil
}

// aside makes a connection for one thing that goes beside the others, and closes it.
func (c *Client) aside(ctx context.Context, do func(conn wire.StampedConn) error) error {
	to := c.place(ForCommand)
	number, began := c.newConn(to.Node), c.crowd.now()
	conn, err := c.crowd.connect(c.dialing(ctx, ForCommand), to.Addr)
	if err != nil {
		return err
	}
	opened := c.note(history.Opened, number, c.crowd.now())
	opened.NotBefore, opened.Path = began, history.Reply
	c.observe(opened)
	err = do(conn)
	conn.Close() //nolint:errcheck // all that it was for is done
	c.observe(c.note(history.Closed, number, c.crowd.now()))
	return err
}
