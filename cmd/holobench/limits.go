package main

import (
	"errors"
	"strings"

	"holobench/run"
)

// fits refuses a plan that this machine cannot carry out: it would fail on the way, and look as if it were the server's fault.
func fits(p *run.Plan) error {
	if len(p.Shortages) == 0 {
		return nil
	}
	return errors.New("this machine cannot hold that, so nothing was run:\n  " + strings.Join(p.Shortages, "\n  "))
}
