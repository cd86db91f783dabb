package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"holobench/run"
	"holobench/target"
)

// childNode is a node of the bundled target in a process of its own: this program, started again as "serve". It has a
// process group of its own, so that Ctrl-C in a terminal reaches the generator only, and ends when its standard input
// does: whatever becomes of the generator, no node outlives it.
type childNode struct {
	command  *exec.Cmd
	stdin    io.Closer
	addr     string
	dir      string
	counters *target.Counters
	done     chan struct{}
	exit     string // valid after done
}

// startNodes returns a run.StartNode that keeps the files of node N in dir/nodes/N.
func startNodes(dir string) run.StartNode {
	return func(ctx context.Context, o run.NodeOptions) (run.Node, error) {
		n := &childNode{dir: filepath.Join(dir, "nodes", strconv.Itoa(o.Number)), done: make(chan struct{})}
		if err := n.start(ctx, o); err != nil {
			return nil, err
		}
		return n, nil
	}
}

func (n *childNode) start(ctx context.Context, o run.NodeOptions) error {
	if err := os.MkdirAll(n.dir, 0o755); err != nil {
		return err
	}
	counters, err := target.OpenCounters(n.file("counters"), true)
	if err != nil {
		return err
	}
	n.counters = counters
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	log, err := os.Create(n.file("log"))
	if err != nil {
		return err
	}
	defer log.Close()
	n.command = exec.Command(program, "serve", "--addr", "127.0.0.1:0", "--design", o.Design, "--node", strconv.Itoa(o.Number), //nolint:gosec,noctx // it is this program, and it ends by its stdin
		"--ready-file", n.file("ready"), "--counters", n.file("counters"), "--journal", n.file("journal"), "--until-stdin-closes")
	n.command.Args[0] = "holobench"
	n.command.Stdout, n.command.Stderr = log, log
	n.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if n.stdin, err = n.command.StdinPipe(); err != nil {
		return err
	}
	if err := n.command.Start(); err != nil {
		return err
	}
	go n.wait()
	if err := n.awaitReady(ctx); err != nil {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		return errors.Join(err, n.Stop(stopping))
	}
	return nil
}

// wait collects the process.
func (n *childNode) wait() {
	err := n.command.Wait()
	n.exit = "exit status 0"
	if err != nil {
		n.exit = err.Error()
	}
	close(n.done)
}

// awaitReady waits until the node has written its address.
func (n *childNode) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		if data, err := os.ReadFile(n.file("ready")); err == nil {
			n.addr = strings.TrimSpace(string(data))
			return nil
		}
		select {
		case <-poll.C:
		case <-n.done:
			said, _ := os.ReadFile(n.file("log")) // it only makes the error better
			return fmt.Errorf("it ended before it was ready: %s: %s", n.exit, strings.TrimSpace(string(said)))
		case <-ctx.Done():
			return fmt.Errorf("it is not ready: %w (see %s)", ctx.Err(), n.file("log"))
		}
	}
}

func (n *childNode) file(name string) string { return filepath.Join(n.dir, name) }

// Addr implements run.Node.
func (n *childNode) Addr() string { return n.addr }

// PID implements run.Node.
func (n *childNode) PID() int { return n.command.Process.Pid }

// Done implements run.Node.
func (n *childNode) Done() <-chan struct{} { return n.done }

// Exit implements run.Node.
func (n *childNode) Exit() string { return n.exit }

// Counters implements run.Node.
func (n *childNode) Counters() (map[string]uint64, error) { return n.counters.Snapshot(), nil }

// Journal implements run.Node.
func (n *childNode) Journal() (io.ReadCloser, error) { return os.Open(n.file("journal")) }

// Stop implements run.Node: a closed stdin asks for a graceful end; when ctx ends first, the process is killed.
func (n *childNode) Stop(ctx context.Context) error {
	n.stdin.Close() //nolint:errcheck // a pipe that is gone already has done its work
	select {
	case <-n.done:
		return nil
	case <-ctx.Done():
		err := n.command.Process.Kill()
		<-n.done
		return errors.Join(fmt.Errorf("it did not end when asked to and was killed: %w", context.Cause(ctx)), err)
	}
}
