package report

import (
	"cmp"
	"slices"

	"holobench/history"
)

// generatorSource is the source of the samples that say how the generator itself was doing.
const generatorSource = "generator"

// Condition sums up one sampled figure of the generator, from the barrier to the end of the drain.
type Condition struct {
	Name      string // snake_case, unit last
	Mean, Max float64
	Samples   int
}

// conditions sums up the samples of the generator, by name.
func conditions(run *history.Run, samples []history.Sample) []Condition {
	byName := make(map[string]*Condition)
	var list []*Condition
	for _, s := range samples {
		if s.Source != generatorSource || s.At < run.Barrier || run.End > 0 && s.At > run.End {
			continue
		}
		c := byName[s.Name]
		if c == nil {
			c = &Condition{Name: s.Name, Max: s.Value}
			byName[s.Name] = c
			list = append(list, c)
		}
		c.Mean += s.Value
		c.Max = max(c.Max, s.Value)
		c.Samples++
	}
	if bytes, ok := run.Resident.PerStream(); ok {
		list = append(list, &Condition{Name: "rss_per_stream_kib", Mean: bytes / 1024, Max: bytes / 1024, Samples: 1})
	}
	sorted := make([]Condition, len(list))
	for i, c := range list {
		c.Mean /= float64(c.Samples)
		sorted[i] = *c
	}
	slices.SortFunc(sorted, func(a, b Condition) int { return cmp.Compare(a.Name, b.Name) })
	return sorted
}

// stealShare is the share of the machine's CPU time that its host gave to others; 0 when it was not sampled.
func stealShare(health []Condition) float64 {
	for _, c := range health {
		if c.Name == "steal_share" {
			return c.Mean
		}
	}
	return 0
}
