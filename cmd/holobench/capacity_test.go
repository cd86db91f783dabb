package main

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"holobench/history"
	"holobench/report"
	"holobench/wire"
)

// oneAtATime is a server that takes commands one after the other, each for the same time: it does 1/service a second, and no more.
// A reply is sent when it is due, however late the one before was, so that the machine's own lateness does not add up.
func oneAtATime(service time.Duration) http.Handler {
	var mu sync.Mutex
	var free time.Time
	reply := wire.AppendReplyJSON(nil, wire.Reply{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		mu.Lock()
		if now := time.Now(); free.Before(now) {
			free = now
		}
		free = free.Add(service)
		over := free
		mu.Unlock()
		<-time.After(time.Until(over))
		w.Write(reply)
	})
}

// searching is a scenario that searches for the capacity of the server at url.
func searching(t *testing.T, url, capacity, budget string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "search.yaml")
	text := fmt.Sprintf(`version: 1
name: search
server: {url: %q}
clients:
  backend: {count: 200, stream: none, channel: room}
load:
  find: {by: backend, capacity: {%s}}
budgets:
  http_req_duration: [%q]
`, url, capacity, budget)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// found is the capacity that a report says.
func found(t *testing.T, r *report.Report) float64 {
	t.Helper()
	for i := range r.Metrics {
		if m := &r.Metrics[i]; m.Name == report.Capacity {
			v, ok := m.Aggregate("value")
			if !ok {
				t.Fatal("the report has a capacity without a value")
			}
			return v.Value
		}
	}
	t.Fatal("the report has no capacity")
	return 0
}

// reported runs this program as a user would, whatever its verdict, and returns its report.
func reported(t *testing.T, file string) *report.Report {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	c := exec.CommandContext(t.Context(), program, "run", "--quiet", "--dir", dir, file)
	c.Args[0] = "holobench"
	out, err := c.CombinedOutput()
	h, openErr := history.Open(dir)
	if openErr != nil {
		t.Fatalf("%v, %v\n%s", err, openErr, out)
	}
	r, err := report.New(h)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestSearch carries a short search out as a user would: what it finds is in the report, and its budget is judged where the rate
// was held.
func TestSearch(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(oneAtATime(0))
	defer server.Close()
	_, r := holobenchRun(t, searching(t, server.URL, "from: 50/s, step: 50/s, to: 100/s, hold: 800ms", "p(50)<5s"))
	if got := found(t, r); got != 100 {
		t.Errorf("found %v/s; want 100/s, the highest that was tried", got)
	}
	if j := r.Budgets[0]; j.Metric != "http_req_duration{window:find.held}" || j.Verdict != report.Held {
		t.Errorf("the budget: %+v", j)
	}
	var out strings.Builder
	if err := r.Console(&out, false); err != nil || !strings.Contains(out.String(), "CAPACITY  100 commands a second, or more: no rate that was tried failed (2 steps).") {
		t.Errorf("%v:\n%s", err, out.String())
	}
}

// TestVerifyCapacity is make verify-capacity: a server that does 200 a second, on real sockets, three times.
func TestVerifyCapacity(t *testing.T) {
	if !*verify {
		t.Skip("a long proof: make verify-capacity")
	}
	const knee = 200.0
	for round := range 3 {
		server := httptest.NewServer(oneAtATime(time.Second / knee))
		r := reported(t, searching(t, server.URL, "from: 50/s, factor: 1.5, to: 2000/s, hold: 6s", "p(95)<100ms"))
		server.Close()
		var out strings.Builder
		if err := r.Console(&out, false); err != nil {
			t.Fatal(err)
		}
		_, section, _ := strings.Cut(out.String(), "CAPACITY")
		section, _, _ = strings.Cut(section, "COUNTS")
		rate := found(t, r)
		t.Logf("round %d: found %.1f/s, the server does %v/s: off by %.1f %%\n%s", round+1, rate, knee, 100*(rate-knee)/knee, section)
		if math.Abs(rate-knee) > 0.1*knee {
			t.Errorf("round %d: found %.1f/s, want %v/s within 10 %%", round+1, rate, knee)
		}
	}
}
