package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"holobench/history"
	"holobench/wire"
)

// crossing is a run of so many rounds, 50 ms apart, in a channel of 10 clients. In each round clients 0 and 1 send an event
// within 1 ms. Everybody hears of the first at 10 ms and of the second at 12 ms, but for the author of the second: its reply
// comes at 9 ms. So each round has one divergent pair, originator-observer, and onlookers always agree.
func crossing(rounds int) *book {
	b := newBook()
	b.run.Name, b.run.Noise, b.run.Promises = "crossing", &history.Noise{Pairs: 2000, Tied: 20, WrongByUser: 100, WrongByKernel: 40}, map[string]string{
		"fifo": "per publisher", "self_echo": "reply",
	}
	b.run.Groups = []history.Group{{Name: "members", Count: 10}}
	b.run.Loads = []history.Load{{Name: "talk", To: 10_000 * msec, Message: history.Message{Name: "message", Text: "hello", Size: 64}}}
	b.run.Windows = []history.Window{{Name: "warmup", To: 2000 * msec}, {Name: "steady", From: 2000 * msec, To: 10_000 * msec}}
	for client := range uint32(10) {
		b.subscribe(client, "lobby", 900)
	}
	for round := range rounds {
		due := int64(1000 + 50*round)
		for author := range uint32(2) {
			b.round(author, uint32(round+1), (due+int64(author))*msec)
		}
	}
	return b
}

// round sends one event and delivers it to all.
func (b *book) round(author, seq uint32, due int64) {
	o := history.Observation{
		Kind: history.Sent, Client: author, Conn: 2, Event: wire.EventID{Publisher: author, Seq: seq}, Channel: b.names.Number("lobby"),
		Due: due, NotBefore: due, At: due, Handled: due, Load: 1,
	}
	b.add(o)
	o.Load = 0
	o.Kind, o.Node, o.Sequence, o.At = history.Dispatched, 1, uint64(2*seq+uint32(author)), due+7*msec
	b.add(o)
	for client := range uint32(10) {
		d := o
		d.Kind, d.Client, d.Conn, d.Path, d.At = history.Delivered, client, 1, history.SSE, due+10*msec+int64(author)*msec
		if client == author {
			d.Conn, d.Path, d.At = 2, history.Reply, due+9*msec-int64(author)*msec
		}
		d.NotBefore, d.Handled = d.At, d.At+msec/10
		if client == author {
			replied := d
			replied.Kind = history.Replied
			b.add(replied)
		}
		b.add(d)
	}
}

func TestOrderFigures(t *testing.T) {
	t.Parallel()
	r := crossing(100).report(t)
	o := r.Order.Overall
	if o.OriginatorObserver.Divergent != 100 || o.ObserverObserver.Divergent != 0 || o.All.AtRisk != 7180 || o.FIFO.Violations != 0 || r.Order.Mixed != 2 {
		t.Fatalf("%+v", o)
	}
	const sentence = "Between the author of an event and the others, 100 of 7,180 at-risk pairs came in two orders; between onlookers, 0 of 7,180 at-risk pairs."
	if got := r.OrderSentence(); got != sentence {
		t.Errorf("got  %s\nwant %s", got, sentence)
	}
	for name, want := range map[string]string{
		"order_divergence": "0.0139", "order_divergence{class:observer-observer}": "0", "divergent_pairs{class:originator-observer}": "100  10/s",
		"divergent_pairs{window:steady}": "60  7.5/s", "at_risk_pairs": "7,180  718/s", "ties": "0", "events_touched": "200  20/s",
		"fifo_violations": "0", "fifo_concurrent": "no data", "order_inversions": "100  10/s",
	} {
		found := false
		for i := range r.Metrics {
			if m := &r.Metrics[i]; m.String() == name {
				found = true
				if m.total() != want {
					t.Errorf("%s is %s, want %s", name, m.total(), want)
				}
			}
		}
		if !found {
			t.Errorf("there is no %s", name)
		}
	}
}

