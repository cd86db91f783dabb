package target

import (
	"net"
	"net/http"
	"sync"
)

// returnedConns gives connections that were taken over from an http.Server back to it: it is a listener on which they arrive
// again, with the bytes that were read of the next request.
type returnedConns struct {
	server  *http.Server // nil = there is none to give anything back to
	arrives chan net.Conn
	closed  chan struct{}

	start, end sync.Once
	serving    sync.WaitGroup
}

func newReturnedConns(server *http.Server) *returnedConns {
	return &returnedConns{server: server, arrives: make(chan net.Conn), closed: make(chan struct{})}
}

// give gives back conn, of which read was read, and which is idle but for that. When the server is shutting down conn is closed.
// The listener is there from the first connection on: had the server it earlier, it could not set up its HTTP/2 for TLS.
func (r *returnedConns) give(conn net.Conn, read []byte) {
	r.start.Do(func() {
		r.serving.Go(func() { _ = r.server.Serve(r) }) // it ends when the server is closed, and says so
	})
	select {
	case r.arrives <- &returnedConn{Conn: conn, read: read}:
	case <-r.closed:
		_ = conn.Close()
	}
}

// wait returns when the server has ended; nothing is given any more.
func (r *returnedConns) wait() { r.serving.Wait() }

// Accept implements net.Listener.
func (r *returnedConns) Accept() (net.Conn, error) {
	select {
	case conn := <-r.arrives:
		return conn, nil
	case <-r.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (r *returnedConns) Close() error {
	r.end.Do(func() { close(r.closed) })
	return nil
}

// Addr implements net.Listener.
func (*returnedConns) Addr() net.Addr { return returnedAddr{} }

// returnedAddr is the address of a listener that nobody can dial.
type returnedAddr struct{}

// Network implements net.Addr.
func (returnedAddr) Network() string { return "returned" }

// String implements net.Addr.
func (returnedAddr) String() string { return "connections that were given back" }

// returnedConn is a connection of which something was read already.
type returnedConn struct {
	net.Conn

	read []byte
}

// Read implements net.Conn.
func (c *returnedConn) Read(p []byte) (n int, err error) {
	if len(c.read) == 0 {
		return c.Conn.Read(p)
	}
	n = copy(p, c.read)
	if c.read = c.read[n:]; len(c.read) == 0 {
		c.read = nil // it holds the memory of what was read
	}
	return n, nil
}
