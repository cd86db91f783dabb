package run

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"time"

	"holobench/clients"
	"holobench/wire"
	"holobench/wire/http1"
	"holobench/wire/sse"
	"holobench/wire/websocket"
)

// Exchange is one request of a trial's client, and its answer.
type Exchange struct {
	ForStream bool // on the connection that was made for the stream
	Marked    bool // the request bore the marker: it is the command
	HTTP2     bool // the connection speaks HTTP/2: of that no more is known here than that it does
	Streams   bool // the answer is a stream

	Method, Path string        // without a query: there may be secrets in it
	Asked        time.Duration // it began to be written
	Head         time.Duration // the head of its answer was there; 0 = it never was
	Body         time.Duration // so was the first byte behind it

	Status      int
	Version     string // "HTTP/1.1"
	ContentType string
	Encoding    string // "" = the body is as it is
	Chunked     bool
	Accel       string // X-Accel-Buffering
	Via         string // proxies that say that they are there
	Broken      string // why the answer could not be read to its end

	Found []string // where in the answer the marker stands
	Said  string   // the first line of the answer that is not blank, as it came: of what is no stream. There may be secrets in it
}

// TrialEvent is an event of the stream, as it came.
type TrialEvent struct {
	Name  string        // "" = it has none
	Began time.Duration // its first bytes were there
	At    time.Duration // all of it was
	With  int           // bytes that were read at once with its last one
	Found []string      // where in it the marker stands
}

// spy looks into one connection of a trial's client. It changes nothing.
type spy struct {
	wire.StampedConn

	t         *trial
	forStream bool

	mu        sync.Mutex
	exchanges []*Exchange
	answered  int // exchanges whose answers are complete
	events    []TrialEvent

	response http1.Parser
	stream   sse.Parser
	frames   websocket.Parser
	body     []byte // of an answer that is no stream, or a line of one
	beyond   bool   // what comes is no HTTP/1 any more
	framed   bool   // ... but frames of a WebSocket

	at, began time.Duration // of the read at hand, and of the event that is under way
	read      int           // bytes of the read at hand
}

// spy puts a spy on a connection.
func (t *trial) spy(ctx context.Context, conn wire.StampedConn) wire.StampedConn {
	_, purpose, ok := clients.Dialing(ctx)
	s := t.look(conn, ok && purpose == clients.ForStream)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spies = append(t.spies, s)
	return s
}

// look makes a spy.
func (t *trial) look(conn wire.StampedConn, forStream bool) *spy {
	s := &spy{StampedConn: conn, t: t, forStream: forStream}
	s.response.Field, s.response.Switch = s.field, new(http1.Switch)
	return s
}

// Write implements net.Conn.
func (s *spy) Write(p []byte) (int, error) {
	s.asks(p)
	return s.StampedConn.Write(p)
}

// Read implements net.Conn.
func (s *spy) Read(p []byte) (int, error) {
	n, err := s.StampedConn.Read(p)
	s.answers(p[:n])
	return n, err
}

// ReadStamped implements wire.StampedConn.
func (s *spy) ReadStamped(p []byte) (n int, notBefore, at int64, err error) {
	n, notBefore, at, err = s.StampedConn.ReadStamped(p)
	s.answers(p[:n])
	return n, notBefore, at, err
}

// asks looks into what the client writes.
func (s *spy) asks(p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line, _, _ := bytes.Cut(p, []byte("\r\n"))
	words := bytes.Split(line, []byte(" "))
	switch {
	case s.beyond:
	case bytes.HasPrefix(p, []byte("PRI * HTTP/2.0\r\n")):
		s.beyond = true
		s.exchanges = append(s.exchanges, &Exchange{ForStream: s.forStream, HTTP2: true, Version: "HTTP/2", Asked: s.since()})
		return
	case len(words) == 3 && bytes.HasPrefix(words[2], []byte("HTTP/1.")):
		path, _, _ := bytes.Cut(words[1], []byte("?"))
		s.exchanges = append(s.exchanges, &Exchange{ForStream: s.forStream, Method: string(words[0]), Path: string(path), Asked: s.since()})
	}
	if n := len(s.exchanges); n > 0 && s.t.find != nil && s.t.find(p) {
		s.exchanges[n-1].Marked = true
	}
}

func (s *spy) since() time.Duration { return max(1, time.Since(s.t.began)) }

// now is the exchange whose answer is being read.
func (s *spy) now() *Exchange {
	if s.answered < len(s.exchanges) {
		return s.exchanges[s.answered]
	}
	return &Exchange{} // nobody asked
}

// answers looks into what the server writes.
func (s *spy) answers(p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at, s.read = s.since(), len(p)
	for len(p) > 0 {
		switch {
		case s.framed:
			s.frame(p)
			return
		case s.beyond:
			return
		}
		if !s.response.Begun() {
			s.begins(p)
		}
		n, err := s.response.Feed(p, s)
		if err != nil {
			s.now().Broken = err.Error()
			s.beyond = true
			return
		}
		p = p[n:]
		if s.response.Done() && !s.framed { // what frames say is the answer still
			s.response.Reset()
			s.answered++
		}
	}
}