// lagging makes the generator see every delivery 30 ms late.
func lagging(b *book) {
	memory := new(history.Memory)
	err := b.history().Scan(func(batch []history.Observation) error {
		for i := range batch {
			if batch[i].Kind == history.Delivered {
				batch[i].Handled = batch[i].At + 30*msec
			}
		}
		memory.Observe(batch)
		return nil
	})
	if err != nil {
		panic(err)
	}
	b.memory = memory
}

// blurred makes every arrival an interval that begins a second before, on sockets of their own.
func blurred(b *book) {
	memory, conn := new(history.Memory), uint32(2)
	err := b.history().Scan(func(batch []history.Observation) error {
		for i := range batch {
			if batch[i].Kind == history.Delivered {
				conn++
				batch[i].NotBefore, batch[i].Conn = batch[i].At-1000*msec, conn
			}
		}
		memory.Observe(batch)
		return nil
	})
	if err != nil {
		panic(err)
	}
	b.memory = memory
}

// overtaken lets one onlooker see the second command of client 0 before the first, though it was sent after the reply.
func overtaken(b *book) {
	for _, d := range []struct {
		seq uint32
		at  int64
	}{{1001, 8040}, {1000, 8041}} {
		b.send(0, d.seq, "lobby", 7000+20*int64(d.seq-1000), 7000, 7000+20*int64(d.seq-1000))
		b.settle(history.Replied, 0, d.seq, 7000, 7010+20*int64(d.seq-1000), "")
		b.deliver(5, history.SSE, 0, d.seq, "lobby", 7000+20*int64(d.seq-1000), d.at, 0)
	}
}

// disagreeing lets two onlookers disagree about two commands.
func disagreeing(b *book) {
	b.send(0, 1000, "lobby", 7000, 7000, 7000)
	b.send(1, 1001, "lobby", 7001, 7001, 7001)
	for client, seqs := range map[uint32][2]uint32{5: {1000, 1001}, 6: {1001, 1000}} {
		for n, seq := range seqs {
			b.deliver(client, history.SSE, seq-1000, seq, "lobby", 7000+int64(seq-1000), 8040+int64(n), 0)
		}
	}
}

func reconnected(b *book) {
	b.add(history.Observation{Kind: history.Subscribed, Client: 5, Conn: 9, Channel: b.names.Number("lobby"), At: 11_500 * msec})
}

