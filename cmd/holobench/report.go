package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"holobench/history"
	"holobench/report"
)

func reportCommand(code *int) *cobra.Command {
	var noColor, optimistic bool
	var samples string
	var maxHold time.Duration
	c := &cobra.Command{
		Use:   "report DIR...",
		Short: "Report a run again from its directory",
		Long: `report computes every figure again from the history in DIR (for example ` + runsDir + `/latest), writes report.html and
summary.json there, prints the summary and exits as run would have done. It works on a run whose generator was killed, too. Several DIRs are reported one
after the other, with the worst exit code of them: no run is compared with another.

With --resequence and --optimistic it says what cures on the clients would have cost in a run whose scenario has none.

` + exitHelp,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if samples != "" && len(args) > 1 {
				return errors.New("--samples takes the latencies of one run: name one DIR")
			}
			if maxHold < 0 || maxHold > time.Minute {
				return errors.New("--resequence takes a time of at most 1m")
			}
			for _, dir := range args {
				if samples != "" {
					if err := writeSamples(dir, samples); err != nil {
						return err
					}
				}
				got, err := writeReport(dir, c.OutOrStdout(), colours(noColor, c.OutOrStdout()), func(run *history.Run) {
					report.AsIf(run, maxHold, optimistic)
				})
				if err != nil {
					return err
				}
				*code = worse(*code, got)
			}
			return nil
		},
	}
	c.Flags().StringVar(&samples, "samples", "", "also write the latencies of the run, one a line, to this file: a scenario draws from it with {samples: FILE}")
	c.Flags().DurationVar(&maxHold, "resequence", 0, "as if all clients put events into order and held one back for so long at most, such as 500ms")
	c.Flags().BoolVar(&optimistic, "optimistic", false, "as if all clients showed their own changes before the server has taken them")
	c.Flags().BoolVar(&noColor, "no-color", false, "no colours (also: NO_COLOR)")
	return c
}

// writeReport makes the report of a run directory, prints the summary and, as the last line, where the page is. What is asked of the
// run beyond what it says of itself, as does.
func writeReport(dir string, stdout io.Writer, colour bool, as ...func(*history.Run)) (code int, err error) {
	h, err := history.Open(dir)
	if err != nil {
		return exitFailed, noRun(err)
	}
	for _, change := range as {
		change(&h.Run)
	}
	r, err := report.Write(h, (&history.Dir{Path: dir}).WriteFile)
	if err != nil {
		return exitFailed, failed(err)
	}
	if err := r.Console(stdout, colour); err != nil {
		return exitFailed, failed(err)
	}
	_, err = fmt.Fprintln(stdout, filepath.Join(dir, "report.html"))
	return r.Exit(), failed(err)
}

// worse returns the one of two exit codes that stands first in exitHelp.
func worse(a, b int) int {
	order := []int{report.ExitInterrupted, report.ExitViolated, report.ExitFailed, report.ExitUnknown, report.ExitHeld}
	if slices.Index(order, b) < slices.Index(order, a) {
		return b
	}
	return a
}
