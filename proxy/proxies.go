// Package proxy stands between real browsers and a real app, and carries out faults that an HTTP API sets and clears.
//
// They take effect on connections that are open, and those that are cleared let go what they held.
//
// It reads what goes through as HTTP/1.1 where it is that, so that it can answer a request itself, or lose the third event of
// a stream; else it sees bytes. It changes nothing but the Host field (where an upstream is given as a URL) and what faults
// ask for: as long as none is set, what comes down goes through byte for byte.
//
// # A connection costs two goroutines
//
// One carries what comes down, one what goes up. Neither has a buffer while nothing comes: both wait for bytes and borrow
// one then. What is held back by a fault is held by a chaos.LiveLink: a few goroutines, each for its part of the
// connections, go from one to the next and write what is due, as far as the socket has room. What it has no room for, and all that goes to
// a client over TLS, the connection's own writes.
//
// # Whose connection it is
//
// The connections of one address are those of one client: they share the slow part of a delay, as the sockets of a browser
// do. Toxicity is a share of connections, drawn for each.
//
//	p, err := proxy.New(proxy.Options{Seed: 42, Listen: net.Listen, Dial: dialer.DialContext})
//	one, err := p.Create(proxy.Settings{Name: "app", Listen: "127.0.0.1:0", Upstream: "http://127.0.0.1:4000", Enabled: true})
//	err = http.Serve(listener, p.Handler()) // the API
//	p.Close()
package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"holobench/chaos"
)

// Options are what New needs.
type Options struct {
	Seed   uint64
	Listen func(network, addr string) (net.Listener, error)
	Dial   chaos.DialFunc // to upstreams

	Certificate *tls.Certificate // of proxies that end TLS; nil = none can
	Upstream    *tls.Config      // of connections to upstreams over TLS; its ServerName is filled in
	KeepHost    bool             // the Host field stays as the browser sent it
	Apart       bool             // each connection is a client of its own
	Version     string           // what the API says
	Logger      *slog.Logger     // nil = silence

	// Record is told each decision as it is carried out; nil = nobody is. It must be safe for concurrent use, and quick.
	Record func(chaos.Decision)
}

// Proxies is all proxies of one process.
type Proxies struct {
	options Options
	ctx     context.Context // ends with Close
	end     context.CancelFunc
	buffers *sync.Pool // shared by all connections: there is none with an idle one

	mu    sync.Mutex
	names []string // in the order in which they were made
	all   map[string]*Proxy
	over  bool
}

// MaxProxies is how many there may be.
const MaxProxies = 1000

// The reasons for which the API refuses.
var (
	errNotFound = errors.New("there is none of that name: GET /proxies lists all")
	errExists   = errors.New("there is one of that name already: take another name, or change that one")
)

// New returns no proxies yet.
func New(o Options) (*Proxies, error) {
	if o.Listen == nil || o.Dial == nil {
		return nil, errors.New("a proxy needs to know how to listen and how to connect: give Listen and Dial")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	p := &Proxies{options: o, all: make(map[string]*Proxy), buffers: &sync.Pool{New: func() any { return new(buffer) }}}
	p.ctx, p.end = context.WithCancel(context.Background())
	return p, nil
}

// Create makes a proxy, and starts it if it is enabled.
func (p *Proxies) Create(s Settings) (*Proxy, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.over:
		return nil, errors.New("create a proxy: this process is ending")
	case p.all[s.Name] != nil:
		return nil, fmt.Errorf("create the proxy %q: %w", s.Name, errExists)
	case len(p.all) >= MaxProxies:
		return nil, fmt.Errorf("create the proxy %q: there are %d already: delete some", s.Name, MaxProxies)
	}
	one, err := newProxy(p, s)
	if err != nil {
		return nil, fmt.Errorf("create the proxy %q: %w", s.Name, err)
	}
	p.all[s.Name] = one
	p.names = append(p.names, s.Name)
	return one, nil
}

// Get finds a proxy.
func (p *Proxies) Get(name string) (*Proxy, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if one := p.all[name]; one != nil {
		return one, nil
	}
	return nil, fmt.Errorf("the proxy %q: %w", name, errNotFound)
}

// All returns the proxies, in the order in which they were made.
func (p *Proxies) All() []*Proxy {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []*Proxy
	for _, name := range p.names {
		all = append(all, p.all[name])
	}
	return all
}

// Delete ends a proxy and its connections.
func (p *Proxies) Delete(name string) error {
	one, err := p.Get(name)
	if err != nil {
		return err
	}
	one.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all[name] == one {
		delete(p.all, name)
		for i, other := range p.names {
			if other == name {
				p.names = append(p.names[:i:i], p.names[i+1:]...)
				break
			}
		}
	}
	return nil
}

// Reset enables all proxies and takes all their toxics away.
func (p *Proxies) Reset() error {
	var failed error
	for _, one := range p.All() {
		s := one.Settings()
		s.Enabled = true
		failed = errors.Join(failed, one.Update(s))
		one.Clear()
	}
	return failed
}

// Close ends all proxies and their connections, and returns when that is done.
func (p *Proxies) Close() {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	p.end()
	for _, one := range p.All() {
		one.close()
	}
}

// upstreamTLS is what a connection to a host over TLS is made with.
func (p *Proxies) upstreamTLS(host string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if p.options.Upstream != nil {
		c = p.options.Upstream.Clone()
	}
	c.ServerName, c.NextProtos = host, []string{"http/1.1"}
	return c
}

// Trusting returns a configuration for upstreams whose certificates are signed by one in pem; insecure trusts any.
func Trusting(pem []byte, insecure bool) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: insecure} //nolint:gosec // who tests an app of his own may ask for that
	if len(pem) > 0 {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("there is no certificate in it: give a file in PEM, which begins with -----BEGIN CERTIFICATE-----")
		}
	}
	return c, nil
}