func TestGuarantees(t *testing.T) {
	t.Parallel()
	fifo := history.Guarantee{Name: "fifo", AtRisk: 100}
	total := history.Guarantee{Name: "total", Among: "everyone", AtRisk: 100}
	observers := history.Guarantee{Name: "total", Among: "observers", AtRisk: 100}
	many := func(g history.Guarantee) history.Guarantee {
		g.AtRisk = 1_000_000
		return g
	}
	noNoise := func(b *book) { b.run.Noise = nil }
	stepped := func(b *book) { b.add(history.Observation{Kind: history.ClockStep, At: 5000 * msec, Sequence: 2e6}) }
	both := func(changes ...func(*book)) func(*book) {
		return func(b *book) {
			for _, change := range changes {
				change(b)
			}
		}
	}
	for _, c := range []struct {
		name   string
		change func(*book)
		asked  history.Guarantee
		want   string // "verdict: outcome"
	}{
		{"", nil, fifo, "held: fifo is held: 0 of 3,580 pairs broke it"},
		{"", nil, total, "violated: total is violated: 100 of 7,180 pairs broke it"},
		{"", nil, observers, "held: total among observers is held: 0 of 7,180 pairs broke it"},
		{"", nil, many(fifo), "unknown: fifo is unknown: fewer than 1,000,000 pairs could have broken it; 0 of 3,580 pairs broke it"},
		{"what breaks it proves it, however few could have", nil, many(total), "violated: total is violated: 100 of 7,180 pairs broke it"},
		{"", nil, many(observers), "unknown: total among observers is unknown: fewer than 1,000,000 pairs could have broken it; 0 of 7,180 pairs broke it"},
		{"", overtaken, fifo, "violated: fifo is violated: 1 of 3,581 pairs broke it"},
		{"", disagreeing, observers, "violated: total among observers is violated: 1 of 7,181 pairs broke it"},
		{"no self-test", noNoise, total, "unknown: total is unknown: the self-test of the harness was not made, so that nothing is known of the order between two sockets; 100 of 7,180 pairs broke it"},
		{"no self-test", noNoise, observers, "held: total among observers is held: 0 of 7,180 pairs broke it"},
		{"no self-test", noNoise, fifo, "unknown: fifo is unknown: the self-test of the harness was not made, so that nothing is known of the order between two sockets; 0 of 3,580 pairs broke it"},
		{"saturated", lagging, total, "unknown: total is unknown: the generator was saturated: its generator_lag p(99) is 30 ms, more than 20 ms, and clients that read late can themselves turn round what comes on two sockets; 100 of 7,180 pairs broke it"},
		{"saturated", lagging, observers, "held: total among observers is held: 0 of 7,180 pairs broke it"},
		{"saturated, and observers disagree all the same", both(disagreeing, lagging), total, "violated: total is violated: 101 of 7,181 pairs broke it"},
		{"", stepped, total, "unknown: total is unknown: the clock of the machine jumped 1 time, and stamps order what came on two sockets; 100 of 7,180 pairs broke it"},
		{"streams that were cut have two sockets, too", both(noNoise, reconnected), observers, "unknown: total among observers is unknown: the self-test of the harness was not made, so that nothing is known of the order between two sockets; 0 of 7,180 pairs broke it"},
		{"", blurred, total, "unknown: total is unknown: 7,180 pairs are tied, more than the 0 at risk: in most of what was looked at the stamps give no order; 0 of 0 pairs broke it"},
		{"", nil, history.Guarantee{Name: "causal"}, "unknown: causal is unknown: this version knows no guarantee of that name; 0 of 0 pairs broke it"},
	} {
		b := crossing(100)
		b.run.Guarantees = []history.Guarantee{c.asked}
		if c.change != nil {
			c.change(b)
		}
		r := b.report(t)
		g := &r.Demands[0]
		if got := fmt.Sprintf("%s: %s %s", g.Verdict, g, g.Outcome()); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.name, got, c.want)
		}
		want := map[Verdict]int{Held: ExitHeld, Violated: ExitViolated, Unknown: ExitUnknown}[g.Verdict]
		if r.Exit() != want {
			t.Errorf("%s: exit %d with a guarantee that is %s", c.name, r.Exit(), g.Verdict)
		}
	}
}

func TestBudgetsOnOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rounds            int
		change            func(*book)
		metric, threshold string
		verdict           Verdict
		reason            string
	}{
		{100, nil, "order_divergence", "rate<0.02", Held, ""},
		{100, nil, "order_divergence", "rate<0.01", Violated, ""},
		{100, nil, "divergent_pairs{class:observer-observer}", "count==0", Held, ""},
		{100, nil, "divergent_pairs{window:steady,class:originator-observer}", "count==0", Violated, ""},
		{3, nil, "divergent_pairs", "count==0", Violated, ""},
		{3, nil, "divergent_pairs{class:observer-observer}", "count==0", Unknown, "only 15 pairs could have broken it, and 1,000 are needed"},
		{3, nil, "fifo_violations", "count==0", Unknown, "only 6 pairs could have broken it"},
		{3, nil, "events_touched", "count<100", Unknown, "only 15 pairs could have broken it"},
		{3, nil, "at_risk_pairs", "count>=10", Held, ""},
		{3, nil, "ties", "count==0", Held, ""},
		{1, nil, "fifo_violations", "count==0", Unknown, "there is no data"},
		{100, lagging, "divergent_pairs", "count==0", Unknown, "the generator was saturated"},
		{100, lagging, "divergent_pairs{class:observer-observer}", "count==0", Held, ""},
		{100, blurred, "order_divergence", "rate<0.5", Unknown, "there is no data"},
	} {
		b := crossing(c.rounds)
		if c.change != nil {
			c.change(b)
		}
		b.run.Budgets = []history.Budget{{Metric: c.metric, Threshold: c.threshold}}
		j := b.report(t).Budgets[0]
		if j.Verdict != c.verdict || !strings.Contains(j.Reason, c.reason) {
			t.Errorf("%d rounds, %s %s is %s (%s), want %s (%s)", c.rounds, c.metric, c.threshold, j.Verdict, j.Reason, c.verdict, c.reason)
		}
	}
}

