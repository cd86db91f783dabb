package clients

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"holobench/wire"
	"holobench/wire/http1"
	"holobench/wire/http2"
)

// Ends of what HTTP/2 carries.
var (
	errStreamReset = errors.New("the server reset a stream of HTTP/2")
	errGoAway      = errors.New("the server said that it ends the connection (GOAWAY)")
	errNotHTTP2    = errors.New("the server answers in HTTP/1.1: it does not speak HTTP/2 here")
)

// http2Link is the connection of a client, which its two halves share: one reads, both write.
type http2Link struct {
	crowd *Crowd
	turn  chan struct{} // holds a token while nobody works on what follows; no lock, as who has it may wait for the network

	http      http2.Conn
	conn      wire.StampedConn // nil = none is open
	number    uint32           // of conn
	takes     bool             // requests of commands: the connection has begun, and goes on
	refused   error            // there will be no connection
	finishing bool             // only what is in flight is waited for
	full      bool             // somebody waits until the server takes one more stream
	down      uint32           // the stream of events; 0 = there is none
	flights   map[uint32]*http2Flight
	changed   chan struct{} // closed when a request may have to be looked at again
}

// http2Flight is a request that waits for its answer.
type http2Flight struct {
	stream  uint32
	command *command // nil = it is none, but an exchange
	words   phrasing
	limit   int  // of the body, in bytes
	wanted  bool // the fields are

	status  int
	fields  []http1.Field
	body    []byte
	outcome Outcome    // of a command whose answer was noted
	done    chan error // gets one value when the answer is complete, or never will be
}

func (l *http2Link) init(c *Crowd) {
	l.crowd, l.turn, l.flights, l.changed = c, make(chan struct{}, 1), make(map[uint32]*http2Flight), make(chan struct{})
	l.turn <- struct{}{}
}

func (l *http2Link) lock()   { <-l.turn }
func (l *http2Link) unlock() { l.turn <- struct{}{} }

// change wakes who waits; the caller holds the token, as all do whose methods follow, but where it says otherwise.
func (l *http2Link) change() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// begin makes conn the connection. Commands have to wait until its reader says so.
func (l *http2Link) begin(conn wire.StampedConn, number uint32) {
	l.conn, l.number, l.takes, l.finishing, l.down = conn, number, false, false, 0
	l.http.Start()
}

// request puts a request into what goes out next.
func (l *http2Link) request(r *http1.Request) (stream uint32, err error) {
	out := http2.Request{Method: r.Method, Scheme: l.crowd.scheme(), Authority: r.Host, Path: r.Target, Body: r.Body}
	for _, f := range r.Header {
		switch name := strings.ToLower(f.Name); name {
		case "connection", "keep-alive", "host": // they are HTTP/1.1's
		default:
			out.Fields = append(out.Fields, http2.Field{Name: name, Value: f.Value})
		}
	}
	if len(r.Body) > 0 || r.Method == http.MethodPost {
		out.Fields = append(out.Fields, http2.Field{Name: "content-length", Value: strconv.Itoa(len(r.Body))})
	}
	return l.http.Request(&out)
}

// flush writes what has to go out.
func (l *http2Link) flush() error {
	out := l.http.Output()
	if len(out) == 0 || l.conn == nil {
		return nil
	}
	if err := l.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	_, err := l.conn.Write(out)
	return err
}

// fly sends a request whose answer is waited for. f is in flight, unless the error is http2.ErrFull or that of a body that is too long.
func (l *http2Link) fly(r *http1.Request, f *http2Flight) (err error) {
	if f.stream, err = l.request(r); err != nil {
		return err
	}
	f.done = make(chan error, 1)
	l.flights[f.stream] = f
	return nil
}

// free wakes who waits until the server takes one more stream.
func (l *http2Link) free() {
	if l.full {
		l.full = false
		l.change()
	}
}

// took is the end of a flight, when its answer is complete, or never will be.
func (l *http2Link) took(f *http2Flight) {
	delete(l.flights, f.stream)
	if l.finishing {
		l.conn.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck // a closed connection ends the read as well
	}
}

