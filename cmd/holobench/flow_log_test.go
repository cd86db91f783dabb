package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestFlowLogHidesSecrets holds that no secret reaches the log, also one that is the beginning of another, and that there is no
// file when nobody logs.
func TestFlowLogHidesSecrets(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), flowLogFile)
	l := newFlowLog(path, []string{"hunter2", "", "hunter2-and-more"})
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a file without a line: %v", err)
	}
	l.line("token hunter2-and-more, password hunter2.")
	l.line("plain")
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "token ***, password ***.\nplain\n" {
		t.Errorf("%q, %v", got, err)
	}
	again := newFlowLog(path, nil)
	again.line("it would be written over")
	if err := again.close(); err == nil {
		t.Error("a log was written over")
	}
}
