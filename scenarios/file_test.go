package scenarios

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// everything uses every key of the language.
const everything = `version: 1
name: all
seed: 18446744073709551615
server:
  bundled:
    design: hologram
    wire: json
    nodes: 3
    bus: {kind: jetstream, url: "nats://127.0.0.1:4222", delay: 5ms}
    transport: tls
    spread: random
    dispatch: serialized
    stamp: sequence
    echo: none
    registry: shared
    when_full: drop-oldest
    outbox: 64
    replay: 100
    fanout_order: shuffled
    server_triggered: 30/m
    heartbeat: 5s
  headers:
    Authorization: "Bearer ${env.TOKEN}"
    X-Team: blue
clients:
  zebras: {count: 30, channel: {pattern: "room-${n}/${n}", count: 3}}
  apes: {count: 2, channel: lobby}
  backend: {count: 1, stream: none, connections: 9}
load:
  talk: {by: {clients: zebras, only: 4}, rate: 120/m, arrivals: poisson, in_flight: 1, send: message, payload: 200B, for: 35s}
  ramp: {by: apes, from: 10/s, stages: [{rate: 50/s, for: 10s}, {rate: 50/s, for: 30s}], start: 1500ms, payload: {size: 1KiB, text: "hello, you"}}
  news: {by: backend, rate: 1/s, for: 1s, channel: lobby, payload: {text: hi}}
  press: {flood: true, rate: 0.5/ms, for: 10s, send: shout, channel: press-room, workers: 3, payload: {text: "a text that is longer than six bytes, by far"}}
windows: {warmup: 0s..5s, steady: 5s..41.5s}
drain: 1m
ordering: {window: 1500ms}
guarantees:
  total: {among: observers, at_risk_at_least: 7}
  fifo: held
budgets:
  "fanout_latency{ path : sse , window : steady }": ["p(99)<250ms", "max < 2s"]
  events_lost: count==0
  http_req_duration{load:press}: [{threshold: avg<=10}]
`

func tokens(name string) (string, bool) {
	return map[string]string{"TOKEN": "s3cr3t-token"}[name], name == "TOKEN"
}

func parse(t *testing.T, text string) *File {
	t.Helper()
	f, err := Parse("dir/test.yaml", []byte(text), tokens)
	if err != nil {
		t.Fatalf("parse:\n%s\n%v", text, err)
	}
	return f
}

