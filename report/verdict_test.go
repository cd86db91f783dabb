package report

import (
	"strings"
	"testing"

	"holobench/history"
)

// clockStep is a step of the clock by 5 ms.
func clockStep() history.Observation {
	return history.Observation{Kind: history.ClockStep, At: 4000 * msec, Sequence: uint64(5 * msec)}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	const fanout = "fanout_latency{window:steady}"
	for _, c := range []struct {
		name      string
		metric    string
		threshold string
		change    func(b *book)
		verdict   Verdict
		reason    string // must be part of the reason
	}{
		{name: "held", metric: fanout, threshold: "p(99)<250ms", verdict: Held},
		{name: "violated", metric: fanout, threshold: "p(50)<1ms", verdict: Violated},
		{name: "the unit is ms", metric: fanout, threshold: "max<0.5", verdict: Violated},
		{name: "value", metric: "reach{window:steady}", threshold: "value==1", verdict: Held},
		{name: "rate", metric: "http_req_failed", threshold: "rate<0.01", verdict: Held},
		{name: "counts of a trend", metric: fanout, threshold: "count>9000", verdict: Held},
		{
			name: "no such window", metric: "fanout_latency{window:nowhere}", threshold: "max<1s", verdict: Unknown,
			reason: "no such figure",
		},
		{
			name: "no data", metric: "fanout_latency{window:after}", threshold: "max<1s", verdict: Unknown, reason: "no data",
			change: func(b *book) {
				b.run.Windows = append(b.run.Windows, history.Window{Name: "after", From: 20_000 * msec, To: 21_000 * msec})
			},
		},
		{
			name: "nothing was sent, so that nothing could be lost", metric: "events_lost{window:after}", threshold: "count==0", verdict: Unknown, reason: "no data",
			change: func(b *book) {
				b.run.Windows = append(b.run.Windows, history.Window{Name: "after", From: 20_000 * msec, To: 21_000 * msec})
			},
		},
		{
			name: "thin", metric: "own_latency{window:steady}", threshold: "p(99)<250ms", verdict: Unknown,
			reason: "fewer than 30 events",
		},
		{name: "a maximum is never thin", metric: "own_latency{window:steady}", threshold: "max<250ms", verdict: Held},
		{
			name: "not a budget", metric: fanout, threshold: "p(99) is small", verdict: Unknown, reason: "read budget",
		},
		{
			name: "dropped", metric: fanout, threshold: "p(99)<250ms", verdict: Unknown, reason: "1 command dropped",
			change: func(b *book) { b.settle(history.Dropped, 5, 9999, 5000, 5000, "queue of the client is full") },
		},
		{
			name: "dropped elsewhere", metric: fanout, threshold: "p(99)<250ms", verdict: Held,
			change: func(b *book) { b.settle(history.Dropped, 5, 9999, 1500, 1500, "queue of the client is full") },
		},
		{
			name: "interrupted commands are not the generator's fault", metric: fanout, threshold: "p(99)<250ms", verdict: Held,
			change: func(b *book) { b.settle(history.Dropped, 5, 9999, 5000, 5000, interruptedText) },
		},
		{
			name: "steal", metric: fanout, threshold: "p(99)<250ms", verdict: Unknown, reason: "CPU steal is",
			change: func(b *book) { steal(b, 1.3) },
		},
		{
			name: "the clock", metric: fanout, threshold: "p(99)<250ms", verdict: Unknown, reason: "the clock of the machine jumped 1 time",
			change: func(b *book) { b.add(clockStep()) },
		},
		{
			name: "what was counted stays judged", metric: "events_lost", threshold: "count==0", verdict: Held,
			change: func(b *book) {
				b.add(clockStep())
				steal(b, 1.3)
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := busy(nil)
			if c.change != nil {
				c.change(b)
			}
			b.run.Budgets = []history.Budget{{Metric: c.metric, Threshold: c.threshold}}
			j := b.report(t).Budgets[0]
			if j.Verdict != c.verdict || !strings.Contains(j.Reason, c.reason) || (j.Reason == "") != (c.reason == "") {
				t.Errorf("%+v; want %s because of %q", j, c.verdict, c.reason)
			}
		})
	}
}

