package clients

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"holobench/wire/http1"
)

// answer is the whole response to a request by which a client gets ready.
type answer struct {
	status  int
	cookies []*http.Cookie
	body    []byte
}

// maxAnswer bounds the body of an answer, in bytes: a page, or a session.
const maxAnswer = 8 << 20

// exchange sends a request and reads the whole answer, for what a wire needs before its stream or its first command. It
// happens once a connection, so that net/http may read the response; nothing in it is a delivery, so that nobody asks for
// its stamps. The connection has to be good for another request behind it.
func (c *Crowd) exchange(ctx context.Context, conn net.Conn, r http1.Request) (*answer, error) {
	r.Host, r.Header = c.host(), append(r.Header, c.Header...)
	if err := conn.SetDeadline(time.Now().Add(or(c.HeadTimeout, 30*time.Second))); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) }) //nolint:errcheck // a closed connection ends the read as well
	defer stop()
	if _, err := conn.Write(http1.AppendRequest(nil, r)); err != nil {
		return nil, err
	}
	in := bufio.NewReader(conn)
	response, err := http.ReadResponse(in, &http.Request{Method: r.Method})
	if err != nil {
		return nil, foreign(err)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	err = errors.Join(err, response.Body.Close())
	switch {
	case err != nil:
		return nil, foreign(err)
	case len(body) > maxAnswer:
		return nil, fmt.Errorf("%w: an answer is longer than %d bytes", errForeignBytes, maxAnswer)
	case response.Close || in.Buffered() > 0:
		return nil, fmt.Errorf("%w: no second request can follow an answer", errForeignBytes)
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return nil, err
	}
	return &answer{status: response.StatusCode, cookies: response.Cookies(), body: body}, context.Cause(ctx)
}

// foreign marks an error of a parser as the server's fault, and leaves one of the network what it is.
func foreign(err error) error {
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return fmt.Errorf("%w: %w", errForeignBytes, err)
}
