package har_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"holobench/internal/har"
	"holobench/scenarios"
)

var update = flag.Bool("update", false, "rewrite what the recordings in testdata became")

// variable answers each variable of the environment.
func variable(string) (string, bool) { return "set", true }

// convert makes files of a recording.
func convert(t *testing.T, recording []byte, name string) (har.Files, error) {
	t.Helper()
	read, err := har.Read(bytes.NewReader(recording))
	if err != nil {
		return har.Files{}, err
	}
	return har.Deduce(read, har.Names{Recording: name + ".har", Protocol: "./" + name + ".protocol.yaml"})
}

// check holds the files against the strict reader of scenarios.
func check(t *testing.T, files har.Files, name string) error {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, name+".yaml")
	if files.Protocol != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".protocol.yaml"), []byte(files.Protocol), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := scenarios.Parse(path, []byte(files.Scenario), variable)
	return err
}

// TestRecordings holds what each recording in testdata becomes. Those of chromium were made by make verify-har.
func TestRecordings(t *testing.T) {
	t.Parallel()
	all, err := filepath.Glob("testdata/*.har")
	if err != nil || len(all) == 0 {
		t.Fatal(all, err)
	}
	for _, path := range all {
		name := strings.TrimSuffix(filepath.Base(path), ".har")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recording, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files, err := convert(t, recording, name)
			if err != nil {
				t.Fatal(err)
			}
			if err := check(t, files, name); err != nil {
				t.Error(err)
			}
			got := strings.Join(files.Found, "\n") + "\n\n" + files.Scenario
			if files.Protocol != "" {
				got += "\n---\n" + files.Protocol
			}
			golden := strings.TrimSuffix(path, ".har") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s: it became something else (make golden, then look at the diff):\n%s", golden, got)
			}
			if n := strings.Count(got, "# CHECK: "); n != files.Checks {
				t.Errorf("%d comments say CHECK, and %d were counted", n, files.Checks)
			}
		})
	}
}