// steal samples a share of stolen CPU so high that the mean of the run becomes about a tenth of it.
func steal(b *book, share float64) {
	if err := b.memory.Write(history.Sample{At: 5000 * msec, Source: generatorSource, Name: "steal_share", Value: share}); err != nil {
		panic(err)
	}
}

// TestASaturatedGeneratorJudgesNoTime moves the lateness of the generator over the limit: a quarter of the larger of value
// and bound.
func TestASaturatedGeneratorJudgesNoTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		publish, lag int64 // ms, of every command and delivery
		bound        string
		verdict      Verdict
		reason       string
	}{
		{"in time", 20, 20, "p(50)<100ms", Held, ""},
		{"at the limit", 25, 25, "p(50)<100ms", Held, ""},
		{"sent late", 30, 1, "p(50)<100ms", Unknown, "its publish_delay p(99) is 30 ms, more than 25 % of 100 ms"},
		{"seen late", 1, 30, "p(50)<100ms", Unknown, "its generator_lag p(99) is 30 ms, more than 25 % of 100 ms"},
		{"sent and seen late", 30, 30, "p(50)<100ms", Unknown, "the generator was saturated: its publish_delay p(99) is 30 ms and its generator_lag p(99) is 30 ms, more than 25 % of 100 ms"},
		{"late, but little for so wide a bound", 30, 30, "p(50)<2s", Held, ""},
		{"late, but little for so late a server", 10, 1, "p(50)<2ms", Violated, ""},
		{"its own figures are judged", 30, 30, "", Violated, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBook()
			b.subscribe(1, "lobby", 900)
			for seq := range uint32(50) {
				due := 2000 + 10*int64(seq)
				b.send(0, seq+1, "lobby", due, due, due+c.publish)
				b.settle(history.Replied, 0, seq+1, due, due+60, "")
				b.deliver(1, history.SSE, 0, seq+1, "lobby", due, due+60, c.lag)
			}
			b.run.Budgets = []history.Budget{{Metric: "fanout_latency", Threshold: c.bound}}
			if c.bound == "" {
				b.run.Budgets = []history.Budget{{Metric: "publish_delay", Threshold: "p(50)<5ms"}}
			}
			r := b.report(t)
			j := r.Budgets[0]
			if j.Verdict != c.verdict || !strings.Contains(j.Reason, c.reason) {
				t.Errorf("%+v; want %s because of %q", j, c.verdict, c.reason)
			}
			// Whatever the budget: a quarter of the 60 ms that were measured is 15 ms.
			if noted := len(r.Notes) > 0; noted != (c.publish > 15) {
				t.Errorf("notes %q for a publish_delay of %d ms", r.Notes, c.publish)
			}
		})
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	held := history.Budget{Metric: "events_lost", Threshold: "count==0"}
	violated := history.Budget{Metric: "clients", Threshold: "value==0"}
	unknown := history.Budget{Metric: "reach{window:nowhere}", Threshold: "value==1"}
	for _, c := range []struct {
		name    string
		budgets []history.Budget
		change  func(r *history.Run)
		want    int
		word    string
	}{
		{"no budget", nil, nil, 0, "DONE"},
		{"held", []history.Budget{held}, nil, 0, "PASSED"},
		{"violated", []history.Budget{held, violated}, nil, 99, "VIOLATED"},
		{"unknown", []history.Budget{held, unknown}, nil, 90, "UNKNOWN"},
		{"violated before unknown", []history.Budget{unknown, violated}, nil, 99, "VIOLATED"},
		{"failed", []history.Budget{held}, fail, 1, "NOT FINISHED"},
		{"failed before unknown", []history.Budget{unknown}, fail, 1, "NOT FINISHED"},
		{"violated before failed", []history.Budget{violated}, fail, 99, "VIOLATED"},
		{"interrupted", []history.Budget{held}, interrupt, 105, "INTERRUPTED"},
		{"interrupted before violated", []history.Budget{violated}, interrupt, 105, "INTERRUPTED"},
		{"killed", []history.Budget{held}, func(r *history.Run) { r.Finished, r.Ending, r.End, r.LoadEnd = false, "", 0, 0 }, 1, "NOT FINISHED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := fewClients()
			b.run.Budgets = c.budgets
			if c.change != nil {
				c.change(&b.run)
			}
			r := b.report(t)
			if word, _ := r.Headline(); r.Exit() != c.want || word != c.word {
				t.Errorf("exit %d %s, want %d %s (%+v)", r.Exit(), word, c.want, c.word, r.Budgets)
			}
			if c.change != nil && r.Ending() == "" {
				t.Error("the report does not say how the run ended")
			}
		})
	}
}

