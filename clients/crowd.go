// Package clients simulates the browsers: each holds its down stream, posts its commands, and notes what it sees.
//
// A Client is one browser tab: one held stream, and one keep-alive connection for its commands with one command in flight at a
// time, unless ClientOptions.InFlight asks for more of both. How it speaks is the Crowd's Wire, one file protocol_NAME.go each; on the wire of Phoenix Channels stream and
// commands share one socket, and over HTTP/2 one connection. A Crowd is what many clients have in common: the server, the clock, and the function that takes their
// Observations. A client never returns a measured failure as an error: a refused command, a cut stream, a 503 is an
// Observation. Errors are for what makes the measurement itself impossible.
//
// # What is stamped where
//
// The sockets of a client are wire.StampedConn: arrivals carry the kernel's receive stamp, so that the scheduler of this
// process, which may run the goroutine of one socket milliseconds after that of the other, cannot invent an order. The
// last message of a read that emptied its socket arrived exactly at that stamp; for the messages queued before it the
// kernel kept no stamp of their own, so that they are known as an interval (NotBefore, At]. What a message is depends on the
// wire: an event of a stream, a reply, a frame of a WebSocket, or a whole answer to a poll, whose last byte brings all of it.
//
// The rows of one Conn are handed over in the order of their bytes, but for what a command was on its way up: its Sent comes
// before its Replied, and has no place among what came down meanwhile.
//
// # Cost of an idle stream
//
// A stream costs one goroutine, or none where a loop holds it while nothing comes (see Engine). It borrows its 64 KiB read buffer
// only for the moment in which there is something to read, so that ten thousand idle streams share a handful of buffers.
package clients

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/http1"
)

// Crowd is what the clients of one run share. The fields are set before the first client is made and not changed after.
type Crowd struct {
	Addr    string        // host:port of the server
	Host    string        // value of the Host header; "" = Addr
	Header  []http1.Field // sent with every request
	Run     wire.RunID    // events that bear the marker of another run are alien
	Epoch   int64         // time 0 of all Observations: CLOCK_REALTIME, ns since 1970
	Names   *history.Names
	Wire    Wire                        // how the server is spoken to; one that ParseWire does not know is taken for JSON
	Observe func([]history.Observation) // takes what was seen; copies; safe for concurrent use
	Dial    func(ctx context.Context, network, addr string) (net.Conn, error)
	TLS     *tls.Config // nil = the connections are not encrypted
	HTTP2   bool        // unless it says otherwise, each client has one connection of HTTP/2 for all, which the wires JSON and Hologram can

	// Place says where a client's next connection goes, when that is not always Addr. It is asked before each connection, and
	// before each command: one that shall go elsewhere than the last takes a connection of its own.
	Place func(client uint32, p Purpose) Place

	Loops *Loops // hold the streams of clients whose Engine lets them; nil = each has a goroutine

	// Spy looks into what clients say and hear on a connection, as it is before it is encrypted; nil = nobody does.
	Spy func(ctx context.Context, conn wire.StampedConn) wire.StampedConn

	Own Own // what only a server of the user's own has

	Retry        time.Duration // pause before a reconnect until the server names another; 0 = 3 s, as Chrome
	DialTimeout  time.Duration // 0 = 10 s
	HeadTimeout  time.Duration // from the request to the head of the stream; 0 = 30 s
	ReplyTimeout time.Duration // from the command to the end of its reply; 0 = 30 s
	QueueLimit   int           // due commands that wait in one client, more are dropped; 0 = 1024

	own      ownState
	heard    atomic.Pointer[hearing] // by the stream that began last to hear something
	borrowed sync.Pool               // of *scratch
	parsers  sync.Pool               // of *parsers
	setup    sync.Once               // fills what follows
	dialing  chan struct{}           // bounds the connections that are being made at once
	opening  chan struct{}           // bounds the streams that have still to make their first
}

// maxDialing bounds the connections in the making: above it a listener's backlog overflows and SYNs are lost, which adds
// a second to the join of those clients and says nothing about the server.
const maxDialing = 256

// scratch is what a stream borrows while it handles one read.
type scratch struct {
	buf   [64 << 10]byte
	clock clock
	reading
}

// Bytes implements wire.Buffer.
func (s *scratch) Bytes() []byte { return s.buf[:] }

func (c *Crowd) init() {
	c.setup.Do(func() {
		c.dialing, c.opening = make(chan struct{}, maxDialing), make(chan struct{}, maxDialing)
		c.numberCauses()
		c.borrowed.New = func() any { return new(scratch) }
		c.parsers.New = func() any { return new(parsers) }
	})
}

func (c *Crowd) borrow() *scratch { return c.borrowed.Get().(*scratch) }

func (c *Crowd) giveBack(s *scratch) { c.borrowed.Put(s) }

// now is the time of the user clock as Observations count it.
func (c *Crowd) now() int64 { return time.Now().UnixNano() - c.Epoch }

func (c *Crowd) host() string {
	if c.Host != "" {
		return c.Host
	}
	return c.Addr
}

// scheme is that of the server's URLs.
func (c *Crowd) scheme() string {
	if c.TLS != nil {
		return "https"
	}
	return "http"
}

// connect makes one stamped connection.
func (c *Crowd) connect(ctx context.Context, addr string) (wire.StampedConn, error) {
	c.init()
	select {
	case c.dialing <- struct{}{}:
		defer func() { <-c.dialing }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, or(c.DialTimeout, 10*time.Second))
	defer cancel()
	conn, err := c.Dial(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	stamped := Stamped(conn)
	if c.TLS != nil {
		if stamped, err = c.encrypt(ctx, stamped, multiplexed(ctx)); err != nil {
			return nil, err
		}
	}
	if c.Spy != nil {
		return c.Spy(ctx, stamped), nil
	}
	return stamped, nil
}

// or returns d, or its default when d is zero.
func or(d, standard time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return standard
}

// name appends o once for each marker of this run in data, or once as Alien when there is none.
func (c *Crowd) name(batch []history.Observation, o *history.Observation, data []byte) []history.Observation {
	m, rest, ok := wire.FindMarker(data)
	if !ok {
		o.Kind, o.Err = history.Alien, c.reason(errNoMarker)
		return append(batch, *o)
	}
	for ; ok; m, rest, ok = wire.FindMarker(rest) {
		batch = append(batch, *o)
		one := &batch[len(batch)-1]
		one.Event, one.Due = m.Event, m.Due
		if m.Run != c.Run {
			one.Kind, one.Err = history.Alien, c.reason(errOtherRun)
		}
	}
	return batch
}

// since converts a stamp to the time of the run; 0 stays "not known".
func since(stamp, epoch int64) int64 {
	if stamp == 0 {
		return 0
	}
	return stamp - epoch
}
