package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"holobench/clients"
	"holobench/history"
	"holobench/ordering"
	"holobench/report"
	"holobench/run"
	"holobench/scenarios"
	"holobench/wire"
)

// runsDir is where runs go unless --dir says otherwise.
const runsDir = "holobench-runs"

// defaultScenario is the file that run takes when none is named.
const defaultScenario = "scenarios.yaml"

// runFlags are the flags of run.
type runFlags struct {
	quick   quickFlags
	dir     string
	sizes   sizeFlags
	limit   limitFlag
	seed    uint64
	quiet   bool
	noColor bool
	stamps  string

	tap func(batch []history.Observation, names *history.Names) // is told of what was seen, too; nil = nobody is
}

func runCommand(code *int) *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run [FILE]",
		Short: "Carry a scenario out: progress, summary, report",
		Long: `run carries out the scenario FILE (` + defaultScenario + ` when none is named and none of the quick-run flags is given)
against the bundled target. It writes a directory ` + runsDir + `/<UTC time>-<name>/ with the whole history (Parquet), run.json,
samples.csv, summary.json and report.html, and prints the path of the report as its last line.

Ctrl-C ends the load; what was sent is still drained and reported. A second Ctrl-C ends at once.

` + exitHelp,
		Example: `  holobench run scenarios.yaml
  holobench run --clients 500 --rate 100/s --duration 10s --design single-channel`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			stamps, err := stampSource(f.stamps, clients.KernelStamps())
			if err != nil {
				return err
			}
			file, err := f.read(c, args)
			if err != nil {
				return err
			}
			if c.Flags().Changed("seed") {
				file.Seed = f.seed
			}
			*code, err = f.run(c.Context(), file, stamps, c.OutOrStdout(), c.ErrOrStderr())
			return err
		},
	}
	f.quick.register(c)
	f.sizes.register(c)
	f.limit.register(c)
	c.Flags().StringVar(&f.dir, "dir", "", "directory of this run (must be new or empty); default: a new one in "+runsDir)
	c.Flags().Uint64Var(&f.seed, "seed", 0, "seed of every random draw, in place of the scenario's")
	c.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "no progress")
	c.Flags().BoolVar(&f.noColor, "no-color", false, "no colours (also: NO_COLOR)")
	c.Flags().StringVar(&f.stamps, "stamps", "", "who says when a message arrived: kernel, or user = this process, late by its scheduler (default: kernel where there is one that does)")
	return c
}

// stampSource reads --stamps on a system that has kernel stamps or not.
func stampSource(flag string, kernel bool) (wire.StampSource, error) {
	switch flag {
	case "":
		if kernel {
			return wire.StampKernel, nil
		}
		return wire.StampUser, nil
	case stampsUser:
		return wire.StampUser, nil
	case stampsKernel:
		if kernel {
			return wire.StampKernel, nil
		}
		return 0, errors.New("--stamps kernel: this system does not stamp what arrives on a TCP connection, Linux does (leave --stamps out, or say --stamps user)")
	}
	return 0, fmt.Errorf("--stamps %q: it must be kernel or user", flag)
}

// The values of --stamps, as they stand in run.json.
const (
	stampsKernel = "kernel"
	stampsUser   = "user"
)

// read finds the scenario: a file, or the quick-run flags.
func (f *runFlags) read(c *cobra.Command, args []string) (*scenarios.File, error) {
	quick, size := f.quick.given(c), f.sizes.given(c)
	switch {
	case len(args) == 1 && quick != "":
		return nil, fmt.Errorf("--%s goes without a FILE; in %s it is %s that says this", quick, args[0], quickKeys(quick))
	case quick != "" && size != "":
		return nil, fmt.Errorf("--%s makes another size of a FILE, and --%s goes without one: say it by the quick-run flags alone", size, quick)
	case len(args) == 1:
		return f.sizes.read(args[0])
	case quick != "":
		env, err := environment(f.sizes.env)
		if err != nil {
			return nil, err
		}
		f.quick.fit(c)
		file, err := scenarios.Parse("(flags)", []byte(f.quick.scenario()), env)
		return file, inFlags(err)
	}
	if _, err := os.Stat(defaultScenario); err != nil {
		return nil, fmt.Errorf("no FILE is named and there is no %s here (name a scenario, or say --clients 100 --rate 50/s --duration 10s)", defaultScenario)
	}
	return f.sizes.read(defaultScenario)
}

// environment looks names up in K=V pairs first and in the process's environment then.
func environment(pairs []string) (func(string) (string, bool), error) {
	given := make(map[string]string)
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--env %q: it must be NAME=VALUE", name)
		}
		given[name] = value
	}
	return func(name string) (string, bool) {
		if value, ok := given[name]; ok {
			return value, true
		}
		return os.LookupEnv(name)
	}, nil
}

