package scenarios

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Budget is one bound that a run is judged by.
//
// In a scenario it stands as `fanout_latency{window:steady}: ["p(99)<250ms"]`. Selector and Threshold.Expression are the
// two strings that go into run.json; ParseBudget reads them back.
type Budget struct {
	Selector  string            // the metric with its tags, window, class, path, load, fault, in this order: "fanout_latency{window:steady,path:sse}"
	Metric    string            // one of Metrics
	Tags      map[string]string // never nil
	Threshold Threshold

	AbortOnFail bool          // the run ends as soon as it does not hold
	AbortDelay  time.Duration // it is looked at no sooner than this after the barrier
}

// Threshold is a k6 threshold expression: an aggregation, a comparison and a bound, such as "p(99)<250ms".
type Threshold struct {
	Expression  string   // as it was written, without spaces at its ends
	Aggregation string   // avg, min, med, max, count, rate, value, or p(N) with N in its shortest form: "p(99.9)"
	Percentile  float64  // N of p(N), from 0 to 100; 0 for all others
	Operator    Operator // how the measured value must stand to Bound
	Bound       float64  // in the unit of the metric: ms, a ratio from 0 to 1, or a count
}

// Operator is a comparison.
type Operator string

// The operators, those first that begin with another one.
const (
	AtMost       Operator = "<="
	AtLeast      Operator = ">="
	Equal        Operator = "=="
	Unequal      Operator = "!="
	Less         Operator = "<"
	Greater      Operator = ">"
	operatorHint          = "compare with one of < <= > >= == !=, as in p(99)<250ms"
)

// Lookup finds the value of an aggregation of a metric, in the unit of the metric; ok is false when it is not known, for
// example because nothing was measured. Tags are those of the budget; none stands for the whole run.
type Lookup func(metric string, tags map[string]string, aggregation string) (value float64, ok bool)

// Holds tells whether a measured value keeps the threshold. NaN keeps none but "!=", so that a figure without a value
// can not pass.
func (t Threshold) Holds(value float64) bool {
	switch t.Operator {
	case AtMost:
		return value <= t.Bound
	case AtLeast:
		return value >= t.Bound
	case Equal:
		return value == t.Bound
	case Unequal:
		return value != t.Bound
	case Less:
		return value < t.Bound
	case Greater:
		return value > t.Bound
	default:
		return false
	}
}

// String is the expression as it was written.
func (t Threshold) String() string { return t.Expression }

// Judge looks the value of the budget up and compares it; known is false when there is no value, and then holds is too.
func (b Budget) Judge(look Lookup) (value float64, holds, known bool) {
	value, known = look(b.Metric, b.Tags, b.Threshold.Aggregation)
	if !known || math.IsNaN(value) {
		return value, false, false
	}
	return value, b.Threshold.Holds(value), true
}

// String is the budget as summaries print it: "fanout_latency{window:steady} p(99)<250ms".
func (b Budget) String() string { return b.Selector + " " + b.Threshold.Expression }

// ParseBudget reads a selector, such as "fanout_latency{window:steady}", and a threshold expression, such as
// "p(99)<250ms". A number without a unit counts ms where the metric is a time. It knows no scenario, so that it cannot
// tell whether the window of a tag exists. The error says what is wrong and how to write it.
func ParseBudget(metric, threshold string) (Budget, error) {
	b, info, err := parseSelector(metric)
	if err != nil {
		return Budget{}, err
	}
	if b.Threshold, err = parseThreshold(info, threshold); err != nil {
		return Budget{}, err
	}
	return b, nil
}

// parseSelector reads "metric" or "metric{tag:value,tag:value}".
func parseSelector(text string) (Budget, MetricInfo, error) {
	name, tags, tagged := strings.Cut(strings.TrimSpace(text), "{")
	name = strings.TrimSpace(name)
	info, ok := Metric(name)
	if !ok {
		return Budget{}, info, problem(
			"unknown metric "+quote(name)+suggestWhole(name, metricNames()),
			"the metrics are "+strings.Join(metricNames(), ", "))
	}
	b := Budget{Metric: name, Tags: map[string]string{}}
	if tagged {
		body, closed := strings.CutSuffix(tags, "}")
		if !closed {
			return Budget{}, info, problem("the tags of "+quote(text)+" do not end in }", "write them as "+name+"{window:steady}")
		}
		for tag := range strings.SplitSeq(body, ",") {
			if err := b.addTag(info, tag); err != nil {
				return Budget{}, info, err
			}
		}
	}
	b.Selector = b.selector()
	return b, info, nil
}

