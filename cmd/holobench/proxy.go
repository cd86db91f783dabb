package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"holobench/proxy"
	"holobench/target"
)

// proxyFlags are the flags of proxy.
type proxyFlags struct {
	name, listen, upstream, api, readyFile, apiReadyFile string
	seed                                                 uint64
	keepHost, apart                                      bool
	tls                                                  bool
	cert, key, certFile                                  string
	upstreamCA                                           string
	upstreamInsecure                                     bool
}

func proxyCommand() *cobra.Command {
	var f proxyFlags
	c := &cobra.Command{
		Use:   "proxy",
		Short: "Stand between a browser and an app, and make things worse",
		Long: `proxy is a reverse proxy with faults, which are set and cleared by an HTTP API while connections are open, until
Ctrl-C. It reads event streams and HTTP/1.1, so that it can lose the third event of a stream, answer a subscription
with a 503, or hold a stream back as a proxy does that collects.

The API is that of Toxiproxy: its clients can set its toxics (latency, bandwidth, slow_close, timeout, reset_peer,
slicer, limit_data) and ours (delay, loss, stall, buffer, half_open, slow_reader, reset, close, refuse, accept_delay,
http_abort, http_delay, drop, duplicate, reorder, corrupt, truncate, heartbeat_loss). docs/proxy.md is the manual.

The connections of one address are those of one client and share their delays; --apart gives each a way of its own.`,
		Example: `  holobench proxy --listen 127.0.0.1:8081 --upstream http://127.0.0.1:4000 --api 127.0.0.1:8474
  curl -d '{"type":"http_abort","attributes":{"status":503}}' http://127.0.0.1:8474/proxies/app/toxics
  curl -X DELETE http://127.0.0.1:8474/proxies/app/toxics/http_abort_downstream`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o, err := f.options(c.ErrOrStderr())
			if err != nil {
				return err
			}
			return f.serve(c.Context(), o, c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:0", "host:port to listen on; port 0 takes a free one")
	c.Flags().StringVar(&f.upstream, "upstream", "", "where connections go: http://host:port, https://host:port or host:port; without it proxies come by the API")
	c.Flags().StringVar(&f.name, "name", "app", "what the API calls that proxy")
	c.Flags().StringVar(&f.api, "api", "127.0.0.1:8474", "host:port of the API; port 0 takes a free one")
	c.Flags().StringVar(&f.readyFile, "ready-file", "", "write host:port of the proxy into this file once it listens")
	c.Flags().StringVar(&f.apiReadyFile, "api-ready-file", "", "write host:port of the API into this file once it listens")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "of all draws")
	c.Flags().BoolVar(&f.keepHost, "keep-host", false, "leave the Host field as the browser sent it, instead of naming the upstream")
	c.Flags().BoolVar(&f.apart, "apart", false, "each connection is a client of its own, instead of each address")
	c.Flags().BoolVar(&f.tls, "tls", false, "speak TLS to browsers, with a certificate that is made now, or with --cert and --key")
	c.Flags().StringVar(&f.cert, "cert", "", "PEM file of the certificate for --tls")
	c.Flags().StringVar(&f.key, "key", "", "PEM file of its key")
	c.Flags().StringVar(&f.certFile, "cert-file", "", "write what a browser needs to trust the certificate that is made into this file, as PEM")
	c.Flags().StringVar(&f.upstreamCA, "upstream-ca", "", "PEM file of the authorities that an https upstream is trusted by; default those of the system")
	c.Flags().BoolVar(&f.upstreamInsecure, "upstream-insecure", false, "trust any certificate of an https upstream")
	return c
}

// options are what the flags ask for.
func (f *proxyFlags) options(stderr io.Writer) (proxy.Options, error) {
	dialer := &net.Dialer{}
	o := proxy.Options{
		Seed: f.seed, Listen: net.Listen, Dial: dialer.DialContext, KeepHost: f.keepHost, Apart: f.apart, Version: programVersion(),
		Logger: slog.New(slog.NewTextHandler(stderr, nil)),
	}
	if !f.tls && (f.cert != "" || f.key != "" || f.certFile != "") {
		return o, errors.New("--cert, --key and --cert-file go with --tls: there is no certificate without TLS")
	}
	if (f.cert == "") != (f.key == "") {
		return o, errors.New("--cert and --key belong together: give both, or none, and a certificate is made")
	}
	var authorities []byte
	if f.upstreamCA != "" {
		var err error
		if authorities, err = os.ReadFile(f.upstreamCA); err != nil {
			return o, failed(fmt.Errorf("read --upstream-ca: %w", err))
		}
	}
	trust, err := proxy.Trusting(authorities, f.upstreamInsecure)
	if err != nil {
		return o, fmt.Errorf("--upstream-ca %s: %w", f.upstreamCA, err)
	}
	o.Upstream = trust
	if f.tls {
		o.Certificate, err = f.certificate()
	}
	return o, err
}

// certificate reads the one of the flags, or makes one.
func (f *proxyFlags) certificate() (*tls.Certificate, error) {
	if f.cert != "" {
		c, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return nil, failed(fmt.Errorf("read --cert and --key: %w", err))
		}
		return &c, nil
	}
	host, _, _ := net.SplitHostPort(f.listen) // what is wrong with it is said by who listens
	c, trusted, err := target.SelfSigned(time.Now(), host)
	if err != nil {
		return nil, failed(err)
	}
	if f.certFile == "" {
		return &c, nil
	}
	if err := os.WriteFile(f.certFile, trusted, 0o644); err != nil { //nolint:gosec // it is for everybody
		return nil, failed(fmt.Errorf("write the certificate: %w", err))
	}
	return &c, nil
}