func TestPromises(t *testing.T) {
	t.Parallel()
	say := func(change func(*book)) string {
		b := crossing(100)
		change(b)
		var lines []string
		r := b.report(t)
		for i := range r.Promises {
			p := &r.Promises[i]
			lines = append(lines, string(p.State)+" "+p.Text()+" "+p.Seen)
		}
		for _, warning := range r.Warnings {
			lines = append(lines, "warning: "+warning)
		}
		return strings.Join(lines, "\n")
	}
	for _, c := range []struct {
		change func(*book)
		want   string
	}{
		{func(*book) {}, `kept fifo (promised: per publisher) 0 of 3,580 pairs of one publisher, the second sent after the reply to the first, changed places
observed total (not promised) 100 of 7,180 pairs at risk were seen in two orders
kept self_echo (promised: reply) 200 of 200 events came back to their publishers that way`},
		{func(b *book) { b.run.Promises = map[string]string{"total": "per channel", "self_echo": "sse"} }, `unseen fifo (not promised) 0 of 3,580 pairs of one publisher, the second sent after the reply to the first, changed places
broken total (promised: per channel) 100 of 7,180 pairs at risk were seen in two orders
broken self_echo (promised: sse) 0 of 200 events came back to their publishers that way
warning: a promise of the server is broken: total per channel: 100 of 7,180 pairs at risk were seen in two orders
warning: a promise of the server is broken: self_echo sse: 0 of 200 events came back to their publishers that way`},
		{func(b *book) { b.memory = new(history.Memory) }, `untested fifo (promised: per publisher) 0 of 0 pairs of one publisher, the second sent after the reply to the first, changed places
unseen total (not promised) 0 of 0 pairs at risk were seen in two orders
untested self_echo (promised: reply) 0 of 0 events came back to their publishers that way`},
		{func(b *book) { b.run.Promises = nil }, ""},
		{func(b *book) {
			b.run.Promises = map[string]string{"gap_free": "after reconnect", "freshness": "latest value per key", "converge": "per channel"}
		}, `unseen fifo (not promised) 0 of 3,580 pairs of one publisher, the second sent after the reply to the first, changed places
observed total (not promised) 100 of 7,180 pairs at risk were seen in two orders
kept freshness (promised: latest value per key) 0 of 3,580 pairs of values of one publisher arrived with the older one last
untested gap_free (promised: after reconnect) 0 deliveries lost, 0 reconnects
untested converge (promised: per channel) 0 of 0 documents differ between clients that have seen the last change; 0 replicas behind`},
	} {
		if got := say(c.change); got != c.want {
			t.Errorf("\n got %s\nwant %s", got, c.want)
		}
	}
}

// TestSelfEchoOfWhoWasAway: what a server kept for an author without a stream comes by the stream, whatever it promises; what comes so to one
// that has one breaks the promise.
func TestSelfEchoOfWhoWasAway(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change func(*book)
		state  State
		seen   string
	}{
		{func(b *book) {
			b.add(history.Observation{Kind: history.Ended, Client: 0, Conn: 1, At: 8000 * msec})
			b.send(0, 101, "lobby", 8010, 8010, 8010)
			b.settle(history.Replied, 0, 101, 8010, 8020, "")
			b.add(history.Observation{Kind: history.Subscribed, Client: 0, Conn: 3, Channel: b.names.Number("lobby"), At: 8100 * msec})
			b.deliver(0, history.SSE, 0, 101, "lobby", 8010, 8110, 0)
		}, Kept, "200 of 200 events came back to their publishers that way"},
		{func(b *book) { b.deliver(0, history.SSE, 0, 1, "lobby", 1000, 1020, 0) }, Broken, "200 of 201 events came back to their publishers that way"},
	} {
		b := crossing(100)
		c.change(b)
		for _, p := range b.report(t).Promises {
			if p.Name == selfEchoName && (p.State != c.state || p.Seen != c.seen) {
				t.Errorf("%s: %s, want %s: %s", p.State, p.Seen, c.state, c.seen)
			}
		}
	}
}

