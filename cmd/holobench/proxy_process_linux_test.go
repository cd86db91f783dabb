package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"
)

// benchProxy is a proxy in a process of its own.
type benchProxy struct {
	command *exec.Cmd
	addr    string // of the API
	api     *toxiproxy.Client
	before  benchMemory // the first connection
}

// benchMemory is what a process has, in KB.
type benchMemory struct {
	resident float64 // of its own
	inUse    float64 // heap and stacks, as the runtime says
}

// selfCPU is how many seconds of CPU this process has used.
func selfCPU(t *testing.T) float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

// proxyCPU is how many seconds of CPU the proxy has used.
func (w *benchWay) proxyCPU(t *testing.T) (seconds float64) {
	if w.proxy == nil {
		return 0
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.proxy.command.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	for _, ticks := range fields[11:13] { // utime, stime: of 100 a second
		n, err := strconv.Atoi(ticks)
		if err != nil {
			t.Fatal(err)
		}
		seconds += float64(n) / 100
	}
	return seconds
}

// memoryKB asks the kernel, and the runtime of the proxy.
func (p *benchProxy) memoryKB(t *testing.T) (m benchMemory) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	m.resident = benchFigure(t, string(text), "RssAnon:")
	r, err := http.Get("http://" + p.addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if text, err = io.ReadAll(r.Body); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"\ngo_memstats_heap_inuse_bytes ", "\ngo_memstats_stack_inuse_bytes "} {
		m.inUse += benchFigure(t, string(text), name) / 1024
	}
	return m
}

// benchFigure is the number behind a name in a text.
func benchFigure(t *testing.T, text, name string) float64 {
	_, rest, _ := strings.Cut(text, name)
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		t.Fatalf("there is no %q", name)
	}
	figure, err := strconv.ParseFloat(fields[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	return figure
}

// benchHolobench starts holobench proxy.
func benchHolobench(t *testing.T) *benchProxy {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ready := filepath.Join(t.TempDir(), "api")
	p := benchStart(t, program, "proxy", "--api", "127.0.0.1:0", "--api-ready-file", ready)
	soon(t, "the proxy to listen", func() bool {
		text, err := os.ReadFile(ready)
		p.addr = strings.TrimSpace(string(text))
		return err == nil
	})
	p.api = toxiproxy.NewClient(p.addr)
	p.before = p.memoryKB(t)
	return p
}

// benchToxiproxy starts Toxiproxy. It takes no port 0 for its API, so that a free port is looked for.
func benchToxiproxy(t *testing.T) *benchProxy {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	free.Close()
	p := benchStart(t, *toxiproxyServer, "-host", "127.0.0.1", "-port", port, "-runtime-metrics")
	p.addr, p.api = addr, toxiproxy.NewClient(addr)
	soon(t, "Toxiproxy to listen", func() bool { _, err := p.api.Version(); return err == nil })
	p.before = p.memoryKB(t)
	return p
}

func benchStart(t *testing.T, program string, args ...string) *benchProxy {
	t.Helper()
	c := exec.Command(program, args...)
	if args[0] == "proxy" {
		c.Args[0] = "holobench"
	}
	c.Env = append(os.Environ(), "LOG_LEVEL=error")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	p := &benchProxy{command: c}
	t.Cleanup(p.stop)
	return p
}

func (p *benchProxy) stop() {
	p.command.Process.Kill()
	p.command.Wait()
}
