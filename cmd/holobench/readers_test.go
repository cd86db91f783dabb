package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"holobench/wire"
)

// TestVerifyReaders is make verify-readers: the target's own streams as four foreign readers see them, Chromium and three
// libraries of the npm registry, over a cut in the middle. All must have the same list, in the order of the replies.
func TestVerifyReaders(t *testing.T) {
	if !*verify {
		t.Skip("starts a browser and node: make verify-readers")
	}
	script, err := filepath.Abs("../../bin/readers/readers.mjs")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(script); err != nil {
		t.Fatalf("%v (make verify-readers installs it)", err)
	}
	browser := startChromium(t)
	for _, design := range []struct {
		name  string
		types []string
	}{
		{"single-channel", []string{"message"}},
		{"sequenced", []string{"message"}},
		{"state-sync", []string{"message", "snapshot"}},
	} {
		t.Run(design.name, func(t *testing.T) {
			browser.t = t
			server := startServe(t, "127.0.0.1:0", "--design", design.name)
			cut := newCutter(t, server.addr)
			readers := []string{"eventsource", "undici", "eventsource-parser"}
			first, all := 25, 50
			snapshots := len(design.types) - 1 // one, when the stream is opened for the first time; it resumes by a version then
			lists := make([]chan []seen, len(readers))
			for i, library := range readers {
				lists[i] = readWith(t, script, library, cut.url(library), all+snapshots, design.types)
			}
			page := browser.open("http://" + cut.addr + "/healthz")
			defer browser.call(page.session, "Page.close", nil, nil)
			page.until("the page", `document.readyState === "complete"`)
			types, err := json.Marshal(design.types)
			browser.must(err)
			page.eval(fmt.Sprintf(`(() => {
				window.got = [];
				const source = new EventSource(%q);
				for (const type of %s) source.addEventListener(type, (e) => got.push({ Type: e.type, ID: e.lastEventId, Data: e.data }));
				return new Promise((done) => { source.onopen = done; });
			})()`, cut.url("chromium"), types), nil)
			post(t, server.addr, design.name, 0, first)
			page.until("half of the events", fmt.Sprintf("got.length === %d", first+snapshots))
			cut.now()
			post(t, server.addr, design.name, first, all)
			page.until("all events", fmt.Sprintf("got.length >= %d", all+snapshots))
			var want []seen
			page.eval("got", &want)
			if len(want) != all+snapshots {
				t.Fatalf("Chromium saw %d events, want %d", len(want), all+snapshots)
			}
			for i, e := range want[snapshots:] {
				if !strings.Contains(e.Data, fmt.Sprintf("n%d.", i)) {
					t.Fatalf("Chromium's event %d is %q", i, e.Data)
				}
			}
			for i, library := range readers {
				if got := <-lists[i]; !slices.Equal(got, want) {
					t.Errorf("%s saw %q, Chromium %q", library, got, want)
				}
			}
			t.Logf("%s: Chromium, %s: the same %d events in each, over a cut after the %dth", design.name, strings.Join(readers, ", "), len(want), first)
		})
	}
}

// post sends commands that are hard to carry, and waits for the reply to each.
func post(t *testing.T, addr, design string, from, to int) {
	t.Helper()
	hard := []string{"plain", "line\nline", "cr\rlf\r\nend\n", ": comment", "data: x\n\ndata: y", "<b>&amp;</b>", "é 😀 \u2028", "quote\"back\\slash", " space ", "\x00nul"}
	for i := from; i < to; i++ {
		next := wire.Command{Channel: "room", Name: "message", Payload: fmt.Sprintf("n%d.%s", i, hard[i%len(hard)])}
		if design == "state-sync" {
			next.Key, next.ID = "author", fmt.Sprintf("m%d", i)
		}
		body := wire.AppendCommandJSON(nil, next)
		response, err := http.Post("http://"+addr+wire.CommandPath, "application/json", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		said, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode/100 != 2 {
			t.Fatalf("command %d: status %s: %s", i, response.Status, said)
		}
	}
}

// readWith starts a reader and returns when its stream is open.
func readWith(t *testing.T, script, library, from string, count int, types []string) chan []seen {
	t.Helper()
	c := exec.Command("node", append([]string{script, library, from, fmt.Sprint(count)}, types...)...)
	c.Stderr = os.Stderr
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill() })
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 4<<20)
	if !lines.Scan() || lines.Text() != "READY" {
		t.Fatalf("%s: %q, want READY", library, lines.Text())
	}
	list := make(chan []seen, 1)
	go func() {
		var got []seen
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "[") {
				json.Unmarshal(lines.Bytes(), &got)
			}
		}
		c.Wait()
		list <- got
	}()
	return list
}

// cutter stands between the readers and the target, and cuts all connections when it is told to.
type cutter struct {
	addr string

	mu    sync.Mutex
	conns []net.Conn
}

func newCutter(t *testing.T, to string) *cutter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{addr: listener.Addr().String()}
	t.Cleanup(func() { listener.Close(); c.now() })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			c.mu.Lock()
			c.conns = append(c.conns, near, far)
			c.mu.Unlock()
			for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
				go func() {
					io.Copy(way[0], way[1])
					way[0].Close()
				}()
			}
		}
	}()
	return c
}

// url is where a reader of that name finds the stream.
func (c *cutter) url(reader string) string {
	return "http://" + c.addr + wire.EventsPath + "?" + url.Values{"instance": {reader}, "channel": {"room"}}.Encode()
}

// now cuts what is open.
func (c *cutter) now() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		conn.Close()
	}
	c.conns = nil
}