// begins takes the version of an answer from its first bytes.
func (s *spy) begins(p []byte) {
	version, _, _ := bytes.Cut(p[:min(len(p), len("HTTP/1.1"))], []byte(" "))
	s.now().Version = string(version)
}

// frame looks into bytes of a WebSocket.
func (s *spy) frame(p []byte) {
	if s.began == 0 {
		s.began = s.at
	}
	s.frames.Feed(bytes.Clone(p), spyFrames{s}) //nolint:errcheck // the client will find the same, and say so
	if !s.frames.Pending() {
		s.began = 0
	}
}

// field keeps the fields of a head by which proxies are known.
func (s *spy) field(name, value []byte) {
	switch strings.ToLower(string(name)) {
	case "x-accel-buffering":
		s.now().Accel = string(value)
	case "via":
		s.now().Via = string(value)
	}
}

// OnHead implements http1.Handler.
func (s *spy) OnHead(h *http1.Head) error {
	e := s.now()
	e.Head, e.Status, e.ContentType, e.Encoding, e.Chunked = s.at, h.Status, h.ContentType, h.ContentEncoding, h.Chunked
	kind, _, _ := strings.Cut(strings.ToLower(h.ContentType), ";")
	s.framed = h.Status == 101
	e.Streams = s.framed || h.Status == 200 && strings.TrimSpace(kind) == "text/event-stream" || isLines(kind)
	s.stream.Reset()
	s.body, s.began = s.body[:0], 0
	return nil
}

// isLines says whether a body of that type is a line an event.
func isLines(kind string) bool {
	return strings.Contains(kind, "ndjson") || strings.Contains(kind, "jsonl") || strings.Contains(kind, "stream+json") || strings.Contains(kind, "json-seq")
}

// maxSpied is how much of an answer that is no stream is looked into.
const maxSpied = 256 << 10

// OnBody implements http1.Handler.
func (s *spy) OnBody(b []byte) error {
	e := s.now()
	if e.Body == 0 {
		e.Body = s.at
	}
	if s.began == 0 {
		s.began = s.at
	}
	kind, _, _ := strings.Cut(strings.ToLower(e.ContentType), ";")
	switch {
	case strings.TrimSpace(kind) == "text/event-stream":
		err := s.stream.Feed(b, spyEvents{s})
		if !s.stream.Pending() {
			s.began = 0
		}
		return err
	case isLines(kind):
		s.body = append(s.body, b...)
		for line, rest, ok := bytes.Cut(s.body, []byte("\n")); ok; line, rest, ok = bytes.Cut(s.body, []byte("\n")) {
			s.event("", line)
			s.body = rest
		}
		s.body = s.body[:min(len(s.body), maxSpied)]
		if len(s.body) == 0 {
			s.began = 0
		}
	case len(s.body)+len(b) <= maxSpied:
		s.body = append(s.body, b...)
	}
	return nil
}

// OnEnd implements http1.Handler.
func (s *spy) OnEnd() error {
	e := s.now()
	if !e.Streams {
		e.Found = s.t.places(s.body)
		s.says(e)
		if e.ForStream && len(e.Found) > 0 { // a poll
			s.event("", s.body)
		}
	}
	return nil
}

// says keeps the first line of an answer. Polls that bring something are no news.
func (s *spy) says(e *Exchange) {
	if e.Streams || e.Encoding != "" || e.ForStream && e.Status < 300 {
		return
	}
	line, _, _ := bytes.Cut(bytes.TrimSpace(s.body), []byte("\n"))
	e.Said = string(bytes.TrimSpace(line))
}

// event keeps an event of the stream. There may be many: that of the trial is kept in any case.
func (s *spy) event(name string, data []byte) {
	const most = 1000
	e := TrialEvent{Name: name, Began: s.began, At: s.at, With: s.read, Found: s.t.places(data)}
	if e.Began == 0 {
		e.Began = s.at
	}
	if len(s.events) < most || len(e.Found) > 0 {
		s.events = append(s.events, e)
	}
	s.began = s.at // what follows in this read begins here
}

// spyEvents are the events of server-sent events; comments and retries are the client's to note.
type spyEvents struct{ s *spy }

// OnEvent implements sse.Handler.
func (h spyEvents) OnEvent(e *sse.Event) { h.s.event(string(e.Name), e.Data) }

// OnComment implements sse.Handler.
func (h spyEvents) OnComment([]byte) { h.s.began = h.s.at }

// OnRetry implements sse.Handler.
func (h spyEvents) OnRetry(time.Duration) {}

// spyFrames are the messages of a WebSocket.
type spyFrames struct{ s *spy }

// OnText implements websocket.Handler.
func (h spyFrames) OnText(text []byte) error {
	if h.s.now().Body == 0 {
		h.s.now().Body = h.s.at
	}
	h.s.event("", text)
	return nil
}

// OnBinary implements websocket.Handler.
func (h spyFrames) OnBinary([]byte) error { return nil }

// OnPing implements websocket.Handler.
func (h spyFrames) OnPing([]byte) error { return nil }

// OnPong implements websocket.Handler.
func (h spyFrames) OnPong([]byte) error { return nil }

// OnClose implements websocket.Handler.
func (h spyFrames) OnClose(websocket.Code, []byte) error { return nil }
