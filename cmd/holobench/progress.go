package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"holobench/report"
	"holobench/run"
)

// progress shows how a run comes on: on a terminal one line that changes each second, elsewhere a line every 5 s.
type progress struct {
	out      io.Writer
	live     *report.Live
	quiet    bool
	server   string // of the user's own; "" = the bundled target
	terminal bool
	shown    time.Time
	stage    string
	width    int // of the line that stands on the terminal
}

func newProgress(out io.Writer, live *report.Live, quiet bool, p *run.Plan) *progress {
	made := &progress{out: out, live: live, quiet: quiet, terminal: isTerminal(out)}
	if p.Server != nil {
		made.server = p.Server.URL.Host
	}
	return made
}

func (p *progress) show(now run.Progress) {
	if p.quiet {
		return
	}
	if now.Stage == p.stage && !p.terminal && time.Since(p.shown) < 4900*time.Millisecond {
		return
	}
	p.stage, p.shown = now.Stage, time.Now()
	p.print(p.line(now))
}

func (p *progress) line(now run.Progress) string {
	switch now.Stage {
	case "probe":
		return "self-test    in which order does this machine see what arrives?"
	case "start":
		if p.server != "" {
			return "reaching the server at " + p.server
		}
		return "starting the target"
	case "join":
		return fmt.Sprintf("joining      %d of %d clients are subscribed", now.Subscribed, now.Clients)
	case "load":
		return fmt.Sprintf("running      %s of %s  %s", seconds(now.Elapsed), seconds(now.Total), p.live.Line(now.Elapsed))
	case "drain":
		return fmt.Sprintf("draining     %s of at most %s, %d deliveries are missing", seconds(now.Elapsed), seconds(now.Total), max(0, now.Missing))
	default:
		if p.server != "" {
			return "ending       streams"
		}
		return "ending       streams and target"
	}
}

func (p *progress) print(line string) {
	if !p.terminal {
		fmt.Fprintln(p.out, line)
		return
	}
	pad := strings.Repeat(" ", max(0, p.width-len(line)))
	p.width = len(line)
	fmt.Fprintf(p.out, "\r%s%s", line, pad)
}

// end leaves the last line where it stands.
func (p *progress) end() {
	if p.terminal && p.width > 0 {
		fmt.Fprintf(p.out, "\r%s\r", strings.Repeat(" ", p.width))
	}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.0fs", d.Seconds()) }

func goVersion() string { return runtime.Version() }
