package main

import (
	"github.com/spf13/cobra"

	"holobench/history"
	"holobench/report"
)

func witnessCommand() *cobra.Command {
	var noColor, asJSON bool
	c := &cobra.Command{
		Use:   "witness DIR",
		Short: "Show what proves that two clients saw two events in different order",
		Long: `witness reads the history in DIR (for example ` + runsDir + `/latest) and shows, for each class of divergent pairs, those with the
largest, the median and the smallest margin: the two events and their payloads, the two clients, when each event arrived at
each of them and by which way, and the order in which the server itself handed them out.

A margin is the time between the intervals of two arrivals. Where both came on one socket, the order of bytes decides and no
margin is needed. Times count from the first sending of the two.`,
		Example: "  holobench witness " + runsDir + "/latest",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			h, err := history.Open(args[0])
			if err != nil {
				return noRun(err)
			}
			r, err := report.New(h)
			if err != nil {
				return failed(err)
			}
			if asJSON {
				return failed(r.WitnessJSON(c.OutOrStdout()))
			}
			return failed(r.WitnessText(c.OutOrStdout(), colours(noColor, c.OutOrStdout())))
		},
	}
	c.Flags().BoolVar(&noColor, "no-color", false, "no colours (also: NO_COLOR)")
	c.Flags().BoolVar(&asJSON, "json", false, "all that was found about order, as in summary.json")
	return c
}
