package scenarios

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestParseBudget(t *testing.T) {
	t.Parallel()
	tests := []struct{ metric, threshold, want string }{
		{"fanout_latency", "p(99)<250", "fanout_latency map[] p(99) 99 < 250"},
		{"fanout_latency", "p(99)<250ms", "fanout_latency map[] p(99) 99 < 250"},
		{"fanout_latency", " p( 99.90 ) <= 2s ", "fanout_latency map[] p(99.9) 99.9 <= 2000"},
		{"fanout_latency", "max<1500us", "fanout_latency map[] max 0 < 1.5"},
		{"fanout_latency", "count>=1000", "fanout_latency map[] count 0 >= 1000"},
		{"fanout_latency { path : sse , window:steady }", "avg!=0", "fanout_latency{window:steady,path:sse} map[path:sse window:steady] avg 0 != 0"},
		{"http_reqs{load:press,window:w}", "rate>100", "http_reqs{window:w,load:press} map[load:press window:w] rate 0 > 100"},
		{"events_lost{window:steady}", "count==0", "events_lost{window:steady} map[window:steady] count 0 == 0"},
		{"reach", "value==1", "reach map[] value 0 == 1"},
		{"divergent_pairs{class:observer-observer,window:w}", "count<10", "divergent_pairs{window:w,class:observer-observer} map[class:observer-observer window:w] count 0 < 10"},
		{"order_divergence{ class : originator-observer }", "rate<=0.02", "order_divergence{class:originator-observer} map[class:originator-observer] rate 0 <= 0.02"},
		{"fifo_violations", "count==0", "fifo_violations map[] count 0 == 0"},
		{"http_req_failed", "rate<0.01", "http_req_failed map[] rate 0 < 0.01"},
		{"clients", "value==2000", "clients map[] value 0 == 2000"},

		{"", "max<1", `unknown metric "": the metrics are`},
		{"reach", "", `the threshold "" compares nothing: compare with one of < <= > >= == !=, as in p(99)<250ms`},
		{"reach", "value=1", `the threshold "value=1" has an unknown comparison: compare with one of < <= > >= == !=, as in p(99)<250ms`},
		{"reach", "value===1", `"=1" is no ratio: write a number from 0 to 1, for example 0.01 for one percent`},
		{"reach", "value<1.5", `"1.5" is no ratio: write a number from 0 to 1, for example 0.01 for one percent`},
		{"reach", "avg<1", `reach has no aggregation "avg": it is a gauge: ask for value`},
		{"fanout_latency", "p99<1", `fanout_latency has no aggregation "p99", did you mean "p(99)"?: it is a trend: ask for avg, min, med, max, p(N), count`},
		{"fanout_latency", "maax<1", `fanout_latency has no aggregation "maax", did you mean "max"?: it is a trend: ask for avg, min, med, max, p(N), count`},
		{"fanout_latency", "p(101)<1", `"p(101)" is no percentile: write p(N) with N from 0 to 100, for example p(99.9)`},
		{"fanout_latency", "p(N)<1", `"p(N)" is no percentile: write p(N) with N from 0 to 100, for example p(99.9)`},
		{"fanout_latency", "p(99<1", `"p(99" is no percentile: write p(N) with N from 0 to 100, for example p(99.9)`},
		{"fanout_latency", "max<1 minute", `"1 minute" is no bound for a time: write a duration such as 250ms or 2s; a bare number counts ms`},
		{"fanout_latency", "max<NaN", `"NaN" is no bound for a time: write a duration such as 250ms or 2s; a bare number counts ms`},
		{"fanout_latency", "max<-1", `"-1" is no bound for a time: write a duration such as 250ms or 2s; a bare number counts ms`},
		{"events_lost", "count<5ms", `"5ms" is no count: write a bare number, for example count==0`},
		{"fanout_latency", "count<5ms", `"5ms" is no count: write a bare number, for example count==0`},
		{"reach{window:a", "value==1", `the tags of "reach{window:a" do not end in }: write them as reach{window:steady}`},
		{"reach{}", "value==1", `"" is no tag of reach: write tag:value, for example window:steady`},
		{"reach{window}", "value==1", `"window" is no tag of reach: write tag:value, for example window:steady`},
		{"reach{path:sse}", "value==1", `reach has no tag "path": its tags are window`},
		{"reach{windw:a}", "value==1", `reach has no tag "windw", did you mean "window"?: its tags are window`},
		{"reach{window:a,window:b}", "value==1", `the tag window of reach is given twice: write a budget of its own for each value`},
		{"clients{window:a}", "value==1", `clients has no tags: write clients alone`},
		{"own_latency{path:socket}", "max<1", `unknown path "socket": write path:reply or path:sse or path:poll or path:websocket`},
		{"ties{class:observer}", "count==0", `unknown class "observer": write class:originator-observer or class:observer-observer`},
		{"ties{class:observer-observers}", "count==0", `unknown class "observer-observers", did you mean "observer-observer"?: write class:originator-observer or class:observer-observer`},
		{"order_inversions{class:observer-observer}", "count==0", `order_inversions has no tag "class": its tags are window`},
		{"order_divergence", "count==0", `order_divergence has no aggregation "count": it is a rate: ask for rate`},
		{"order_divergence", "rate<5", `"5" is no ratio: write a number from 0 to 1, for example 0.01 for one percent`},
	}
	for _, test := range tests {
		b, err := ParseBudget(test.metric, test.threshold)
		got := fmt.Sprintf("%s %v %s %v %s %v", b.Selector, b.Tags, b.Threshold.Aggregation, b.Threshold.Percentile, b.Threshold.Operator, b.Threshold.Bound)
		if err != nil {
			got = err.Error()
		}
		if got != test.want && (test.metric != "" || got[:len(test.want)] != test.want) {
			t.Errorf("%s: %s\ngot  %s\nwant %s", test.metric, test.threshold, got, test.want)
		}
	}
}

