package target_test

import "net"

// gatedListener holds back what the server writes on every connection but the first, until pass is closed.
type gatedListener struct {
	net.Listener

	pass     chan struct{}
	accepted int
}

func (g *gatedListener) wrap(l net.Listener) net.Listener {
	g.Listener = l
	return g
}

// Accept is called by one goroutine, that of http.Server.Serve.
func (g *gatedListener) Accept() (net.Conn, error) {
	conn, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	g.accepted++
	if g.accepted == 1 {
		return conn, nil
	}
	return &gatedConn{Conn: conn, pass: g.pass}, nil
}

type gatedConn struct {
	net.Conn

	pass chan struct{}
}

func (c *gatedConn) Write(p []byte) (int, error) {
	<-c.pass
	return c.Conn.Write(p)
}
