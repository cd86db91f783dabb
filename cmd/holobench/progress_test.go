package main

import (
	"bytes"
	"net/url"
	"testing"

	"holobench/report"
	"holobench/run"
	"holobench/scenarios"
)

// TestProgressOfAServerOfOnesOwn: nobody starts or ends that.
func TestProgressOfAServerOfOnesOwn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		plan run.Plan
		want string
	}{
		{run.Plan{}, "starting the target\nending       streams and target\n"},
		{run.Plan{Server: &scenarios.Server{URL: &url.URL{Scheme: "http", Host: "app:4000"}}}, "reaching the server at app:4000\nending       streams\n"},
	} {
		var out bytes.Buffer
		p := newProgress(&out, report.NewLive(), false, &c.plan)
		p.show(run.Progress{Stage: "start"})
		p.show(run.Progress{Stage: "end"})
		if got := out.String(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
