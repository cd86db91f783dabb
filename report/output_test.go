package report

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"holobench/history"
)

// slowed is a busy run in which half a second was nine times as slow, and a command failed.
func slowed() *book {
	b := busy(func(due int64, ms float64) float64 {
		if due > 6000*msec && due < 6500*msec {
			return ms * 9
		}
		return ms
	})
	b.run.Budgets[1].Threshold = "max<100ms"
	b.run.Budgets = append(b.run.Budgets, history.Budget{Metric: "http_req_duration{window:steady}", Threshold: "p(99)<50ms"})
	b.settle(history.Unknown, 4, 7777, 4000, 4500, "connection reset")
	return b
}

func TestConsoleGolden(t *testing.T) {
	t.Parallel()
	golden(t, "console-passed.txt", []byte(console(t, busy(nil).report(t), false)))
	golden(t, "console-violated.txt", []byte(console(t, slowed().report(t), false)))
	b := fewClients()
	interrupt(&b.run)
	b.run.Budgets = []history.Budget{{Metric: "own_latency", Threshold: "p(99)<1s"}}
	golden(t, "console-interrupted.txt", []byte(console(t, b.report(t), false)))
}

// Where the kernel does not stamp, the first line says so, on macOS and when the user wants it.
func TestTiesComeFirst(t *testing.T) {
	t.Parallel()
	for system, want := range map[string]string{
		"linux":  "the kernel was not to stamp what arrives (--stamps user): pairs that are closer than 5 ms on two sockets are ties",
		"darwin": "darwin does not stamp what arrives in the kernel: pairs that are closer than 5 ms on two sockets are ties",
	} {
		b := busy(nil)
		b.run.Machine.OS, b.run.Machine.Stamps = system, "user"
		r := b.report(t)
		if first := strings.Split(console(t, r, false), "\n")[1]; strings.TrimSpace(first) != want {
			t.Errorf("%s: the console begins with %q", system, first)
		}
		page, err := r.HTML()
		if err != nil {
			t.Fatal(err)
		}
		if at := strings.Index(string(page), "<p>"+want+".</p>"); at < 0 || at > strings.Index(string(page), "<h1>") {
			t.Errorf("%s: the page does not say it first", system)
		}
	}
	if ties := busy(nil).report(t).Ties(); ties != "" {
		t.Errorf("with stamps of the kernel: %q", ties)
	}
}

// The curve of the throughput ends before that of the latency, and the page says why; where there is one point only, nothing is left out.
func TestThroughputSaysWhatItLeavesOut(t *testing.T) {
	t.Parallel()
	r := faulted(3200 * time.Millisecond).report(t)
	last := func(c chart) float64 { return c.curves[0].points[len(c.curves[0].points)-1].x }
	if throughput, latency := last(r.throughputChart()), last(r.timeChart()); throughput != latency-1 {
		t.Errorf("the throughput ends at %v s, the latency at %v s", throughput, latency)
	}
	const said = "The last point is left out, since the end of the run cuts its time short"
	says(t, "the page", onPage(t, r), said)
	r.Timeline = r.Timeline[:1]
	if page := onPage(t, r); strings.Contains(page, said) {
		t.Error("the page of one point says that it is left out")
	}
}

