// Package memnet is a network in memory for tests: listeners, dials and buffered connections that behave as TCP does on
// one machine without delay, and that work inside a testing/synctest bubble, where every stamp is exact.
//
// # What is as on TCP
//
// A dial succeeds as soon as the listener's backlog has room, before Accept. A write does not wait for a reader: each
// direction holds up to Network.BufferBytes, then Write blocks until the reader makes room, the deadline passes or the
// connection ends. Close sends a FIN, behind what was written; closing with unread bytes sends a RST, as Linux does.
// What had arrived before a RST can still be read. The first write to a peer that is gone is accepted and lost, the next
// one fails. Deadlines, half-close and error values (syscall.ECONNRESET, EPIPE, ECONNREFUSED, os.ErrDeadlineExceeded,
// net.ErrClosed, each in a *net.OpError) are those of package net.
//
// # What is not
//
// There is no delay, no loss and no name service: an address is the exact text that was listened on. A fault is put on
// by wrapping a connection.
//
// All that blocks here blocks on a sync.Cond, so that a bubble's clock moves on when everybody waits. The Network must be
// made inside the bubble that uses it.
package memnet

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	defaultBufferBytes = 256 << 10
	backlogConns       = 4096 // connections that may wait for Accept; a dial beyond it waits, as a dropped SYN does
	firstPort          = 40000
)

// Network joins the listeners and dialers of one test. Use New.
type Network struct {
	// BufferBytes is how much each direction of a connection holds before Write blocks; 0 = 256 KiB. Set it before the
	// first dial.
	BufferBytes int

	now func() int64

	mu        sync.Mutex
	listeners map[string]*listener
	port      int // the last port that was given out, to listeners on port 0 and to dialers
}

// New returns an empty network whose connections stamp arriving bytes with now, in nanoseconds of CLOCK_REALTIME since
// 1970. A nil now is time.Now().UnixNano, which inside a bubble is the bubble's clock.
func New(now func() int64) *Network {
	if now == nil {
		now = func() int64 { return time.Now().UnixNano() }
	}
	return &Network{now: now, listeners: make(map[string]*listener), port: firstPort}
}

// Listen opens a listener on addr ("host:port"; the host is any text). Port 0 gives a free port, to be read from Addr.
// An address that is taken is EADDRINUSE; a listener's address is free again when it is closed.
func (n *Network) Listen(addr string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("listening in memory on %q: %w", addr, err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if port == "0" {
		addr = net.JoinHostPort(host, n.nextPort())
	}
	if _, taken := n.listeners[addr]; taken {
		return nil, opError("listen", nil, Addr(addr), os.NewSyscallError("bind", syscall.EADDRINUSE))
	}
	l := newListener(n, Addr(addr))
	n.listeners[addr] = l
	return l, nil
}

// DialContext connects to the listener on addr. network is "tcp", "tcp4" or "tcp6". Nobody there is ECONNREFUSED; a full
// backlog is waited for until ctx ends. The connection is a *Conn.
func (n *Network) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return nil, opError("dial", nil, Addr(addr), net.UnknownNetworkError(network))
	}
	if err := ctx.Err(); err != nil {
		return nil, opError("dial", nil, Addr(addr), err)
	}
	n.mu.Lock()
	l := n.listeners[addr]
	local := Addr(net.JoinHostPort("dialer", n.nextPort()))
	limit := n.BufferBytes
	n.mu.Unlock()
	if limit <= 0 {
		limit = defaultBufferBytes
	}
	if l == nil {
		return nil, opError("dial", nil, Addr(addr), os.NewSyscallError("connect", syscall.ECONNREFUSED))
	}
	near, far := newPair(local, l.addr, limit, n.now)
	if err := l.enqueue(ctx, far); err != nil {
		return nil, opError("dial", nil, Addr(addr), err)
	}
	return near, nil
}

// nextPort needs n.mu.
func (n *Network) nextPort() string {
	n.port++
	return strconv.Itoa(n.port)
}

// forget frees the address of a closed listener.
func (n *Network) forget(l *listener) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners[string(l.addr)] == l {
		delete(n.listeners, string(l.addr))
	}
}

// Addr is an address of a Network, as "host:port".
type Addr string

// Network is "tcp", so that code which looks at it takes the usual way.
func (a Addr) Network() string { return "tcp" }

// String is the address as it was listened on.
func (a Addr) String() string { return string(a) }

// opError dresses err as package net does.
func opError(op string, source, addr net.Addr, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: source, Addr: addr, Err: err}
}

// errno is what a system call of that name would have answered.
func errno(call string, number syscall.Errno) error { return os.NewSyscallError(call, number) }
