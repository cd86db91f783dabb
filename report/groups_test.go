package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"holobench/history"
	"holobench/wire"
)

// twoGroups are two groups of three clients in one channel. The first client of each sends, and hears of its own event by the reply. That
// of the first group overtakes there what the other had sent before; at the second group nothing overtakes anything.
func twoGroups() *book {
	b := newBook()
	b.run.Groups = []history.Group{{Name: "one", First: 0, Count: 3}, {Name: "two", First: 3, Count: 3}}
	b.run.Windows = []history.Window{{Name: "steady", To: 10_000 * msec}}
	for client := range uint32(6) {
		b.subscribe(client, "lobby", 900)
	}
	events := []struct {
		publisher   uint32
		due, stream int64 // when the others have it
		reply       int64
	}{{3, 2000, 2040, 2030}, {0, 2005, 2045, 2015}, {3, 2100, 2130, 2150}}
	for n, e := range events {
		seq := uint32(n + 1)
		b.send(e.publisher, seq, "lobby", e.due, e.due, e.due)
		for client := range uint32(6) {
			if client != e.publisher {
				b.deliver(client, history.SSE, e.publisher, seq, "lobby", e.due, e.stream, 0)
			}
		}
		b.settle(history.Replied, e.publisher, seq, e.due, e.reply, "")
		b.add(history.Observation{
			Kind: history.Delivered, Client: e.publisher, Conn: 2, Path: history.Reply, Event: wire.EventID{Publisher: e.publisher, Seq: seq},
			Channel: b.names.Number("lobby"), Due: e.due * msec, NotBefore: e.reply * msec, At: e.reply * msec, Handled: e.reply * msec,
		})
	}
	return b
}

// TestGroupsSideBySide: each group has the figures that it would have alone, and the whole run those of all.
func TestGroupsSideBySide(t *testing.T) {
	t.Parallel()
	b := twoGroups()
	b.run.Budgets = []history.Budget{
		{Metric: "own_latency{window:steady,group:one}", Threshold: "max<=10ms"},
		{Metric: "divergent_pairs{group:two}", Threshold: "count==0"},
	}
	r := b.report(t)
	for metric, want := range map[string]string{
		"own_latency/max": "50", "own_latency/max/one": "10", "own_latency/max/two": "50",
		"other_latency/count": "15", "other_latency/count/one": "8", "other_latency/count/two": "7", "other_latency/max/two": "40",
		"http_req_duration/count/one": "1", "http_req_duration/count/two": "2",
		"divergent_pairs/count": "1", "divergent_pairs/count/one": "1", "divergent_pairs/count/two": "0",
		"at_risk_pairs/count": "3", "at_risk_pairs/count/one": "3", "at_risk_pairs/count/two": "3",
	} {
		name, rest, _ := strings.Cut(metric, "/")
		aggregation, group, grouped := strings.Cut(rest, "/")
		tags := map[string]string{}
		if grouped {
			tags["group"] = group
		}
		m := r.find(name, tags)
		if m == nil {
			t.Errorf("%s: there is no such figure", metric)
			continue
		}
		if v, ok := m.Aggregate(aggregation); !ok || fmt.Sprint(v.Value) != want {
			t.Errorf("%s is %v, want %s", metric, v.Value, want)
		}
	}
	if r.find(EventsLost, map[string]string{"group": "one"}) != nil {
		t.Error("what is lost is listed by group")
	}
	if r.Budgets[0].Verdict == Violated || !r.Budgets[0].Measured || r.Budgets[1].Verdict != Unknown {
		t.Errorf("budgets: %+v", r.Budgets)
	}
	var text bytes.Buffer
	if err := r.Console(&text, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"GROUPS  times of window steady", "GROUPS  order, whole run", "one (3 clients)"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the console does not say %q:\n%s", want, text.String())
		}
	}
}

// TestOneGroupIsTheWholeRun: nothing is said twice.
func TestOneGroupIsTheWholeRun(t *testing.T) {
	t.Parallel()
	for name, groups := range map[string][]history.Group{
		"one":         {{Name: "members", Count: 3}},
		"and a flood": {{Name: "members", Count: 3}, {Name: "press", First: 3, Count: 1}},
	} {
		b := fewClients()
		b.run.Groups, b.run.Loads = groups, []history.Load{{Name: "press", Flood: true}}
		r := b.report(t)
		for i := range r.Metrics {
			if r.Metrics[i].Tag("group") != "" {
				t.Errorf("%s: %s is listed", name, r.Metrics[i].String())
			}
		}
	}
}
