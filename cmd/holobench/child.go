package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// child is this program, started again in a process of its own. It has a process group of its own, so that Ctrl-C in a
// terminal reaches the generator only, and ends when its standard input does: whatever becomes of the generator, no child
// outlives it.
type child struct {
	command *exec.Cmd
	stdin   io.WriteCloser
	addr    string
	dir     string // of its ready file and its log
	done    chan struct{}
	exit    string // how it ended; valid after done
}

// startChild starts a subcommand that takes --ready-file and listens, and returns when it has written its address there.
// The directory of its files is made.
func startChild(ctx context.Context, dir string, args ...string) (*child, error) {
	c := &child{dir: dir, done: make(chan struct{})}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	log, err := os.Create(c.file("log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	c.command = exec.Command(program, append(args, "--ready-file", c.file("ready"))...) //nolint:gosec,noctx // it is this program, and it ends by its stdin
	c.command.Args[0] = "holobench"
	c.command.Stdout, c.command.Stderr = log, log
	c.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if c.stdin, err = c.command.StdinPipe(); err != nil {
		return nil, err
	}
	if err := c.command.Start(); err != nil {
		return nil, err
	}
	go c.wait()
	if err := c.awaitReady(ctx); err != nil {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		return nil, errors.Join(err, c.Stop(stopping))
	}
	return c, nil
}

// wait collects the process.
func (c *child) wait() {
	err := c.command.Wait()
	c.exit = exitedWell
	if err != nil {
		c.exit = err.Error()
	}
	close(c.done)
}

// exitedWell is the exit of a child that had nothing to complain about.
const exitedWell = "exit status 0"

// awaitReady waits until the child has written its address.
func (c *child) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		if data, err := os.ReadFile(c.file("ready")); err == nil {
			c.addr = strings.TrimSpace(string(data))
			return nil
		}
		select {
		case <-poll.C:
		case <-c.done:
			return fmt.Errorf("it ended before it was ready: %s", c.ended())
		case <-ctx.Done():
			return fmt.Errorf("it is not ready: %w (see %s)", context.Cause(ctx), c.file("log"))
		}
	}
}

// ended says how the child ended, and what it said then.
func (c *child) ended() string {
	said, _ := os.ReadFile(c.file("log")) // it only makes the message better
	return strings.TrimSpace(fmt.Sprintf("%s: %s", c.exit, strings.TrimSpace(string(said))))
}

func (c *child) file(name string) string { return filepath.Join(c.dir, name) }

// Addr is where the child listens.
func (c *child) Addr() string { return c.addr }

// PID is the number of its process.
func (c *child) PID() int { return c.command.Process.Pid }

// Done is closed when it has ended.
func (c *child) Done() <-chan struct{} { return c.done }

// Exit is how it ended, in words.
func (c *child) Exit() string { return c.exit }

// Stop closes its stdin, which asks for a graceful end, and waits; when ctx ends first, the process is killed.
func (c *child) Stop(ctx context.Context) error {
	c.stdin.Close() //nolint:errcheck // a pipe that is gone already has done its work
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		err := c.command.Process.Kill()
		<-c.done
		return errors.Join(fmt.Errorf("it did not end when asked to and was killed: %w", context.Cause(ctx)), err)
	}
}

// untilStdinCloses is the other side: the context of a child, which ends with its standard input, or by SIGTERM. Ctrl-C is
// for the generator, which decides itself how long it needs its children. Each line of the input is handed to heed; nil = nobody heeds
// them.
func untilStdinCloses(ctx context.Context, stdin io.Reader, heed func(line []byte)) (whole context.Context, end func()) {
	whole, end = signal.NotifyContext(context.WithoutCancel(ctx), syscall.SIGTERM)
	go func() {
		if heed != nil {
			lines := bufio.NewScanner(stdin)
			lines.Buffer(nil, maxOrder)
			for lines.Scan() {
				heed(lines.Bytes())
			}
		}
		io.Copy(io.Discard, stdin) //nolint:errcheck // any end of it is the end
		end()
	}()
	return whole, end
}

// maxOrder bounds one line that a child is told.
const maxOrder = 1 << 20
