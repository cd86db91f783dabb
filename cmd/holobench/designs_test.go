package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"holobench/history"
	"holobench/run"
	"holobench/scenarios"
	"holobench/target"
)

const library = "../../scenarios/library"

// Each scenario of the library is one: it parses, it can be planned, the target takes it, it is over in five seconds, and what
// it is warned of is what it is there to show.
func TestLibrary(t *testing.T) {
	t.Parallel()
	warned := map[string][]string{
		"wrong-node": {"server.bundled.spread: random with echo: reply and registry: node-local"},
	}
	files, err := filepath.Glob(filepath.Join(library, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var designs []string
	for _, path := range files {
		f, err := scenarios.Read(path, nil)
		if err != nil {
			t.Error(err)
			continue
		}
		p, err := run.FromFile(f, history.Machine{})
		if err != nil {
			t.Fatal(err)
		}
		if f.Name != strings.TrimSuffix(filepath.Base(path), ".yaml") || f.End() != 5*time.Second {
			t.Errorf("%s: the name is %s, and it takes %v", path, f.Name, f.End())
		}
		designs = append(designs, p.Design)
		checkWarnings(t, path, p.Warnings, warned[f.Name])
		if p.Nodes == 1 {
			o := target.Options{Design: target.Design(p.Design), Wire: target.Wire(p.Wire), Knobs: p.Knobs, OutboxFrames: p.Outbox, Heartbeat: p.Heartbeat}
			if _, err := target.New(o); err != nil {
				t.Errorf("%s: the target refuses it: %v", path, err)
			}
		}
		var out bytes.Buffer
		if err := printPlan(&out, f, &p); err != nil || !strings.Contains(out.String(), "design "+p.Design) {
			t.Errorf("%s: the plan is\n%s", path, out.String())
		}
	}
	for _, d := range designNames() {
		if !slices.Contains(designs, d) {
			t.Errorf("no scenario of the library shows the design %s", d)
		}
	}
}

func checkWarnings(t *testing.T, path string, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: the warnings are %q, want %q", path, got, want)
		return
	}
	for i := range got {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("%s: the warning is %q, want %q", path, got[i], want[i])
		}
	}
}

// docs/designs.md names what there is: each design with what it promises, each knob with each of its settings, each wire, each
// bus and spread, and each scenario of the library.
func TestManualOfTheDesigns(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../docs/designs.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	needed := func(part, why string) {
		t.Helper()
		if !strings.Contains(text, part) {
			t.Errorf("docs/designs.md does not have %q: %s", part, why)
		}
	}
	for _, d := range target.Designs() {
		p, err := run.FromFile(mustParse(t, "design: "+string(d)), history.Machine{})
		if err != nil {
			t.Fatal(err)
		}
		needed("\n### "+string(d)+"\n", "each design has a section")
		needed("\n| `"+string(d)+"` | "+strings.Join(promisesOf(&p), "; ")+" |\n", "this is what it promises")
	}
	for _, w := range target.Wires() {
		needed("\n| `"+string(w)+"` | ", "each wire has a row")
	}
	for _, key := range []string{"dispatch", "stamp", "echo", "registry", "when_full", "fanout_order"} {
		_, section, _ := strings.Cut(text, "\n| `"+key+"` | ")
		for i, word := range wordsOfTarget(t, key) {
			row := "| | `" + word + "` | "
			if i == 0 {
				row = "`" + word + "` | "
			}
			before, rest, found := strings.Cut(section, row)
			if !found || i == 0 && before != "" {
				t.Errorf("docs/designs.md does not say what %s: %s causes and cures", key, word)
			}
			section = rest
		}
	}
	for _, key := range []string{"outbox", "replay", "server_triggered", "heartbeat"} {
		needed("\n| `"+key+"` | ", "each knob has a row")
	}
	for _, word := range []string{run.BusNATS, run.BusJetStream, run.RoundRobin, run.Sticky, run.Random} {
		needed("\n| `"+word+"` | ", "each bus and each spread has a row")
	}
	files, err := filepath.Glob(filepath.Join(library, "*.yaml"))
	if err != nil || len(files) < len(target.Designs()) {
		t.Fatal(files, err)
	}
	for _, path := range files {
		needed("../scenarios/library/"+filepath.Base(path), "each scenario of the library belongs to an experiment")
	}
}
