package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"holobench/run"
	"holobench/scenarios"
)

// limitFlag is --max-rate.
type limitFlag struct{ rate string }

func (l *limitFlag) register(c *cobra.Command) {
	c.Flags().StringVar(&l.rate, "max-rate", "", "commands a second that all loads together may send, for example 50/s: a scenario that asks for more is refused, one that goes by replies or events is ended when it sends more")
}

// apply holds a plan to the limit.
func (l *limitFlag) apply(p *run.Plan) error {
	if l.rate == "" {
		return nil
	}
	rate, err := scenarios.ParseRate(l.rate)
	if err != nil {
		return fmt.Errorf("--max-rate: %w", err)
	}
	return p.Limit(rate)
}

// fits refuses a plan that this machine cannot carry out: it would fail on the way, and look as if it were the server's fault.
func fits(p *run.Plan) error {
	if len(p.Shortages) == 0 {
		return nil
	}
	return errors.New("this machine cannot hold that, so nothing was run:\n  " + strings.Join(p.Shortages, "\n  "))
}
