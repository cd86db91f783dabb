package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"holobench/history"
	"holobench/ordering"
	"holobench/report"
)

var verify = flag.Bool("verify", false, "make the long proofs, too (make verify-...)")

// holobenchRun runs this program as a user would and returns its history and its report.
func holobenchRun(t *testing.T, args ...string) (*history.History, *report.Report) {
	t.Helper()
	h := holobenchHistory(t, args...)
	r, err := report.New(h)
	if err != nil {
		t.Fatal(err)
	}
	return h, r
}

// holobenchHistory runs this program as a user would and returns its history.
func holobenchHistory(t *testing.T, args ...string) *history.History {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	c := exec.CommandContext(t.Context(), program, append([]string{"run", "--quiet", "--dir", dir}, args...)...)
	c.Args[0] = "holobench"
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	h, err := history.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// swapped is the history with two deliveries of one client exchanged that came one after the other; it says which.
func swapped(t *testing.T, h *history.History, seed uint64) (other *history.History, which string) {
	t.Helper()
	var rows []history.Observation
	if err := h.Scan(func(batch []history.Observation) error {
		rows = append(rows, batch...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(seed, 1))
	var delivered []int
	for len(delivered) < 2 {
		client := rows[random.IntN(len(rows))].Client
		delivered = delivered[:0]
		for i := range rows {
			if rows[i].Kind == history.Delivered && rows[i].Client == client {
				delivered = append(delivered, i)
			}
		}
	}
	n := random.IntN(len(delivered) - 1)
	first, second := &rows[delivered[n]], &rows[delivered[n+1]]
	which = fmt.Sprintf("deliveries %d and %d of client %d", n+1, n+2, first.Client)
	first.Event, second.Event = second.Event, first.Event
	first.Due, second.Due = second.Due, first.Due
	memory := new(history.Memory)
	memory.Observe(rows)
	return memory.History(h.Run, h.Names), which
}

// expectOneSwap is the positive control of a zero: what is exchanged at one client must be found, and nothing else.
func expectOneSwap(t *testing.T, h *history.History) {
	t.Helper()
	seed := rand.Uint64()
	other, which := swapped(t, h, seed)
	r, err := report.New(other)
	if err != nil {
		t.Fatal(err)
	}
	if o := r.Order.Overall; o.All.Divergent != 1 || o.Touched != 2 || len(r.Order.Witnesses) != 1 {
		t.Errorf("seed %d: %s exchanged: %+v, want exactly 1 divergent pair", seed, which, o)
	}
	t.Logf("positive control: %s exchanged: %d divergent pair", which, r.Order.Overall.All.Divergent)
}

func TestOneSwapOfARecordedRunIsFound(t *testing.T) {
	t.Parallel()
	h, r := holobenchRun(t, "--clients", "40", "--channels", "2", "--senders", "10", "--rate", "100/s", "--duration", "1500ms", "--design", "single-channel")
	if o := r.Order.Overall; o.All.Divergent != 0 || o.All.AtRisk == 0 || o.All.Tied != 0 {
		t.Fatalf("before: %+v", o)
	}
	expectOneSwap(t, h)
}

// defaultScenarioAs writes scenarios.yaml with another design to a file of its own. A guarantee or a budget that does not
// hold would fail the run.
func defaultScenarioAs(t *testing.T, design string) string {
	t.Helper()
	text, err := os.ReadFile("../../" + defaultScenario)
	if err != nil {
		t.Fatal(err)
	}
	const hologram = "design: hologram"
	if strings.Count(string(text), hologram) != 1 {
		t.Fatalf("%s does not say %q once", defaultScenario, hologram)
	}
	path := filepath.Join(t.TempDir(), design+".yaml")
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), hologram, "design: "+design, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const orderRow = "%-15s --stamps %-7s %7d at-risk pairs: %d divergent (%d originator-observer), %d tied, %d tied views, %d FIFO violations of %d"

func logOrder(t *testing.T, design, stamps string, r *report.Report) {
	t.Helper()
	o := r.Order.Overall
	t.Logf(orderRow, design, stamps, o.All.AtRisk, o.All.Divergent, o.OriginatorObserver.Divergent, o.All.Tied, o.TiedViews, o.FIFO.Violations, o.FIFO.Pairs)
}

func TestVerifyZero(t *testing.T) {
	if !*verify {
		t.Skip("a long proof: make verify-zero")
	}
	file := defaultScenarioAs(t, "single-channel")
	for range 5 {
		for _, stamps := range []string{"kernel", "user"} {
			h, r := holobenchRun(t, "--stamps", stamps, file)
			logOrder(t, "single-channel", stamps, r)
			if o := r.Order.Overall; o.All.Divergent+o.Beyond.Divergent+o.All.Tied+o.TiedViews+o.FIFO.Violations+o.Beyond.FIFOViolations != 0 {
				t.Errorf("the design keeps one order: %+v", o)
			} else if o.All.AtRisk < 50_000 {
				t.Errorf("only %d pairs were at risk, 50,000 are asked for", o.All.AtRisk)
			}
			expectOneSwap(t, h)
		}
	}
}

// TestVerifyDivergence looks for what the design hologram is known for: the reply overtakes the stream.
func TestVerifyDivergence(t *testing.T) {
	if !*verify {
		t.Skip("a long proof: make verify-divergence")
	}
	for range 3 {
		_, r := holobenchRun(t, defaultScenarioAs(t, "hologram"))
		logOrder(t, "hologram", "kernel", r)
		at := slices.IndexFunc(r.Order.Witnesses, func(w ordering.Witness) bool { return w.Class == ordering.OriginatorObserver })
		if at < 0 {
			t.Error("no originator-observer pair is divergent")
			continue
		}
		w := &r.Order.Witnesses[at]
		for _, v := range []*ordering.View{&w.First, &w.Second} {
			widest := max(v.Earlier.At-v.Earlier.NotBefore, v.Later.At-v.Later.NotBefore)
			t.Logf("client %d: margin %v, widest interval %d ns, by bytes %t", v.Client, v.Margin, widest, v.ByBytes)
			if !v.ByBytes && int64(v.Margin) <= widest {
				t.Errorf("the margin %v of the best witness is not above its interval of %d ns", v.Margin, widest)
			}
		}
	}
}
