package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"holobench/chaos"
	"holobench/internal/draw"
)

// Settings are what a proxy is, in the words of the API.
type Settings struct {
	Name     string `json:"name"`
	Listen   string `json:"listen"`   // host:port; port 0 takes a free one
	Upstream string `json:"upstream"` // host:port, http://host:port or https://host:port
	Enabled  bool   `json:"enabled"`
	TLS      bool   `json:"tls,omitempty"` // it ends TLS, so that faults on messages can read what is said
}

// Proxy is one listener with its connections and toxics.
type Proxy struct {
	proxies *Proxies
	name    string
	live    *chaos.Live
	counts  counts

	mu       sync.Mutex // of all changes
	settings Settings
	toxics   []Toxic

	listener net.Listener // nil = it does not listen
	end      context.CancelFunc
	serving  sync.WaitGroup
	upstream upstream
	clients  atomic.Uint64 // connections until now, where each is a client
}

// counts are what went through.
type counts struct {
	connections atomic.Uint64
	open        atomic.Int64
	up, down    atomic.Uint64 // bytes
	failed      atomic.Uint64 // connections to the upstream that could not be made
}

// upstream is where connections go.
type upstream struct {
	addr string // host:port
	name string // the host
	host string // for the Host field; "" = it stays
	tls  bool
}

// parseUpstream reads what Settings.Upstream says.
func parseUpstream(text string) (upstream, error) {
	const remedy = "give host:port, http://host:port or https://host:port"
	if !strings.Contains(text, "://") {
		host, _, err := net.SplitHostPort(text)
		switch {
		case err != nil:
			return upstream{}, fmt.Errorf("the upstream %q: %w: %s", text, err, remedy)
		case strings.ContainsAny(text, "/?#"):
			return upstream{}, fmt.Errorf("the upstream %q has a path, but paths go through as they are: leave it out", text)
		}
		return upstream{addr: text, name: host}, nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return upstream{}, fmt.Errorf("the upstream: %w: %s", err, remedy)
	}
	port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	switch {
	case port == "" || u.Hostname() == "" || u.User != nil:
		return upstream{}, fmt.Errorf("the upstream %q is no address of a web server: %s", u.Redacted(), remedy)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return upstream{}, fmt.Errorf("the upstream %q has a path, but paths go through as they are: leave it out", text)
	case u.Port() != "":
		port = u.Port()
	}
	return upstream{addr: net.JoinHostPort(u.Hostname(), port), name: u.Hostname(), host: u.Host, tls: u.Scheme == "https"}, nil
}

func newProxy(p *Proxies, s Settings) (*Proxy, error) {
	one := &Proxy{proxies: p, name: s.Name}
	if err := one.check(s); err != nil {
		return nil, err
	}
	if err := one.begin(s); err != nil {
		return nil, err
	}
	return one, nil
}

// check says what is wrong with settings.
func (p *Proxy) check(s Settings) error {
	switch {
	case s.Name == "" || strings.ContainsAny(s.Name, "/ \t\r\n"):
		return fmt.Errorf("a name of %q: give one without spaces and slashes, since the API calls it by that", s.Name)
	case s.Upstream == "":
		return errors.New("it has no upstream: say where connections go")
	case s.TLS && p.proxies.options.Certificate == nil:
		return errors.New("it cannot end TLS without a certificate: start holobench proxy with --tls")
	}
	_, err := parseUpstream(s.Upstream)
	return err
}

