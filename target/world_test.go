package target_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/internal/memnet"
	"holobench/target"
	"holobench/wire"
	"holobench/wire/sse"
)

// world is a server on a network in memory, inside the bubble of one test.
type world struct {
	t        *testing.T
	network  *memnet.Network
	addr     string
	server   *target.Server
	counters *target.Counters
	client   *http.Client
	stop     context.CancelFunc
	served   chan error
	start    time.Time
}

// newWorld serves; wrap, when it is not nil, is put around the listener.
func newWorld(t *testing.T, options target.Options, wrap func(net.Listener) net.Listener) *world {
	t.Helper()
	w := &world{t: t, network: memnet.New(nil), served: make(chan error, 1), start: time.Now()}
	l, err := w.network.Listen("target:0")
	if err != nil {
		t.Fatal(err)
	}
	w.addr = l.Addr().String()
	if wrap != nil {
		l = wrap(l)
	}
	server, err := target.New(options)
	if err != nil {
		t.Fatal(err)
	}
	w.server, w.counters = server, server.Counters()
	ctx, cancel := context.WithCancel(t.Context())
	w.stop = cancel
	go func() { w.served <- server.Serve(ctx, l) }()
	transport := &http.Transport{DialContext: w.network.DialContext, MaxIdleConnsPerHost: 64}
	w.client = &http.Client{Transport: transport}
	t.Cleanup(transport.CloseIdleConnections)
	return w
}

// shutdown ends the server and waits for it.
func (w *world) shutdown() {
	w.t.Helper()
	w.stop()
	if err := <-w.served; err != nil {
		w.t.Errorf("Serve = %v", err)
	}
	w.client.CloseIdleConnections()
}

// count checks counters, given as "name=value ...".
func (w *world) count(want string) {
	w.t.Helper()
	synctest.Wait()
	got := w.counters.Snapshot()
	for field := range strings.FieldsSeq(want) {
		name, value, _ := strings.Cut(field, "=")
		if figure, ok := got[name]; !ok || fmt.Sprint(figure) != value {
			w.t.Errorf("counter %s = %d, want %s", name, figure, value)
		}
	}
}

// post sends one command and returns status and body.
func (w *world) post(cmd wire.Command) (status int, body string) {
	w.t.Helper()
	response, err := w.client.Post("http://"+w.addr+wire.CommandPath, "application/json",
		strings.NewReader(string(wire.AppendCommandJSON(nil, cmd))))
	if err != nil {
		w.t.Errorf("POST: %v", err)
		return 0, ""
	}
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Errorf("reading the reply: %v", err)
	}
	return response.StatusCode, string(read)
}

// say posts a message to a channel and wants it taken.
func (w *world) say(instance, channel, payload string) (body string) {
	w.t.Helper()
	status, body := w.post(wire.Command{Instance: instance, Channel: channel, Name: "message", Payload: payload})
	if status != http.StatusOK && status != http.StatusAccepted {
		w.t.Errorf("POST answered %d %s", status, body)
	}
	return body
}

// subscriber is one stream, read by a goroutine of its own until it ends.
type subscriber struct {
	conn     *memnet.Conn // nil = net/http has it
	response *http.Response
	done     chan struct{}

	mu       sync.Mutex
	start    time.Time
	events   []wire.Event
	ids      []string        // of events
	times    []time.Duration // of events
	controls []string        // "kind data" of the messages that are no event
	lastID   string          // in force
	comments []time.Duration
	ended    error // of the body: nil = a terminating chunk
	endedAt  time.Duration
}

// request is the head of a GET for events.
func request(instance string, channels ...string) string {
	query := url.Values{"instance": {instance}, "channel": channels}
	return "GET " + wire.EventsPath + "?" + query.Encode() + " HTTP/1.1\r\nHost: target\r\nAccept: text/event-stream\r\n\r\n"
}

// dial opens a connection and sends text.
func (w *world) dial(text string) *memnet.Conn {
	w.t.Helper()
	conn, err := w.network.DialContext(w.t.Context(), "tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	if _, err = conn.Write([]byte(text)); err != nil {
		w.t.Fatal(err)
	}
	return conn.(*memnet.Conn)
}

// subscribe opens a stream and reads it; it returns when the head has been read.
func (w *world) subscribe(instance string, channels ...string) *subscriber {
	w.t.Helper()
	return w.open(request(instance, channels...))
}

// resume is subscribe with the id of the last event that the client has, as a browser does it; "" = none.
func (w *world) resume(lastEventID, instance string, channels ...string) *subscriber {
	w.t.Helper()
	if lastEventID == "" {
		return w.subscribe(instance, channels...)
	}
	head := strings.TrimSuffix(request(instance, channels...), "\r\n")
	return w.open(head + "Last-Event-ID: " + lastEventID + "\r\n\r\n")
}

// open sends a request for a stream and reads what comes.
func (w *world) open(request string) *subscriber {
	w.t.Helper()
	s := &subscriber{conn: w.dial(request), start: w.start, done: make(chan struct{})}
	reader := bufio.NewReader(s.conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		w.t.Fatalf("reading the head of a stream: %v", err)
	}
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" ||
		response.Header.Get("Cache-Control") != "no-cache" {
		w.t.Fatalf("the head of a stream is %s %v", response.Status, response.Header)
	}
	s.response = response
	go s.read()
	return s
}

func (s *subscriber) read() {
	defer close(s.done)
	defer s.leave()
	var parser sse.Parser
	buffer := make([]byte, 4096)
	for {
		n, err := s.response.Body.Read(buffer)
		if feedErr := parser.Feed(buffer[:n], s); feedErr != nil {
			err = feedErr
		}
		s.mu.Lock()
		s.lastID = parser.LastEventID()
		s.mu.Unlock()
		if err != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			if !errors.Is(err, io.EOF) {
				s.ended = err
			}
			s.endedAt = time.Since(s.start)
			return
		}
	}
}

// leave ends what the stream came by, as a client does when it has ended.
func (s *subscriber) leave() {
	if s.conn != nil {
		_ = s.conn.Close()
		return
	}
	_ = s.response.Body.Close()
}

// OnEvent notes an event.
func (s *subscriber) OnEvent(e *sse.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(e.Name) > 0 {
		s.controls = append(s.controls, string(e.Name)+" "+string(e.Data))
		return
	}
	var event wire.Event
	if err := json.Unmarshal(e.Data, &event); err != nil {
		event.Payload = "not JSON: " + string(e.Data)
	}
	s.events = append(s.events, event)
	s.ids = append(s.ids, string(e.ID))
	s.times = append(s.times, time.Since(s.start))
}

// OnComment notes a heartbeat.
func (s *subscriber) OnComment([]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.comments = append(s.comments, time.Since(s.start))
}

// OnRetry is not sent.
func (s *subscriber) OnRetry(time.Duration) {}

// payloads are what was heard so far, once everything has settled.
func (s *subscriber) payloads() []string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	payloads := make([]string, 0, len(s.events))
	for _, e := range s.events {
		payloads = append(payloads, e.Payload)
	}
	return payloads
}

// heard checks the payloads, separated by blanks.
func (w *world) heard(who string, s *subscriber, want string) {
	w.t.Helper()
	if got := strings.Join(s.payloads(), " "); got != want {
		w.t.Errorf("%s heard %q, want %q", who, got, want)
	}
}
