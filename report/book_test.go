package report

import (
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holobench/history"
	"holobench/wire"
)

var update = flag.Bool("update", false, "write the golden files anew")

const msec = int64(time.Millisecond)

// book writes a history by hand. Times are ms since the epoch.
type book struct {
	run    history.Run
	names  *history.Names
	memory *history.Memory
}

// newBook begins a complete run of 10 s: barrier at 1 s, load until 11 s, drained at 12 s.
func newBook() *book {
	return &book{
		names: new(history.Names), memory: new(history.Memory),
		run: history.Run{
			Version: 1, Name: "by hand", ID: 0xc0ffee, Seed: 42, Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
			Barrier: 1000 * msec, LoadEnd: 11_000 * msec, End: 12_000 * msec, Drain: 10_000 * msec,
			Finished: true, Ending: history.EndingComplete,
			Software: history.Software{Holobench: "v0.0.0-test", Go: "go1.26"},
			Machine:  history.Machine{Hostname: "host", OS: "linux", Kernel: "6.1", CPU: "cpu", CPUs: 2, MemoryMB: 8000, MaxFiles: 1024, Stamps: "kernel"},
			Design:   "hologram",
		},
	}
}

func (b *book) add(o history.Observation) { b.memory.Observe([]history.Observation{o}) }

func (b *book) subscribe(client uint32, channel string, at int64) {
	b.add(history.Observation{Kind: history.Opened, Client: client, Conn: 1, NotBefore: (at - 2) * msec, At: (at - 1) * msec})
	b.add(history.Observation{
		Kind: history.Subscribed, Client: client, Conn: 1, Channel: b.names.Number(channel), NotBefore: (at - 1) * msec, At: at * msec,
	})
}

// send notes a command of a client: due, when the client was free, and when it was written.
func (b *book) send(client, seq uint32, channel string, due, free, at int64) {
	b.add(history.Observation{
		Kind: history.Sent, Client: client, Conn: 2, Event: wire.EventID{Publisher: client, Seq: seq}, Channel: b.names.Number(channel),
		Due: due * msec, NotBefore: free * msec, At: at * msec, Handled: at * msec,
	})
}

// settle notes the outcome of a command.
func (b *book) settle(kind history.Kind, client, seq uint32, due, at int64, reason string) {
	b.add(history.Observation{
		Kind: kind, Client: client, Conn: 2, Event: wire.EventID{Publisher: client, Seq: seq}, Path: history.Reply,
		Due: due * msec, NotBefore: at * msec, At: at * msec, Handled: at * msec, Err: uint16(b.names.Number(reason)),
	})
}

// deliver notes the arrival of the event (publisher, seq) at a client, which saw it lag later.
func (b *book) deliver(client uint32, path history.Path, publisher, seq uint32, channel string, due, at, lag int64) {
	b.add(history.Observation{
		Kind: history.Delivered, Client: client, Conn: 1, Path: path, Event: wire.EventID{Publisher: publisher, Seq: seq},
		Channel: b.names.Number(channel), Due: due * msec, NotBefore: at * msec, At: at * msec, Handled: (at + lag) * msec,
	})
}

func (b *book) history() *history.History { return b.memory.History(b.run, b.names) }

