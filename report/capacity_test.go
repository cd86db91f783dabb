package report

import (
	"strings"
	"testing"

	"holobench/history"
	"holobench/wire"
)

// searched is a run that searched for the capacity: in the window of each step the replies took as long as ms says, in the last one the
// rate was held.
func searched(ms ...int64) *book {
	b := newBook()
	b.run.Groups = []history.Group{{Name: "backend", Count: 1}}
	b.run.Budgets = []history.Budget{
		{Metric: "http_req_duration", Threshold: "p(50)<50ms"},
		{Metric: "http_req_duration{window:find.step-1}", Threshold: "p(50)<50ms"},
		{Metric: "clients", Threshold: "value==0"},
	}
	c := &history.Capacity{Rate: 100, Failed: 150, Held: "find.held"}
	seq := uint32(0)
	for i, took := range ms {
		from := int64(2000 * i)
		window := history.Window{Name: "find.held", From: from * msec, To: (from + 2000) * msec}
		if i < len(ms)-1 {
			window.Name = "find.step-" + string(rune('1'+i))
			s := history.Step{Window: window.Name, Rate: 100 + 50*float64(i), Good: took < 50}
			if !s.Good {
				s.Reason = "http_req_duration{window:" + s.Window + "} p(50)<50ms is 70 ms"
			}
			c.Steps = append(c.Steps, s)
		}
		b.run.Windows = append(b.run.Windows, window)
		for n := range int64(100) {
			seq++
			due := 1000 + from + n*20
			b.send(0, seq, "lobby", due, due, due)
			b.settle(history.Replied, 0, seq, due, due+took, "")
		}
	}
	b.run.Loads = []history.Load{{Name: "find", To: 10_000 * msec, Capacity: c}}
	return b
}

func TestCapacity(t *testing.T) {
	t.Parallel()
	r := searched(20, 70, 21).report(t)
	if m := r.find(Capacity, nil); m == nil || m.Values[0].Value != 100 || m.Unit != "count" {
		t.Errorf("the figure of the search: %+v", m)
	}
	for i, want := range []Judgement{
		{Metric: "http_req_duration{window:find.held}", Verdict: Held}, // of the whole run it would be the median of all three
		{Metric: "http_req_duration{window:find.step-1}", Verdict: Held},
		{Metric: "clients", Verdict: Held}, // has no windows
	} {
		if j := r.Budgets[i]; j.Metric != want.Metric || j.Verdict != want.Verdict {
			t.Errorf("budget %d: %+v, want %+v", i, j, want)
		}
	}
	text, html := console(t, r, false), onPage(t, r)
	for _, want := range []string{
		"100 commands a second: at 150 a budget failed (2 steps).",
		"http_req_duration p(50)<50ms is 20 ms", "http_req_duration p(50)<50ms is 70 ms",
	} {
		says(t, "the console", text, want)
		says(t, "the page", html, strings.ReplaceAll(want, "<", "&lt;"))
	}
	if got := strings.Count(text, "TIMES"); got != 2 {
		t.Errorf("the console shows the times of %d windows; want those of find.held and of the whole run:\n%s", got, text)
	}
	if summary, err := r.Summary(); err != nil || !strings.Contains(string(summary), `"capacity": {`) {
		t.Errorf("summary.json without the search: %v", err)
	}
}

func TestCapacitySentence(t *testing.T) {
	t.Parallel()
	steps := []history.Step{{Rate: 50}, {Rate: 75.5}}
	for want, c := range map[string]*history.Capacity{
		"": nil,
		"The search ended before its first step did.":                                                          {},
		"Below 50 commands a second: that was the lowest rate that was tried, and a budget failed.":            {Failed: 50, Steps: steps[:1]},
		"50 commands a second: at 75.5 a budget failed (2 steps).":                                             {Rate: 50, Failed: 75.5, Steps: steps},
		"75.5 commands a second, or more: no rate that was tried failed (2 steps).":                            {Rate: 75.5, Steps: steps},
		"50 commands a second, or more: at 75.5 the generator itself was too slow (2 steps).":                  {Rate: 50, Failed: 75.5, Saturated: true, Steps: steps},
		"Nothing is known: at 50 a second, the lowest rate that was tried, the generator itself was too slow.": {Failed: 50, Saturated: true, Steps: steps[:1]},
	} {
		r := &Report{Run: history.Run{Loads: []history.Load{{Name: "find", Capacity: c}}}}
		if got := r.capacitySentence(); got != want {
			t.Errorf("%+v: %q, want %q", c, got, want)
		}
	}
}

func TestLiveJudges(t *testing.T) {
	t.Parallel()
	b := searched(20, 70, 21)
	b.add(history.Observation{Kind: history.Dropped, Event: wire.EventID{Seq: 9999}, Due: 3500 * msec, At: 3600 * msec})
	l := NewLive()
	run := b.run
	run.Windows = run.Windows[:1]
	l.Follow(run)
	run.Windows = b.run.Windows // the others come later, before anything is due in them
	l.Follow(run)
	if err := b.history().Scan(func(batch []history.Observation) error {
		l.Add(batch)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		metric, threshold string
		want              Standing
	}{
		{"http_req_duration{window:find.step-1}", "p(50)<50ms", Standing{Text: "http_req_duration{window:find.step-1} p(50)<50ms is 20 ms"}},
		{"http_req_duration{window:find.held}", "p(50)<10ms", Standing{Violated: true, Text: "http_req_duration{window:find.held} p(50)<10ms is 21 ms"}},
		{"http_req_duration{window:find.step-2}", "p(50)<1s", Standing{Violated: true, Text: "1 command dropped: too many waited for their senders to be answered"}},
		{"http_reqs{window:find.step-1}", "count>=100", Standing{Text: "http_reqs{window:find.step-1} count>=100 is 100"}},
		{"http_req_failed", "rate<0.01", Standing{Text: "http_req_failed rate<0.01 is 0"}},
		{"reach", "value==1", Standing{Unknown: "reach is known only when the run is over", Later: true}},
		{"order_divergence", "rate==0", Standing{Unknown: "order_divergence is known only when the run is over", Later: true}},
		{"fanout_latency", "p(99)<1s", Standing{Unknown: "nothing was observed that it could count"}},
		{"http_req_duration{window:nobody}", "p(99)<1s", Standing{Unknown: "there is no such figure"}},
	} {
		if got := l.Judge(history.Budget{Metric: c.metric, Threshold: c.threshold}); got != c.want {
			t.Errorf("%s %s:\n got %+v\nwant %+v", c.metric, c.threshold, got, c.want)
		}
	}
	slow := newBook()
	slow.send(0, 1, "lobby", 1000, 1000, 1400) // the generator was 400 ms late
	slow.settle(history.Replied, 0, 1, 1000, 1420, "")
	l = NewLive()
	if err := slow.history().Scan(func(batch []history.Observation) error { l.Add(batch); return nil }); err != nil {
		t.Fatal(err)
	}
	if got := l.Judge(history.Budget{Metric: "http_req_duration", Threshold: "max<10ms"}); !got.Saturated || got.Unknown == "" || got.Violated {
		t.Errorf("a generator that is late: %+v", got)
	}
}
