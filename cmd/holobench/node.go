package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"holobench/run"
	"holobench/target"
)

// childNode is a node of the bundled target in a process of its own: this program, started again as "serve".
type childNode struct {
	*child
	counters *target.Counters
}

// startNodes returns a run.StartNode that keeps the files of node N in dir/nodes/N.
func startNodes(dir string) run.StartNode {
	return func(ctx context.Context, o run.NodeOptions) (run.Node, error) {
		dir := filepath.Join(dir, "nodes", strconv.Itoa(o.Number))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		counters, err := target.OpenCounters(filepath.Join(dir, "counters"), true)
		if err != nil {
			return nil, err
		}
		arguments := append([]string{
			"serve", "--addr", "127.0.0.1:0", "--design", o.Design, "--node", strconv.Itoa(o.Number),
			"--counters", filepath.Join(dir, "counters"), "--journal", filepath.Join(dir, "journal"), "--until-stdin-closes",
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
