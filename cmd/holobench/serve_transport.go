package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"holobench/run"
	"holobench/target"
)

// transportFlags are the flags of serve for what carries its wires.
type transportFlags struct {
	transport, certFile string
}

func (f *transportFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.transport, "transport", string(target.HTTP1),
		"what carries requests and streams: "+strings.Join(transportNames(), ", ")+" (over TLS with a certificate that is made now)")
	c.Flags().StringVar(&f.certFile, "cert-file", "", "write what a client needs to trust that certificate into this file, as PEM")
}

func transportNames() []string {
	var names []string
	for _, t := range target.Transports() {
		names = append(names, string(t))
	}
	return names
}

// apply puts the flags into o, and makes the certificate of a server that listens on addr.
func (f *transportFlags) apply(o *target.Options, addr string) error {
	o.Transport = target.Transport(f.transport)
	if !o.Transport.Encrypted() {
		if f.certFile != "" {
			return errors.New("--cert-file goes with --transport tls or tls-h2: there is no certificate without TLS")
		}
		return nil
	}
	var hosts []string
	if host, _, err := net.SplitHostPort(addr); err == nil { // what is wrong with it is said by who listens
		hosts = []string{host}
	}
	certificate, trusted, err := target.SelfSigned(time.Now(), hosts...)
	if err != nil {
		return failed(err)
	}
	o.Certificate = &certificate
	if f.certFile == "" {
		return nil
	}
	if err := os.WriteFile(f.certFile, trusted, 0o644); err != nil { //nolint:gosec // it is for everybody
		return failed(fmt.Errorf("write the certificate: %w", err))
	}
	return nil
}

// scheme is that of the URLs of the server.
func (f *transportFlags) scheme() string {
	if target.Transport(f.transport).Encrypted() {
		return "https"
	}
	return "http"
}

// transportArguments are the arguments of serve that say by what the node of o is to be reached.
func transportArguments(o run.NodeOptions) []string {
	if o.Transport == "" {
		return nil
	}
	return []string{"--transport", string(o.Transport)}
}
