package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"holobench/target"
)

// debugFlags are the flags of serve for what it tells whoever runs it.
type debugFlags struct {
	addr string
}

func (f *debugFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.addr, "debug-addr", "",
		"host:port of a second listener with /metrics, /healthz and /debug/pprof; let no client reach it")
}

// start answers on the second listener, if one was asked for, until stop is called. It goes on while the server drains.
func (f *debugFlags) start(ctx context.Context, server *target.Server, stderr io.Writer) (stop func(), err error) {
	if f.addr == "" {
		return func() {}, nil
	}
	handler, err := server.DebugHandler(programVersion())
	if err != nil {
		return nil, failed(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.addr)
	if err != nil {
		return nil, failed(fmt.Errorf("listen on %s: %w (--debug-addr 127.0.0.1:0 takes a free port)", f.addr, err))
	}
	debug := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute, // and no timeout of a write: a profile takes as long as it was asked to
		ErrorLog:          slog.NewLogLogger(slog.NewTextHandler(stderr, nil), slog.LevelDebug),
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = debug.Serve(listener) // that it was closed is no error, and that it broke is no reason to end the target
	}()
	fmt.Fprintf(stderr, "holobench: /metrics, /healthz and /debug/pprof on http://%s\n", listener.Addr())
	return func() {
		_ = debug.Close() // what is still asked has nobody to answer it
		<-ended
	}, nil
}
