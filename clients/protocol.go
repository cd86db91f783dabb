package clients

import (
	"context"
	"fmt"
	"strings"
	"time"

	"holobench/wire"
)

// Wire names how the server is spoken to. The zero value is JSON.
type Wire string

// The wires.
const (
	JSON     Wire = "json"      // POST /command and GET /events, the plain wire of package wire
	Hologram Wire = "hologram"  // Hologram v0.9 to v0.11: page, handshake, stream, commands
	LongPoll Wire = "long-poll" // Phoenix by long polling: a session that is polled, POSTs that it takes
	Channels Wire = "channels"  // Phoenix over WebSocket: one socket in both directions

	Described Wire = "generic" // what Own.Generic describes
)

// ParseWire returns the wire of that name, "" being JSON; the error lists those there are.
func ParseWire(name string) (Wire, error) {
	var names []string
	for _, w := range []Wire{JSON, Hologram, LongPoll, Channels} {
		if name == string(w) {
			return w, nil
		}
		names = append(names, string(w))
	}
	if name == "" {
		return JSON, nil
	}
	return "", fmt.Errorf("reading the wire: clients do not speak %q; they speak %s", name, strings.Join(names, ", "))
}

// protocol is one wire as one client speaks it: what its two halves have in common, over all of their connections. A wire
// is a file protocol_NAME.go.
type protocol interface {
	// receiver returns the half that holds the down stream s.
	receiver(s *stream) receiver
	// sender returns the half that posts commands. The end of giveUp ends every wait for the server.
	sender(giveUp context.Context) sender
	// joins says that commands go through what HoldStream holds, so that a client without a stream must hold one too.
	joins() bool
}

// protocol makes the protocol of a client.
func (c *Crowd) protocol(of *Client) protocol {
	p := c.spoken(of)
	over, can := p.(overHTTP2)
	if of.http2 = of.http2 && can; of.http2 {
		return newHTTP2Protocol(of, over)
	}
	return p
}

// spoken is the wire of a client, as it goes over HTTP/1.1.
func (c *Crowd) spoken(of *Client) protocol {
	switch c.Wire {
	case Hologram:
		return newHologramProtocol(of)
	case LongPoll:
		return newPollProtocol(of)
	case Channels:
		return newSocketProtocol(of)
	case Described:
		if c.Own.Generic != nil {
			return genericProtocol{of}
		}
	case JSON:
	}
	return plainProtocol{of}
}

// receiver is the half of a wire that holds a down stream, over one connection after the other. It belongs to the goroutine
// of its stream, to which it notes what it finds.
type receiver interface {
	// begin does, on a new connection, all that comes before the first byte of the stream: it gets ready, and asks.
	begin(ctx context.Context, conn wire.StampedConn) error
	// feed takes the bytes of one read; where they were cut does not matter. An error ends the connection.
	feed(b []byte) error
	// whole says, right after a feed, that the last message which it noted ended with the last byte of it. It changes nothing.
	whole() bool
	// noted is called when what a feed found was handed over, also when it failed.
	noted()
	// proceed sends what has to follow a feed.
	proceed(ctx context.Context, conn wire.StampedConn) error
	// overdue is called when the deadline of a read has passed; nil = the connection goes on.
	overdue(ctx context.Context, conn wire.StampedConn) error
	// ended turns the end of the bytes into its reason, io.EOF when it came between two messages.
	ended() error
	// over is called when a connection is given up, or could not be made; why is nil when the client wanted it.
	over(why error)
	// pause is how long to wait before the next connection.
	pause() time.Duration
}

// sender is the half of a wire that posts commands, one at a time. It belongs to one goroutine; a client has as many as it may
// have commands in flight.
type sender interface {
	// connect makes what the first command would else have to wait for. The first command tries again when that failed.
	connect(ctx context.Context) error
	// post sends one command, waits for its reply, and notes both. It hands the turn on, once: as soon as the next command
	// can no longer overtake this one, or at once where nothing can be done about that.
	post(next command, turn turn)
	// fetch gets a path.
	fetch(path string) (Fetched, error)
	close()
}
