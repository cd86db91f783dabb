package report

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"holobench/history"
)

// faulted is a busy run with a fault from 2 s to 3 s, which made everything slow until so long after the barrier.
func faulted(until time.Duration) *book {
	b := busy(func(due int64, ms float64) float64 {
		if due >= 2000*msec && due < int64(until) {
			return ms + 310
		}
		return ms
	})
	b.run.Windows = append(b.run.Windows, history.Window{Name: "cut", From: 2000 * msec, To: 3000 * msec}, history.Window{Name: "cut.after", From: 3000 * msec, To: 10_000 * msec})
	b.run.Faults = []history.Fault{{
		Name: "cut", Kind: "partition", Backend: "the bus end of each node", Whom: "nodes 1 | 2, 3", Decisions: 1234, Digest: "00ff",
		Turns: []history.Turn{{From: 2000 * msec, To: 3000 * msec}},
	}}
	b.run.Budgets = []history.Budget{{Metric: "other_latency{window:steady}", Threshold: "max<300ms"}, {Metric: "recovery_time{fault:cut}", Threshold: "max<=2s"}}
	return b
}

// TestRecoveryTime: it is the second behind the fault from which on the figures are inside their budgets.
func TestRecoveryTime(t *testing.T) {
	t.Parallel()
	for until, want := range map[time.Duration]struct {
		value   float64 // ms
		verdict Verdict
		open    int64
		text    string
	}{
		2500 * time.Millisecond: {0, Held, 0, "0 ms"},
		3200 * time.Millisecond: {1000, Held, 0, "1 s"},
		4300 * time.Millisecond: {2000, Held, 0, "2 s"},
		5001 * time.Millisecond: {3000, Violated, 0, "3 s"},
		8200 * time.Millisecond: {6000, Violated, 1, "at least 6 s"}, // one second is left, and three are needed
	} {
		b := faulted(until)
		b.run.LoadEnd = b.run.Barrier + 9000*msec
		r := b.report(t)
		m := r.find(RecoveryTime, map[string]string{"fault": "cut"})
		v, ok := m.Aggregate("max")
		if !ok || v.Value != want.value || m.Open != want.open || m.Unseen != 0 {
			t.Errorf("slow until %v: %+v, open %d, unseen %d; want %+v", until, v, m.Open, m.Unseen, want)
		}
		if j := r.Budgets[1]; j.Verdict != want.verdict {
			t.Errorf("slow until %v: the budget is %s (%s), want %s", until, j.Verdict, j.Reason, want.verdict)
		}
		if got := r.faultReports()[0].recoveryText(); got != want.text {
			t.Errorf("slow until %v: recovery %q, want %q", until, got, want.text)
		}
		all := r.find(RecoveryTime, nil)
		if got, _ := all.Aggregate("max"); got.Value != want.value {
			t.Errorf("slow until %v: of all faults it is %v", until, got.Value)
		}
	}
}

// TestRecoveryThatIsNotKnown: without evidence, or without a budget to be inside of, nothing is held.
func TestRecoveryThatIsNotKnown(t *testing.T) {
	t.Parallel()
	b := faulted(2500 * time.Millisecond)
	b.run.Faults[0].Turns = []history.Turn{{From: 2000 * msec, To: 8000 * msec}} // one second of load is left
	b.run.LoadEnd = b.run.Barrier + 9000*msec
	r := b.report(t)
	if j := r.Budgets[1]; j.Verdict != Unknown || !strings.Contains(j.Reason, "after 1 fault too little was seen: fewer than 3 seconds with 5 events") {
		t.Errorf("with too few seconds the budget is %s: %s", j.Verdict, j.Reason)
	}
	if got := r.faultReports()[0].recoveryText(); got != "unknown: too little was seen" {
		t.Errorf("recovery %q", got)
	}
	b = faulted(8200 * time.Millisecond)
	b.run.LoadEnd = b.run.Barrier + 9000*msec
	b.run.Budgets[1].Threshold = "max<7s" // it is 6 s at least
	if j := b.report(t).Budgets[1]; j.Verdict != Unknown || !strings.Contains(j.Reason, "it is that at least") {
		t.Errorf("of an open recovery the budget is %s: %s", j.Verdict, j.Reason)
	}
	b = faulted(2500 * time.Millisecond)
	b.run.Budgets = b.run.Budgets[1:]
	if got := b.report(t).faultReports()[0].recoveryText(); got != "not asked: no budget says to what" {
		t.Errorf("without a budget: recovery %q", got)
	}
}

