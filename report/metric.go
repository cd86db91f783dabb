package report

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// Tag narrows a metric, for example to one window.
type Tag struct{ Key, Value string }

// Value is one aggregation of a metric, for example p(99), in the metric's unit.
type Value struct {
	Name  string
	Value float64
	Thin  bool // a percentile with fewer than ThinTail events at or above it
}

// ThinTail is how many events a percentile must have at or above it to be judged.
const ThinTail = 30

// The types of a metric, as k6 has them.
const (
	Trend   = "trend"
	Counter = "counter"
	Rate    = "rate"
	Gauge   = "gauge"
)

// Metric is one figure of one part of a run. Times are in ms, shares between 0 and 1.
type Metric struct {
	Name     string
	Tags     []Tag // window, class, path, load, fault, group, in this order; none = the whole run, all paths, the clients
	Type     string
	Contains string // "time" or "default", as k6 has it
	Unit     string // "ms", "ratio" or "count"
	Values   []Value

	Count    int64 // of values; of a rate or a counter: of the chances that it had to count something. 0 = no data
	Events   int64 // different events or commands among them; 0 = it is about none
	Negative int64 // values below 0: a clock was set back
	Beyond   int64 // values above 1 h, which count as 1 h
	Open     int64 // of recovery_time: values that are a lower bound, because the run ended first
	Unseen   int64 // ... and turns of a fault behind which there was too little to see

	all   *Histogram // of a trend
	worst *Histogram // of a trend: the highest value of each event
}

// String spells the metric as a budget does, for example fanout_latency{window:steady,path:sse}.
func (m *Metric) String() string { return spell(m.Name, m.Tags) }

func spell(name string, tags []Tag) string {
	if len(tags) == 0 {
		return name
	}
	parts := make([]string, len(tags))
	for i, t := range tags {
		parts[i] = t.Key + ":" + t.Value
	}
	return name + "{" + strings.Join(parts, ",") + "}"
}

// Tag returns the value of a tag, "" when the metric does not have it.
func (m *Metric) Tag(key string) string {
	for _, t := range m.Tags {
		if t.Key == key {
			return t.Value
		}
	}
	return ""
}

// Aggregate returns an aggregation that k6 knows: of a trend avg, min, med, max, count and p(N) for every N from 0 to 100;
// of a counter count and rate; of a rate rate; of a gauge value. ok is false for any other, and when there is no data.
func (m *Metric) Aggregate(name string) (v Value, ok bool) {
	if m.Count == 0 {
		return Value{Name: name}, false
	}
	for _, v := range m.Values {
		if v.Name == name {
			return v, true
		}
	}
	p, isPercentile := percentileOf(name)
	if m.Type != Trend || !isPercentile {
		return Value{Name: name}, false
	}
	return m.percentile(name, p), true
}

// idle says whether a metric is of something that did not happen, and that most readers need not know of.
func (m *Metric) idle() bool { return m.Name == ConnectionWait && m.all.Max() == 0 }

// percentileOf reads "p(99.9)".
func percentileOf(name string) (p float64, ok bool) {
	inner, ok := strings.CutPrefix(name, "p(")
	if !ok {
		return 0, false
	}
	inner, ok = strings.CutSuffix(inner, ")")
	if !ok {
		return 0, false
	}
	p, err := strconv.ParseFloat(inner, 64)
	return p, err == nil && p >= 0 && p <= 100
}

func (m *Metric) percentile(name string, p float64) Value {
	ns := m.all.Percentile(p)
	return Value{Name: name, Value: ms(float64(ns)), Thin: m.worst.AtLeast(ns) < ThinTail}
}

// ms converts ns, rounded to a nanosecond, so that 12.3 stays 12.3 in decimal.
func ms(ns float64) float64 { return math.Round(ns) / 1e6 }

// trend makes a metric of durations. Worst holds the highest of each event; nil = each value is an event of its own.
func trend(name string, tags []Tag, all, worst *Histogram) Metric {
	if worst == nil {
		worst = all
	}
	m := Metric{
		Name: name, Tags: tags, Type: Trend, Contains: "time", Unit: "ms",
		Count: all.Count(), Events: worst.Count(), Negative: all.Negative(), Beyond: all.Beyond(), all: all, worst: worst,
	}
	if m.Count == 0 {
		return m
	}
	m.Values = []Value{
		{Name: "avg", Value: ms(all.Mean())},
		{Name: "min", Value: ms(float64(all.Min()))},
		m.percentile("med", 50),
		{Name: "max", Value: ms(float64(all.Max()))},
	}
	for _, p := range []string{"p(50)", "p(90)", "p(95)", "p(99)", "p(99.9)"} {
		n, _ := percentileOf(p)
		m.Values = append(m.Values, m.percentile(p, n))
	}
	m.Values = append(m.Values, Value{Name: "count", Value: float64(m.Count)})
	return m
}

// counter makes a metric that counts. Seconds is how long it counted; 0 when that is not known.
func counter(name string, tags []Tag, count, chances int64, seconds float64) Metric {
	m := Metric{
		Name: name, Tags: tags, Type: Counter, Contains: "default", Unit: "count", Count: chances,
		Values: []Value{{Name: "count", Value: float64(count)}},
	}
	if seconds > 0 && count > 0 {
		m.Values = append(m.Values, Value{Name: "rate", Value: math.Round(1e6*float64(count)/seconds) / 1e6})
	}
	return m
}

// share makes a metric that is a part of a whole, under the aggregation of its type: rate, or value for a gauge.
func share(name, kind string, tags []Tag, part, total int64) Metric {
	m := Metric{Name: name, Tags: tags, Type: kind, Contains: "default", Unit: "ratio", Count: total}
	if total == 0 {
		return m
	}
	aggregation := "rate"
	if kind == Gauge {
		aggregation = "value"
	}
	m.Values = []Value{{Name: aggregation, Value: float64(part) / float64(total)}}
	return m
}

// sameTags says whether the tags of a budget name exactly those of m.
func (m *Metric) sameTags(tags map[string]string) bool {
	return len(tags) == len(m.Tags) && !slices.ContainsFunc(m.Tags, func(t Tag) bool { return tags[t.Key] != t.Value })
}
