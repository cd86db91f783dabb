package report

import (
	"fmt"

	"holobench/history"
	"holobench/scenarios"
)

// bound is a budget that was read. It is the report's only use of scenarios.
type bound struct {
	metric      string
	tags        map[string]string
	aggregation string
	value       float64
	holds       func(v float64) bool
	recovers    func(faults []string) bool // whether the recovery from them is judged by it
}

func readBudget(b history.Budget) (bound, error) {
	read, err := scenarios.ParseBudget(b.Metric, b.Threshold)
	if err != nil {
		return bound{}, fmt.Errorf("read budget %s: %s: %w", b.Metric, b.Threshold, err)
	}
	return bound{
		metric: read.Metric, tags: read.Tags, aggregation: read.Threshold.Aggregation, value: read.Threshold.Bound,
		holds: read.Threshold.Holds, recovers: read.Recovers,
	}, nil
}
