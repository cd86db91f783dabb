package run_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/internal/memnet"
	"holobench/run"
)

// TestBudgetThatEndsTheRun: a budget that says so ends the load when it fails, but not before its time; what was sent is drained.
func TestBudgetThatEndsTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network, began := memnet.New(nil), time.Now()
		p := senders(10, run.Load{Name: "talk", Stages: constant(10, time.Minute)})
		p.Budgets = []history.Budget{
			{Metric: "http_reqs", Threshold: "count<10"}, // fails too, and ends nothing
			{Metric: "http_req_duration", Threshold: "p(95)<1s", AbortOnFail: true, AbortDelay: int64(5 * time.Second)},
		}
		record := &memoryRecord{closed: make(chan struct{})}
		asked := new(atomic.Int64)
		result, err := run.Run(t.Context(), p, run.Options{
			ID: 0xabc, Names: new(history.Names), Record: record, Dial: network.DialContext,
			SaveRun:   func(history.Run) error { return nil },
			StartNode: startStub(network.Listen, "target:80", func(now time.Time) time.Time { return now.Add(400 * time.Millisecond) }),
			Judge: func(b history.Budget) run.Verdict {
				asked.Add(1)
				if b.Metric != "http_req_duration" || time.Since(began) < 5*time.Second {
					t.Errorf("asked for %s after %v", b.Metric, time.Since(began))
				}
				return run.Verdict{Violated: time.Since(began) >= 8*time.Second, Text: b.Metric + " is 2 s"}
			},
		})
		const want = "a budget failed that ends the run: http_req_duration is 2 s"
		if err == nil || err.Error() != want || result.Ending != history.EndingAborted || result.Failure != want {
			t.Errorf("the run returned %v, ending %q, failure %q", err, result.Ending, result.Failure)
		}
		if asked.Load() != 4 { // after 5, 6, 7 and 8 s
			t.Errorf("asked %d times, want 4", asked.Load())
		}
		var all []history.Observation
		record.Scan(func(batch []history.Observation) error {
			all = append(all, batch...)
			return nil
		})
		sent, replied := countOf(all, history.Sent, 1), countOf(all, history.Replied, 1)
		if due := int(result.Loads[0].Due); due < 79 || due > 80 || sent+countOf(all, history.Dropped, 1) != due || replied != sent {
			t.Errorf("%d due, %d sent, %d replied: the load ends after 8 s, and what was sent is drained", due, sent, replied)
		}
		if !result.Finished || !strings.Contains(result.Failure, "http_req_duration") {
			t.Errorf("%+v", result)
		}
	})
}
