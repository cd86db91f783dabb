package run_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/internal/memnet"
	"holobench/run"
	"holobench/scenarios"
)

// windowJudge judges budgets on the 95th percentile of the time from due to the reply, by what was recorded.
type windowJudge struct {
	record *memoryRecord
	bound  float64 // ms

	mu  sync.Mutex
	run history.Run
}

func (j *windowJudge) save(r history.Run) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.run = r
	return nil
}

func (j *windowJudge) judge(b history.Budget) run.Verdict {
	j.mu.Lock()
	defer j.mu.Unlock()
	_, window, _ := strings.Cut(strings.TrimSuffix(b.Metric, "}"), "{window:")
	var in []history.Observation
	for _, w := range j.run.Windows {
		if w.Name != window {
			continue
		}
		j.record.Scan(func(batch []history.Observation) error {
			for _, o := range batch {
				if since := o.Due - j.run.Barrier; since >= w.From && since < w.To {
					in = append(in, o)
				}
			}
			return nil
		})
	}
	ms := latencies(in, 1, false)
	if len(ms) == 0 {
		return run.Verdict{Unknown: "there is nothing in " + window}
	}
	return run.Verdict{Violated: percentile(ms, 0.95) >= j.bound, Text: b.Metric}
}

// find carries out a search against a queue with one server, in a bubble, and returns what it found.
func find(ctx context.Context, t *testing.T, service time.Duration, load run.Load) (history.Run, []history.Observation) {
	t.Helper()
	network := memnet.New(nil)
	load.Name = "find"
	p := senders(200, load)
	p.Budgets = []history.Budget{{Metric: "http_req_duration", Threshold: "p(95)<50ms"}}
	record := &memoryRecord{closed: make(chan struct{})}
	j := &windowJudge{record: record, bound: 50}
	result, err := run.Run(ctx, p, run.Options{
		ID: 0xabc, Names: new(history.Names), Record: record, Dial: network.DialContext, SaveRun: j.save, Judge: j.judge,
		StartNode: startStub(network.Listen, "target:80", oneServer(service)),
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []history.Observation
	record.Scan(func(batch []history.Observation) error {
		all = append(all, batch...)
		return nil
	})
	return result, all
}

// TestCapacityFindsTheKnee: a server that takes 5 ms a command, one after the other, does 200 a second. With evenly spaced commands
// nothing waits up to there, and ever more does above.
func TestCapacityFindsTheKnee(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		result, all := find(t.Context(), t, 5*time.Millisecond, run.Load{
			Capacity: &scenarios.Capacity{From: 50, To: 2000, Factor: 1.5, Hold: 4 * time.Second},
		})
		found := result.Loads[0].Capacity
		t.Logf("found %.1f/s, %.1f/s failed, in %d steps", found.Rate, found.Failed, len(found.Steps))
		if math.Abs(found.Rate-200) > 0.1*200 {
			t.Errorf("found %v/s, want 200/s within 10 %%", found.Rate)
		}
		for i, s := range found.Steps {
			if s.Good != (s.Rate <= 202) || s.Good != (s.Reason == "") { // at 202/s the last of four seconds wait 40 ms
				t.Errorf("step %d at %v/s is good: %v (%s)", i+1, s.Rate, s.Good, s.Reason)
			}
		}
		if found.Failed <= found.Rate || found.Failed > found.Rate*1.05 {
			t.Errorf("the lowest rate that failed is %v, the highest that did not %v: more than 5 %% apart", found.Failed, found.Rate)
		}
		if n := len(found.Steps); len(result.Windows) != n+1 || found.Held != "find.held" || result.Windows[n].Name != "find.held" {
			t.Errorf("windows %+v of %d steps, held %q", result.Windows, n, found.Held)
		}
		held := result.Windows[len(result.Windows)-1]
		if got := held.To - held.From; got != int64(4*time.Second) {
			t.Errorf("the last good rate was held for %v, want 4 s", time.Duration(got))
		}
		due := 0
		for _, o := range all {
			if o.Kind == history.Sent && o.Due-result.Barrier >= held.From {
				due++
			}
		}
		if want := found.Rate * 4; math.Abs(float64(due)-want) > 1 {
			t.Errorf("%d commands were sent while the last good rate was held, want %v", due, want)
		}
		if int(result.Loads[0].Due) != countOf(all, history.Sent, 1) || result.Loads[0].To < held.To {
			t.Errorf("%+v with %d sent", result.Loads[0], countOf(all, history.Sent, 1))
		}
	})
}

// TestCapacityOfAQueue: with Poisson arrivals the server is an M/D/1 queue, and the rate at which the 95th percentile of the time in
// it reaches 50 ms is known.
func TestCapacityOfAQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const service, bound = 5e-3, 50e-3
		low, high := 0.0, 1.0
		for range 40 {
			if mid := (low + high) / 2; waitsAtMost(mid, (bound-service)/service) >= 0.95 {
				low = mid
			} else {
				high = mid
			}
		}
		want := low / service
		result, _ := find(t.Context(), t, 5*time.Millisecond, run.Load{
			Capacity: &scenarios.Capacity{From: 100, To: 2000, Step: 50, Hold: 15 * time.Second}, Arrivals: scenarios.Arrivals{Kind: scenarios.Poisson},
		})
		found := result.Loads[0].Capacity
		t.Logf("found %.1f/s, %.1f/s failed, in %d steps; the knee is at %.1f/s", found.Rate, found.Failed, len(found.Steps), want)
		if math.Abs(found.Rate-want) > 0.1*want {
			t.Errorf("found %v/s, want %.1f/s within 10 %%", found.Rate, want)
		}
	})
}