// serve runs until ctx ends.
func (f *proxyFlags) serve(ctx context.Context, o proxy.Options, stderr io.Writer) error {
	proxies, err := proxy.New(o)
	if err != nil {
		return err
	}
	defer proxies.Close()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.api)
	if err != nil {
		return cannotListen("--api", f.api, "proxy", err)
	}
	server := &http.Server{Handler: proxies.Handler(), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		server.Close() //nolint:errcheck // the process ends
		<-served       //nolint:errcheck // it says that it was closed
	}()
	if err := f.create(proxies); err != nil {
		return err
	}
	if f.apiReadyFile != "" {
		if err := writeReady(f.apiReadyFile, listener.Addr().String()); err != nil {
			return failed(err)
		}
	}
	fmt.Fprintf(stderr, "holobench: the API listens on http://%s, seed %d\n", listener.Addr(), f.seed)
	select {
	case <-ctx.Done():
	case err := <-served:
		served <- err
		return failed(fmt.Errorf("serve the API: %w", err))
	}
	sayLedger(stderr, proxies)
	return nil
}

// create makes the proxy of the flags, if there is one. The logger says where each proxy listens, also one that the API makes.
func (f *proxyFlags) create(proxies *proxy.Proxies) error {
	if f.upstream == "" {
		return nil
	}
	one, err := proxies.Create(proxy.Settings{Name: f.name, Listen: f.listen, Upstream: f.upstream, Enabled: true, TLS: f.tls})
	if _, taken := errors.AsType[*net.OpError](err); taken {
		return failed(err)
	}
	if err != nil {
		return err
	}
	if f.readyFile == "" {
		return nil
	}
	return failed(writeReady(f.readyFile, one.Settings().Listen))
}

// sayLedger prints what each toxic decided.
func sayLedger(stderr io.Writer, proxies *proxy.Proxies) {
	for _, one := range proxies.All() {
		for _, t := range one.Ledger() {
			fmt.Fprintf(stderr, "holobench: %s: %s (%s): decisions %d, digest %s\n", one.Settings().Name, t.Fault, t.Kind, t.Decisions, t.Digest)
		}
	}
}
