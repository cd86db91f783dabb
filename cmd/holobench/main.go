// Command holobench load-tests realtime web apps whose clients send commands up by POST and receive broadcasts down by
// SSE, and says how late, to whom, and how completely the broadcasts arrive.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"holobench/report"
	"holobench/scenarios"
)

// The exit codes of holobench. Of several that apply, report.Exit names the first.
const (
	exitOK       = 0
	exitFailed   = 1   // the run could not finish
	exitBadInput = 104 // the scenario or the flags are wrong; nothing was run
)

const exitHelp = `Exit codes, the first that applies:
  104  the scenario or the flags are wrong, nothing was run
  105  interrupted (the report is still written)
  99   a budget or a guarantee is violated
  1    the run could not finish (also: the bundled target died, or the breaker or --max-rate ended it)
  90   one of them is unknown: the evidence is too thin, or the generator was saturated
  0    everything held`

func main() {
	os.Exit(mainCode(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// mainCode is the program without the process around it.
func mainCode(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := interruptible(stderr)
	defer stop()
	code := exitOK
	root := rootCommand(&code)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		if _, ok := errors.AsType[scenarios.Errors](err); ok {
			fmt.Fprintln(stderr, err) // each line begins with FILE:LINE:COL, where editors look for it
		} else {
			fmt.Fprintf(stderr, "holobench: %v\n", err)
		}
		if coded, ok := errors.AsType[*codedError](err); ok {
			return coded.code
		}
		return exitBadInput // what cobra itself complains about: unknown commands and flags
	}
	return code
}

// interruptible returns a context that the first Ctrl-C ends. A second one ends the process at once: what is recorded by then is kept.
func interruptible(stderr io.Writer) (ctx context.Context, stop func()) {
	// Before a Go program starts its first process it makes another one, for a moment, to see what the system can do. That one shares its
	// memory and its handlers: a Ctrl-C that meets it there, in the group of a terminal, is heard twice. To look for a process makes it now,
	// before anything listens.
	os.FindProcess(os.Getpid()) //nolint:errcheck // whatever it says
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for n := 1; ; n++ {
			select {
			case <-done:
				return
			case <-signals:
			}
			if n == 1 {
				cancel()
				continue
			}
			fmt.Fprintln(stderr, "\nholobench: interrupted again, so it ends at once; what was recorded until now is kept: holobench report DIR")
			os.Exit(report.ExitInterrupted)
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel()
		close(done)
	}
}

// codedError is an error that knows its exit code.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// failed marks an error as one of carrying out, not of what was asked for.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return &codedError{code: exitFailed, err: err}
}

func rootCommand(code *int) *cobra.Command {
	root := &cobra.Command{
		Use:   "holobench",
		Short: "Load testing for realtime web apps, with an eye for order",
		Long: `holobench drives thousands of simulated browsers at a realtime server: each holds an event stream (SSE) and posts
commands, and what every one of them saw, and when, becomes a history, a report and an exit code.

` + exitHelp,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		Version:       programVersion(),
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(runCommand(code), newCommand(), serveCommand(), busCommand(), proxyCommand(), checkCommand(), planCommand(), watchCommand(code), schemaCommand(), reportCommand(code), witnessCommand(), versionCommand(), noisePeerCommand())
	explain(root)
	return root
}