// waitsAtMost is the probability that a command waits at most t times of service in an M/D/1 queue of that utilisation (Erlang, 1909).
func waitsAtMost(rho, t float64) float64 {
	sum := 0.0
	for k := 0.0; k <= t; k++ {
		x := rho * (t - k)
		lgamma, _ := math.Lgamma(k + 1)
		term := math.Exp(x + k*math.Log(x) - lgamma)
		if x == 0 {
			term = 1
			if k > 0 {
				term = 0
			}
		}
		sum += term * math.Pow(-1, k)
	}
	return (1 - rho) * sum
}

// TestCapacityOfASlowGenerator: a step in which the generator was too slow is tried once more, and only the second in a row ends the search.
func TestCapacityOfASlowGenerator(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			slow []int // questions at which the generator was too slow
			want history.Capacity
		}{
			"once":  {[]int{2}, history.Capacity{Rate: 100, Held: "find.held", Steps: make([]history.Step, 3)}},
			"twice": {[]int{2, 3}, history.Capacity{Rate: 50, Failed: 100, Saturated: true, Held: "find.held", Steps: make([]history.Step, 3)}},
		} {
			network := memnet.New(nil)
			p := senders(2, run.Load{Name: "find", Capacity: &scenarios.Capacity{From: 50, To: 100, Factor: 2, Hold: time.Second}})
			p.Budgets = []history.Budget{{Metric: "http_req_duration", Threshold: "p(95)<50ms"}}
			asked := -1 // the first question is whether there is anything to ask
			result, err := run.Run(t.Context(), p, run.Options{
				ID: 0xabc, Names: new(history.Names), Record: &memoryRecord{closed: make(chan struct{})}, Dial: network.DialContext,
				SaveRun: func(history.Run) error { return nil }, StartNode: startStub(network.Listen, "target:80", oneServer(0)),
				Judge: func(history.Budget) run.Verdict {
					if asked++; slices.Contains(c.slow, asked) {
						return run.Verdict{Unknown: "too slow", Saturated: true}
					}
					return run.Verdict{}
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			got := *result.Loads[0].Capacity
			for i, s := range got.Steps {
				if s.Saturated != slices.Contains(c.slow, i+1) || s.Good == s.Saturated {
					t.Errorf("%s: step %d is %+v", name, i+1, s)
				}
			}
			if got.Rate != c.want.Rate || got.Failed != c.want.Failed || got.Saturated != c.want.Saturated || got.Held != c.want.Held || len(got.Steps) != len(c.want.Steps) {
				t.Errorf("%s: found %+v, want %+v", name, got, c.want)
			}
		}
	})
}

// TestCapacityAtTheEnds: below the lowest rate there is nothing to find, and above the highest nobody looks.
func TestCapacityAtTheEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		result, _ := find(t.Context(), t, 100*time.Millisecond, run.Load{Capacity: &scenarios.Capacity{From: 50, To: 100, Factor: 2, Hold: time.Second}})
		if c := result.Loads[0].Capacity; c.Rate != 0 || c.Failed != 50 || c.Held != "" || len(c.Steps) != 1 {
			t.Errorf("a server that does 10/s, asked for 50/s and more: %+v", c)
		}
		result, _ = find(t.Context(), t, time.Millisecond, run.Load{Capacity: &scenarios.Capacity{From: 50, To: 100, Factor: 2, Hold: time.Second}})
		if c := result.Loads[0].Capacity; c.Rate != 100 || c.Failed != 0 || c.Held != "find.held" || len(c.Steps) != 2 {
			t.Errorf("a server that does 1,000/s, asked for 100/s at most: %+v", c)
		}
		// A server that answers nobody: nothing is known of its time, and that is no good step.
		result, _ = find(t.Context(), t, time.Hour, run.Load{Capacity: &scenarios.Capacity{From: 50, To: 100, Factor: 2, Hold: time.Second}})
		if c := result.Loads[0].Capacity; c.Rate != 0 || len(c.Steps) != 1 || c.Steps[0].Reason == "" {
			t.Errorf("a server that answers nobody: %+v", c)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(nil)
		p := senders(2, run.Load{Name: "find", Capacity: &scenarios.Capacity{From: 1, To: 2, Factor: 2, Hold: time.Second}})
		p.Budgets = []history.Budget{{Metric: "events_lost", Threshold: "count==0"}, {Metric: "clients", Threshold: "value==0"}}
		_, err := run.Run(t.Context(), p, run.Options{
			ID: 0xabc, Names: new(history.Names), Record: &memoryRecord{closed: make(chan struct{})}, Dial: network.DialContext,
			SaveRun: func(history.Run) error { return nil }, StartNode: startStub(network.Listen, "target:80", oneServer(0)),
			Judge: func(history.Budget) run.Verdict { return run.Verdict{Unknown: "not yet", Later: true} },
		})
		if err == nil || !strings.Contains(err.Error(), "there is no budget that could fail while the run goes on") {
			t.Errorf("a search by nothing that is known before the end: %v", err)
		}
	})
	p := senders(2, run.Load{Name: "find", Capacity: &scenarios.Capacity{From: 1, To: 2, Factor: 2, Hold: time.Second}})
	p.Loads = append(p.Loads, p.Loads[0])
	if _, err := run.Run(t.Context(), p, run.Options{}); err == nil || !strings.Contains(err.Error(), "2 loads search for the capacity") {
		t.Errorf("two searches at once: %v", err)
	}
}