// TestRecoveryOfEachTurn: of a fault that comes again each time counts.
func TestRecoveryOfEachTurn(t *testing.T) {
	t.Parallel()
	b := faulted(4200 * time.Millisecond)
	b.run.LoadEnd = b.run.Barrier + 9000*msec
	b.run.Faults[0].Turns = append(b.run.Faults[0].Turns, history.Turn{From: 5000 * msec, To: 5500 * msec})
	m := b.report(t).find(RecoveryTime, map[string]string{"fault": "cut"})
	low, _ := m.Aggregate("min")
	high, _ := m.Aggregate("max")
	if m.Count != 2 || low.Value != 0 || high.Value != 2000 || m.Open != 1 { // the second came before the first was over
		t.Errorf("%d recoveries from %v to %v, %d open, %d unseen", m.Count, low.Value, high.Value, m.Open, m.Unseen)
	}
}

// TestFaultsAreReported: the console, the page with its charts, and summary.json name each fault with what was seen.
func TestFaultsAreReported(t *testing.T) {
	t.Parallel()
	r := faulted(3200 * time.Millisecond).report(t)
	says(t, "the console", console(t, r, false), "FAULTS", "cut: partition, 2 s to 3 s, nodes 1 | 2, 3, by the bus end of each node",
		"recovery................................: 1 s", "1,234 decisions, digest 00ff", "pairs divergent")
	says(t, "the page", onPage(t, r), "<h2>Faults</h2>", "<b>cut</b><br>partition, by the bus end of each node", "1,234 decisions, digest 00ff")
	for _, c := range []chart{r.throughputChart(), r.timeChart()} {
		shaded := 0
		for _, b := range c.bands {
			if b.name == "cut" && b.shaded && b.from == 2 && b.to == 3 {
				shaded++
			}
			if b.name == "cut.after" {
				t.Errorf("the chart %q has a band for what is behind the fault", c.title)
			}
		}
		if shaded != 1 {
			t.Errorf("the chart %q has bands %+v", c.title, c.bands)
		}
	}
	data, err := r.Summary()
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Faults []summaryFaultReport `json:"faults"`
	}
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Faults) != 1 {
		t.Fatalf("summary.json has %d faults", len(s.Faults))
	}
	f := s.Faults[0]
	if f.Name != "cut" || f.Turns[0] != (summaryTurn{2000, 3000}) || f.During == nil || f.After == nil || f.During.Reach == nil || *f.Recovery.Longest != 1000 || f.Decisions != 1234 {
		t.Errorf("summary.json says %+v", f)
	}
}

// TestKilledNodesMayMiscount: what a killed node wrote last may be missing from its counts, and no more than that.
func TestKilledNodesMayMiscount(t *testing.T) {
	t.Parallel()
	for written, agree := range map[uint64]bool{11_395: true, 11_300: false} {
		b := busy(nil)
		n := &b.run.Nodes[0]
		n.PIDsBefore = []int{1}
		n.Counters["deliveries_written_sse"], n.Counters["deliveries_enqueued_sse"], n.Counters["streams_opened"] = written, written+1, 10
		for _, c := range b.report(t).Checks {
			if c.Name == "arrivals" && (c.Agree != agree || c.Note == "") {
				t.Errorf("%d written: %+v", written, c)
			}
		}
	}
}