func (b *book) report(t *testing.T) *Report {
	t.Helper()
	r, err := New(b.history())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// fewClients is the example of the package comment: three clients, one command due at 2.000 s (1.000 s after the barrier).
func fewClients() *book {
	b := newBook()
	b.run.Groups = []history.Group{{Name: "members", Count: 3}}
	b.run.Windows = []history.Window{{Name: "warmup", To: 500 * msec}, {Name: "steady", From: 500 * msec, To: 10_000 * msec}}
	for client := range uint32(3) {
		b.subscribe(client, "lobby", 900)
	}
	b.send(0, 1, "lobby", 2000, 2001, 2002)
	b.deliver(1, history.SSE, 0, 1, "lobby", 2000, 2012, 1)
	b.settle(history.Replied, 0, 1, 2000, 2010, "")
	b.deliver(0, history.Reply, 0, 1, "lobby", 2000, 2010, 0)
	b.deliver(2, history.SSE, 0, 1, "lobby", 2000, 2030, 3)
	return b
}

// busy is a run of 60 clients in 3 channels with 600 commands and plausible latencies, the same each time. Shape may
// change each latency, in ms.
func busy(shape func(due int64, ms float64) float64) *book {
	b := newBook()
	rng := rand.New(rand.NewPCG(7, 7))
	channels := []string{"room-1", "room-2", "room-3"}
	b.run.Name, b.run.Scenario = "busy", history.Scenario{File: "busy.yaml", Text: "version: 1\nname: busy\n"}
	b.run.Groups = []history.Group{{Name: "members", Count: 60}}
	b.run.Loads = []history.Load{{Name: "talk", To: 10_000 * msec, Expected: 667, Due: 600}}
	b.run.Windows = []history.Window{{Name: "warmup", To: 2000 * msec}, {Name: "steady", From: 2000 * msec, To: 10_000 * msec}}
	b.run.Budgets = []history.Budget{
		{Metric: "fanout_latency{window:steady}", Threshold: "p(99)<250ms"},
		{Metric: "fanout_latency{window:steady}", Threshold: "max<2s"},
		{Metric: "reach{window:steady}", Threshold: "value==1"},
		{Metric: "events_lost", Threshold: "count==0"},
	}
	for client := range uint32(60) {
		b.subscribe(client, channels[client%3], 500+int64(client))
	}
	busyUntil := make([]int64, 60)
	for n := range int64(600) {
		due := (1000 + 15*n) * msec
		publisher, seq := uint32(rng.IntN(9)), uint32(n+1)
		channel := b.names.Number(channels[publisher%3])
		free := max(due, busyUntil[publisher])
		sent := free + int64(80e3*(1+rng.ExpFloat64()))
		o := history.Observation{
			Client: publisher, Conn: 2, Event: wire.EventID{Publisher: publisher, Seq: seq}, Channel: channel, Due: due,
		}
		command := o
		command.Kind, command.NotBefore, command.At, command.Handled, command.Load = history.Sent, free, sent, sent+20e3, 1
		b.add(command)
		o.Kind = history.Delivered
		replied := sent
		for client := publisher % 3; client < 60; client += 3 {
			latency := 1.5 + 2*rng.ExpFloat64()*math.Exp(0.4*rng.NormFloat64())
			if shape != nil {
				latency = shape(due-b.run.Barrier, latency)
			}
			at := sent + int64(latency*1e6)
			delivery := o
			delivery.Client, delivery.Conn, delivery.Path = client, 1, history.SSE
			if client == publisher {
				at = sent + (at-sent)/3
				delivery.Path, delivery.Conn, replied = history.Reply, 2, at
			}
			delivery.NotBefore, delivery.At, delivery.Handled = at, at, at+int64(30e3*rng.ExpFloat64())
			b.add(delivery)
		}
		command.Kind, command.Path, command.NotBefore, command.At, command.Handled = history.Replied, history.Reply, replied, replied, replied+30e3
		b.add(command)
		busyUntil[publisher] = replied
	}
	b.run.Nodes = []history.Node{{Node: 1, PID: 4711, Addr: "127.0.0.1:40000", Counters: map[string]uint64{
		"commands_accepted": 600, "deliveries_written_sse": 11_400, "deliveries_written_reply": 600, "deliveries_expected": 12_000,
	}}}
	for second := int64(2); second <= 12; second++ {
		for _, s := range []struct {
			name  string
			value float64
		}{{"cpu_cores", 0.3 + float64(second)/100}, {"steal_share", 0.004}, {"sched_lag_p99_ms", 0.12}, {"memory_mb", 61}, {"open_files", 78}} {
			if err := b.memory.Write(history.Sample{At: second * 1000 * msec, Source: "generator", Name: s.name, Value: s.value}); err != nil {
				panic(err)
			}
		}
	}
	return b
}

// console is what a terminal shows of a report.
func console(t *testing.T, r *Report, colour bool) string {
	t.Helper()
	var out strings.Builder
	if err := r.Console(&out, colour); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// onPage is what report.html holds.
func onPage(t *testing.T, r *Report) string {
	t.Helper()
	text, err := r.HTML()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// says demands that a text, which what names, holds each of these.
func says(t *testing.T, what, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("%s does not say %q:\n%s", what, want, text)
		}
	}
}

// golden compares with a file of testdata, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (make golden writes it)", err)
	}
	if string(got) != string(want) {
		t.Errorf("the output differs from %s (make golden writes it anew; look at the difference first):\n%s", path, got)
	}
}
