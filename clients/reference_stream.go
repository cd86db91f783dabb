package clients

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"holobench/wire"
	"holobench/wire/http1"
	"holobench/wire/sse"
)

// ReferenceDiffers is in what a client of EngineReference is another than the rest, a sentence each, for who compares the two.
func ReferenceDiffers() []string {
	return []string{
		"no arrival is stamped: an event came between the request for its stream and the time at which the library handed it on, which is what its latency says; " +
			"on two sockets that gives no order, on one the order of the library does",
		"an event with empty data is none, and one without data but with an id or a name is one; so is what the end of the stream left unfinished",
		"a byte order mark spoils the first line, an empty id resets nothing, and an id may hold NUL",
		"comments are not heard, and retry is not followed: the pause before a reconnect is that of the run",
	}
}

// refers says whether the stream is one that the reference engine holds.
func (s *stream) refers() bool {
	_, ok := s.wire.(referred)
	return ok && s.client.refers && !s.client.http2
}

// referred is a receiver of server-sent events that somebody else has parsed.
type referred interface {
	receiver
	OnHead(h *http1.Head) error
	// said notes an event.
	said(event *sse.Event) error
}

// said implements referred. The id goes where the next request finds it.
func (e *eventStream) said(event *sse.Event) error {
	e.OnEvent(event)
	if len(event.ID) == 0 {
		return nil
	}
	return e.events.Feed(append(append([]byte("id: "), event.ID...), "\n\n"...), e)
}

// said implements referred.
func (r *genericReceiver) said(event *sse.Event) error {
	genericEvents{r}.OnEvent(event)
	return r.out()
}

// referOnce is connectOnce by the reference engine.
func (s *stream) referOnce(ctx context.Context) error {
	conn, err := s.open(ctx)
	if err != nil {
		return err
	}
	s.subscribed, s.announced, s.idles = 0, false, false
	request := &caughtRequest{StampedConn: conn}
	if err = s.wire.begin(ctx, request); err == nil {
		if err = s.deadline(ctx, conn, or(s.crowd.HeadTimeout, 30*time.Second)); err == nil {
			err = s.refer(ctx, conn, request.bytes)
		}
	}
	conn.Close() //nolint:errcheck // nothing waits in it that could be read another way
	s.close(ctx, conn, err)
	return err
}

// caughtRequest takes the request for a stream in the place of the network, for the library to make it.
type caughtRequest struct {
	wire.StampedConn
	bytes []byte
}

// Write implements net.Conn.
func (c *caughtRequest) Write(p []byte) (int, error) {
	c.bytes = append(c.bytes, p...)
	return len(p), nil
}

// refer lets the library ask for the stream, and notes what it says until it is over.
func (s *stream) refer(ctx context.Context, conn wire.StampedConn, asked []byte) error {
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(asked)))
	if err != nil {
		return fmt.Errorf("wording the request for the reference engine: %w", err)
	}
	by := s.wire.(referred)
	var over error // why what was said is the end
	take := func(what func() error) error {
		if over == nil {
			if over = s.noteSaid(what); over == nil {
				over = s.readyNow(ctx, conn)
			}
			if over != nil {
				conn.Close() //nolint:errcheck // the library has no other way to end
			}
		}
		return over
	}
	err = readByReference(ctx, conn, "http://"+request.Host+request.URL.RequestURI(), request.Header, func(r *http.Response) error {
		return take(func() error { return by.OnHead(s.headOf(r)) })
	}, func(id, name, data []byte) {
		take(func() error { //nolint:errcheck // it is kept in over
			return by.said(&sse.Event{ID: id, Name: name, Data: data})
		})
	})
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case over != nil:
		return s.judged(over)
	case err == nil:
		err = io.EOF
	}
	return s.unread(ctx, conn, 0, foreign(err))
}

// noteSaid notes what the library says at once.
func (s *stream) noteSaid(what func() error) error {
	lent := s.crowd.borrow()
	defer s.crowd.giveBack(lent)
	s.beginRead(lent, s.asked, 0)
	lent.at = lent.handled // nobody knows better
	err := what()
	s.endRead()
	return err
}

// readyNow reports the subscription, once it is one to all channels.
func (s *stream) readyNow(ctx context.Context, conn wire.StampedConn) error {
	if s.subscribed == 0 || s.subscribed != len(s.channels) || s.announced {
		return nil
	}
	return s.nowReady(ctx, conn)
}

// headOf is the head of a response as receivers take it, who are told of its fields first when they ask for them.
func (s *stream) headOf(r *http.Response) *http1.Head {
	if f, ok := s.wire.(interface{ onField(name, value []byte) }); ok {
		for _, field := range fieldsOf(r.Header) {
			f.onField([]byte(field.Name), []byte(field.Value))
		}
	}
	return &http1.Head{
		Status: r.StatusCode, ContentType: r.Header.Get("Content-Type"), ContentEncoding: r.Header.Get("Content-Encoding"),
		Location: r.Header.Get("Location"), ContentLength: r.ContentLength, KeepAlive: !r.Close,
	}
}

// judged is what the wire makes of the end of a connection.
func (s *stream) judged(why error) error {
	if j, ok := s.wire.(interface{ judge(error) error }); ok {
		return j.judge(why)
	}
	return why
}

// foreign marks an error of somebody else's parser as the server's fault, and leaves one of the network what it is. The error of an
// http.Client says that it is one of the network, whatever it is, so that what is in it counts.
func foreign(err error) error {
	if request, ok := errors.AsType[*url.Error](err); ok {
		err = request.Err
	}
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", errForeignBytes, err)
}
