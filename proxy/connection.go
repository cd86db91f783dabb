package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"holobench/chaos"
	"holobench/wire"
)

const (
	dialTimeout = 10 * time.Second
	// lingering is how long a client may take to end a connection that a fault has ended. It reads what is under way
	// meanwhile, which a RST would take from it.
	lingering = 2 * time.Second
)

// connection is one of a client, and its counterpart.
type connection struct {
	proxy    *Proxy
	client   wire.StampedConn
	live     *chaos.Live
	upstream upstream
	link     *chaos.LiveLink
	stop     func() bool
	left     atomic.Int32 // goroutines
	finished atomic.Bool  // nothing comes down any more
}

// serve connects, and lets two goroutines carry both ways until both ends have ended, or ctx does. They are new ones: connecting
// takes a deep stack, which each connection would keep.
func (c *connection) serve(ctx context.Context) {
	n := &c.proxy.counts
	n.connections.Add(1)
	n.open.Add(1)
	if err := c.connect(ctx); err != nil {
		if ctx.Err() == nil {
			n.failed.Add(1)
			c.proxy.proxies.options.Logger.Info("connection refused", "proxy", c.proxy.name, "error", err)
		}
		reset(c.client)
		n.open.Add(-1)
		return
	}
	c.stop = context.AfterFunc(ctx, c.abort)
	c.left.Store(2)
	c.proxy.serving.Go(c.up)
	c.proxy.serving.Go(c.down)
}

// done is called by each of the two at its end.
func (c *connection) done() {
	if c.left.Add(-1) == 0 {
		c.stop()
		c.abort()
		c.proxy.counts.open.Add(-1)
	}
}

// abort closes both ends.
func (c *connection) abort() {
	c.link.Close()   //nolint:errcheck // it was closed already, or is now
	c.client.Close() //nolint:errcheck // as above
}

// connect makes the connection to the upstream.
func (c *connection) connect(ctx context.Context) error {
	s := c.proxy.socket(c.client)
	if err := c.live.Admit(ctx, s, c.upstream.addr); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if t, ok := c.client.(tlsConn); ok {
		if err := t.HandshakeContext(ctx); err != nil {
			return fmt.Errorf("TLS with %s: %w", t.RemoteAddr(), err)
		}
	}
	conn, err := c.proxy.proxies.options.Dial(ctx, "tcp", c.upstream.addr)
	if err != nil {
		return fmt.Errorf("connect to the upstream: %w", err)
	}
	if c.upstream.tls {
		secret := secureClient(conn, c.proxy.proxies.upstreamTLS(c.upstream.name))
		if err := secret.HandshakeContext(ctx); err != nil {
			conn.Close() //nolint:errcheck // the other error says more
			return fmt.Errorf("TLS with the upstream %s: %w (--upstream-ca FILE trusts a certificate, --upstream-insecure any)", c.upstream.addr, err)
		}
		conn = secret
	}
	c.link, err = c.live.Link(stamped(conn), s, c.offering())
	if err != nil {
		conn.Close() //nolint:errcheck // the other error says more
	}
	return err
}

// offering is how what faults have held back gets to the client without the goroutine of down: nil over TLS, where nobody can write
// without waiting.
func (c *connection) offering() func(p []byte) (int, error) {
	p, ok := c.client.(prompt)
	if !ok {
		return nil
	}
	return func(b []byte) (int, error) {
		n, err := p.TryWrite(b)
		c.proxy.counts.down.Add(uint64(n)) //nolint:gosec // at least 0
		return n, err
	}
}

// down carries what comes from the upstream, and its end.
func (c *connection) down() {
	defer c.done()
	for {
		b, n, _, _, err := c.link.ReadBorrowed(c.proxy.proxies.buffers)
		if n > 0 {
			c.proxy.counts.down.Add(uint64(n)) //nolint:gosec // at least 0
			_, writeErr := c.client.Write(b.Bytes()[:n])
			c.proxy.proxies.buffers.Put(b)
			if writeErr != nil {
				c.abort()
				return
			}
		}
		if err != nil {
			c.finish(err)
			return
		}
	}
}

// finish hands on how the upstream ended. Where it has closed its direction by itself, what goes up goes on.
func (c *connection) finish(err error) {
	c.finished.Store(true)
	if errors.Is(err, syscall.ECONNRESET) {
		reset(c.client)
		return
	}
	f, ok := c.client.(interface{ CloseWrite() error })
	if !errors.Is(err, io.EOF) || !ok || f.CloseWrite() != nil {
		c.abort()
		return
	}
	if cut, _ := c.link.Cut(); !cut {
		return
	}
	c.link.Close()                                      //nolint:errcheck // nothing goes up any more: up only waits for the end now
	c.client.SetReadDeadline(time.Now().Add(lingering)) //nolint:errcheck // a connection that is gone ends by itself
}

// up carries what comes from the client, and its end.
func (c *connection) up() {
	defer c.done()
	var failed error
	for {
		b, n, err := borrow(c.client, c.proxy.proxies.buffers)
		if n > 0 && failed == nil {
			c.proxy.counts.up.Add(uint64(n)) //nolint:gosec // at least 0
			_, failed = c.link.Write(b.Bytes()[:n])
			// Behind a failure there is nothing to do but read on, as long as the upstream may still have said something.
		}
		if b != nil {
			c.proxy.proxies.buffers.Put(b)
		}
		switch {
		case errors.Is(err, io.EOF):
			c.link.CloseWrite() //nolint:errcheck // the upstream may be gone already
			return
		case err != nil, failed != nil && c.finished.Load():
			c.abort()
			return
		}
	}
}

// reset ends a connection by a RST, where it can.
func reset(conn net.Conn) {
	switch conn := conn.(type) {
	case interface{ Reset() }:
		conn.Reset()
	case interface{ SetLinger(seconds int) error }:
		conn.SetLinger(0) //nolint:errcheck // of a connection that is gone already
	}
	conn.Close() //nolint:errcheck // as above
}