func TestConsoleColours(t *testing.T) {
	t.Parallel()
	r := slowed().report(t)
	plain, coloured := console(t, r, false), console(t, r, true)
	if strings.Contains(plain, "\x1b") {
		t.Error("there are escapes without colour")
	}
	if got := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(coloured, ""); got != plain {
		t.Error("colours change more than the colour")
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestConsoleTellsOfItsWriter(t *testing.T) {
	t.Parallel()
	if err := fewClients().report(t).Console(brokenPipe{}, false); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("%v, want a closed pipe", err)
	}
}

func TestSummaryGolden(t *testing.T) {
	t.Parallel()
	b := fewClients()
	b.run.Budgets = []history.Budget{
		{Metric: "fanout_latency{window:steady}", Threshold: "max<25ms"},
		{Metric: "reach", Threshold: "value==1"},
		{Metric: "own_latency", Threshold: "p(99)<1s"},
	}
	got, err := b.report(t).Summary()
	if err != nil {
		t.Fatal(err)
	}
	// The compressed bytes are those of the standard library's zlib, which may change with it; what they hold has a test.
	golden(t, "summary.json", regexp.MustCompile(`("histogram": )"[^"]+"`).ReplaceAll(got, []byte(`$1"..."`)))
	var read summary
	if err := json.Unmarshal(got, &read); err != nil {
		t.Fatal(err)
	}
	if read.Verdict.Exit != ExitViolated || len(read.Results.Metrics) == 0 || !read.Metadata.GeneratedAt.Equal(b.run.Started.Add(12*time.Second)) {
		t.Errorf("%+v", read.Verdict)
	}
}

func TestSameHistorySameBytes(t *testing.T) {
	t.Parallel()
	files := func() map[string]string {
		got := make(map[string]string)
		r, err := Write(slowed().history(), func(name string, data []byte) error {
			got[name] = string(data)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		got["console"] = console(t, r, true)
		return got
	}
	first := files()
	if len(first) != 3 || first[PageFile] == "" || first[SummaryFile] == "" {
		t.Fatalf("%d files", len(first))
	}
	for range 3 {
		for name, content := range files() {
			if content != first[name] {
				t.Errorf("%s changed between two reports of one history", name)
			}
		}
	}
}

func TestWriteTellsOfAFullDisk(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left")
	for _, broken := range []string{SummaryFile, PageFile} {
		_, err := Write(fewClients().history(), func(name string, _ []byte) error {
			if name == broken {
				return full
			}
			return nil
		})
		if !errors.Is(err, full) {
			t.Errorf("%s: %v", broken, err)
		}
	}
}

// hostile puts a text into every place of a history that comes from outside.
func hostile(evil string) *book {
	b := busy(nil)
	b.run.Name, b.run.Failure, b.run.Ending = evil, evil, history.EndingFailed
	b.run.Scenario = history.Scenario{File: evil, Text: evil}
	b.run.Design, b.run.Warnings = evil, []string{evil}
	b.run.Windows[0].Name, b.run.Windows[1].Name = evil, "steady "+evil
	b.run.Groups[0].Name = evil
	b.run.Loads[0].Name, b.run.Loads[0].Message = evil, history.Message{Name: evil, Text: evil}
	b.run.Guarantees = []history.Guarantee{{Name: evil, Among: evil}, {Name: "total", Among: evil}}
	b.run.Promises = map[string]string{"fifo": evil, "total": evil, "self_echo": evil}
	b.run.Groups = append(b.run.Groups, history.Group{Name: "f" + evil, First: 60, Count: 1})
	b.run.Loads = append(b.run.Loads, history.Load{Name: "f" + evil, Flood: true})
	b.run.Budgets = append(b.run.Budgets, history.Budget{Metric: evil, Threshold: evil}, history.Budget{Metric: "reach", Threshold: evil})
	b.run.Machine = history.Machine{Hostname: evil, OS: evil, Kernel: evil, CPU: evil, Stamps: evil}
	b.run.Software = history.Software{Holobench: evil, Go: evil}
	b.run.Nodes[0].Addr, b.run.Nodes[0].Exit = evil, evil
	b.subscribe(59, evil, 700)
	b.send(60, 1, evil, 5000, 5000, 5000)
	b.settle(history.Replied, 60, 1, 5000, 5001, evil)
	b.deliver(59, history.SSE, 60, 1, evil, 5000, 5002, 0)
	if err := b.memory.Write(history.Sample{At: 5000 * msec, Source: generatorSource, Name: evil, Value: 1}); err != nil {
		panic(err)
	}
	return b
}

func TestPageEscapesForeignText(t *testing.T) {
	t.Parallel()
	const evil = `</script></style><!--"'><img src=x onerror=alert(1)>`
	page, err := hostile(evil).report(t).HTML()
	if err != nil {
		t.Fatal(err)
	}
	for _, never := range []string{"<img", "</script", "<!--", `"'>`} {
		if strings.Contains(string(page), never) {
			t.Errorf("the page contains %q", never)
		}
	}
	if n := strings.Count(string(page), "</style"); n != 1 {
		t.Errorf("the page ends %d style sheets, want its own", n)
	}
	if n := strings.Count(string(page), "onerror=alert(1)"); n < 15 {
		t.Errorf("only %d of the planted texts are shown: the test looks at too little", n)
	}
}

func TestPageNeedsNothingButItself(t *testing.T) {
	t.Parallel()
	r := slowed().report(t)
	text, witnesses := onPage(t, r), len(r.Order.Witnesses)
	if found := regexp.MustCompile(`(?i)<(script|link|iframe|object|embed|img|base)\b|\bsrc=|\bhref=|url\(|@import`).FindString(text); found != "" {
		t.Errorf("the page refers to something: %q", found)
	}
	if regexp.MustCompile(`NaN|Inf\b|%!|#0102`).MatchString(text) {
		t.Error("the page shows something that is no figure")
	}
	for _, want := range []string{"default-src 'none'", "VIOLATED", "bundled imitation of Hologram v0.9-v0.11 (Go)", "prefers-color-scheme", "viewBox"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	drawings := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(text, -1)
	if len(drawings) != 2*(4+witnesses) || witnesses == 0 {
		t.Errorf("%d drawings, want four charts and %d witnesses, wide and narrow", len(drawings), witnesses)
	}
	for _, svg := range drawings {
		decoder := xml.NewDecoder(strings.NewReader(svg))
		for {
			_, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("a drawing is not well-formed: %v", err)
			}
		}
	}
}

func TestConsoleStripsControlBytes(t *testing.T) {
	t.Parallel()
	const evil = "a\x1b]0;owned\x07\r\nb\u009b31m\u202ec\x00\x7f\u2028d"
	for _, r := range console(t, hostile(evil).report(t), false) {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028') {
			t.Errorf("%q reached the terminal", r)
		}
	}
}

func TestEmptyRunIsReported(t *testing.T) {
	t.Parallel()
	b := newBook()
	b.run = history.Run{Version: 1, Name: "empty"}
	b.run.Budgets = []history.Budget{{Metric: "fanout_latency", Threshold: "p(99)<1s"}}
	b.run.Windows = []history.Window{{Name: "steady", To: 1000 * msec}}
	r, err := Write(b.history(), func(string, []byte) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if r.Exit() != ExitFailed || r.Budgets[0].Verdict != Unknown {
		t.Errorf("exit %d, %+v", r.Exit(), r.Budgets)
	}
}
