package run_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"holobench/clients"
	"holobench/history"
	"holobench/internal/memnet"
	"holobench/target"
	"holobench/wire"
	"holobench/wire/hologram"
	"holobench/wire/phoenix"
)

// spokenWire is a wire over a transport, and which of its requests are those of the stream and of a command.
type spokenWire struct {
	name      string
	design    target.Design
	wire      target.Wire
	transport target.Transport
	generic   bool
	before    bool // it is a request before that of the stream
	once      bool // ... which a client makes once
	stream    func(r *http.Request) bool
	command   func(r *http.Request) bool // nil = a command is no request
}

func asksFor(method, path string) func(r *http.Request) bool {
	return func(r *http.Request) bool { return r.Method == method && r.URL.Path == path }
}

// spokenWires are all wires that clients speak, each over all transports that carry it but TLS, which TestWhatTLSEndsIn is about.
func spokenWires() []spokenWire {
	plain := spokenWire{stream: asksFor("GET", wire.EventsPath), command: asksFor("POST", wire.CommandPath)}
	holo := spokenWire{stream: asksFor("GET", hologram.EventsPath), command: asksFor("POST", hologram.CommandPath)}
	with := func(w spokenWire, name string, design target.Design, of target.Wire, transport target.Transport) spokenWire {
		w.name, w.design, w.wire, w.transport = name, design, of, transport
		return w
	}
	poll := spokenWire{
		stream: func(r *http.Request) bool {
			return r.Method == "GET" && r.URL.Path == phoenix.LongPollPath && r.URL.Query().Get("token") != ""
		},
		command: func(r *http.Request) bool {
			return r.Method == "POST" && r.URL.Path == phoenix.LongPollPath && r.Header.Get("Content-Type") == "application/json"
		},
	}
	generic := with(plain, "generic", target.SingleChannel, target.JSON, target.HTTP1)
	generic.generic = true
	return []spokenWire{
		with(plain, "json", target.SingleChannel, target.JSON, target.HTTP1),
		with(plain, "ephemeral", target.Ephemeral, target.JSON, target.HTTP1),
		with(holo, "hologram", target.Hologram, target.HologramWire, target.HTTP1),
		with(poll, "long-poll", target.LongPoll, target.LongPollWire, target.HTTP1),
		with(spokenWire{stream: asksFor("GET", phoenix.WebSocketPath)}, "channels", target.Channels, target.ChannelsWire, target.HTTP1),
		generic,
		with(plain, "json over HTTP/2", target.SingleChannel, target.JSON, target.H2C),
		with(holo, "hologram over HTTP/2", target.Hologram, target.HologramWire, target.H2C),
	}
}

// unruly is a server that deals with one request as a test says, and is the bundled target to all others.
type unruly struct {
	next  http.Handler
	over  chan struct{} // closed when the test is
	mu    sync.Mutex
	meant func(r *http.Request) bool // nil = none is
	play  func(b *blow)
	times int // how many of those that are meant are hit
	hit   []time.Time
	conns []*gate
}

// blow is the request that is hit.
type blow struct {
	server *unruly
	w      http.ResponseWriter
	r      *http.Request
	conn   *gate // that it came over
}

type gateKey struct{}

// strike lets play deal with the next so many requests that are meant.
func (u *unruly) strike(meant func(*http.Request) bool, times int, play func(b *blow)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.meant, u.times, u.play = meant, times, play
}

// struck is when the last request was hit, since then nothing was.
func (u *unruly) struck() time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.hit) == 0 {
		return time.Time{}
	}
	return u.hit[len(u.hit)-1]
}

// ServeHTTP implements http.Handler.
func (u *unruly) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	play := u.play
	if u.times == 0 || u.meant == nil || !u.meant(r) {
		play = nil
	} else {
		u.times--
		u.hit = append(u.hit, time.Now())
	}
	u.mu.Unlock()
	if play == nil {
		u.next.ServeHTTP(w, r)
		return
	}
	if r.Method == http.MethodPost { // else what closes the connection would be a reset
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(err)
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
	}
	play(&blow{u, w, r, r.Context().Value(gateKey{}).(*gate)})
}

