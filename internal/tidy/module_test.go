package tidy

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func TestLoadSkipsWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	m := parse(t, map[string]string{
		".git/x.md": "/wo" + "rk/", "bin/x.go": "no Go", "holobench-runs/a/x.md": "[a](b)", "wire/picture.png": "a\x00/wo" + "rk/",
	})
	for _, r := range rules() {
		for _, f := range r.check(m) {
			t.Errorf("%s: %s", r.name, f)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	t.Parallel()
	for want, files := range map[string]fstest.MapFS{
		"go.mod names no module":       {"a.go": {Data: []byte("package a\n")}},
		"a.go:1:1: expected 'package'": {"go.mod": {Data: []byte("module m\n")}, "a.go": {Data: []byte("no Go")}},
	} {
		if _, err := load(files); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error that says %s", err, want)
		}
	}
	if _, err := findRoot(string(filepath.Separator)); err == nil || !strings.Contains(err.Error(), "no go.mod in ") {
		t.Errorf("got %v, want an error that says no go.mod", err)
	}
}

func TestFindingNamesPlaceAndRemedy(t *testing.T) {
	t.Parallel()
	got := finding{"a/b.go", 7, "is wrong", "mend it"}.String()
	if want := "a/b.go:7: is wrong\n\tremedy: mend it"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
