package target_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"holobench/internal/memnet"
	"holobench/target"
	"holobench/wire/hologram"
	"holobench/wire/sse"
)

// tab is a client of the wire hologram: one load of a page.
type tab struct {
	w      *world // the node that it talks to
	cookie string
	page   hologram.Page
	shake  hologram.HandshakeReply
	stream *tabStream
}

// ask sends one request and returns what was answered. The head is "METHOD target", more headers are "Name: value".
func (w *world) ask(head, body string, headers ...string) (status int, header http.Header, answer string) {
	w.t.Helper()
	method, path, _ := strings.Cut(head, " ")
	request, err := http.NewRequestWithContext(w.t.Context(), method, "http://"+w.addr+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		request.Header.Add(name, value)
	}
	response, err := w.client.Do(request)
	if err != nil {
		w.t.Errorf("%s: %v", head, err)
		return 0, nil, ""
	}
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Errorf("reading what was answered to %s: %v", head, err)
	}
	return response.StatusCode, response.Header, string(read)
}

// load gets the page, in a session of its own.
func (w *world) load(channels ...string) *tab {
	w.t.Helper()
	return w.loadIn("", channels...)
}

// loadIn gets the page in the session of a cookie; "" = in a new one.
func (w *world) loadIn(cookie string, channels ...string) *tab {
	w.t.Helper()
	headers := []string{"Cookie: " + cookie}
	if cookie == "" {
		headers = nil
	}
	status, header, body := w.ask("GET "+target.HologramPagePath+"?"+url.Values{"channel": channels}.Encode(), "", headers...)
	page, err := hologram.ParsePage([]byte(body))
	if status != http.StatusOK || err != nil || len(page.Receipts) != len(channels) {
		w.t.Fatalf("the page was answered %d %s, %v", status, body, err)
	}
	if cookie == "" {
		cookie, _, _ = strings.Cut(header.Get("Set-Cookie"), ";")
	} else if header.Get("Set-Cookie") != "" {
		w.t.Error("a client with a session was given another one")
	}
	return &tab{w: w, cookie: cookie, page: page}
}

// handshake shows the receipts of the page.
func (c *tab) handshake() {
	c.w.t.Helper()
	tokens := make([]string, 0, len(c.page.Receipts))
	for _, r := range c.page.Receipts {
		tokens = append(tokens, r.Token)
	}
	status, body := c.handshakeWith(tokens...)
	shake, err := hologram.ParseHandshakeReply([]byte(body))
	if status != http.StatusOK || err != nil {
		c.w.t.Fatalf("the handshake was answered %d %s, %v", status, body, err)
	}
	c.shake = shake
}

func (c *tab) handshakeWith(tokens ...string) (status int, body string) {
	c.w.t.Helper()
	shake := hologram.Handshake{InstanceID: c.page.InstanceID, Receipts: tokens}
	status, _, body = c.w.ask("POST "+hologram.HandshakePath, string(hologram.AppendHandshake(nil, shake)), "Cookie: "+c.cookie)
	return status, body
}

// eventsPath is where the stream of an instance is opened with a handshake.
func eventsPath(instance, handshake string) string {
	return hologram.EventsPath + "?" + url.Values{hologram.InstanceParam: {instance}, hologram.HandshakeParam: {handshake}}.Encode()
}

// attach opens the stream with the last handshake.
func (c *tab) attach() *tab {
	c.w.t.Helper()
	conn := c.w.dial("GET " + eventsPath(c.page.InstanceID, c.shake.HandshakeID) + " HTTP/1.1\r\nHost: t\r\nCookie: " + c.cookie + "\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" ||
		response.Header.Get("Cache-Control") != "no-cache" {
		c.w.t.Fatalf("the stream was answered %v, %v", response, err)
	}
	c.stream = &tabStream{conn: conn, response: response, start: c.w.start, done: make(chan struct{})}
	go c.stream.read()
	return c
}

// join loads the page and opens its stream.
func (w *world) join(channels ...string) *tab {
	w.t.Helper()
	c := w.load(channels...)
	c.handshake()
	return c.attach()
}

// command posts a body as this tab.
func (c *tab) command(body string) (status int, answer string) {
	c.w.t.Helper()
	status, header, answer := c.w.ask("POST "+hologram.CommandPath, body, "Cookie: "+c.cookie, hologram.CSRFHeader+": "+c.page.CSRFToken,
		"Content-Type: application/json")
	if status == http.StatusOK && header.Get("Content-Type") != "application/json" {
		c.w.t.Errorf("the reply is %s", header.Get("Content-Type"))
	}
	return status, answer
}

// say posts a message and returns the self-echoes of the reply.
func (c *tab) say(channel, payload string) []hologram.Event {
	c.w.t.Helper()
	event := hologram.EventCommand{Instance: c.page.InstanceID, Channel: channel, Name: "message", Payload: payload}
	status, body := c.command(string(hologram.AppendEventCommand(nil, event)))
	reply, err := hologram.ParseReply([]byte(body))
	if status != http.StatusOK || err != nil || reply.Status != 1 {
		c.w.t.Errorf("the command was answered %d %s, %v", status, body, err)
		return nil
	}
	echoes, err := hologram.ParseSelfEchoes([]byte(reply.SelfEchoes))
	if err != nil {
		c.w.t.Error(err)
	}
	return echoes
}

// tabStream is the stream of a tab, read by a goroutine of its own until it ends.
type tabStream struct {
	conn     *memnet.Conn
	response *http.Response
	start    time.Time
	done     chan struct{}

	mu         sync.Mutex
	raw        strings.Builder // the whole body
	ids        []string
	events     []hologram.Event
	broken     []error
	heartbeats []time.Duration
	ended      error // nil = a terminating chunk
}

func (s *tabStream) read() {
	defer close(s.done)
	defer func() { _ = s.conn.Close() }() // as a client does when its stream has ended
	var parser sse.Parser
	buffer := make([]byte, 4096)
	for {
		n, err := s.response.Body.Read(buffer)
		s.mu.Lock()
		s.raw.Write(buffer[:n])
		s.mu.Unlock()
		if feedErr := parser.Feed(buffer[:n], s); feedErr != nil {
			err = feedErr
		}
		if err != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			if !errors.Is(err, io.EOF) {
				s.ended = err
			}
			return
		}
	}
}

// OnEvent notes an event.
func (s *tabStream) OnEvent(e *sse.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	event, err := hologram.ParseBroadcast(e.Data)
	if err != nil || string(e.Name) != hologram.Broadcast {
		s.broken = append(s.broken, errors.Join(err, errors.New("the event "+string(e.Name))))
	}
	s.events = append(s.events, event)
	s.ids = append(s.ids, string(e.ID))
}

// OnComment notes a heartbeat.
func (s *tabStream) OnComment([]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heartbeats = append(s.heartbeats, time.Since(s.start))
}

// OnRetry is not sent.
func (s *tabStream) OnRetry(time.Duration) {}

// payloads are what was heard so far, once everything has settled.
func (c *tab) payloads() []string {
	c.w.t.Helper()
	synctest.Wait()
	s := c.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := errors.Join(s.broken...); err != nil {
		c.w.t.Error(err)
	}
	payloads := make([]string, 0, len(s.events))
	for _, e := range s.events {
		payloads = append(payloads, e.Payload)
	}
	return payloads
}

// heard checks the payloads, separated by blanks.
func (c *tab) heard(want string) {
	c.w.t.Helper()
	if got := strings.Join(c.payloads(), " "); got != want {
		c.w.t.Errorf("heard %q, want %q", got, want)
	}
}
