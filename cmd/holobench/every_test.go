package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"holobench/report"
	"holobench/scenarios"
)

// yaml-blocks PATH... writes each scenario that a document shows into a file of its own, in the directory blocks.
func yamlBlocks(ts *testscript.TestScript, _ bool, args []string) {
	found := 0
	for _, document := range filesBelow(ts, args, ".md") {
		for i, block := range strings.Split(ts.ReadFile(document), "```yaml\n")[1:] {
			body, _, closed := strings.Cut(block, "\n```")
			if !closed {
				ts.Fatalf("%s: block %d is not closed", document, i+1)
			}
			if !strings.HasPrefix(body, "load:") && !strings.Contains(body, "\nload:") {
				continue // of another kind, such as a protocol file
			}
			found++
			name := strings.TrimSuffix(filepath.Base(document), ".md") + "-" + strconv.Itoa(i+1) + ".yaml"
			ts.Check(os.WriteFile(ts.MkAbs(filepath.Join("blocks", name)), []byte(body+"\n"), 0o644))
		}
	}
	if found < 5 {
		ts.Fatalf("%d scenarios found", found)
	}
}

var variables = regexp.MustCompile(`\$\{env\.([A-Za-z_][A-Za-z0-9_]*)`)

// check-and-plan PATH... checks and plans every scenario below the paths. Variables of the environment have some value.
func checkAndPlan(ts *testscript.TestScript, _ bool, args []string) {
	files := filesBelow(ts, args, ".yaml")
	if len(files) == 0 {
		ts.Fatalf("no scenario below %q", args)
	}
	for _, file := range files {
		if strings.Contains(file, "protocols") {
			continue
		}
		var env []string
		for _, found := range variables.FindAllStringSubmatch(ts.ReadFile(file), -1) {
			value := "some-value"
			if strings.Contains(found[1], "URL") {
				value = "http://127.0.0.1:9"
			}
			env = append(env, "-e", found[1]+"="+value)
		}
		for _, command := range []string{"check", "plan"} {
			ts.Check(ts.Exec("holobench", append([]string{command, file}, env...)...))
		}
	}
}

// filesBelow lists the files of a kind at or below the paths.
func filesBelow(ts *testscript.TestScript, paths []string, extension string) (files []string) {
	for _, path := range paths {
		ts.Check(filepath.WalkDir(ts.MkAbs(path), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && filepath.Ext(path) == extension {
				files = append(files, path)
			}
			return err
		}))
	}
	return files
}

// Every starter runs as a newcomer runs it first, at a fifth of its size: nothing that it expects stays out. On a machine that has other
// work its figures of time may be unknown.
func TestStartersRun(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scenarios.Starters() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := writeStarter(filepath.Join(dir, "s.yaml"), &s); err != nil {
				t.Fatal(err)
			}
			c := exec.CommandContext(t.Context(), program, "run", "s.yaml", "--profile", "smoke", "--scale", "20%", "--quiet", "--dir", "run")
			c.Args[0], c.Dir = "holobench", dir
			out, err := c.CombinedOutput()
			exit, failed := errors.AsType[*exec.ExitError](err)
			if err != nil && (!failed || exit.ExitCode() != report.ExitUnknown) {
				t.Fatalf("%v\n%s", err, out)
			}
			metrics := metricsOf(t, filepath.Join(dir, "run", "summary.json"))
			if unmet := metrics["expectations"]["rate"]; unmet != 0 {
				t.Errorf("%v of its expectations were not met:\n%s", unmet, out)
			}
			if s.Name == "collaborative-editor" && metrics["expectation_wait"]["count"] == 0 {
				t.Errorf("nothing was expected:\n%s", out)
			}
		})
	}
}

// metricsOf reads the values of all metrics from a summary.
func metricsOf(t *testing.T, path string) map[string]map[string]float64 {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var summary struct {
		Results struct {
			Metrics []struct {
				Name   string
				Values map[string]float64
			}
		}
	}
	if err := json.Unmarshal(text, &summary); err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]float64{}
	for _, m := range summary.Results.Metrics {
		all[m.Name] = m.Values
	}
	if len(all) < 5 {
		t.Fatalf("%d metrics in %s", len(all), path)
	}
	return all
}

// Every file in the directory of starters is listed, with a summary, and has the profiles that all of them have.
func TestStartersAreListed(t *testing.T) {
	t.Parallel()
	var listed []string
	for _, s := range scenarios.Starters() {
		listed = append(listed, s.Name)
		if len(s.Summary) < 20 || len(s.Summary) > 110 {
			t.Errorf("%s: its summary is %q", s.Name, s.Summary)
		}
		f, err := scenarios.Parse(s.Name+".yaml", []byte(s.Text), nil)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, profile := range []string{"smoke", "pr", "nightly"} {
			if !slices.Contains(f.Profiles, profile) {
				t.Errorf("%s has no profile %s", s.Name, profile)
			}
		}
	}
	files, err := filepath.Glob("../../scenarios/starters/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".yaml"); !slices.Contains(listed, name) {
			t.Errorf("the starter %s is not listed", name)
		}
	}
}
