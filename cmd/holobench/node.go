package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"holobench/run"
	"holobench/target"
)

// childNode is a node of the bundled target in a process of its own: this program, started again as "serve".
type childNode struct {
	*child

	counters *target.Counters
}

// startNodes returns a run.StartNode that keeps the files of node N in dir/nodes/N. A node that is started again, as its second
// process, has a directory nodes/N.2, and counts on in the file of the first.
func startNodes(dir string) run.StartNode {
	return func(ctx context.Context, o run.NodeOptions) (run.Node, error) {
		first := filepath.Join(dir, "nodes", strconv.Itoa(o.Number))
		dir := first
		if o.Start > 1 {
			dir = fmt.Sprintf("%s.%d", first, o.Start)
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		counters, err := target.OpenCounters(filepath.Join(first, "counters"), o.Start <= 1)
		if err != nil {
			return nil, err
		}
		arguments := append([]string{
			"serve", "--addr", cmp.Or(o.Addr, "127.0.0.1:0"), "--design", o.Design, "--node", strconv.Itoa(o.Number),
			"--counters", filepath.Join(first, "counters"), "--journal", filepath.Join(dir, "journal"), "--until-stdin-closes",
		}, slices.Concat(knobArguments(o), clusterArguments(o), transportArguments(o))...)
		c, err := startChild(ctx, dir, arguments...)
		if err != nil {
			return nil, err
		}
		return &childNode{child: c, counters: counters}, nil
	}
}

// Counters implements run.Node.
func (n *childNode) Counters() (map[string]uint64, error) { return n.counters.Snapshot(), nil }

// Journal implements run.Node.
func (n *childNode) Journal() (io.ReadCloser, error) { return os.Open(n.file("journal")) }

// Pause implements run.Breakable. Should the generator die meanwhile, the system wakes the process and ends it, as the member of a
// process group that nobody looks after any more.
func (n *childNode) Pause() error { return n.command.Process.Signal(syscall.SIGSTOP) }

// Resume implements run.Breakable.
func (n *childNode) Resume() error { return n.command.Process.Signal(syscall.SIGCONT) }

// Kill implements run.Breakable.
func (n *childNode) Kill() error { return n.command.Process.Kill() }

// Put implements run.Breakable. The pipe holds more than all faults that a run can have, so that a node which stands still holds
// nobody up.
func (n *childNode) Put(f target.BusFault) error { //nolint:gocritic // as the interface has it
	line, err := json.Marshal(f)
	if err != nil {
		return err
	}
	_, err = n.stdin.Write(append(line, '\n'))
	return err
}
