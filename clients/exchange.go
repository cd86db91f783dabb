package clients

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"time"

	"holobench/wire/http1"
)

// answer is the whole response to a request by which a client gets ready.
type answer struct {
	status  int
	cookies []*http.Cookie
	fields  []http1.Field
	body    []byte
}

// maxAnswer bounds the body of an answer, in bytes: a page, or a session.
const maxAnswer = 8 << 20

// exchange sends a request and reads the whole answer, for what a wire needs before its stream or its first command. It
// happens once a connection, and nothing in it is a delivery, so that nobody asks for its stamps. The connection has to be good for
// another request behind it.
func (c *Crowd) exchange(ctx context.Context, conn net.Conn, r http1.Request) (*answer, error) {
	a, closes, err := c.ask(ctx, conn, r)
	switch {
	case err != nil:
		return nil, err
	case closes:
		return nil, fmt.Errorf("%w: no second request can follow an answer", errForeignBytes)
	}
	return a, context.Cause(ctx)
}

// ask is exchange for an answer behind which the connection may be of no more use.
func (c *Crowd) ask(ctx context.Context, conn net.Conn, r http1.Request) (a *answer, closes bool, err error) {
	r.Host, r.Header = c.host(), append(r.Header, c.Header...)
	if shared, ok := conn.(exchanger); ok {
		a, err = shared.exchange(ctx, &r)
		return a, false, err
	}
	return c.roundTrip(ctx, conn, r)
}

// exchanger is a connection that others use too.
type exchanger interface {
	exchange(ctx context.Context, r *http1.Request) (*answer, error)
}

// roundTrip is ask for a request that says of itself whose it is.
func (c *Crowd) roundTrip(ctx context.Context, conn net.Conn, r http1.Request) (a *answer, closes bool, err error) {
	if err := conn.SetDeadline(time.Now().Add(or(c.HeadTimeout, 30*time.Second))); err != nil {
		return nil, true, err
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) }) //nolint:errcheck // a closed connection ends the read as well
	defer stop()
	if _, err := conn.Write(http1.AppendRequest(nil, r)); err != nil {
		return nil, true, err
	}
	whole := new(answering)
	if err := whole.read(conn); err != nil {
		return nil, true, err
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return nil, true, err
	}
	return newAnswer(whole.status, whole.fields, whole.body), !whole.keep, nil
}

// newAnswer is an answer with its fields in an order of its own, which is the same each time.
func newAnswer(status int, fields []http1.Field, body []byte) *answer {
	header := make(http.Header)
	for _, field := range fields {
		header.Add(field.Name, field.Value)
	}
	return &answer{status: status, cookies: (&http.Response{Header: header}).Cookies(), fields: fieldsOf(header), body: body}
}

// answering is an answer of HTTP/1.1 that is being read, by the parser that reads everything else: what it refuses is refused here
// too, interim responses are no answer, and no head can grow without a bound.
type answering struct {
	response http1.Parser
	status   int
	keep     bool // another request can follow
	fields   []http1.Field
	body     []byte
}

// read reads the whole of it.
func (a *answering) read(conn net.Conn) error {
	a.response.Field = func(name, value []byte) {
		a.fields = append(a.fields, http1.Field{Name: string(name), Value: string(value)})
	}
	buf := make([]byte, 4<<10)
	for !a.response.Done() {
		n, err := conn.Read(buf)
		used, wrong := a.response.Feed(buf[:n], a)
		switch {
		case wrong != nil:
			return fmt.Errorf("%w: %w", errForeignBytes, wrong)
		case a.response.Done():
			a.keep = a.keep && used == n
		case errors.Is(err, io.EOF):
			if err := a.response.Close(a); err != nil {
				return err
			}
		case err != nil:
			return err
		}
	}
	return nil
}

// OnHead implements http1.Handler.
func (a *answering) OnHead(h *http1.Head) error {
	a.status, a.keep = h.Status, h.KeepAlive
	return nil
}

// OnBody implements http1.Handler.
func (a *answering) OnBody(b []byte) error {
	if len(a.body)+len(b) > maxAnswer {
		return fmt.Errorf("an answer is longer than %d bytes", maxAnswer)
	}
	a.body = append(a.body, b...)
	return nil
}

// OnEnd implements http1.Handler.
func (a *answering) OnEnd() error { return nil }

// fieldsOf returns a header in an order of its own, which is the same each time.
func fieldsOf(header http.Header) []http1.Field {
	var fields []http1.Field
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			fields = append(fields, http1.Field{Name: name, Value: value})
		}
	}
	return fields
}
