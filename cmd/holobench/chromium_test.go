package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"holobench/wire/websocket"
)

// chromium is a browser without a window that is told what to do by the DevTools protocol: JSON messages on a WebSocket, each
// answered under its number.
type chromium struct {
	t    *testing.T
	conn net.Conn

	mu      sync.Mutex
	next    int
	waiting map[int]chan devtoolsMessage
	told    []devtoolsMessage // what it said without being asked
}

// devtoolsMessage is what travels to and from the browser.
type devtoolsMessage struct {
	ID        int             `json:"id,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
	Method    string          `json:"method,omitempty"`
	Params    any             `json:"params,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// startChromium starts a browser, or skips the test where there is none.
func startChromium(t *testing.T) *chromium {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		t.Skip("no chromium on this machine (Debian: apt-get install chromium): the page is not looked at with a real browser")
	}
	profile, err := os.MkdirTemp("", "holobench-chromium-") //nolint:usetesting // what the browser writes at its end would fail the removal of TempDir
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
		"--disable-dev-shm-usage", "--remote-debugging-port=0", "--user-data-dir="+profile, "about:blank")
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		c.Wait()
		os.RemoveAll(profile) // a process that is just ending may still write there
	})
	address := make(chan string, 1)
	go func() { // it goes on talking: nobody may let the pipe fill
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if _, url, ok := strings.Cut(lines.Text(), "DevTools listening on ws://"); ok {
				address <- url
			}
		}
	}()
	select {
	case url := <-address:
		return dialChromium(t, url)
	case <-time.After(patience):
		t.Fatalf("%s did not say where it listens within %v", program, patience)
		return nil
	}
}

// dialChromium opens the WebSocket at url, host:port/path.
func dialChromium(t *testing.T, url string) *chromium {
	t.Helper()
	host, path, _ := strings.Cut(url, "/")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	key := websocket.Key([16]byte{})
	head := "GET /" + path + " HTTP/1.1\r\nHost: " + host + "\r\n"
	for _, f := range websocket.RequestFields(key) {
		head += f.Name + ": " + f.Value + "\r\n"
	}
	if _, err := conn.Write([]byte(head + "\r\n")); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := websocket.CheckAnswer(response.StatusCode, response.Header.Values, key); err != nil {
		t.Fatal(err)
	}
	b := &chromium{t: t, conn: conn, waiting: make(map[int]chan devtoolsMessage)}
	go b.read(reader)
	return b
}

func (b *chromium) read(reader *bufio.Reader) {
	parser := websocket.Parser{Limit: 64 << 20} // a screenshot is a long message
	buffer := make([]byte, 64<<10)
	for {
		n, err := reader.Read(buffer)
		if err == nil {
			err = parser.Feed(buffer[:n], b)
		}
		if err != nil {
			b.mu.Lock()
			defer b.mu.Unlock()
			for id, answer := range b.waiting {
				close(answer)
				delete(b.waiting, id)
			}
			return
		}
	}
}

// OnText takes an answer, or something that the browser says by itself.
func (b *chromium) OnText(text []byte) error {
	var m devtoolsMessage
	var params json.RawMessage
	m.Params = &params
	if err := json.Unmarshal(text, &m); err != nil {
		return err
	}
	m.Params = params
	b.mu.Lock()
	defer b.mu.Unlock()
	if answer := b.waiting[m.ID]; answer != nil {
		delete(b.waiting, m.ID)
		answer <- m
		return nil
	}
	b.told = append(b.told, m)
	return nil
}

// OnBinary is not sent by a browser.
func (b *chromium) OnBinary([]byte) error { return nil }

// OnPing needs no answer within the time of a test.
func (b *chromium) OnPing([]byte) error { return nil }

// OnPong is not asked for.
func (b *chromium) OnPong([]byte) error { return nil }

// OnClose ends the reading.
func (b *chromium) OnClose(websocket.Code, []byte) error {
	return errors.New("the browser closed the connection")
}

// call sends one command to a session ("" = the browser itself) and reads its result into result (nil = it does not matter).
func (b *chromium) call(session, method string, params, result any) error {
	b.mu.Lock()
	b.next++
	m := devtoolsMessage{ID: b.next, SessionID: session, Method: method, Params: params}
	answer := make(chan devtoolsMessage, 1)
	b.waiting[m.ID] = answer
	b.mu.Unlock()
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if _, err := b.conn.Write(websocket.AppendFrame(nil, websocket.Frame{Opcode: websocket.Text, Masked: true, Payload: text})); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	select {
	case m, ok := <-answer:
		switch {
		case !ok:
			return fmt.Errorf("%s: the browser has gone", method)
		case m.Error != nil:
			return fmt.Errorf("%s: %s", method, m.Error.Message)
		case result != nil:
			return json.Unmarshal(m.Result, result)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s: no answer within %v", method, patience)
	}
}

// tab is one page of the browser.
type tab struct {
	browser *chromium
	session string
}

// open opens a page in a window of its own, so that none is hidden behind another.
func (b *chromium) open(url string) *tab {
	b.t.Helper()
	var created struct{ TargetID string }
	var attached struct{ SessionID string }
	p := &tab{browser: b}
	b.must(b.call("", "Target.createTarget", map[string]any{"url": "about:blank", "newWindow": true}, &created))
	b.must(b.call("", "Target.attachToTarget", map[string]any{"targetId": created.TargetID, "flatten": true}, &attached))
	p.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Network", "Log"} {
		b.must(b.call(p.session, domain+".enable", nil, nil))
	}
	b.must(b.call(p.session, "Page.navigate", map[string]any{"url": url}, nil))
	return p
}

func (b *chromium) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// eval evaluates an expression, waits when it is a promise, and reads its value into result (nil = it does not matter).
func (p *tab) eval(expression string, result any) {
	p.browser.t.Helper()
	var answer struct {
		Result struct {
			Value json.RawMessage `json:"value"`
		} `json:"result"`
		ExceptionDetails *struct {
			Text      string `json:"text"`
			Exception struct {
				Description string `json:"description"`
			} `json:"exception"`
		} `json:"exceptionDetails"`
	}
	p.browser.must(p.browser.call(p.session, "Runtime.evaluate",
		map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true}, &answer))
	if e := answer.ExceptionDetails; e != nil {
		p.browser.t.Fatalf("%s: %s %s", expression, e.Text, e.Exception.Description)
	}
	if result != nil {
		p.browser.must(json.Unmarshal(answer.Result.Value, result))
	}
}

// until waits until a condition holds in the page. The page may still be loading: it is asked again and again.
func (p *tab) until(what, condition string) {
	p.browser.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		var holds bool
		p.eval("Boolean("+condition+")", &holds)
		if holds {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			var text string
			p.eval("document.body.innerText", &text)
			p.browser.t.Fatalf("waited %v in vain for %s; the page says:\n%s", patience, what, text)
		}
	}
}

// screenshot writes the page as a PNG, in a window of that width and a colour scheme.
func (p *tab) screenshot(path string, width int, scheme string) {
	p.browser.t.Helper()
	b := p.browser
	b.must(b.call(p.session, "Emulation.setEmulatedMedia",
		map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil))
	b.must(b.call(p.session, "Emulation.setDeviceMetricsOverride",
		map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}, nil))
	var shot struct{ Data string }
	b.must(b.call(p.session, "Page.captureScreenshot", map[string]any{"captureBeyondViewport": true}, &shot))
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	b.must(err)
	b.must(os.WriteFile(path, png, 0o600))
}
