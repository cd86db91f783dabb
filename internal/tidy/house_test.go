package tidy

import (
	"os"
	"testing"
)

// TestHouse holds the repository itself to the rules. Its messages are file:line, what is wrong, and the remedy.
func TestHouse(t *testing.T) {
	t.Parallel()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	root, err := findRoot(here)
	if err != nil {
		t.Fatal(err)
	}
	m, err := load(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	// A rule that reads nothing finds nothing.
	if len(m.files) < 10 || len(documents(m)) < 5 {
		t.Fatalf("%d Go files and %d documents below %s: that is not the repository", len(m.files), len(documents(m)), root)
	}
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			for _, f := range r.check(m) {
				t.Error(f)
			}
		})
	}
}
