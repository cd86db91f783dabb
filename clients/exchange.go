package clients

import (
	"bufio"
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
// happens once a connection, so that net/http may read the response; nothing in it is a delivery, so that nobody asks for
// its stamps. The connection has to be good for another request behind it.
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
	in := bufio.NewReader(conn)
	response, err := http.ReadResponse(in, &http.Request{Method: r.Method})
	if err != nil {
		return nil, true, foreign(err)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	err = errors.Join(err, response.Body.Close())
	switch {
	case err != nil:
		return nil, true, foreign(err)
	case len(body) > maxAnswer:
		return nil, true, fmt.Errorf("%w: an answer is longer than %d bytes", errForeignBytes, maxAnswer)
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return nil, true, err
	}
	return &answer{
		status: response.StatusCode, cookies: response.Cookies(), fields: fieldsOf(response.Header), body: body,
	}, response.Close || in.Buffered() > 0, nil
}

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

// foreign marks an error of a parser as the server's fault, and leaves one of the network what it is.
func foreign(err error) error {
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return fmt.Errorf("%w: %w", errForeignBytes, err)
}
