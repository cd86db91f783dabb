package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"holobench/history"
	"holobench/ordering"
	"holobench/report"
	"holobench/run"
	"holobench/scenarios"
)

func checkCommand() *cobra.Command {
	var sizes sizeFlags
	var trial connectFlags
	c := &cobra.Command{
		Use:   "check FILE...",
		Short: "Check scenario files; nothing is run, but with --connect one client",
		Long: `check reads scenario files as run does and names every error as FILE:LINE:COL with its remedy. It exits 104 when there is one.
A file that has profiles is checked as it is, and once more with each of them, unless --profile asks for one.

With --connect one client of FILE does what every client of a run does first: it logs in, subscribes, and listens. With --send it
sends one command, too. A line each says how the stream opened, by what, whether something on the way holds it back, how often it
gives a sign of life, who ends it and when, where the client's own event came back, and what else came. What is wrong has a remedy
below it; then it exits 1.`,
		Example: `  holobench check scenarios.yaml
  holobench check --connect --send staging.yaml
  holobench check --connect --for 10m staging.yaml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := trial.check(c, len(args)); err != nil {
				return err
			}
			machine := run.Limits(run.DescribeMachine())
			for _, path := range args {
				if err := checkFile(c, path, &sizes, machine); err != nil {
					return err
				}
			}
			if !trial.connect {
				return nil
			}
			file, err := sizes.read(args[0])
			if err != nil {
				return err
			}
			return trial.try(c.Context(), file, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	sizes.register(c)
	trial.register(c)
	return c
}

// checkFile checks one file, and all its profiles when none is asked for. What a profile does not change is not told again.
func checkFile(c *cobra.Command, path string, sizes *sizeFlags, m scenarios.Machine) error {
	file, err := sizes.read(path)
	if err != nil {
		return err
	}
	told := make(map[string]bool)
	tell := func(file *scenarios.File, as string) {
		for _, warning := range file.Warnings(m) {
			if !told[warning] {
				told[warning] = true
				fmt.Fprintf(c.ErrOrStderr(), "%s: warning: %s\n", as, warning)
			}
		}
		fmt.Fprintf(c.OutOrStdout(), "%s: ok\n", as)
	}
	tell(file, path)
	if len(sizes.profiles) > 0 {
		return nil
	}
	for _, name := range file.Profiles {
		profiled := *sizes
		profiled.profiles = []string{name}
		file, err := profiled.read(path)
		if err != nil {
			return fmt.Errorf("%s with --profile %s:\n%w", path, name, err)
		}
		tell(file, path+" --profile "+name)
	}
	return nil
}

func planCommand() *cobra.Command {
	var sizes sizeFlags
	var limit limitFlag
	c := &cobra.Command{
		Use:   "plan FILE",
		Short: "Print what a scenario resolves to: clients, schedule, expected counts",
		Long: `plan reads a scenario file as run does, with the same flags for its size, and prints what a run of it would be: the target, the
clients, the times of each load and fault, the guarantees and budgets, and warnings of what does not fit this machine. Nothing is
run, and nothing is connected to.

The counts of a load are those that its rate gives; where arrivals are random they are an average, and the seed decides how many
there will be. The digest stands for every command as the seed draws it: two plans that ask for the same have the same digest.

Exit codes:
  0    the plan is printed
  104  the scenario or the flags are wrong`,
		Example: `  holobench plan scenarios.yaml
  holobench plan scenarios.yaml --profile pr --set seed=7
  holobench plan scenarios.yaml --scale 10%`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			file, err := sizes.read(args[0])
			if err != nil {
				return err
			}
			plan, err := run.FromFile(file, run.DescribeMachine())
			if err != nil {
				return err
			}
			if err := limit.apply(&plan); err != nil {
				return err
			}
			return printPlan(c.OutOrStdout(), file, &plan)
		},
	}
	sizes.register(c)
	limit.register(c)
	return c
}

// printPlan writes a plan for a person.
func printPlan(out io.Writer, file *scenarios.File, p *run.Plan) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "name\t%s\nseed\t%d\n", p.Name, p.Seed)
	printTarget(w, p)
	if p.Sources > 1 {
		fmt.Fprintf(w, "come from\t%d addresses of this machine, since the local ports of one would not suffice\n", p.Sources)
	}
	for _, g := range p.Groups {
		fmt.Fprintf(w, "clients %s\t%s, %s%s\n", g.Name, report.Number(float64(g.Count)), channelsOf(g), joinOf(g)+connectionsOf(p, g))
	}
	printEngines(w, p)
	estimates, sum := file.Estimates()
	for i := range p.Loads {
		l := &p.Loads[i]
		fmt.Fprintf(w, "load %s\t%s, %s, %s\n", l.Name, timesOf(l), actsOf(l), sendersOf(p, l))
		fmt.Fprintf(w, "\t%s\n", expectedOf(&estimates[i], drawn(l)))
	}
	random := slices.ContainsFunc(p.Loads, func(l run.Load) bool { return drawn(&l) })
	if len(estimates) > 1 {
		fmt.Fprintf(w, "all loads\t%s\n", expectedOf(&sum, random))
	}
	for i := range file.Faults {
		fmt.Fprintf(w, "fault %s\t%s\n", file.Faults[i].Name, faultOf(&file.Faults[i], file.End()))
	}
	for _, window := range p.Windows {
		fmt.Fprintf(w, "window %s\t%v to %v\n", window.Name, seconds1(window.From), seconds1(window.To))
	}
	for _, g := range p.Guarantees {
		fmt.Fprintf(w, "guarantee\t%s\n", guaranteeOf(g))
	}
	fmt.Fprintf(w, "pair window\t%s\n", pairWindowOf(p))
	for _, b := range p.Budgets {
		fmt.Fprintf(w, "budget\t%s: %s%s\n", b.Metric, b.Threshold, bareUnit(b))
	}
	if p.MaxRate > 0 {
		fmt.Fprintf(w, "at most\t%s commands a second, else the run is ended\n", report.Number(p.MaxRate))
	}
	if b := p.Breaker; b.Share > 0 {
		fmt.Fprintf(w, "breaker\tends the run when more than %.4g%% of its requests fail for %v\n", 100*b.Share, b.For)
	}
	fmt.Fprintf(w, "drain\tat most %v\n", p.Drain)
	digest, err := p.Digest()
	if err != nil {
		return err
	}
	asDrawn := ""
	if random {
		asDrawn = ", as the seed draws them"
	}
	fmt.Fprintf(w, "digest\t%s, of %s planned commands%s\n", digest, report.Number(float64(digest.Commands)), asDrawn)
	for _, warning := range p.Warnings {
		fmt.Fprintf(w, "warning\t%s\n", warning)
	}
	return w.Flush()
}

// bareUnit says what a threshold without a unit counts, where that is a time.
func bareUnit(b history.Budget) string {
	parsed, err := scenarios.ParseBudget(b.Metric, b.Threshold)
	if err != nil {
		return ""
	}
	metric, _ := scenarios.Metric(parsed.Metric)
	if metric.UnitOf(parsed.Threshold.Aggregation) != scenarios.Milliseconds || !strings.HasSuffix(strings.TrimRight(b.Threshold, "0123456789."), string(parsed.Threshold.Operator)) {
		return ""
	}
	return "  (milliseconds, since it has no unit)"
}

func guaranteeOf(g history.Guarantee) string {
	among := ""
	if g.Among != "" {
		among = " among " + g.Among
	}
	return fmt.Sprintf("%s%s, with at least %s pairs that could break it", g.Name, among, report.Number(float64(g.AtRisk)))
}

func pairWindowOf(p *run.Plan) string {
	return fmt.Sprintf("events of one channel that are due at most %v apart", cmp.Or(p.PairWindow, ordering.DefaultWindow))
}

func seconds1(ns int64) string { return fmt.Sprintf("%gs", float64(ns)/1e9) }

func channelsOf(g run.Group) string {
	if g.Channel == nil || g.NoStream {
		return "no stream"
	}
	names, first := make(map[string]bool), g.Channel(0)
	for i := range g.Count {
		names[g.Channel(i)] = true
	}
	if len(names) == 1 {
		return fmt.Sprintf("all in channel %q", first)
	}
	return fmt.Sprintf("spread over %s channels (%q, %q, ...)", report.Number(float64(len(names))), first, g.Channel(1))
}
