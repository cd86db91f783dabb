package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"holobench/history"
)

// TestMain makes this test binary the holobench that the scripts type, and that holobench itself starts again as a node.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "holobench" {
		main()
	}
	if filepath.Base(os.Args[0]) == interruptedRole {
		waitForInterrupt()
	}
	testscript.Main(m, map[string]func(){"holobench": main})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("GORACE", "atexit_sleep_ms=0") // else each process of a build with -race takes a second to end
			e.Setenv("REPOSITORY", repository)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":          exits,
			"start":          start,
			"await-commands": awaitCommands,
			"signal-group":   signalGroup,
			"kill-node":      killNode,
			"pause-node":     pauseNode,
			"kill-run":       killRun,
			"finish":         finish,
			"no-nodes":       noNodes,
			"await-line":     awaitLine,
			"noise":          noise,
			"no-peer":        noPeer,
			"last-line":      lastLine,
			"absent":         absent,
			"serving":        serving,
			"serving-tls":    servingTLS,
			"yaml-blocks":    yamlBlocks,
			"check-and-plan": checkAndPlan,
		},
	})
}

const patience = 60 * time.Second

// until asks again and again, for as long as patience lasts.
func until(ts *testscript.TestScript, what string, ask func() bool) {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ask() {
		select {
		case <-tick.C:
		case <-deadline.C:
			ts.Fatalf("waited %v in vain for %s", patience, what)
		}
	}
}

// exits CODE ARGS... runs holobench and expects that exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec("holobench", args[1:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// background is a holobench in a process group of its own, as a shell starts it.
type background struct {
	command *exec.Cmd
	done    chan struct{}
}

// start ARGS... starts holobench in the background; its output goes to the files run.out and run.err.
func start(ts *testscript.TestScript, _ bool, args []string) {
	program, err := os.Executable()
	ts.Check(err)
	stdout, err := os.Create(ts.MkAbs("run.out"))
	ts.Check(err)
	stderr, err := os.Create(ts.MkAbs("run.err"))
	ts.Check(err)
	c := exec.Command(program, args...)
	c.Args[0], c.Dir, c.Stdout, c.Stderr = "holobench", ts.Getenv("WORK"), stdout, stderr
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	ts.Check(c.Start())
	b := &background{command: c, done: make(chan struct{})}
	go func() {
		defer close(b.done)
		c.Wait()
	}()
	ts.Defer(func() {
		syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // it may be gone, as it should
		<-b.done
	})
	ts.Setenv("PID", strconv.Itoa(c.Process.Pid))
	running.put(c.Process.Pid, b)
}

// await-commands DIR N waits until the target of the run in DIR has accepted N commands.
func awaitCommands(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.ParseFloat(args[1], 64)
	ts.Check(err)
	until(ts, args[1]+" commands", func() bool {
		samples, err := history.ReadSamples(ts.MkAbs(args[0]))
		if err != nil {
			return false
		}
		for _, s := range samples {
			if s.Name == "commands_accepted" && s.Value >= want {
				return true
			}
		}
		return false
	})
}

// signal-group does what Ctrl-C in a terminal does: it interrupts the whole process group.
func signalGroup(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(syscall.Kill(-pid(ts), syscall.SIGINT))
}

// kill-run kills the generator with kill -9.
func killRun(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(syscall.Kill(pid(ts), syscall.SIGKILL))
}

// kill-node DIR kills the nodes of the run in DIR by the pids that stand in its run.json.
func killNode(ts *testscript.TestScript, _ bool, args []string) {
	for _, pid := range nodePIDs(ts, args[0]) {
		ts.Check(syscall.Kill(pid, syscall.SIGKILL))
	}
}

// pause-node DIR stops the nodes of the run in DIR; with ! they go on.
func pauseNode(ts *testscript.TestScript, neg bool, args []string) {
	signal := syscall.SIGSTOP
	if neg {
		signal = syscall.SIGCONT
	}
	for _, pid := range nodePIDs(ts, args[0]) {
		ts.Check(syscall.Kill(pid, signal))
	}
}

// finish CODE waits for the background holobench and expects that exit code; -1 stands for an end by a signal.
func finish(ts *testscript.TestScript, _ bool, args []string) {
	b := running.get(pid(ts))
	until(ts, "the end of holobench", func() bool {
		select {
		case <-b.done:
			return true
		default:
			return false
		}
	})
	if got := strconv.Itoa(b.command.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("exit code %s, want %s; it said:\n%s%s", got, args[0], ts.ReadFile("run.out"), ts.ReadFile("run.err"))
	}
}

// no-nodes DIR waits until no node of the run in DIR is left.
func noNodes(ts *testscript.TestScript, _ bool, args []string) {
	for _, pid := range nodePIDs(ts, args[0]) {
		until(ts, fmt.Sprintf("the end of node process %d", pid), func() bool {
			data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			if err != nil {
				return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
			}
			_, rest, _ := strings.Cut(string(data), ") ")
			return strings.HasPrefix(rest, "Z") // dead, and waiting for whoever adopted it
		})
	}
}