// each does something to every connection that there has been.
func (u *unruly) each(do func(*gate)) {
	u.mu.Lock()
	conns := slices.Clone(u.conns)
	u.mu.Unlock()
	for _, conn := range conns {
		do(conn)
	}
}

// gate is the server's end of a connection, which can fall silent or stammer.
type gate struct {
	*memnet.Conn

	mu      sync.Mutex
	deaf    chan struct{} // not nil: what is written is lost, and nothing is read, until it is closed
	stammer time.Duration // before each byte
	act     func(*gate)   // done once, when something has come to be read
}

// pause lets it wait before each byte.
func (g *gate) pause(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stammer = d
}

func (g *gate) Write(p []byte) (int, error) {
	g.mu.Lock()
	deaf, pause := g.deaf, g.stammer
	g.mu.Unlock()
	switch {
	case deaf != nil:
		return len(p), nil
	case pause == 0:
		return g.Conn.Write(p)
	}
	for i := range p {
		<-time.After(pause)
		if _, err := g.Conn.Write(p[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(p), nil
}

func (g *gate) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	g.mu.Lock()
	act, deaf := g.act, g.deaf
	if err == nil {
		g.act = nil
	}
	g.mu.Unlock()
	if deaf != nil {
		<-deaf
		return 0, io.EOF
	}
	if act != nil && err == nil {
		act(g)
	}
	return n, err
}

// gates is a listener whose connections are gates.
type gates struct {
	net.Listener
	server *unruly
}

func (l gates) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	g := &gate{Conn: conn.(*memnet.Conn)}
	l.server.mu.Lock()
	defer l.server.mu.Unlock()
	l.server.conns = append(l.server.conns, g)
	return g, nil
}

// trial is one client with a stream at an unruly server, one that posts, and what they saw.
type trial struct {
	*testing.T
	server  *unruly
	crowd   *clients.Crowd
	wire    spokenWire
	began   time.Time
	ctx     context.Context
	holder  *clients.Client
	author  *clients.Client
	working sync.WaitGroup

	mu      sync.Mutex
	seen    []history.Observation
	refuse  int // how many dials for purpose are refused
	purpose clients.Purpose
	owners  map[string]uint32 // of connections, by their addresses
}

// try carries out a trial in a bubble. What was started has ended when it returns, and the bubble holds that nothing is left.
func try(t *testing.T, w spokenWire, then func(*trial)) {
	t.Helper()
	network := memnet.New(nil)
	node, err := target.New(target.Options{Design: w.design, Wire: w.wire, Counters: target.MemoryCounters()})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := network.Listen("target:80")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	next, letGo := nodeBehind(ctx, t, &serving, network, node, w.transport)
	u := &unruly{next: next, over: make(chan struct{})}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(w.transport == target.HTTP1)
	protocols.SetUnencryptedHTTP2(w.transport == target.H2C)
	host := &http.Server{Handler: u, Protocols: protocols, ConnContext: func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, gateKey{}, c)
	}}
	serving.Go(func() { host.Serve(gates{listener, u}) })
	x := &trial{T: t, server: u, wire: w, began: time.Now(), ctx: ctx}
	x.makeCrowd(network)
	x.holder = x.crowd.NewClient(clients.ClientOptions{ID: 0, Instance: "c0", Channels: []string{"room"}})
	x.author = x.crowd.NewClient(clients.ClientOptions{ID: 1, Instance: "c1", Channels: []string{"room"}})
	x.working.Go(func() { x.author.HoldStream(ctx, nil) })
	x.working.Go(func() { x.author.PostCommands(ctx, ctx, nil) })
	<-time.After(time.Second)
	then(x)
	cancel()
	x.working.Wait()
	close(u.over)
	u.each(func(g *gate) {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.deaf != nil {
			close(g.deaf)
			g.deaf = nil
		}
	})
	host.Close()
	letGo()
	serving.Wait()
}