// Who writes a part of a name gets the metrics that it is a part of, those that end in it first.
func TestUnknownMetricIsAPartOfOthers(t *testing.T) {
	t.Parallel()
	for part, want := range map[string]string{
		"latency":   `, did you mean "fanout_latency", "other_latency" or "own_latency"?`,
		"Divergent": `, did you mean "divergent_pairs"?`,
		"lost":      `, did you mean "events_lost"?`,
		"lag":       `, did you mean "generator_lag"?`,
		"gap":       `, did you mean "resequence_gaps"?`,
		"rebasez":   "", // part of none
		"e":         "", // part of too many
	} {
		_, err := ParseBudget(part, "max<1")
		if want := fmt.Sprintf("unknown metric %q%s: the metrics are ", part, want); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v; want %s", err, want)
		}
	}
}

// The two strings that a history keeps give the same budget again.
func TestBudgetSurvivesItsOwnStrings(t *testing.T) {
	t.Parallel()
	for _, metric := range []string{"fanout_latency", "fanout_latency{path:reply , window:a}", "http_reqs{ load:b }"} {
		aggregation := "count"
		first, err := ParseBudget(metric, aggregation+"  >= 17")
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseBudget(first.Selector, first.Threshold.Expression)
		if err != nil || again.String() != first.String() || again.Selector != first.Selector || fmt.Sprint(again) != fmt.Sprint(first) {
			t.Errorf("first %+v, again %+v, %v", first, again, err)
		}
	}
}

func TestThresholdHolds(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	tests := []struct {
		operator Operator
		below    bool // holds for the values 1, 2, 3, NaN against the bound 2
		at       bool
		above    bool
		nan      bool
	}{
		{Less, true, false, false, false},
		{AtMost, true, true, false, false},
		{Greater, false, false, true, false},
		{AtLeast, false, true, true, false},
		{Equal, false, true, false, false},
		{Unequal, true, false, true, true},
		{"", false, false, false, false},
	}
	for _, test := range tests {
		th := Threshold{Operator: test.operator, Bound: 2}
		got := [4]bool{th.Holds(1), th.Holds(2), th.Holds(3), th.Holds(nan)}
		if want := [4]bool{test.below, test.at, test.above, test.nan}; got != want {
			t.Errorf("%q: got %v, want %v", test.operator, got, want)
		}
	}
}

func TestBudgetJudges(t *testing.T) {
	t.Parallel()
	b, err := ParseBudget("fanout_latency{window:steady}", "p(99)<250ms")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		value                   float64
		measured, holds, judged bool
	}{{249, true, true, true}, {250, true, false, true}, {0, false, false, false}, {math.NaN(), true, false, false}} {
		value, holds, known := b.Judge(func(metric string, tags map[string]string, aggregation string) (float64, bool) {
			if metric != "fanout_latency" || tags["window"] != "steady" || len(tags) != 1 || aggregation != "p(99)" {
				t.Errorf("it asks for %s %v %s", metric, tags, aggregation)
			}
			return test.value, test.measured
		})
		if holds != test.holds || known != test.judged || known && value != test.value {
			t.Errorf("%v, measured %t: got %v, holds %t, known %t", test.value, test.measured, value, holds, known)
		}
	}
}

// Every metric can be judged by each of the aggregations that its type has, and by no other.
func TestMetricsAndAggregations(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, m := range Metrics() {
		if found, ok := Metric(m.Name); !ok || found.Name != m.Name || seen[m.Name] || m.Meaning == "" {
			t.Errorf("metric %+v: found %+v", m, found)
		}
		seen[m.Name] = true
		for _, aggregation := range []string{"avg", "min", "med", "max", "p(N)", "count", "rate", "value", "sum"} {
			written := aggregation
			if written == percentileForm {
				written = "p(50)"
			}
			_, err := ParseBudget(m.Name, written+"<1")
			if allowed := slices.Contains(m.Type.Aggregations(), aggregation); allowed != (err == nil) {
				t.Errorf("%s %s: %v", m.Name, aggregation, err)
			}
		}
	}
	if _, ok := Metric("data_sent"); ok {
		t.Error("data_sent is listed, and nobody measures it")
	}
}
