package scenarios

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holobench/internal/draw"
)

// thinks parses an amount of time as it stands behind think.
func thinks(t *testing.T, amount string) (Amount, error) {
	t.Helper()
	flow, err := flowOf(t, "[{think: "+amount+"}]")
	if err != nil {
		return Amount{}, err
	}
	return flow[0].(*Think).For, nil
}

func TestAmounts(t *testing.T) {
	t.Parallel()
	const ms = float64(time.Millisecond)
	tests := []struct {
		text                    string
		least, half, most, mean float64 // in ms; -1 = not looked at
	}{
		{"250ms", 250, 250, 250, 250},
		{"0s", 0, 0, 0, 0},
		{"1s..3s", 1000, 2000, 3000, 2000},
		{"2s..2s", 2000, 2000, 2000, 2000},
		{"{dist: constant, value: 20ms}", 20, 20, 20, 20},
		{"{dist: uniform, min: 10ms, max: 30ms, base: 5ms}", 15, 25, 35, 25},
		{"{dist: normal, mean: 50ms, sd: 0s}", 50, 50, 50, 50},
		{"{dist: normal, mean: 50ms, sd: 10ms}", 0, 50, 3.6e6, 50},
		{"{p50: 80ms, p99: 400ms}", 0, 80, 3.6e6, -1},
		{"{dist: lognormal, p50: 80ms, p99: 400ms, base: 20ms, cap: 1s}", 20, 100, 1000, -1},
		{"{dist: exponential, mean: 1s}", 0, 1000 * math.Ln2, 3.6e6, 1000},
		{"{dist: pareto, min: 10ms, shape: 2, cap: 1m}", 10, 10 * math.Sqrt2, 60000, -1},
	}
	for _, test := range tests {
		a, err := thinks(t, test.text)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, v := range []struct {
			name      string
			got, want float64
		}{{"least", a.Least(), test.least}, {"half", a.Draw(0.5), test.half}, {"most", a.Max(), test.most}, {"mean", a.Mean(), test.mean}} {
			if v.want >= 0 && math.Abs(v.got/ms-v.want) > 1e-6*max(1, v.want) {
				t.Errorf("%s: %s is %v ms, want %v", test.text, v.name, v.got/ms, v.want)
			}
		}
		if a.Constant() != (test.least == test.most) {
			t.Errorf("%s: constant %v", test.text, a.Constant())
		}
	}
}

func TestAmountsThatAreNone(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"10", `flow[1].think: "10" is no duration`},
		{"10..20", `flow[1].think: "10..20" is no range`},
		{"3s..1s", `flow[1].think: the range "3s..1s" ends below its beginning`},
		{"2h", "flow[1].think: 2h0m0s is more than the limit, 1h0m0s"},
		{"1s..2h", "flow[1].think: 2h0m0s is more than the limit, 1h0m0s"},
		{"{}", "flow[1].think: dist is missing"},
		{"{mean: 1s, sd: 1s}", "flow[1].think: dist is missing"},
		{"{dist: normall, mean: 1s}", `flow[1].think.dist: unknown word "normall", did you mean "normal"?`},
		{"{dist: normal, mean: 1s}", "flow[1].think: sd is missing"},
		{"{dist: normal, mean: 1s, sd: 1s, p99: 2s}", "flow[1].think.p99: the law normal has no p99"},
		{"{p50: 1s}", "flow[1].think: p99 is missing"},
		{"{p50: 2s, p99: 1s}", "flow[1].think: its p99 is below its p50"},
		{"{p50: 0s, p99: 1s}", "flow[1].think: a law of that kind cannot begin at 0"},
		{"{dist: uniform, min: 2s, max: 1s}", "flow[1].think: its max is below its min"},
		{"{dist: pareto, min: 1s, shape: heavy}", `flow[1].think.shape: "heavy" is no shape`},
		{"{dist: exponential, mean: 1s, base: 3s, cap: 2s}", "flow[1].think: its cap is below its base, so that all draws are the cap"},
		{"{dist: exponential, mean: 3h}", "flow[1].think.mean: 3h0m0s is more than the limit, 1h0m0s"},
		{"{dist: exponential, mean: 3}", `flow[1].think.mean: "3" is no duration`},
		{"{dits: exponential, mean: 3s}", `unknown key "dits" in load.edits.flow[1].think, did you mean "dist"?`},
		{"[1s, 3s]", "flow[1].think is a list where a single value belongs"},
	}
	for _, test := range tests {
		if _, err := thinks(t, test.text); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "remedy: ") && !strings.Contains(test.want, "limit") {
			t.Errorf("%s:\ngot  %v\nwant %s", test.text, err, test.want)
		}
	}
}

// A range of whole numbers gives each of them the same chance, its ends too.
func TestWholeNumbersAreAlike(t *testing.T) {
	t.Parallel()
	a := Amount{draw.Law{Kind: draw.KindUniform, A: 2, B: 5}}
	counted := map[int]int{}
	for i := range 4000 {
		counted[a.Whole((float64(i)+0.5)/4000)]++
	}
	for n := 2; n <= 5; n++ {
		if counted[n] != 1000 {
			t.Errorf("drawn %v", counted)
		}
	}
	if got := Exactly(7).Whole(0.3); got != 7 {
		t.Errorf("always 7 is %d", got)
	}
	if got := Exactly(1e300).Whole(0.3); got != math.MaxInt32 {
		t.Errorf("too many are %d", got)
	}
}

// TestSamples holds that a file of measured amounts is a law, and what is wrong with one is said at its line.
func TestSamples(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	read := func(lines string) (*File, error) {
		if err := os.WriteFile(filepath.Join(dir, "delays.txt"), []byte(lines), 0o600); err != nil {
			t.Fatal(err)
		}
		return Parse(filepath.Join(dir, "s.yaml"), []byte("version: 1\nclients: {members: {count: 2, channel: lobby}}\n"+
			"load: {talk: {by: members, rate: 5/s, for: 1s, flow: [{think: {samples: delays.txt, base: 5ms}}]}}\n"), nil)
	}
	f, err := read("# measured\n20ms\n\n10ms\n10ms\n1.5s\n")
	if err != nil {
		t.Fatal(err)
	}
	law := f.Load[0].Flow[0].(*Think).For
	for _, test := range []struct {
		u    float64
		want time.Duration
	}{{0.01, 15 * time.Millisecond}, {0.5, 15 * time.Millisecond}, {0.6, 25 * time.Millisecond}, {0.99, 1505 * time.Millisecond}} {
		if got := time.Duration(law.Draw(test.u)); got != test.want {
			t.Errorf("at %g it draws %v, want %v", test.u, got, test.want)
		}
	}
	for lines, want := range map[string]string{
		"10ms\n10\n":          `load.talk.flow[1].think.samples: delays.txt:2: "10" is no duration`,
		"# nothing\n":         `there is no amount in "delays.txt"`,
		"10ms\n\x00garbage\n": "delays.txt:2: ",
		"25h\n":               "is more than the limit",
	} {
		if _, err := read(lines); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", lines, err, want)
		}
	}
}
