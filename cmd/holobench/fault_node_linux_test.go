package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holobench/history"
)

// TestAPausedNodeDoesNotOutliveItsGenerator: a generator that is killed while a node stands still leaves nobody behind, although a
// process that stands still does not see its standard input close.
func TestAPausedNodeDoesNotOutliveItsGenerator(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := ordeal{design: "single-channel", bus: "nats", nodes: 2, count: 4, rate: 20, length: 30 * time.Second, fault: "{name: x, at: 10ms, for: 20s, pause: {node: 2}}"}
	if err := os.WriteFile(filepath.Join(dir, "s.yaml"), []byte(o.scenario()), 0o600); err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	generator := exec.CommandContext(t.Context(), program, "run", "--quiet", "--dir", filepath.Join(dir, "run"), filepath.Join(dir, "s.yaml"))
	generator.Args[0] = "holobench"
	if err := generator.Start(); err != nil {
		t.Fatal(err)
	}
	var r history.Run
	node := 0
	await(t, "the node stands still", func() bool {
		data, err := os.ReadFile(filepath.Join(dir, "run", "run.json"))
		if err != nil || json.Unmarshal(data, &r) != nil || len(r.Nodes) < 2 || r.Barrier == 0 {
			return false
		}
		node = r.Nodes[1].PID
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", node))
		return err == nil && strings.Contains(string(status), ") T ")
	})
	if err := generator.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	generator.Wait() // it was killed, and says so
	for _, pid := range []int{node, r.Nodes[0].PID, r.Bus.PID} {
		await(t, fmt.Sprintf("the process %d is gone", pid), func() bool {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			return err != nil || strings.Contains(string(status), ") Z ") // whoever inherits it may not have looked yet
		})
	}
}

// await waits until something is so.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for !is() {
		select {
		case <-poll.C:
		case <-limit.C:
			t.Fatalf("not after 30 s: %s", what)
		}
	}
}
