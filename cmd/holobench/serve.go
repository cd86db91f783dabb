package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"holobench/target"
)

// serveFlags are the flags of serve.
type serveFlags struct {
	addr, design, readyFile, counters, journal string
	knobs                                      knobFlags
	cluster                                    clusterFlags
	debug                                      debugFlags
	transport                                  transportFlags
	node                                       int
	untilStdinCloses                           bool
}

func serveCommand() *cobra.Command {
	var f serveFlags
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the bundled target server alone",
		Long: `serve runs the bundled realtime server until Ctrl-C:

  GET  /events?instance=ID&channel=NAME   the event stream of one client
  POST /command                           {"instance":"ID","channel":"NAME","name":"message","payload":"..."}
  GET  /healthz                           node and design
  GET  /                                  a page to look at in two browser tabs

That is the wire json, which is always there. The wire of the design, or that of --wire, adds paths of its own: /hologram/...,
/socket/longpoll or /socket/websocket.

A design is a preset of knobs; a flag turns one knob and leaves the rest. docs/designs.md says of each which anomaly it
causes or cures.

Designs: ` + strings.Join(designNames(), ", ") + `.`,
		Example: `  holobench serve --addr 127.0.0.1:8080 --design single-channel
  curl -N 'http://127.0.0.1:8080/events?instance=a&channel=lobby'
  curl -H 'Content-Type: application/json' -d '{"instance":"b","channel":"lobby","name":"message","payload":"hi"}' http://127.0.0.1:8080/command
  holobench serve --design hologram --dispatch serialized --stamp sequence
  holobench serve --transport tls-h2 --cert-file cert.pem`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var o target.Options
			if err := f.knobs.apply(c, &o); err != nil {
				return err
			}
			if err := f.transport.apply(&o, f.addr); err != nil {
				return err
			}
			return serve(c.Context(), f, o, c.InOrStdin(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&f.addr, "addr", "127.0.0.1:8080", "host:port to listen on; port 0 takes a free one")
	c.Flags().StringVar(&f.design, "design", "hologram", "what the server does with a command: "+strings.Join(designNames(), ", "))
	f.knobs.register(c)
	f.cluster.register(c)
	f.debug.register(c)
	f.transport.register(c)
	c.Flags().StringVar(&f.readyFile, "ready-file", "", "write host:port into this file once the server listens")
	c.Flags().IntVar(&f.node, "node", 1, "number of this node in the journal")
	c.Flags().StringVar(&f.counters, "counters", "", "memory-mapped counters file, which survives kill -9")
	c.Flags().StringVar(&f.journal, "journal", "", "dispatch journal: which event was handed out when")
	c.Flags().BoolVar(&f.untilStdinCloses, "until-stdin-closes", false, "end when standard input does, not at Ctrl-C")
	return c
}

func designNames() []string {
	var names []string
	for _, d := range target.Designs() {
		names = append(names, string(d))
	}
	return names
}

// serve runs a node with the knobs of o.
func serve(ctx context.Context, f serveFlags, o target.Options, stdin io.Reader, stderr io.Writer) (err error) {
	if o.Design, err = target.ParseDesign(f.design); err != nil {
		return err
	}
	o.Node, o.Logger = f.node, slog.New(slog.NewTextHandler(stderr, nil))
	if f.counters != "" {
		if o.Counters, err = target.OpenCounters(f.counters, false); err != nil {
			return failed(err)
		}
		defer func() { err = errors.Join(err, o.Counters.Close()) }()
	}
	if f.journal != "" {
		journal, err := os.Create(f.journal)
		if err != nil {
			return failed(err)
		}
		defer func() { err = errors.Join(err, journal.Close()) }()
		o.Journal = journal
	}
	leave, err := f.cluster.join(ctx, &o)
	if err != nil {
		return err
	}
	defer leave()
	server, err := target.New(o)
	if err != nil {
		return err
	}
	stopDebug, err := f.debug.start(ctx, server, stderr)
	if err != nil {
		return err
	}
	defer stopDebug()
	if f.untilStdinCloses {
		whole, end := untilStdinCloses(ctx, stdin, heedBusFaults(&o)) // the generator drains before it lets its nodes go
		defer end()
		ctx = whole
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.addr)
	if err != nil {
		return cannotListen("--addr", f.addr, "server", err)
	}
	fmt.Fprintf(stderr, "holobench: design %s, node %d, listening on %s://%s\n", o.Design, f.node, f.transport.scheme(), listener.Addr())
	if f.readyFile != "" {
		if err := writeReady(f.readyFile, listener.Addr().String()); err != nil {
			return failed(errors.Join(err, listener.Close()))
		}
	}
	return failed(server.Serve(ctx, listener))
}

// cannotListen says why there is no listener at the address that a flag names, and what to do about it: an address that is none needs
// another form, and one that is taken another port.
func cannotListen(flag, addr, who string, err error) error {
	if _, _, wrong := net.SplitHostPort(addr); wrong != nil {
		return fmt.Errorf("listen on %s: %w (%s takes host:port, for example 127.0.0.1:%s)", addr, err, flag, cmp.Or(portIn(addr), "8080"))
	}
	return failed(fmt.Errorf("listen on %s: %w (is another %s there? %s 127.0.0.1:0 takes a free port)", addr, err, who, flag))
}

// portIn is the port that was written alone, as a number or behind a colon; "" when that is something else.
func portIn(addr string) string {
	if _, err := strconv.ParseUint(addr, 10, 16); err != nil {
		return ""
	}
	return addr
}

// writeReady writes the file as a whole, so that whoever waits for it never reads a part.
func writeReady(path, addr string) error {
	tmp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".tmp")
	if err := os.WriteFile(tmp, []byte(addr+"\n"), 0o644); err != nil { //nolint:gosec // for whoever waits for it
		return fmt.Errorf("write the ready file: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("write the ready file: %w", err)
	}
	return nil
}