// nodeBehind is the target as a handler. Over HTTP/2 it takes streams from its own server only, and so stands behind another one.
func nodeBehind(
	ctx context.Context, t *testing.T, serving *sync.WaitGroup, network *memnet.Network, node *target.Server, transport target.Transport,
) (next http.Handler, letGo func()) {
	if transport == target.HTTP1 {
		return node, func() { node.Serve(ctx, closedListener{}) } // it ends the streams
	}
	listener, err := network.Listen("node:80")
	if err != nil {
		t.Fatal(err)
	}
	serving.Go(func() { node.Serve(ctx, listener) })
	way := &http.Transport{DialContext: network.DialContext}
	return &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "node:80"}) },
		Transport:     way,
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
	}, way.CloseIdleConnections
}

// hold lets the client under trial hold its stream.
func (x *trial) hold() { x.working.Go(func() { x.holder.HoldStream(x.ctx, nil) }) }

// closedListener lets a node that served through another server come to its end.
type closedListener struct{}

func (closedListener) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (closedListener) Close() error              { return nil }
func (closedListener) Addr() net.Addr            { return memnet.Addr("nowhere:0") }

// makeCrowd makes what the clients share.
func (x *trial) makeCrowd(network *memnet.Network) {
	x.owners = make(map[string]uint32)
	speaks := clients.JSON
	if x.wire.wire != "" {
		speaks = clients.Wire(x.wire.wire)
	}
	x.crowd = &clients.Crowd{
		Addr: "target:80", Run: 0xabc, Epoch: x.began.UnixNano(), Names: new(history.Names), Wire: speaks, HTTP2: x.wire.transport == target.H2C,
		Observe: func(batch []history.Observation) {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.seen = append(x.seen, batch...)
		},
		Dial: func(ctx context.Context, way, addr string) (net.Conn, error) {
			owner, purpose, _ := clients.Dialing(ctx)
			x.mu.Lock()
			refused := x.refuse > 0 && purpose == x.purpose
			if refused {
				x.refuse--
			}
			x.mu.Unlock()
			if refused {
				return nil, &net.OpError{Op: "dial", Net: way, Err: syscall.ECONNREFUSED}
			}
			conn, err := network.DialContext(ctx, way, addr)
			if err == nil {
				x.mu.Lock()
				x.owners[conn.LocalAddr().String()] = owner
				x.mu.Unlock()
			}
			return conn, err
		},
	}
	if x.wire.generic {
		x.crowd.Wire, x.crowd.Own.Generic = clients.Described, genericTarget()
		x.crowd.Own.Know = func(dst []byte, client uint32, name string) ([]byte, bool) {
			return fmt.Appendf(dst, "c%d", client), name == "me"
		}
	}
}

// genericTarget describes the plain wire of the bundled target as if it were somebody else's server.
func genericTarget() *clients.Generic {
	text := func(t string) clients.Text {
		return func(dst []byte, _ clients.Names) ([]byte, string) { return append(dst, t...), "" }
	}
	where := func(dst []byte, names clients.Names) ([]byte, string) {
		dst, _ = names(append(dst, wire.EventsPath+"?channel=room&instance="...), "me")
		return dst, ""
	}
	ok := func(status int) bool { return status >= 200 && status <= 299 }
	body := func(dst []byte, names clients.Names) ([]byte, string) {
		marker, found := names(nil, "payload")
		if !found {
			return dst, "payload"
		}
		return wire.AppendCommandJSON(dst, wire.Command{Channel: "room", Name: "say", Payload: string(marker)}), ""
	}
	return &clients.Generic{
		Request: clients.Step{Where: "subscribe", Method: "GET", URL: where, Takes: ok},
		Framing: clients.FrameSSE, Pause: clients.Pause{Least: time.Second, Most: time.Second},
		Message: func(string, []byte) bool { return true },
		Publish: &clients.Publish{Step: clients.Step{
			Where: "publish", Method: "POST", URL: text(wire.CommandPath), Body: body, Takes: ok,
			Fields: []clients.Named{{Name: "Content-Type", Value: text("application/json")}},
		}},
	}
}