// await-line FILE TEXT waits until TEXT stands in FILE.
func awaitLine(ts *testscript.TestScript, _ bool, args []string) {
	until(ts, fmt.Sprintf("%q in %s", args[1], args[0]), func() bool { return strings.Contains(ts.ReadFile(args[0]), args[1]) })
}

// noise DIR STAMPS expects the outcome of a self-test in the run.json of the run in DIR, made with those stamps.
func noise(ts *testscript.TestScript, _ bool, args []string) {
	r := readRun(ts, args[0])
	n := r.Noise
	if n == nil || n.Pairs == 0 || n.Wrong+n.Tied > n.Pairs {
		ts.Fatalf("the noise of the run is %+v, its warnings are %q", n, r.Warnings)
	}
	if r.Machine.Stamps != args[1] {
		ts.Fatalf("the stamps are %q", r.Machine.Stamps)
	}
	if r.Machine.Stamps == "user" && (n.Tied < n.Pairs/4 || n.WrongByKernel != 0) { // on a busy machine stamps of the process may be further off than 5 ms
		ts.Fatalf("messages that are at most 2 ms apart, by user stamps: %+v", n)
	}
}

// no-peer DIR waits until no peer of the self-test of the run in DIR is left. What a process was started with stands in
// /proc; where there is none, nothing is checked.
func noPeer(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	until(ts, "the end of the peer of the self-test", func() bool {
		found, err := filepath.Glob("/proc/[0-9]*/cmdline")
		ts.Check(err)
		for _, name := range found {
			data, _ := os.ReadFile(name) // it may have ended by now
			if line := string(data); strings.Contains(line, "noise-peer") && strings.Contains(line, dir) {
				return false
			}
		}
		return true
	})
}

// last-line FILE TEXT expects the last line of FILE to be TEXT.
func lastLine(ts *testscript.TestScript, _ bool, args []string) {
	lines := strings.Split(strings.TrimSuffix(ts.ReadFile(args[0]), "\n"), "\n")
	if got := lines[len(lines)-1]; got != args[1] {
		ts.Fatalf("the last line of %s is %q, want %q", args[0], got, args[1])
	}
}

// absent TEXT DIR... expects TEXT in no file under the directories, and in no file name.
func absent(ts *testscript.TestScript, _ bool, args []string) {
	files := 0
	for _, dir := range args[1:] {
		ts.Check(filepath.WalkDir(ts.MkAbs(dir), func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files++
			if strings.Contains(string(data), args[0]) || strings.Contains(path, args[0]) {
				ts.Fatalf("%q stands in %s", args[0], path)
			}
			return nil
		}))
	}
	if files < 3 {
		ts.Fatalf("only %d files were looked at", files)
	}
	for _, dir := range args[1:] { // the segments are compressed: what is text in them is read back
		h, err := history.Open(ts.MkAbs(dir))
		ts.Check(err)
		ts.Check(h.Scan(func([]history.Observation) error { return nil }))
		if h.Names.Len() == 0 {
			ts.Fatalf("the history in %s has no names at all", dir)
		}
		for number := range h.Names.Len() + 1 {
			if name := h.Names.Name(uint32(number)); strings.Contains(name, args[0]) {
				ts.Fatalf("%q stands in the history, in %q", args[0], name)
			}
		}
	}
}

// serving FILE waits for a ready file and puts its address into $ADDR.
func serving(ts *testscript.TestScript, _ bool, args []string) {
	until(ts, args[0], func() bool {
		_, err := os.Stat(ts.MkAbs(args[0]))
		return err == nil
	})
	ts.Setenv("ADDR", strings.TrimSpace(ts.ReadFile(args[0])))
}

func pid(ts *testscript.TestScript) int {
	pid, err := strconv.Atoi(ts.Getenv("PID"))
	ts.Check(err)
	return pid
}

func nodePIDs(ts *testscript.TestScript, dir string) (pids []int) {
	run := readRun(ts, dir)
	if len(run.Nodes) == 0 {
		ts.Fatalf("%s/run.json names no node", dir)
	}
	for _, node := range run.Nodes {
		pids = append(pids, node.PID)
	}
	return pids
}

func readRun(ts *testscript.TestScript, dir string) (run history.Run) {
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(filepath.Join(dir, "run.json"))), &run))
	return run
}

// running finds background processes again; scripts run at the same time.
var running table

type table struct {
	mu   sync.Mutex
	byID map[int]*background
}

func (t *table) put(pid int, b *background) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID == nil {
		t.byID = make(map[int]*background)
	}
	t.byID[pid] = b
}

func (t *table) get(pid int) *background {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[pid]
}
