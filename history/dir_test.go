package history

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestCreate(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "runs")
	started := time.Date(2026, 12, 31, 23, 59, 59, 0, time.FixedZone("", 3600))
	for _, c := range []struct{ name, want string }{
		{"demo", "20261231T225959Z-demo"},
		{"demo", "20261231T225959Z-demo-2"},
		{"demo", "20261231T225959Z-demo-3"},
		{"../../etc/passwd \x00 ß 42", "20261231T225959Z-etc-passwd-42"},
		{"…", "20261231T225959Z-run"},
		{strings.Repeat("x", 300), "20261231T225959Z-" + strings.Repeat("x", 60)},
	} {
		dir, err := Create(root, c.name, started)
		if err != nil {
			t.Fatal(err)
		}
		if got := filepath.Base(dir.Path); got != c.want || filepath.Dir(dir.Path) != root {
			t.Errorf("Create(%q) made %s, want %s", c.name, dir.Path, c.want)
		}
		if dir.Unlinked != nil {
			t.Errorf("Create(%q): no link: %v", c.name, dir.Unlinked)
		}
		if got, err := os.Readlink(filepath.Join(root, "latest")); got != c.want || err != nil {
			t.Errorf("latest points at %q (%v), want %q", got, err, c.want)
		}
	}
}

func TestCreateWithoutLinkGoesOn(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "latest", "of the user"), 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := Create(root, "demo", time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if dir.Unlinked == nil {
		t.Error("latest is a directory of the user's, and nobody says so")
	}
	if err := dir.WriteRun(Run{}); err != nil {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(root); len(entries) != 2 {
		t.Errorf("left over: %v", entries)
	}
}

func TestCreateAt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a", "b")
	if _, err := CreateAt(path); err != nil {
		t.Fatal(err)
	}
	_, err := CreateAt(path)
	want := "create run directory " + path + ": it is not empty: it holds segments (name a new directory, or empty this one)"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if err := os.Remove(filepath.Join(path, segmentsDir)); err != nil {
		t.Fatal(err)
	}
	if _, err := CreateAt(path); err != nil {
		t.Errorf("an empty directory: %v", err)
	}
}

func TestRunFileRoundTrip(t *testing.T) {
	t.Parallel()
	dir := testRun(t)
	want := Run{
		Version: RunVersion, Name: "n", ID: 0xc0ffee, Seed: 1<<64 - 1, Started: time.Unix(1, 2).UTC(), Epoch: 3, Finished: true,
		Ending: EndingComplete, Nodes: []Node{{Node: 1, Counters: map[string]uint64{"events": 1<<64 - 1}}}, Groups: []Group{{Name: "members", Count: 7}},
		Windows: []Window{{Name: "steady", From: 1, To: 2}}, Budgets: []Budget{{Metric: "reach", Threshold: "value==1"}},
	}
	for _, name := range []string{"old", "new"} {
		want.Name = name
		if err := dir.WriteRun(want); err != nil {
			t.Fatal(err)
		}
		got, err := ReadRun(dir.Path)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
	entries, err := os.ReadDir(dir.Path)
	if err != nil || len(entries) != 2 {
		t.Errorf("left over: %v, %v", entries, err)
	}
}

func TestReadRunErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, content, want string }{
		{"no run.json", "", "read run DIR: not a run directory: there is no run.json in it (give the directory that the run printed, " +
			"or holobench-runs/latest): open DIR/run.json: no such file or directory"},
		{"half a file", `{"version":1,`, "read run DIR: run.json is damaged: unexpected end of JSON input"},
		{"something else", `{}`, `read run DIR: run.json has layout 0, this holobench reads layout 1 (use the version that made the run: "")`},
		{
			"newer", `{"version":2,"software":{"holobench":"v9"}}`,
			`read run DIR: run.json has layout 2, this holobench reads layout 1 (use the version that made the run: "v9")`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := &Dir{Path: t.TempDir()}
			if c.content != "" {
				if err := dir.WriteFile(runFile, []byte(c.content)); err != nil {
					t.Fatal(err)
				}
			}
			_, err := Open(dir.Path)
			if err == nil || strings.ReplaceAll(err.Error(), dir.Path, "DIR") != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if c.content == "" && !errors.Is(err, fs.ErrNotExist) {
				t.Error("the cause is lost")
			}
		})
	}
}

func TestOpenWithoutSegments(t *testing.T) {
	t.Parallel()
	dir := &Dir{Path: t.TempDir()}
	if err := dir.WriteRun(Run{}); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir.Path); err == nil || !strings.HasPrefix(err.Error(), "open history "+dir.Path+": ") {
		t.Errorf("got %v", err)
	}
}

func TestWriteFileLeavesNothingBehindOnAnError(t *testing.T) {
	t.Parallel()
	dir := &Dir{Path: t.TempDir()}
	if err := os.MkdirAll(dir.File("report.html/full"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := dir.WriteFile("report.html", []byte("x")); err == nil || !strings.HasPrefix(err.Error(), "write "+dir.File("report.html")+": ") {
		t.Errorf("got %v", err)
	}
	if entries, _ := os.ReadDir(dir.Path); len(entries) != 1 {
		t.Errorf("left over: %v", entries)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	var n Names
	if n.Len() != 0 || n.Name(0) != "" || n.Name(7) != "" || n.Number("") != 0 {
		t.Error("an empty Names knows only the empty name")
	}
	a, b := n.Number("a"), n.Number("b")
	if a != 1 || b != 2 || n.Number("a") != 1 || n.Name(2) != "b" || n.Len() != 2 {
		t.Errorf("a = %d, b = %d, len %d", a, b, n.Len())
	}
}
