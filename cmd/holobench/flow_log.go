package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
)

// flowLogFile is where the flows of a run log to, in its directory.
const flowLogFile = "flow.log"

// flowLog takes what flows log, a line each, without any secret. The file is there from the first line on.
type flowLog struct {
	path    string
	secrets *strings.Replacer

	mu   sync.Mutex
	file *os.File
	err  error // the first
}

// newFlowLog returns a log that hides these values.
func newFlowLog(path string, secrets []string) *flowLog {
	return &flowLog{path: path, secrets: hiding(secrets)}
}

// hiding puts *** in the place of each of these values. The longest goes first: one secret may be the beginning of another.
func hiding(secrets []string) *strings.Replacer {
	longest := slices.SortedFunc(slices.Values(secrets), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	var pairs []string
	for _, secret := range longest {
		if secret != "" {
			pairs = append(pairs, secret, "***")
		}
	}
	return strings.NewReplacer(pairs...)
}

// line writes one line.
func (l *flowLog) line(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil && l.err == nil {
		l.file, l.err = os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	}
	if l.err == nil {
		_, l.err = l.file.WriteString(l.secrets.Replace(text) + "\n")
	}
}

// close says what kept a line from being written.
func (l *flowLog) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		l.err = cmp.Or(l.err, l.file.Close())
	}
	if l.err != nil {
		return fmt.Errorf("log what flows say: %w", l.err)
	}
	return nil
}