func TestParseReadsEveryKey(t *testing.T) {
	t.Parallel()
	got := parse(t, everything)
	want := &File{
		Path: "dir/test.yaml", Text: strings.Replace(everything, "X-Team: blue", `X-Team: "***"`, 1), Name: "all", Seed: 1<<64 - 1,
		Server: Server{
			Bundled: Bundled{
				Design: "hologram", Wire: "json", Transport: "tls", Nodes: 3, Bus: Bus{"jetstream", "nats://127.0.0.1:4222", 5 * time.Millisecond}, Spread: "random",
				Knobs:  Knobs{"serialized", "sequence", "none", "shared", "drop-oldest", "shuffled", 100, 0.5},
				Outbox: 64, Heartbeat: 5 * time.Second,
			},
			Headers: []Header{
				{Name: "Authorization", Value: "Bearer s3cr3t-token", environment: []string{"s3cr3t-token"}},
				{Name: "X-Team", Value: "blue", clear: true},
			},
		},
		Clients: []Clients{
			{Name: "zebras", Count: 30, ChannelNames: []string{"room-1/1", "room-2/2", "room-3/3"}, Streams: true, HTTP: 1, Connections: 6},
			{Name: "apes", Count: 2, ChannelNames: []string{"lobby"}, Streams: true, HTTP: 1, Connections: 6},
			{Name: "backend", Count: 1, HTTP: 1, Connections: 9},
		},
		Load: []Load{
			{
				Name: "talk", By: "zebras", Only: 4, Stages: []Stage{{2, 2, 35 * time.Second}}, Arrivals: Arrivals{Kind: Poisson}, InFlight: 1,
				Send: "message", Payload: Payload{Size: Exactly(200)},
			},
			{
				Name: "ramp", By: "apes", Only: 2, Start: 1500 * time.Millisecond, pause: 1500 * time.Millisecond,
				Stages: []Stage{{10, 50, 10 * time.Second}, {50, 50, 30 * time.Second}}, Arrivals: Arrivals{Kind: Constant},
				InFlight: 1, Send: "message", Payload: Payload{Size: Exactly(1024), Text: Literal("hello, you")},
			},
			{
				Name: "news", By: "backend", Only: 1, Channel: "lobby", Stages: []Stage{{1, 1, time.Second}}, Arrivals: Arrivals{Kind: Constant},
				InFlight: 1, Send: "message", Payload: Payload{Size: Exactly(64), Text: Literal("hi")},
			},
			{
				Name: "press", Flood: true, Workers: 3, Channel: "press-room", Stages: []Stage{{500, 500, 10 * time.Second}}, Arrivals: Arrivals{Kind: Constant},
				InFlight: 1, Send: "shout", Payload: Payload{Size: Exactly(58 + 44), Text: Literal("a text that is longer than six bytes, by far")},
			},
		},
		Windows:    []Window{{"warmup", 0, 5 * time.Second, ""}, {"steady", 5 * time.Second, 41500 * time.Millisecond, ""}},
		Drain:      time.Minute,
		PairWindow: 1500 * time.Millisecond,
		Guarantees: []Guarantee{{"total", "observers", 7}, {"fifo", "", 1000}},
		Budgets: []Budget{
			{Selector: "fanout_latency{window:steady,path:sse}", Metric: "fanout_latency", Tags: map[string]string{"window": "steady", "path": "sse"}, Threshold: Threshold{"p(99)<250ms", "p(99)", 99, "<", 250}},
			{Selector: "fanout_latency{window:steady,path:sse}", Metric: "fanout_latency", Tags: map[string]string{"window": "steady", "path": "sse"}, Threshold: Threshold{"max < 2s", "max", 0, "<", 2000}},
			{Selector: "events_lost", Metric: "events_lost", Tags: map[string]string{}, Threshold: Threshold{"count==0", "count", 0, "==", 0}},
			{Selector: "http_req_duration{load:press}", Metric: "http_req_duration", Tags: map[string]string{"load": "press"}, Threshold: Threshold{"avg<=10", "avg", 0, "<=", 10}},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParseFillsInDefaults(t *testing.T) {
	t.Parallel()
	got := parse(t, "version: 1\nclients: {members: {count: 3, channel: lobby}}\nload: {talk: {by: members, rate: 5/s, for: 2s}}\n")
	want := &File{
		Path: "dir/test.yaml", Text: got.Text, Name: "test", Seed: 1,
		Server: Server{Bundled: Bundled{
			Design: "hologram", Wire: "hologram", Transport: "http1", Nodes: 1,
			Knobs:  Knobs{"concurrent", "none", "reply", "node-local", "cut", "registration", 0, 0},
			Outbox: 1024, Heartbeat: 15 * time.Second,
		}},
		Clients: []Clients{{Name: "members", Count: 3, ChannelNames: []string{"lobby"}, Streams: true, HTTP: 1, Connections: 6}},
		Load: []Load{{
			Name: "talk", By: "members", Only: 3, Stages: []Stage{{5, 5, 2 * time.Second}}, Arrivals: Arrivals{Kind: Constant}, InFlight: 1, Send: "message",
			Payload: Payload{Size: Exactly(200)},
		}},
		Drain: 10 * time.Second, PairWindow: time.Second,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// The same scenario three times: in block style, in flow style, and with anchors, merge keys and Windows line ends.
func TestParseReadsAllStylesAlike(t *testing.T) {
	t.Parallel()
	const block = `
version: 1
server:
  bundled:
    design: hologram
clients:
  members:
    count: 6
    channel:
      pattern: room-${n}
      count: 2
  others:
    count: 6
    channel: lobby
load:
  talk:
    by:
      clients: members
      only: 2
    stages:
      - rate: 5/s
        for: 2s
      -
        rate: 10/s
        for: 3s
    payload:
      text: |-
        hi there
windows:
  steady: 1s..2s
budgets:
  fanout_latency{window:steady,path:sse}:
    - p(99)<1s
    - threshold: max<2s
`
	const flow = `{version: 1, server: {bundled: {design: hologram}}, clients: {members: {count: 6, channel: {pattern: "room-${n}", count: 2}},
others: {count: 6, channel: lobby}}, load: {talk: {by: {clients: members, only: 2}, stages: [{rate: 5/s, for: 2s}, {rate: 10/s, for: 3s}],
payload: {text: 'hi there'}}}, windows: {steady: 1s..2s}, budgets: {"fanout_latency{window:steady,path:sse}": ["p(99)<1s", {threshold: max<2s}]}}`
	const anchored = `version: 1
server: {bundled: {design: hologram}}
clients:
  members: &base {count: &n 6, channel: {pattern: "room-${n}", count: 2}}
  others:
    <<: *base
    channel: lobby
load: {talk: {by: {clients: members, only: 2}, stages: [&first {rate: 5/s, for: 2s}, {<<: *first, rate: 10/s, for: 3s}], payload: {text: hi there}}}
windows: {steady: 1s..2s}
budgets: {"fanout_latency{window:steady,path:sse}": ["p(99)<1s", {threshold: max<2s}]}
`
	want := parse(t, block)
	for name, text := range map[string]string{
		"flow": flow, "anchored": anchored, "crlf": strings.ReplaceAll(anchored, "\n", "\r\n"), "bom": "\ufeff" + flow,
	} {
		got := parse(t, text)
		got.Text, want.Text = "", ""
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s style: got  %+v\nwant %+v", name, got, want)
		}
	}
}

// The two forms of a guarantee mean the same, and stand in the order of the file.
func TestGuaranteesInAllForms(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{}":                         "[]",
		"{fifo: held, total: held}":  "[{fifo  1000} {total everyone 1000}]",
		"{total: held, fifo: held}":  "[{total everyone 1000} {fifo  1000}]",
		"{total: {}, fifo: {}}":      "[{total everyone 1000} {fifo  1000}]",
		"{total: {among: everyone}}": "[{total everyone 1000}]",
		"\n  fifo:\n    at_risk_at_least: 1\n  total:\n    among: observers\n    at_risk_at_least: 1000000000": "[{fifo  1} {total observers 1000000000}]",
		"\n  total: &all {at_risk_at_least: 5}\n  fifo: *all":                                                  "[{total everyone 5} {fifo  5}]",
	} {
		f := parse(t, whole+"guarantees: "+text+"\n")
		if got := fmt.Sprint(f.Guarantees); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestClientsAreDealtOutInTurn(t *testing.T) {
	t.Parallel()
	c := &parse(t, everything).Clients[0]
	count := map[string]int{}
	for i := range c.Count {
		count[c.ChannelOf(i)]++
	}
	if fmt.Sprint(count) != "map[room-1/1:10 room-2/2:10 room-3/3:10]" || c.ChannelOf(4) != "room-2/2" {
		t.Errorf("got %v, the fifth client in %q", count, c.ChannelOf(4))
	}
	if got := new(Clients).ChannelOf(7); got != "" {
		t.Errorf("a group without a channel has %q", got)
	}
}

func TestLoadAddsItselfUp(t *testing.T) {
	t.Parallel()
	f := parse(t, everything)
	ramp := f.Load[1]
	if ramp.Stages.Length() != 40*time.Second || ramp.End() != 41500*time.Millisecond || f.End() != ramp.End() {
		t.Errorf("length %v, end %v, end of all %v", ramp.Stages.Length(), ramp.End(), f.End())
	}
	if got := ramp.Stages.Commands(); got != 30*10+50*30 {
		t.Errorf("got %v commands, want 1800: a trapezoid of 300 and a rectangle of 1500", got)
	}
}

// Stages are those of k6: the first begins at 0 unless from says otherwise.
func TestFirstStageBeginsAtZero(t *testing.T) {
	t.Parallel()
	f := parse(t, "version: 1\nclients: {m: {count: 3, channel: c}}\nload: {talk: {by: m, stages: [{rate: 5/s, for: 2s}, {rate: 0/s, for: 1s}]}}\n")
	if got := fmt.Sprint(f.Load[0].Stages); got != "[{0 5 2s} {5 0 1s}]" {
		t.Errorf("got %v", got)
	}
}

func TestNameOfTheFileIsTheDefault(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"a/b/demo.yaml": "demo", "my scenario.v2.yaml": "my-scenario-v2", "x": "x", "": "scenario", ".yaml": "scenario", "(flags)": "-flags-",
		strings.Repeat("a", 300): strings.Repeat("a", 64), "../../..": "scenario",
	} {
		if got := defaultName(path); got != want {
			t.Errorf("the name of %q is %q, want %q", path, got, want)
		}
	}
}

func TestReadTellsWhatTheFileSystemSays(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "none.yaml")
	_, err := Read(path, nil)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("# long\n", 50_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err = Read(path, nil); err == nil || !strings.Contains(err.Error(), "none.yaml:1:1: the file is longer than 256 KiB") {
		t.Errorf("got %v", err)
	}
}

// What scenarios.yaml shows in a comment is part of the language, and the warning says the same as the comment.
func TestGuaranteeInACommentIsOne(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../scenarios.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f := parse(t, strings.Replace(string(text), "# total:", "total:", 1))
	if fmt.Sprint(f.Guarantees) != "[{fifo  1000} {total observers 1000}]" || len(f.Warnings(Machine{})) != 1 {
		t.Errorf("got %v, warnings %v", f.Guarantees, f.Warnings(Machine{}))
	}
}

// The two files that come with the repository are scenarios, and mean what their comments say.
func TestFilesOfTheRepository(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]struct {
		clients, channels, senders int
		commands                   float64
		pairs                      float64
		windows                    string
	}{
		"../scenarios.yaml": {2000, 20, 200, 7000, 6900, "[{warmup 0s 5s } {steady 5s 35s }]"},
		"demo.yaml":         {500, 10, 100, 2000, 3800, "[{warmup 0s 2s } {steady 2s 10s }]"},
	} {
		f, err := Read(path, nil)
		if err != nil {
			t.Error(err)
			continue
		}
		c, l := f.Clients[0], f.Load[0]
		if c.Count != want.clients || len(c.ChannelNames) != want.channels || l.Only != want.senders || l.Stages.Commands() != want.commands ||
			fmt.Sprint(f.Windows) != want.windows || f.Seed != 42 || len(f.Budgets) != 5 || l.Arrivals.Kind != Poisson || l.Payload.Size.Draw(0.5) != 200 {
			t.Errorf("%s: got %+v", path, f)
		}
		// Pairs of one sender that are due within W of each other, at a rate r for a time T: r*r*W*(T-W/2). A sender has one
		// command on the wire, so that the second of a pair is sent after the reply to the first, and FIFO can break on all.
		rate, length, apart := l.Stages[0].To/float64(l.Only), l.Stages.Length().Seconds(), f.PairWindow.Seconds()
		if got := float64(l.Only) * rate * rate * apart * (length - apart/2); got != want.pairs || fmt.Sprint(f.Guarantees) != "[{fifo  1000}]" {
			t.Errorf("%s: %v pairs of one sender, want %v, enough for %v", path, got, want.pairs, f.Guarantees)
		}
		if warnings := f.Warnings(Machine{}); warnings != nil {
			t.Errorf("%s: %v", path, warnings)
		}
	}
}
