package report

import (
	"testing"

	"holobench/history"
)

// wait notes the end of a wait of a flow, which was not met when there is a reason.
func (b *book) wait(client uint32, began, at int64, reason string) {
	b.add(history.Observation{
		Kind: history.Expectation, Client: client, Load: 1, Due: began * msec, NotBefore: at * msec, At: at * msec, Handled: at * msec,
		Err: uint16(b.names.Number(reason)),
	})
}

// TestExpectations holds that waits are counted in the window in which they began, that only those that were met took a time,
// and that the report says which were not.
func TestExpectations(t *testing.T) {
	t.Parallel()
	b := fewClients()
	b.wait(1, 1200, 1300, "") // in the warm-up, which ends 500 ms after the barrier
	b.wait(1, 2000, 2040, "")
	b.wait(2, 2000, 2000, "")
	b.wait(2, 3000, 8000, "load.talk.flow[1]: not within 5s")
	b.run.Budgets = []history.Budget{{Metric: "expectations", Threshold: "rate<0.3"}, {Metric: "expectations{window:steady}", Threshold: "rate<0.3"}}
	r := b.report(t)
	for _, test := range []struct {
		name, window, aggregation string
		want                      float64
	}{
		{Expectations, "", "rate", 0.25},
		{Expectations, "warmup", "rate", 0},
		{Expectations, "steady", "rate", 1.0 / 3},
		{ExpectationWait, "", "count", 3},
		{ExpectationWait, "", "max", 100},
		{ExpectationWait, "warmup", "min", 100},
		{ExpectationWait, "steady", "max", 40},
	} {
		tags := map[string]string{}
		if test.window != "" {
			tags["window"] = test.window
		}
		m := r.find(test.name, tags)
		if v, ok := m.Aggregate(test.aggregation); !ok || v.Value < test.want-0.001 || v.Value > test.want+0.001 {
			t.Errorf("%s{%s} %s is %v, want %v", test.name, test.window, test.aggregation, v.Value, test.want)
		}
	}
	if r.Budgets[0].Verdict != Held || r.Budgets[1].Verdict != Violated {
		t.Errorf("the budgets are %s and %s", r.Budgets[0].Verdict, r.Budgets[1].Verdict)
	}
	says(t, "the summary", console(t, r, false), "load.talk.flow[1]: not within 5s")
	if m := fewClients().report(t).find(Expectations, nil); m != nil {
		t.Errorf("a run without flows has %s", m)
	}
}

// diverged is what clients found of whom two differ.
func diverged() *history.Convergence {
	return &history.Convergence{
		Get: "/doc/${channel}", Compare: "body", Clients: 5, Failed: 1, Reason: "http 500", Things: 1, Alike: 2,
		Differing: []history.Difference{{Thing: "/doc/room", Views: 3, Clients: []uint32{3, 4}, Others: 2, Offset: 17, Most: `a\x00b`, First: "abc"}},
	}
}

func TestConverged(t *testing.T) {
	t.Parallel()
	b := fewClients()
	b.run.Convergence = diverged()
	b.run.Budgets = []history.Budget{{Metric: "converged", Threshold: "value==1"}}
	r := b.report(t)
	if v, ok := r.find(Converged, nil).Aggregate("value"); !ok || v.Value != 0.4 || r.Budgets[0].Verdict != Violated {
		t.Errorf("converged is %v, its budget %s", v.Value, r.Budgets[0].Verdict)
	}
	for what, text := range map[string]string{"the console": console(t, r, false), "the page": onPage(t, r)} {
		says(t, what, text, "2 of 5 clients of 1 thing have the view of most; 1 got none (http 500)",
			`3 views: clients 3, 4 differ; first difference at byte 17: a\x00b for most, abc at client 3`)
	}
	for _, test := range []struct {
		c    history.Convergence
		want Verdict
	}{
		{history.Convergence{Clients: 3, Alike: 3, Things: 1}, Held},
		{history.Convergence{Clients: 3, Alike: 2, Failed: 1}, Unknown},
		{history.Convergence{}, Unknown},
		{*diverged(), Violated},
	} {
		if got := viewVerdict(&test.c); got != test.want {
			t.Errorf("%+v is %s, want %s", test.c, got, test.want)
		}
	}
}

// TestPromiseConverge holds that the promise is judged by the replicas that have seen the last change of their document.
func TestPromiseConverge(t *testing.T) {
	t.Parallel()
	for want, documents := range map[State][]history.Document{
		Untested: {{Channel: "a", Clients: 3, Views: 1}, {Channel: "b", Clients: 2, Newest: 4, Behind: 1, Views: 1}},
		Kept:     {{Channel: "a", Clients: 3, Newest: 7, Behind: 1, Views: 1}},
		Broken:   {{Channel: "a", Clients: 3, Newest: 7, Views: 1}, {Channel: "b", Clients: 2, Newest: 7, Views: 2, Others: []uint32{4}}},
	} {
		b := fewClients()
		b.run.Promises = map[string]string{"converge": "per channel"}
		b.run.Documents = documents
		r := b.report(t)
		for _, p := range r.Promises {
			if p.Name == convergeName && p.State != want {
				t.Errorf("of %+v it says %s (%s), want %s", documents, p.State, p.Seen, want)
			}
		}
	}
}