// giveUp ends the wait for an answer, unless that is known already; then it returns false. The caller does not hold the token.
func (l *http2Link) giveUp(f *http2Flight) bool {
	l.lock()
	defer l.unlock()
	if l.flights[f.stream] != f {
		return false
	}
	l.http.Cancel(f.stream)
	l.took(f)
	l.free()
	l.flush() //nolint:errcheck // the reader finds out as well
	return true
}

// await returns when an answer is complete, with nil, or never will be. The caller does not hold the token.
func (l *http2Link) await(ctx context.Context, f *http2Flight) error {
	select {
	case err := <-f.done:
		return err
	case <-ctx.Done():
	}
	if !l.giveUp(f) {
		return <-f.done // it is being noted
	}
	return context.Cause(ctx)
}

// ready returns the connection when it takes requests of commands, or with why none ever will, and else what to wait for.
// The caller does not hold the token.
func (l *http2Link) ready() (conn wire.StampedConn, changed <-chan struct{}, err error) {
	l.lock()
	defer l.unlock()
	switch {
	case l.refused != nil:
		return nil, nil, l.refused
	case l.conn != nil && l.takes:
		return l.conn, nil, nil
	}
	return nil, l.changed, nil
}

// open returns the connection when it takes requests of commands, and whether that had to be waited for. The caller does not hold
// the token.
func (l *http2Link) open(ctx context.Context) (over *http2Aside, waited bool, err error) {
	for {
		conn, changed, err := l.ready()
		if changed == nil {
			return &http2Aside{StampedConn: conn, link: l}, waited, err
		}
		waited = true
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, waited, context.Cause(ctx)
		}
	}
}

// refuse says that there will be no connection. The caller does not hold the token.
func (l *http2Link) refuse(why error) {
	l.lock()
	defer l.unlock()
	l.refused = why
	l.change()
}

// close forgets the connection. What is in flight will not be answered any more. The caller does not hold the token.
func (l *http2Link) close(why error) {
	l.lock()
	defer l.unlock()
	l.conn, l.takes = nil, false
	for _, f := range l.flights {
		f.done <- why // it has room: nobody else says anything to it
	}
	clear(l.flights)
	l.change()
}

// send is request and flush for the half that holds conn. The caller does not hold the token.
func (l *http2Link) send(ctx context.Context, conn wire.StampedConn, r *http1.Request, f *http2Flight) error {
	for {
		l.lock()
		if l.conn != conn {
			l.unlock()
			return io.EOF // it ended since
		}
		err := l.fly(r, f)
		if err == nil {
			if err = l.flush(); err != nil {
				l.took(f)
			}
		}
		full := errors.Is(err, http2.ErrFull)
		l.full = l.full || full
		changed := l.changed
		l.unlock()
		if !full {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// http2Aside is the connection as a request beside the stream sees it: another goroutine reads it.
type http2Aside struct {
	wire.StampedConn

	link *http2Link
}

// exchange implements exchanger.
func (a *http2Aside) exchange(ctx context.Context, r *http1.Request) (*answer, error) {
	f := newExchange()
	ctx, cancel := context.WithTimeout(ctx, or(a.link.crowd.HeadTimeout, 30*time.Second))
	defer cancel()
	if err := a.link.send(ctx, a.StampedConn, r, f); err != nil {
		return nil, err
	}
	if err := a.link.await(ctx, f); err != nil {
		return nil, err
	}
	return f.answer(), nil
}

func newExchange() *http2Flight { return &http2Flight{limit: maxAnswer, wanted: true} }

// answer is that to an exchange.
func (f *http2Flight) answer() *answer { return newAnswer(f.status, f.fields, f.body) }

// add takes up a part of the body.
func (f *http2Flight) add(b []byte) error {
	if len(f.body)+len(b) > f.limit {
		return fmt.Errorf("%w: an answer is longer than %d bytes", errForeignBytes, f.limit)
	}
	f.body = append(f.body, b...)
	return nil
}
