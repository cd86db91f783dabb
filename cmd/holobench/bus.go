package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/spf13/cobra"

	"holobench/run"
)

// busFlags are the flags of bus.
type busFlags struct {
	addr, readyFile  string
	untilStdinCloses bool
}

func busCommand() *cobra.Command {
	var f busFlags
	c := &cobra.Command{
		Use:   "bus",
		Short: "Run the bus that joins the nodes of one target",
		Long: `bus runs a NATS server with JetStream in memory, until Ctrl-C, for nodes of the bundled target:

  holobench bus --addr 127.0.0.1:4222
  holobench serve --addr 127.0.0.1:8081 --node 1 --nodes 2 --bus nats://127.0.0.1:4222
  holobench serve --addr 127.0.0.1:8082 --node 2 --nodes 2 --bus nats://127.0.0.1:4222

It asks nobody who they are, so it listens on this machine only. holobench run starts one by itself when a scenario asks for
several nodes.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return serveBus(c.Context(), f, c.InOrStdin(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&f.addr, "addr", "127.0.0.1:4222", "host:port of this machine to listen on; port 0 takes a free one")
	c.Flags().StringVar(&f.readyFile, "ready-file", "", "write host:port into this file once the bus listens")
	c.Flags().BoolVar(&f.untilStdinCloses, "until-stdin-closes", false, "end when standard input does, not at Ctrl-C")
	return c
}

// serveBus runs the bus.
func serveBus(ctx context.Context, f busFlags, stdin io.Reader, stderr io.Writer) (err error) {
	host, port, err := loopback(f.addr)
	if err != nil {
		return err
	}
	store, err := os.MkdirTemp("", "holobench-bus-") // JetStream wants a directory even for what it keeps in memory
	if err != nil {
		return failed(err)
	}
	defer func() { err = errors.Join(err, failed(os.RemoveAll(store))) }()
	broker, err := server.NewServer(&server.Options{
		ServerName: "holobench-bus", Host: host, Port: port, StoreDir: store, JetStream: true,
		NoLog: true, NoSigs: true, MaxPayload: maxBusPayload,
	})
	if err != nil {
		return failed(fmt.Errorf("start the bus: %w", err))
	}
	if f.untilStdinCloses {
		whole, end := untilStdinCloses(ctx, stdin, nil)
		defer end()
		ctx = whole
	}
	broker.Start()
	defer broker.WaitForShutdown()
	defer broker.Shutdown()
	if !broker.ReadyForConnections(busStart) {
		return failed(fmt.Errorf("start the bus: it does not listen on %s (is something else there? --addr 127.0.0.1:0 takes a free port)", f.addr))
	}
	fmt.Fprintf(stderr, "holobench: bus, listening on nats://%s\n", broker.Addr())
	if f.readyFile != "" {
		if err := writeReady(f.readyFile, broker.Addr().String()); err != nil {
			return failed(err)
		}
	}
	<-ctx.Done()
	return nil
}

const (
	busStart      = 10 * time.Second
	maxBusPayload = 1 << 20 // a command has far fewer bytes, and the envelope adds a few names
)

// loopback reads an address that only this machine can reach.
func loopback(addr string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fmt.Errorf("--addr %q: %w", addr, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", 0, fmt.Errorf("--addr %q: the bus asks nobody who they are and listens on this machine only (say 127.0.0.1, or run a nats-server of your own)", addr)
	}
	port, err = strconv.Atoi(text)
	if err != nil || port < 0 || port > 1<<16-1 {
		return "", 0, fmt.Errorf("--addr %q: %q is no port", addr, text)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return host, port, nil
}

// startBus returns a run.StartBus that keeps the files of the bus in dir/bus.
func startBus(dir string) run.StartBus {
	return func(ctx context.Context) (run.BusProcess, error) {
		return startChild(ctx, filepath.Join(dir, "bus"), "bus", "--addr", "127.0.0.1:0", "--until-stdin-closes")
	}
}