// addTag reads "tag:value".
func (b *Budget) addTag(info MetricInfo, text string) error {
	tag, value, ok := strings.Cut(text, ":")
	tag, value = strings.TrimSpace(tag), strings.TrimSpace(value)
	switch {
	case !ok || tag == "" || value == "" || strings.ContainsAny(value, "{}:"):
		return problem(quote(strings.TrimSpace(text))+" is no tag of "+b.Metric, "write tag:value, for example window:steady")
	case len(info.Tags) == 0:
		return problem(b.Metric+" has no tags", "write "+b.Metric+" alone")
	case !slices.Contains(info.Tags, tag):
		return problem(b.Metric+" has no tag "+quote(tag)+suggest(tag, info.Tags), "its tags are "+strings.Join(info.Tags, ", "))
	case b.Tags[tag] != "":
		return problem("the tag "+tag+" of "+b.Metric+" is given twice", "write a budget of its own for each value")
	}
	if words := tagWords(tag); words != nil && !slices.Contains(words, value) {
		return problem("unknown "+tag+" "+quote(value)+suggest(value, words), "write "+tag+":"+strings.Join(words, " or "+tag+":"))
	}
	b.Tags[tag] = value
	return nil
}

// selector spells the metric and its tags in the one form that figures are looked up by.
func (b *Budget) selector() string {
	if len(b.Tags) == 0 {
		return b.Metric
	}
	var spelled []string
	for _, tag := range allTags() {
		if b.Tags[tag] != "" {
			spelled = append(spelled, tag+":"+b.Tags[tag])
		}
	}
	return b.Metric + "{" + strings.Join(spelled, ",") + "}"
}

// parseThreshold reads "aggregation operator bound".
func parseThreshold(info MetricInfo, text string) (Threshold, error) {
	text = strings.TrimSpace(text)
	at := strings.IndexAny(text, "<>=!")
	if at < 0 {
		return Threshold{}, problem("the threshold "+quote(text)+" compares nothing", operatorHint)
	}
	t := Threshold{Expression: text}
	for _, op := range []Operator{AtMost, AtLeast, Equal, Unequal, Less, Greater} {
		if strings.HasPrefix(text[at:], string(op)) {
			t.Operator = op
			break
		}
	}
	if t.Operator == "" {
		return Threshold{}, problem("the threshold "+quote(text)+" has an unknown comparison", operatorHint)
	}
	if err := t.aggregate(info, strings.TrimSpace(text[:at])); err != nil {
		return Threshold{}, err
	}
	bound, err := parseBound(info.UnitOf(t.Aggregation), strings.TrimSpace(text[at+len(t.Operator):]))
	if err != nil {
		return Threshold{}, err
	}
	t.Bound = bound
	return t, nil
}

// aggregate reads the left side of a threshold.
func (t *Threshold) aggregate(info MetricInfo, text string) error {
	t.Aggregation = text
	if inner, ok := strings.CutPrefix(text, "p("); ok {
		number, closed := strings.CutSuffix(inner, ")")
		n, err := parseNumber(strings.TrimSpace(number))
		if !closed || err != nil || n > 100 {
			return problem(quote(text)+" is no percentile", "write p(N) with N from 0 to 100, for example p(99.9)")
		}
		t.Percentile = n
		t.Aggregation = "p(" + strconv.FormatFloat(n, 'f', -1, 64) + ")"
	}
	if !info.allows(t.Aggregation) {
		return problem(
			info.Name+" has no aggregation "+quote(text)+suggestAggregation(text, info),
			"it is a "+string(info.Type)+": ask for "+strings.Join(info.Type.Aggregations(), ", "))
	}
	return nil
}

// parseBound reads the right side of a threshold, in the unit of what stands at its left.
func parseBound(unit Unit, text string) (float64, error) {
	bound, err := parseNumber(text)
	switch unit {
	case Milliseconds:
		if err == nil {
			return bound, nil
		}
		d, err := parseDuration(text)
		if err != nil {
			return 0, problem(quote(text)+" is no bound for a time", "write a duration such as 250ms or 2s; a bare number counts ms")
		}
		return float64(d) / float64(time.Millisecond), nil
	case Ratio:
		if err != nil || bound > 1 {
			return 0, problem(quote(text)+" is no ratio", "write a number from 0 to 1, for example 0.01 for one percent")
		}
	case Count:
		if err != nil {
			return 0, problem(quote(text)+" is no count", "write a bare number, for example count==0")
		}
	}
	return bound, nil
}

// parseNumber reads a decimal number of at least 0, without the signs, names and prefixes that Go reads too.
func parseNumber(text string) (float64, error) {
	if text == "" || strings.Trim(text, "0123456789.") != "" {
		return 0, errors.New("no number")
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(n, 0) {
		return 0, errors.New("no number")
	}
	return n, nil
}