// run carries a checked scenario out and reports it.
func (f *runFlags) run(ctx context.Context, file *scenarios.File, stamps wire.StampSource, stdout, stderr io.Writer) (code int, err error) {
	plan, err := run.FromFile(file, run.DescribeMachine())
	if err != nil {
		return 0, err
	}
	if err := errors.Join(fits(&plan), f.limit.apply(&plan)); err != nil {
		return 0, err
	}
	dir, err := f.directory(plan.Name)
	if err != nil {
		return 0, err
	}
	if dir.Unlinked != nil {
		plan.Warnings = append(plan.Warnings, fmt.Sprintf("%s/latest does not point at this run: %v", runsDir, dir.Unlinked))
	}
	if manners := plan.Manners(); manners != "" {
		fmt.Fprintln(stderr, manners)
	}
	for _, warning := range plan.Warnings {
		fmt.Fprintf(stderr, "warning: %s\n", warning)
	}
	samples, err := history.NewSampleWriter(dir)
	if err != nil {
		return 0, failed(err)
	}
	live := report.NewLive()
	names := new(history.Names)
	writer := history.NewWriter(dir, names, history.Options{Tap: f.tapped(live.Add, names)})
	progress := newProgress(stderr, live, f.quiet, &plan)
	flows := newFlowLog(dir.File(flowLogFile), file.Secrets())
	o := run.Options{
		ID:       wire.RunID(rand.Uint32()),
		Software: history.Software{Holobench: programVersion(), Go: goVersion()},
		Machine:  run.DescribeMachine(), Names: names, Record: writer,
		SaveRun: func(r history.Run) error {
			live.Follow(r)
			return dir.WriteRun(r)
		},
		Judge:       func(b history.Budget) run.Verdict { return run.Verdict(live.Judge(b)) },
		SaveSamples: func(s []history.Sample) error { return samples.Write(s...) },
		StartNode:   startNodes(dir.Path), StartBus: startBus(dir.Path), StartNoisePeer: startNoisePeer(dir.Path),
		Dial:      clients.StampedDial(clients.SourceDial(&net.Dialer{KeepAlive: -1, ControlContext: clients.ControlDial}, plan.Sources), stamps),
		Nanosleep: run.Nanosleep(),
		Progress:  progress.show,
		Log:       flows.line,
	}
	o.Loops = runtime.GOMAXPROCS(0)
	if stamps == wire.StampUser {
		o.Machine.Stamps, o.TieBelow = stampsUser, ordering.UserTieBelow
	}
	result, runErr := run.Run(ctx, plan, o)
	progress.end()
	runErr = errors.Join(runErr, samples.Close(), flows.close())
	if runErr != nil {
		fmt.Fprintf(stderr, "holobench: %v\n", runErr)
	}
	if writer.Lost() > 0 {
		fmt.Fprintf(stderr, "holobench: %d observations could not be written: the figures are incomplete\n", writer.Lost())
	}
	if result.Barrier == 0 && runErr != nil {
		for _, warning := range result.Warnings[min(len(plan.Warnings), len(result.Warnings)):] { // else the report has them
			fmt.Fprintf(stderr, "warning: %s\n", warning)
		}
		if plan.Server != nil && f.tap == nil && ctx.Err() == nil {
			fmt.Fprintln(stderr, "  remedy: holobench check --connect FILE lets one client try, and says what is in the way")
		}
		return exitFailed, nil // it was printed; nothing was measured, there is nothing to report
	}
	return writeReport(dir.Path, stdout, colours(f.noColor, stdout))
}

// tapped lets who asks for it see what live sees.
func (f *runFlags) tapped(live func([]history.Observation), names *history.Names) func([]history.Observation) {
	if f.tap == nil {
		return live
	}
	return func(batch []history.Observation) {
		live(batch)
		f.tap(batch, names)
	}
}

func (f *runFlags) directory(name string) (*history.Dir, error) {
	if f.dir != "" {
		dir, err := history.CreateAt(f.dir)
		if _, ok := errors.AsType[*fs.PathError](err); ok {
			return dir, failed(err) // the world's fault; a directory in use is the user's
		}
		return dir, err
	}
	dir, err := history.Create(runsDir, name, time.Now())
	return dir, failed(err)
}

// noRun marks an error of opening a run: that there is none in the directory is the user's mistake, all else is the world's.
func noRun(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return failed(err)
}

// colours says whether out shall be coloured: a terminal, and nobody asked for none.
func colours(no bool, out io.Writer) bool {
	return !no && os.Getenv("NO_COLOR") == "" && isTerminal(out)
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && !errors.Is(err, os.ErrInvalid)
}
