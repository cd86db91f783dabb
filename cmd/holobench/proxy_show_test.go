package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"
)

// proxied is a holobench proxy in a process of its own, before a holobench serve.
type proxied struct {
	t      *testing.T
	target string // host:port, past the proxy
	addr   string // host:port
	app    *toxiproxy.Proxy
	sent   int
}

// startProxied starts both.
func startProxied(t *testing.T, design string, args ...string) *proxied {
	t.Helper()
	p := &proxied{t: t, target: startServe(t, "127.0.0.1:0", "--design", design).addr}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ready, apiReady := filepath.Join(dir, "ready"), filepath.Join(dir, "api-ready")
	c := exec.Command(program, append([]string{
		"proxy", "--upstream", "http://" + p.target, "--ready-file", ready, "--api", "127.0.0.1:0", "--api-ready-file", apiReady,
	}, args...)...)
	c.Args[0] = "holobench"
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	s := &served{command: c}
	t.Cleanup(func() { s.stop(t, syscall.SIGINT) })
	var text []byte
	soon(t, "the proxy to listen", func() bool {
		text, err = os.ReadFile(apiReady)
		return err == nil
	})
	api := toxiproxy.NewClient(strings.TrimSpace(string(text)))
	if text, err = os.ReadFile(ready); err != nil {
		t.Fatal(err)
	}
	p.addr = strings.TrimSpace(string(text))
	if p.app, err = api.Proxy("app"); err != nil {
		t.Fatal(err)
	}
	return p
}

// soon asks again and again.
func soon(t *testing.T, what string, ask func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ask() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited %v in vain for %s", patience, what)
		}
	}
}

// toxic sets one; the result clears it.
func (p *proxied) toxic(kind string, attributes toxiproxy.Attributes) (clear func()) {
	p.t.Helper()
	if _, err := p.app.AddToxic(kind, kind, "downstream", 1, attributes); err != nil {
		p.t.Fatal(err)
	}
	return func() {
		p.t.Helper()
		if err := p.app.RemoveToxic(kind); err != nil {
			p.t.Fatal(err)
		}
	}
}

// say posts a command past the proxy, and returns the text of its event.
func (p *proxied) say() string {
	p.t.Helper()
	p.sent++
	text := fmt.Sprintf("message %d", p.sent)
	body := fmt.Sprintf(`{"instance":"speaker","channel":"lobby","name":"message","payload":%q}`, text)
	r, err := http.Post("http://"+p.target+"/command", "application/json", strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Body.Close()
	return text
}

// viewer is an EventSource on the channel lobby, behind the proxy.
type viewer interface {
	// subscribe makes a new one, and forgets the old one.
	subscribe()
	// state is that of an EventSource: 0 connecting, 1 open, 2 closed.
	state() int
	// seen is the data of all events of this EventSource, and when each was seen, in ms of some clock.
	seen() (data []string, at []float64)
}

// showProxy is what the proxy must show: a delay, a cut in mid-event, a buffered stream, a 503 on subscribe, each set and cleared while
// the stream is open.
func showProxy(t *testing.T, p *proxied, v viewer) {
	t.Helper()
	become := func(what string, state int) {
		t.Helper()
		soon(t, what, func() bool { return v.state() == state })
	}
	// sees waits until that many events are there, of which the last is that one, and returns when each came.
	sees := func(events int, last string) []float64 {
		t.Helper()
		soon(t, fmt.Sprintf("%d events", events), func() bool { data, _ := v.seen(); return len(data) >= events })
		data, at := v.seen()
		if len(data) != events || !strings.Contains(data[events-1], last) {
			t.Fatalf("saw %q; want %d, of which the last is %q", data, events, last)
		}
		return at
	}
	v.subscribe()
	become("the stream to open", 1)
	sees(1, p.say())

	clear := p.toxic("latency", toxiproxy.Attributes{"latency": 400})
	began := time.Now()
	sees(2, p.say())
	late := time.Since(began)
	clear()
	began = time.Now()
	sees(3, p.say())
	prompt := time.Since(began)
	t.Logf("with a latency of 400 ms an event was seen after %v, without after %v", late.Round(time.Millisecond), prompt.Round(time.Millisecond))
	if late < 400*time.Millisecond || prompt > 400*time.Millisecond {
		t.Errorf("an event came after %v and, when the latency was cleared, after %v", late, prompt)
	}

	clear = p.toxic("limit_data", toxiproxy.Attributes{"bytes": 30}) // in the middle of the event
	cut := p.say()
	become("the stream to break", 0)
	if data, _ := v.seen(); len(data) != 3 {
		t.Errorf("saw %q after a cut in the middle of the fourth event", data)
	}
	clear()
	become("the stream to come back", 1)
	sees(4, cut) // once: the target sends it again to whoever says what it saw last

	clear = p.toxic("buffer", toxiproxy.Attributes{"for": 600})
	began = time.Now()
	p.say()
	p.say()
	at := sees(7, p.say())[4:]
	held := time.Since(began)
	clear()
	t.Logf("a buffer of 600 ms let three events go after %v, within %.1f ms", held.Round(time.Millisecond), at[2]-at[0])
	if held < 600*time.Millisecond || at[2]-at[0] > 200 {
		t.Errorf("three events came after %v at %v ms, out of a buffer of 600 ms", held, at)
	}

	clear = p.toxic("http_abort", toxiproxy.Attributes{"status": 503})
	p.say()
	soon(t, "the eighth event: an open stream is no request", func() bool { data, _ := v.seen(); return len(data) == 8 })
	v.subscribe()
	become("the subscription to fail", 2)
	clear()
	v.subscribe()
	become("the stream to open again", 1)
	sees(1, p.say())
	if toxics, err := p.app.Toxics(); err != nil || len(toxics) > 0 {
		t.Errorf("the toxics that are left: %v, %v", toxics, err)
	}
}
