package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"holobench/run"
)

// noisePeerCommand is the peer of the self-test, which a run starts; nobody else has a use for it.
func noisePeerCommand() *cobra.Command {
	var readyFile string
	c := &cobra.Command{
		Use:    "noise-peer",
		Short:  "The peer of the self-test at the start of a run; ends when its standard input does",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return failed(serveNoise(c.Context(), readyFile, c.InOrStdin()))
		},
	}
	c.Flags().StringVar(&readyFile, "ready-file", "", "write host:port into this file once the peer listens")
	return c
}

func serveNoise(ctx context.Context, readyFile string, stdin io.Reader) error {
	ctx, end := untilStdinCloses(ctx, stdin, nil)
	defer end()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for the self-test: %w", err)
	}
	if err := writeReady(readyFile, listener.Addr().String()); err != nil {
		return errors.Join(err, listener.Close())
	}
	return (&run.NoisePeer{Pause: run.Nanosleep()}).Serve(ctx, listener)
}

// startNoisePeer returns a run.StartNoisePeer that keeps the files of the peer in dir/noise-peer, for as long as it runs
// and when it failed.
func startNoisePeer(dir string) run.StartNoisePeer {
	return func(ctx context.Context) (addr string, stop func() error, err error) {
		c, err := startChild(ctx, filepath.Join(dir, "noise-peer"), "noise-peer")
		if err != nil {
			return "", nil, err
		}
		return c.Addr(), func() error {
			stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			killed := c.Stop(stopping) != nil // which is no failure: it has told what it wrote before it is asked to end
			if !killed && c.Exit() != exitedWell {
				return errors.New(c.ended())
			}
			return os.RemoveAll(c.dir)
		}, nil
	}
}