func TestNoiseIsToldAndWarnedOf(t *testing.T) {
	t.Parallel()
	b := crossing(3)
	r := b.report(t)
	const clean = "0: of 2,000 pairs of known order on two sockets, 0 came out wrong and 1 % tied (by user stamps 5 % would have been wrong, by the lone kernel stamp 2 %)"
	if got := r.noiseText(); got != clean || len(r.Warnings) != 0 {
		t.Errorf("got  %s\nwant %s; warnings %q", got, clean, r.Warnings)
	}
	b.run.Noise = &history.Noise{Pairs: 2000, Wrong: 3, Floor: 1500 * msec / 1000}
	const warning = "the harness itself turned 3 of 2000 pairs of known order round, by up to 1.5 ms: what is closer has no order here"
	if r := b.report(t); len(r.Warnings) != 1 || r.Warnings[0] != warning {
		t.Errorf("warnings %q", r.Warnings)
	}
}

func TestWitnessTextGolden(t *testing.T) {
	t.Parallel()
	b := crossing(3)
	disagreeing(b)
	var out bytes.Buffer
	if err := b.report(t).WitnessText(&out, false); err != nil {
		t.Fatal(err)
	}
	golden(t, "witness.txt", out.Bytes())
}

func TestWitnessJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := crossing(3).report(t).WitnessJSON(&out); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Witnesses []struct {
			Class    string
			MarginNs int64
			A        struct {
				Payload    string
				Dispatched []struct{ Sequence int }
			}
			First struct {
				Client  int
				Earlier struct{ Path string }
			}
		}
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Witnesses) != 3 || got.Witnesses[0].Class != "originator-observer" || got.Witnesses[0].MarginNs != msec ||
		!strings.HasPrefix(got.Witnesses[0].A.Payload, "hb1.00c0ffee.c0.s1.t1000000000.hello") || len(got.Witnesses[0].A.Dispatched) != 1 ||
		got.Witnesses[0].First.Earlier.Path == "" {
		t.Errorf("%+v", got)
	}
}

// A promise that the run itself broke, by a fault or by clients that do not read, is not the server's.
func TestWhatWasInjectedIsNotTheServersFault(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		promise string
		run     history.Run
		want    string
	}{
		{gapFreeName, history.Run{Faults: []history.Fault{{Name: "gone", Kind: "drop", Decisions: 3}}}, "the fault gone does that, so that it says nothing of the server"},
		{gapFreeName, history.Run{Faults: []history.Fault{{Name: "gone", Kind: "drop"}}}, ""},
		{gapFreeName, history.Run{Groups: []history.Group{{Name: "slow", SlowReader: true}}}, "some clients read slowly, and what they have not read yet is not lost by the server"},
		{gapFreeName, history.Run{Faults: []history.Fault{{Name: "slow", Kind: "delay", Decisions: 3}}}, ""},
		{gapFreeName, history.Run{Faults: []history.Fault{{Name: "dead", Kind: "kill"}}}, ""},
		{
			gapFreeName, history.Run{
				Promises: map[string]string{gapFreeName: "after reconnect to the same node"}, Faults: []history.Fault{{Name: "dead", Kind: "kill"}},
			}, "the fault dead does that, so that it says nothing of the server",
		},
		{
			gapFreeName,
			history.Run{Nodes: []history.Node{{Counters: map[string]uint64{"bus_fault_lost": 2}}}},
			"a fault lost some between the nodes, which says nothing of the server",
		},
		{totalName, history.Run{Faults: []history.Fault{{Name: "mixed", Kind: "reorder", Decisions: 1}}}, "the fault mixed does that, so that it says nothing of the server"},
		{fifoName, history.Run{Faults: []history.Fault{{Name: "gone", Kind: "drop", Decisions: 3}}, Groups: []history.Group{{SlowReader: true}}}, ""},
		{selfEchoName, history.Run{Faults: []history.Fault{{Name: "late", Kind: "delay", Decisions: 3}}}, ""},
	} {
		if got := excuse(&test.run, test.promise); got != test.want {
			t.Errorf("%s under %+v: %q, want %q", test.promise, test.run.Faults, got, test.want)
		}
	}
}
