package memnet

import (
	"context"
	"fmt"
	"net"
	"sync"
	"syscall"
)

// listener holds the connections that wait for Accept.
type listener struct {
	network *Network
	addr    Addr

	mu      sync.Mutex
	changed sync.Cond // backlog or closed has changed
	backlog []*Conn
	closed  bool
}

func newListener(network *Network, addr Addr) *listener {
	l := &listener{network: network, addr: addr}
	l.changed.L = &l.mu
	return l
}

// Accept returns the connection that was dialled first; net.ErrClosed (wrapped) once the listener is closed.
func (l *listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.backlog) == 0 && !l.closed {
		l.changed.Wait()
	}
	if l.closed {
		return nil, opError("accept", nil, l.addr, net.ErrClosed)
	}
	c := l.backlog[0]
	l.backlog[0] = nil
	l.backlog = l.backlog[1:]
	l.changed.Broadcast()
	return c, nil
}

// Close resets the connections that nobody has accepted yet, as a kernel does.
func (l *listener) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return opError("close", nil, l.addr, net.ErrClosed)
	}
	l.closed = true
	waiting := l.backlog
	l.backlog = nil
	l.changed.Broadcast()
	l.mu.Unlock()
	l.network.forget(l)
	for _, c := range waiting {
		c.Reset()
	}
	return nil
}

// Addr is where the listener listens, with the port that it was given.
func (l *listener) Addr() net.Addr { return l.addr }

// enqueue puts c into the backlog, waiting for room until ctx ends.
func (l *listener) enqueue(ctx context.Context, c *Conn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.backlog) >= backlogConns && !l.closed {
		stop := context.AfterFunc(ctx, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.changed.Broadcast()
		})
		defer stop()
	}
	for len(l.backlog) >= backlogConns && !l.closed {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("waiting for room in the backlog: %w", err)
		}
		l.changed.Wait()
	}
	if l.closed {
		return errno("connect", syscall.ECONNREFUSED)
	}
	l.backlog = append(l.backlog, c)
	l.changed.Broadcast()
	return nil
}