// begin puts settings into force, of a proxy that does not listen. The caller holds mu, or nobody knows the proxy yet.
func (p *Proxy) begin(s Settings) error {
	to, err := parseUpstream(s.Upstream)
	if err != nil {
		return err
	}
	if s.Listen == "" {
		s.Listen = "127.0.0.1:0"
	}
	if p.proxies.options.KeepHost {
		to.host = ""
	}
	if p.live == nil || to.host != p.upstream.host {
		if err := p.rehost(to.host); err != nil {
			return err
		}
	}
	p.settings, p.upstream = s, to
	if !s.Enabled {
		return nil
	}
	p.settings.Enabled = false
	listener, err := p.proxies.options.Listen("tcp", s.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w (is another server there? port 0 takes a free one)", s.Listen, err)
	}
	p.settings.Enabled, p.settings.Listen = true, listener.Addr().String()
	if s.TLS {
		listener = tlsListener{listener, &tls.Config{
			MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, Certificates: []tls.Certificate{*p.proxies.options.Certificate},
		}}
	}
	p.listener = listener
	ctx, end := context.WithCancel(p.proxies.ctx)
	p.end = end
	p.serving.Go(func() { p.accept(ctx, listener) })
	p.proxies.options.Logger.Info("proxy listens", "name", s.Name, "url", p.settings.url(), "upstream", s.Upstream)
	return nil
}

// rehost makes the faults of the proxy anew, for another Host.
func (p *Proxy) rehost(host string) error {
	live, err := chaos.NewLive(chaos.LiveOptions{Seed: p.proxies.options.Seed, Host: host, Record: p.proxies.options.Record})
	if err != nil {
		return err
	}
	for _, t := range p.toxics {
		if err := t.set(live); err != nil {
			return err
		}
	}
	if p.live != nil {
		p.live.Close()
	}
	p.live = live
	return nil
}

// stop ends the listener and all connections. The caller holds mu.
func (p *Proxy) stop() {
	if p.listener == nil {
		return
	}
	p.end()
	p.listener.Close() //nolint:errcheck // it listens no more, whatever it says
	p.serving.Wait()
	p.listener, p.settings.Enabled = nil, false
}

func (p *Proxy) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop()
	p.live.Close()
	p.live.Wait()
}

// Settings returns what the proxy is now: Listen says where it really listens.
func (p *Proxy) Settings() Settings {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.settings
}

// Update changes a proxy. Where it listens, goes or ends TLS cannot change without its connections ending.
func (p *Proxy) Update(s Settings) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.Name = p.name
	if s == p.settings {
		return nil
	}
	if err := p.check(s); err != nil {
		return fmt.Errorf("change the proxy %q: %w", s.Name, err)
	}
	p.stop()
	if err := p.begin(s); err != nil {
		return fmt.Errorf("change the proxy %q: %w", s.Name, err)
	}
	return nil
}

// Ledger is what its faults decided until now.
func (p *Proxy) Ledger() []chaos.Tally {
	p.mu.Lock()
	live := p.live
	p.mu.Unlock()
	return live.Ledger()
}

// accept takes connections until ctx ends.
func (p *Proxy) accept(ctx context.Context, listener net.Listener) {
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	for {
		conn, err := listener.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				conn.Close() //nolint:errcheck // nobody has used it
			}
			return
		case err != nil: // there are no file descriptors left: some will be
			p.proxies.options.Logger.Warn("accept", "proxy", p.name, "error", err)
			select {
			case <-retry.C:
			case <-ctx.Done():
				return
			}
			continue
		}
		c := &connection{proxy: p, client: stamped(conn), live: p.live, upstream: p.upstream}
		p.serving.Go(func() { c.serve(ctx) })
	}
}

// socket numbers a connection.
func (p *Proxy) socket(conn net.Conn) chaos.Socket {
	if p.proxies.options.Apart {
		const clients = 4096 // each has paths of its own, which stay
		n := p.clients.Add(1) - 1
		return chaos.Socket{Client: uint32(n % clients), Epoch: uint32(n / clients)} //nolint:gosec // wraps after 2^44 connections
	}
	host, _, err := net.SplitHostPort(conn.RemoteAddr().String())
	if err != nil {
		host = conn.RemoteAddr().String()
	}
	return p.live.Socket(uint32(draw.Name(host))) //nolint:gosec // a part of a hash
}

// URL is where a browser finds it.
func (p *Proxy) URL() string {
	s := p.Settings()
	return s.url()
}

func (s *Settings) url() string {
	if s.TLS {
		return "https://" + s.Listen
	}
	return "http://" + s.Listen
}
