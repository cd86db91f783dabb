package main

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"holobench/report"
)

func reportCommand(code *int) *cobra.Command {
	var noColor bool
	var samples string
	c := &cobra.Command{
		Use:   "report DIR...",
		Short: "Report a run again from its directory",
		Long: `report computes every figure again from the history in DIR (for example ` + runsDir + `/latest), writes report.html and
summary.json there, prints the summary and exits as run would have done. It works on a run whose generator was killed, too.

` + exitHelp,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if samples != "" && len(args) > 1 {
				return errors.New("--samples takes the latencies of one run: name one DIR")
			}
			for _, dir := range args {
				if samples != "" {
					if err := writeSamples(dir, samples); err != nil {
						return err
					}
				}
				got, err := writeReport(dir, c.OutOrStdout(), colours(noColor, c.OutOrStdout()))
				if err != nil {
					return err
				}
				*code = worse(*code, got)
			}
			return nil
		},
	}
	c.Flags().StringVar(&samples, "samples", "", "also write the latencies of the run, one a line, to this file: a scenario draws from it with {samples: FILE}")
	c.Flags().BoolVar(&noColor, "no-color", false, "no colours (also: NO_COLOR)")
	return c
}

// worse returns the one of two exit codes that stands first in exitHelp.
func worse(a, b int) int {
	order := []int{report.ExitInterrupted, report.ExitViolated, report.ExitFailed, report.ExitUnknown, report.ExitHeld}
	if slices.Index(order, b) < slices.Index(order, a) {
		return b
	}
	return a
}
