package scenarios

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// Parse takes any bytes: no panic, every error inside of the file, and a File that keeps what its documentation says.
func FuzzParse(f *testing.F) {
	seeds := []string{"../scenarios.yaml", "demo.yaml"}
	for _, pattern := range []string{"testdata/wrong/*.yaml", "starters/*.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			f.Fatal(pattern, err)
		}
		seeds = append(seeds, found...)
	}
	for _, path := range seeds {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{
		everything, whole, "", "- - - a", "{{{", "? a", "a: &a {b: *a}", "a: !!x y", "<<: *a", "a: |\n  b", "\"", "x: [1, {a: b}]\n---\n...",
		whole + "server: {headers: {A: \"x\ty\", B: *b}}", whole + "server: {headers: {A: \"x\\ty\"}}", "version: 1\r\nload:\r\n", "%", "a: >-\n\n  b\n c", "a:\n  - b\n -c", ": :", "&a", "*", "- &a\n- *a",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		parsed, err := Parse("f.yaml", text, tokens)
		if err != nil {
			checkErrors(t, text, err)
			return
		}
		checkFile(t, parsed)
	})
}

func checkErrors(t *testing.T, text []byte, err error) {
	t.Helper()
	all, ok := errors.AsType[Errors](err)
	if !ok || len(all) == 0 {
		t.Fatalf("the error is %#v", err)
	}
	lines := strings.Split(string(text), "\n")
	for _, e := range all {
		if e.File != "f.yaml" || e.Line < 1 || e.Line > len(lines) || e.Column < 1 || e.Message == "" || e.Excerpt == "" {
			t.Errorf("the error is %#v", e)
		} else if e.Column > utf8.RuneCountInString(lines[e.Line-1])+1 {
			t.Errorf("column %d is behind the end of its line: %#v", e.Column, e)
		}
		if strings.Contains(e.Error(), "s3cr3t-token") && !strings.Contains(string(text), "s3cr3t-token") {
			t.Errorf("the error shows a value of the environment: %v", e)
		}
	}
}

func checkFile(t *testing.T, f *File) {
	t.Helper()
	if len(f.Load) == 0 || f.Name == "" || f.End() <= 0 || f.End() > maxTime || f.Drain > maxDrain {
		t.Errorf("got %+v", f)
	}
	checkBundled(t, &f.Server.Bundled)
	for _, l := range f.Load {
		c, by := group(f.Clients, l.By)
		if by == l.Flood || by && (l.Only < 1 || l.Only > c.Count) || !scheduled(&l) || l.Payload.Size.Least() < minPayload || l.InFlight < 1 || l.InFlight > maxInFlight {
			t.Errorf("got load %+v", l)
		}
		if l.Channel == "" && l.To == nil && c.ChannelOf(0) == "" {
			t.Errorf("nowhere to send: %+v", l)
		}
	}
	for _, c := range f.Clients {
		if c.Count < 1 || c.Count > maxClients || c.Streams && len(c.ChannelNames) == 0 {
			t.Errorf("got clients %+v", c)
		}
	}
	if f.PairWindow <= 0 || f.PairWindow > maxPairWindow || len(f.Guarantees) > 2 {
		t.Errorf("got %+v", f)
	}
	for _, g := range f.Guarantees {
		fifo := g.Name == FIFO && g.Among == ""
		total := g.Name == Total && (g.Among == Everyone || g.Among == Observers)
		if !fifo && !total || g.AtRisk < 1 || g.AtRisk > maxAtRisk {
			t.Errorf("got guarantee %+v", g)
		}
	}
	for _, w := range f.Windows {
		if w.From >= w.To || w.To > f.End() {
			t.Errorf("got window %+v", w)
		}
	}
	for _, b := range f.Budgets {
		if b.AbortDelay > 0 && !b.AbortOnFail {
			t.Errorf("got budget %+v", b)
		}
		b.AbortOnFail, b.AbortDelay = false, 0
		if again, err := ParseBudget(b.Selector, b.Threshold.Expression); err != nil || !reflect.DeepEqual(again, b) {
			t.Errorf("budget %+v, read again %+v: %v", b, again, err)
		}
	}
	for _, h := range f.Server.Headers {
		if len(h.environment) == 0 && len(h.Value) >= maxMaskable && strings.Contains(f.Text, h.Value) {
			t.Errorf("the text shows the header %s", h.Name)
		}
	}
	if _, err := Parse("f.yaml", []byte(f.Text), tokens); err != nil {
		t.Errorf("the text of the file is none any more: %v", err)
	}
	f.Warnings(Machine{Files: 10, Cores: 1})
	if _, sum := f.Estimates(); !(sum.Commands >= 0 && sum.Deliveries >= 0) {
		t.Errorf("estimated %+v", sum)
	}
}

// scheduled tells whether exactly one executor says when the load acts.
func scheduled(l *Load) bool {
	executors := 0
	for _, given := range []bool{len(l.Stages) > 0, l.Closed != nil, l.Burst != nil, l.Reaction != nil, l.Replay != nil, l.Capacity != nil} {
		if given {
			executors++
		}
	}
	return executors == 1 && l.Start >= 0 && l.End() > l.Start && l.End() <= maxTime
}

