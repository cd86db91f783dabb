package report

import (
	"strings"
	"testing"
	"time"

	"holobench/history"
	"holobench/wire"
)

// numberedEchoes is a run of a design like hologram whose events bear numbers: 40 times a client sends a (number 2n+1) and another one
// sends b (2n+2); each is told of its own in the reply, 10 ms before everybody else, and b's sender hears of a 5 ms after that.
func numberedEchoes() *book {
	b := newBook()
	b.run.Groups = []history.Group{{Name: "members", Count: 4}}
	b.run.Windows = []history.Window{{Name: "steady", From: 0, To: 10_000 * msec}}
	for client := range uint32(4) {
		b.subscribe(client, "lobby", 900)
	}
	for n := range uint32(40) {
		due := 1100 + 200*int64(n)
		for sender := range uint32(2) {
			b.send(sender, n+1, "lobby", due, due, due)
			b.settle(history.Replied, sender, n+1, due, due+10, "")
		}
		for client := range uint32(4) {
			for sender := range uint32(2) {
				path, at := history.SSE, due+15+5*int64(sender)
				if client == sender {
					path, at = history.Reply, due+10
				}
				b.add(history.Observation{
					Kind: history.Delivered, Client: client, Conn: 1 + min(1, uint32(path)-1), Path: path, Event: wire.EventID{Publisher: sender, Seq: n + 1},
					Channel: b.names.Number("lobby"), Due: due * msec, NotBefore: at * msec, At: at * msec, Handled: at * msec, Sequence: uint64(2*n + 1 + sender),
				})
			}
		}
	}
	return b
}

// TestResequencersReport: what the queue of b's sender costs is 5 ms for one in eight deliveries, and no pair is left divergent.
func TestResequencersReport(t *testing.T) {
	t.Parallel()
	steady := map[string]string{"window": "steady"}
	b := numberedEchoes()
	AsIf(&b.run, 100*time.Millisecond, false)
	b.run.Budgets = []history.Budget{{Metric: "resequence_hold{window:steady}", Threshold: "p(50)<=6ms"}, {Metric: "resequenced_divergence", Threshold: "rate==0"}}
	r := b.report(t)
	for _, c := range []struct {
		metric, aggregation string
		want                float64
	}{
		{"divergent_pairs", "count", 40},
		{"resequenced_divergence", "rate", 0},
		{"resequence_hold", "max", 5},
		{"resequence_hold", "avg", 5.0 / 8},
		{"resequence_hold", "count", 320},
		{"resequence_depth", "max", 1},
		{"resequence_gaps", "count", 0},
		{"resequenced_latency", "min", 10},
		{"seen_elsewhere_first", "rate", 0},
	} {
		if got := value(t, r, c.metric, steady, c.aggregation); got != c.want {
			t.Errorf("%s %s is %v, want %v", c.metric, c.aggregation, got, c.want)
		}
	}
	if r.Budgets[0].Verdict != Held || r.Budgets[1].Verdict != Unknown || !strings.Contains(r.Budgets[1].Reason, "could have broken it") {
		t.Errorf("budgets %+v: few pairs hold no budget on order", r.Budgets)
	}
	says(t, "the console", console(t, r, false), "CURES", "4 clients held 40 of 320 deliveries back (12.5 %)", "0 numbers; 0 deliveries came late")
}

// TestOptimistsReport: a change that somebody else's came before is wrong until that one is known, and one that was refused until then.
func TestOptimistsReport(t *testing.T) {
	t.Parallel()
	steady := map[string]string{"window": "steady"}
	b := numberedEchoes()
	b.send(0, 99, "lobby", 9500, 9500, 9500)
	b.settle(history.Replied, 0, 99, 9500, 9540, conflictText)
	b.send(1, 98, "lobby", 9600, 9600, 9600)
	b.deliver(2, history.SSE, 1, 98, "lobby", 9600, 9610, 0)
	b.deliver(0, history.SSE, 1, 98, "lobby", 9600, 9610, 0)
	b.settle(history.Replied, 1, 98, 9600, 9650, "")
	b.send(2, 97, "lobby", 9605, 9605, 9605) // its sender never learns what became of it, and sees 98 meanwhile
	b.deliver(1, history.SSE, 2, 97, "lobby", 9605, 9645, 0)
	AsIf(&b.run, 0, true)
	r := b.report(t)
	for _, c := range []struct {
		metric, aggregation string
		want                float64
	}{
		{"optimistic_confirmed", "max", 50},
		{"optimistic_confirmed", "count", 81},
		{"optimistic_rollbacks", "rate", 1.0 / 82},
		{"optimistic_wrong", "max", 45},
		{"optimistic_rebases", "count", 2},
		{"seen_elsewhere_first", "rate", 1.0 / 81},
		{"seen_elsewhere_lead", "max", 40},
	} {
		if got := value(t, r, c.metric, steady, c.aggregation); got != c.want {
			t.Errorf("%s %s is %v, want %v", c.metric, c.aggregation, got, c.want)
		}
	}
	says(t, "the console", console(t, r, false), "1 rolled back (1.22 %), 1 of them by a conflict", "2, below 2 changes; a sender saw what no server had")
	says(t, "the page", onPage(t, r), "Cures on the client")
}

// TestNoCuresNoWord: nobody is told of queues that there are not.
func TestNoCuresNoWord(t *testing.T) {
	t.Parallel()
	r := numberedEchoes().report(t)
	summary, err := r.Summary()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(console(t, r, false), "CURES") || strings.Contains(string(summary), "resequence_hold") {
		t.Error("the report speaks of cures that nobody took")
	}
}

// TestGapOverAReconnectIsReported: who was cut missed what was sent meanwhile, unless the server sent it again.
func TestGapOverAReconnectIsReported(t *testing.T) {
	t.Parallel()
	b := numberedEchoes()
	for client, caughtUp := range map[uint32]bool{5: false, 6: true} {
		b.subscribe(client, "lobby", 900)
		b.add(history.Observation{Kind: history.Ended, Client: client, Conn: 1, At: 1000 * msec})
		b.add(history.Observation{Kind: history.Subscribed, Client: client, Conn: 3, Channel: b.names.Number("lobby"), NotBefore: 1500 * msec, At: 1500 * msec})
		if caughtUp {
			b.deliver(client, history.SSE, 0, 1, "lobby", 1100, 1501, 0)
			b.deliver(client, history.SSE, 0, 1, "lobby", 1100, 1502, 0)
		}
	}
	r := b.report(t)
	steady := map[string]string{"window": "steady"}
	if missed, caught := value(t, r, "events_missed_away", steady, "count"), value(t, r, "events_caught_up", steady, "count"); missed != 7 || caught != 1 {
		t.Errorf("%v missed and %v caught up, want 7 and 1: four events were sent meanwhile", missed, caught)
	}
	says(t, "the console", console(t, r, false), "2 clients that came back later missed 7 deliveries and caught up 1; client 5 missed most, 4", "copies", "1 on one connection")
}