// A part of several budgets and guarantees is told of as a part of all together, and what failed stands in the first sentence.
func TestTheFirstLines(t *testing.T) {
	t.Parallel()
	b := fewClients()
	b.run.Budgets = []history.Budget{{Metric: "events_lost", Threshold: "count==0"}, {Metric: "clients", Threshold: "value==0"}}
	if _, got := b.report(t).Headline(); !strings.HasPrefix(got, "1 of 2 budgets: clients value==0 is ") {
		t.Errorf("it says %q", got)
	}
	b.run.Guarantees = []history.Guarantee{{Name: "fifo", AtRisk: 1000}}
	if _, got := b.report(t).Headline(); !strings.HasPrefix(got, "1 of 3 budgets and guarantees: clients value==0 is ") {
		t.Errorf("it says %q", got)
	}
}

func fail(r *history.Run) { r.Ending, r.Failure = history.EndingFailed, "node 1 died" }

func interrupt(r *history.Run) { r.Ending = history.EndingInterrupted }

func TestDamageMakesEveryBudgetUnknown(t *testing.T) {
	t.Parallel()
	b := fewClients()
	b.run.Budgets = []history.Budget{{Metric: "events_lost", Threshold: "count==0"}}
	h := b.history()
	h.Damaged = []string{"segments/000002.parquet: cut"}
	r, err := New(h)
	if err != nil {
		t.Fatal(err)
	}
	if r.Exit() != ExitUnknown || !strings.Contains(r.Budgets[0].Reason, "cannot be read") || len(r.Warnings) == 0 {
		t.Errorf("exit %d, %+v, warnings %q", r.Exit(), r.Budgets, r.Warnings)
	}
}

func TestCountsThatMustAgree(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		counter string
		value   uint64
		check   string
		warning string
	}{
		{"all agree", "commands_accepted", 600, "", ""},
		{"commands", "commands_accepted", 590, "commands", "the counts of commands differ by 10"},
		{"arrivals", "deliveries_written_sse", 11_401, "arrivals", "the counts of arrivals differ by 1"},
		{"expectation", "deliveries_expected", 13_000, "expectation", "the counts of expectation differ by 1,000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := busy(nil)
			b.run.Nodes[0].Counters[c.counter] = c.value
			r := b.report(t)
			if len(r.Checks) != 4 {
				t.Fatalf("%d checks, want 4", len(r.Checks))
			}
			for _, check := range r.Checks {
				if check.Agree == (check.Name == c.check) {
					t.Errorf("%+v", check)
				}
			}
			if got := strings.Join(r.Warnings, "\n"); got != c.warning {
				t.Errorf("warnings %q, want %q", got, c.warning)
			}
		})
	}
	t.Run("lost", func(t *testing.T) {
		t.Parallel()
		b := fewClients()
		b.subscribe(3, "lobby", 950) // and never hears of the event
		r := b.report(t)
		if len(r.Checks) != 1 || r.Checks[0].Agree || r.Checks[0].Difference() != 1 {
			t.Errorf("%+v", r.Checks)
		}
		if got := value(t, r, EventsLost, nil, "count"); got != 1 {
			t.Errorf("%v lost, want 1", got)
		}
	})
}