func checkBundled(t *testing.T, b *Bundled) {
	t.Helper()
	k := &b.Knobs
	alone := b.Bus == (Bus{}) && b.Spread == ""
	joined := (b.Bus.Kind == JetStream || b.Bus.Kind == NATS && !needsOrder(b.Design)) && b.Bus.Delay <= maxBusDelay && b.Spread != "" && b.idle == ""
	switch {
	case b.Nodes < 1 || b.Nodes > maxNodes || alone != (b.Nodes == 1) || joined == alone,
		b.Outbox < 1 || b.Outbox > maxOutbox || b.Heartbeat <= 0 || b.Heartbeat > maxHeartbeat,
		k.Replay < 0 || k.Replay > maxReplay || k.Replay == 0 && b.Design == StateSync,
		!(k.ServerTriggered >= 0 && k.ServerTriggered <= maxServerTriggered),
		b.Wire == "" || k.Dispatch == "" || k.Stamp == "" || k.Echo == "" || k.Registry == "" || k.WhenFull == "" || k.FanoutOrder == "",
		b.Wire != JSONWire && k.Replay > 0, strings.Contains(b.Bus.URL, "@"):
		t.Errorf("got %+v", b)
	}
}

func FuzzParseBudget(f *testing.F) {
	f.Add("fanout_latency{window:steady,path:sse}", "p(99.9)<=2s")
	f.Add("reach", "value==1")
	f.Add("{}", "p(")
	f.Fuzz(func(t *testing.T, metric, threshold string) {
		b, err := ParseBudget(metric, threshold)
		if err != nil {
			return
		}
		if again, err := ParseBudget(b.Selector, b.Threshold.Expression); err != nil || !reflect.DeepEqual(again, b) {
			t.Errorf("%q %q: %+v, read again %+v: %v", metric, threshold, b, again, err)
		}
	})
}

// Texts that are built to take long are refused, or read, in a moment.
func TestParseIsQuickOnHostileText(t *testing.T) {
	t.Parallel()
	const full = maxFileBytes
	nest := func(open string) string { return strings.Repeat(open, full/len(open)-1) }
	tests := map[string]struct{ text, want string }{
		"brackets":        {nest("["), "nested more than 64 deep"},
		"braces":          {nest("{a: "), "nested more than 64 deep"},
		"dashes":          {nest("- "), "nested more than 64 deep"},
		"anchors":         {nest("&a "), "nested more than 64 deep"},
		"tags":            {nest("!!a "), "nested more than 64 deep"},
		"question marks":  {nest("? "), "nested more than 64 deep"},
		"colons":          {nest("a: "), "more than 5000 keys"},
		"indentation":     {stairs(700), "nested more than 64 deep"},
		"aliases":         {"a: &a 1\n" + strings.Repeat("b: *a\n", maxAliases+1), "more than 1000 aliases"},
		"keys":            {nest("k: 1\n"), "more than 5000 keys"},
		"many keys":       {strings.Repeat("k: 1\n", maxKeys), "stands here twice"},
		"many colons":     {strings.Repeat("a: ", maxKeys), "a second colon stands in this line"},
		"newlines":        {nest("\n"), "the file is empty"},
		"a long word":     {nest("x"), "the file is a single value where a mapping belongs"},
		"too long":        {strings.Repeat("#", full+1), "longer than 256 KiB"},
		"billion laughs":  {laughs(), "is a list where a single value belongs"},
		"merges":          {merges(), "unknown key"},
		"list of aliases": {"version: 1\nload: {a: {stages: &s [" + strings.Repeat("{rate: x}, ", 400) + "]}" + manyLoads() + "}", "is no rate"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			_, err := Parse("s.yaml", []byte(test.text), nil)
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %.9000v", err)
			}
		})
	}
}

func stairs(steps int) string {
	var b strings.Builder
	for i := range steps {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// laughs stands a list of aliases of lists where a list can stand.
func laughs() string {
	var b strings.Builder
	b.WriteString("version: 1\na0: &a0 [x, x]\n")
	for i := range 9 {
		b.WriteString("a" + string(rune('1'+i)) + ": &b [*a0, *a0]\n")
	}
	b.WriteString("budgets: {reach: [" + strings.Repeat("*b, ", 600) + "]}\n")
	return b.String()
}

func merges() string {
	var b strings.Builder
	b.WriteString("a: &a {")
	for i := range 200 {
		b.WriteString("k" + strings.Repeat("x", i) + ": 1, ")
	}
	b.WriteString("}\n")
	for i := range 900 {
		b.WriteString("b" + strings.Repeat("x", i%200) + string(rune('a'+i/200)) + ": {<<: *a}\n")
	}
	return b.String()
}

func manyLoads() string {
	var b strings.Builder
	for i := range 400 {
		b.WriteString(", l" + strings.Repeat("x", i%60) + string(rune('a'+i/60)) + ": {stages: *s}")
	}
	return b.String()
}
