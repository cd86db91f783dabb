package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"

	"holobench/clients"
	"holobench/history"
	"holobench/run"
	"holobench/scenarios"
	"holobench/wire"
)

// connectFlags let check try a scenario out with one client.
type connectFlags struct {
	connect, send bool
	length        time.Duration
}

func (f *connectFlags) register(c *cobra.Command) {
	c.Flags().BoolVar(&f.connect, "connect", false, "let one client of FILE subscribe, and say what it met")
	c.Flags().BoolVar(&f.send, "send", false, "... and send one command, as the first load does")
	c.Flags().DurationVar(&f.length, "for", 30*time.Second, "... and listen for so long: 10m finds what ends idle streams")
}

// check finds flags that go without each other.
func (f *connectFlags) check(c *cobra.Command, files int) error {
	switch {
	case !f.connect && (f.send || c.Flags().Changed("for")):
		return errors.New("--send and --for go with --connect")
	case f.connect && files != 1:
		return errors.New("--connect goes with one FILE")
	case f.length <= 0:
		return fmt.Errorf("--for %v: it must be longer than nothing", f.length)
	}
	return nil
}

// try lets one client of a scenario subscribe, and prints what it met.
func (f *connectFlags) try(ctx context.Context, file *scenarios.File, stdout, stderr io.Writer) error {
	plan, err := run.FromFile(file, run.DescribeMachine())
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "holobench-check-") // of the bundled target, where it is that
	if err != nil {
		return failed(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it is the system's to clean up what is left
	source, _ := stampSource("", clients.KernelStamps())
	o := run.Options{
		ID: wire.RunID(rand.Uint32()), Software: history.Software{Holobench: programVersion(), Go: goVersion()}, Names: new(history.Names),
		StartNode: startNodes(dir), StartBus: startBus(dir),
		Dial: clients.StampedDial((&net.Dialer{KeepAlive: -1, ControlContext: clients.ControlDial}).DialContext, source),
	}
	fmt.Fprintf(stderr, "one client goes to %s and listens for %s; Ctrl-C ends it sooner\n", serverName(&plan), run.Brief(f.length))
	trial, err := run.Try(ctx, plan, o, run.TrialOptions{Send: f.send, For: f.length})
	if trial == nil {
		return err
	}
	if err != nil && len(trial.Exchanges) == 0 {
		return failed(fmt.Errorf("%w\n  remedy: is it running, and does server.url name its host and its port? a firewall refuses, too", err))
	}
	good, printErr := printTrial(stdout, trial, file.Secrets())
	if err := errors.Join(err, printErr); err != nil {
		return failed(err)
	}
	if !good {
		return failed(errors.New("it does not work yet: see the remedies above"))
	}
	return nil
}

// serverName says where the clients of a plan go.
func serverName(p *run.Plan) string {
	if p.Server != nil {
		return p.Server.URL.Host
	}
	return "the bundled target, design " + p.Design
}
