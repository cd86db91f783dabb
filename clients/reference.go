package clients

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/r3labs/sse/v2"
	"gopkg.in/cenkalti/backoff.v1"
)

// referenceMaxEvent is the longest event that the reference engine reads, in bytes; as much as our own.
const referenceMaxEvent = 1 << 20

// errOneConnection is why the reference engine cannot dial again.
var errOneConnection = errors.New("the reference engine has had its one connection")

// Reference reads one connection's worth of an event stream with r3labs/sse, a client that many Go programs use. It is a
// second opinion: it cannot say when an event arrived, and where it departs from the standard is a table in its test. Clients whose
// Engine is EngineReference read by it.
//
// It dials once, asks for rawURL with header (several values of one name go out as one list), and calls onEvent for each
// event, one after the other, never after its return. id is the last event id in force as that library understands it; the
// slices belong to onEvent. It blocks until the stream ends (nil), ctx ends (its cause) or something fails: the dial, a
// status other than 200 (a redirect is not followed), an event longer than 1 MiB. When it returns, the goroutine of that
// library has ended and the connection is closed.
//
// The library is tamed here, and only here:
//
//   - Its own reconnect loop is off (StopBackOff): cancelled within a pause it was still there half a minute later, and a
//     clean end of stream ends it anyway, where a browser reconnects. Whoever wants reconnects loops around Reference.
//   - Its limit of 64 KiB for one event is raised to that of our own parser.
//   - It is called by SubscribeRaw, which returns only when its read loop did. Unsubscribe, which ends a subscription of
//     SubscribeChan, the other way in, leaves that loop behind, blocked for good on a channel that nobody reads.
//   - That read loop ends when a read fails, and at nothing else. So the connection is ours, and is closed when ctx ends,
//     whatever state the transport above it is in.
//   - Its transport is ours too: no pool that keeps the connection, no gzip behind the reader's back, no proxy from the
//     environment.
func Reference(ctx context.Context, rawURL string, header http.Header,
	dial func(ctx context.Context, network, addr string) (net.Conn, error), onEvent func(id, name, data []byte),
) error {
	target, err := url.Parse(rawURL)
	if err != nil {
		return fmt.Errorf("reading a stream by the reference engine: %w", err)
	}
	addr := hostPort(target)
	conn, err := dial(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("reading a stream by the reference engine: dialing %s: %w", addr, err)
	}
	defer func() { _ = conn.Close() }()
	if err := readByReference(ctx, conn, rawURL, header, nil, onEvent); err != nil && ctx.Err() == nil {
		return fmt.Errorf("reading a stream by the reference engine: %w", err)
	}
	return context.Cause(ctx)
}

// readByReference is Reference over a connection that is there, which it leaves to its caller to close when it returns by itself. onHead
// is told of the head before the first event, and its error ends the stream; nil = any status but 200 does.
func readByReference(ctx context.Context, conn net.Conn, rawURL string, header http.Header,
	onHead func(*http.Response) error, onEvent func(id, name, data []byte),
) error {
	// The library would learn of the end of ctx through the transport as well; this does not depend on it.
	unwatch := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer unwatch()

	transport := oneConnection(conn)
	defer transport.CloseIdleConnections()
	client := sse.NewClient(rawURL, sse.ClientMaxBufferSize(referenceMaxEvent))
	client.Connection = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	client.ReconnectStrategy = &backoff.StopBackOff{}
	if onHead != nil {
		client.ResponseValidator = func(_ *sse.Client, response *http.Response) error { return onHead(response) }
	}
	for name, values := range header {
		client.Headers[name] = strings.Join(values, ", ")
	}
	err := client.SubscribeRawWithContext(ctx, func(e *sse.Event) { onEvent(e.ID, e.Event, e.Data) })
	if ctx.Err() != nil {
		return context.Cause(ctx) // the library reports nil, or what the closed connection said
	}
	return err
}

// oneConnection is a transport that has conn and can get no other.
func oneConnection(conn net.Conn) *http.Transport {
	once := make(chan net.Conn, 1)
	once <- conn
	return &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			select {
			case conn := <-once:
				return conn, nil
			default:
				return nil, errOneConnection
			}
		},
		DisableCompression: true,
		DisableKeepAlives:  true,
	}
}

// hostPort is the address to dial for target.
func hostPort(target *url.URL) string {
	port := target.Port()
	switch {
	case port != "":
	case target.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(target.Hostname(), port)
}
