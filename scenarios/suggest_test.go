package scenarios

import "testing"

// Who comes from another tool writes percentiles and means as it does.
func TestAggregationsOfOtherTools(t *testing.T) {
	t.Parallel()
	latency, _ := Metric("fanout_latency")
	for written, want := range map[string]string{
		"p99": "p(99)", "P(99.9)": "p(99.9)", "p(95": "p(95)", "median": "med", "Mean": "avg", "maximum": "max", "maax": "max", "stddev": "", "": "",
	} {
		if want != "" {
			want = `, did you mean "` + want + `"?`
		}
		if got := suggestAggregation(written, latency); got != want {
			t.Errorf("%q: %q, want %q", written, got, want)
		}
	}
	reach, _ := Metric("reach")
	if got := suggestAggregation("p99", reach); got != "" {
		t.Errorf("a gauge has no percentile, and %q", got)
	}
}
