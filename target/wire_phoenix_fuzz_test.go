package target

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"holobench/wire/phoenix"
	"holobench/wire/websocket"
)

// playedConn is a connection whose client says what was written down, in pieces of so many bytes, and takes everything.
type playedConn struct {
	net.Conn

	said  []byte
	piece int

	mu     sync.Mutex
	told   []byte
	closed bool
}

func (c *playedConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.said) == 0 || c.closed {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.piece)], c.said)
	c.said = c.said[n:]
	return n, nil
}

func (c *playedConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	c.told = append(c.told, p...)
	return len(p), nil
}

func (c *playedConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return nil
}

func (c *playedConn) SetReadDeadline(time.Time) error  { return nil }
func (c *playedConn) SetWriteDeadline(time.Time) error { return nil }

// taken is a response whose connection can be taken over.
type taken struct {
	*httptest.ResponseRecorder

	conn net.Conn
}

func (w *taken) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.conn, bufio.NewReadWriter(bufio.NewReader(strings.NewReader("")), bufio.NewWriter(io.Discard)), nil
}

// openSocket lets a client in, whose connection is conn.
func openSocket(tb testing.TB, s *Server, conn net.Conn) {
	tb.Helper()
	r := httptest.NewRequest(http.MethodGet, phoenix.WebSocketPath+"?vsn=2.0.0", http.NoBody)
	for _, field := range websocket.RequestFields("dGhlIHNhbXBsZSBub25jZQ==") {
		r.Header.Set(field.Name, field.Value)
	}
	w := &taken{ResponseRecorder: httptest.NewRecorder(), conn: conn}
	s.ServeHTTP(w, r)
	if w.Body.Len() > 0 {
		tb.Fatalf("the socket was refused: %s", w.Body)
	}
}

// tally counts what the server said on a socket.
type tally struct {
	t                                  *testing.T
	replies, broadcasts, errors, pongs int
	code                               websocket.Code
}

func (c *tally) OnText(text []byte) error {
	var m phoenix.Message
	if err := m.Parse(text); err != nil {
		c.t.Errorf("the server sent %q: %v", text, err)
	}
	switch m.Event {
	case phoenix.EventReply:
		c.replies++
		if r, err := phoenix.ParseReply(m.Payload); err != nil || r.Status != phoenix.StatusOK && r.Status != phoenix.StatusError {
			c.t.Errorf("the server replied %q: %v", text, err)
		}
	case phoenix.EventError:
		c.errors++
	case phoenix.EventClose:
	default:
		c.broadcasts++
		if _, ok := phoenix.PayloadText(m.Payload); !ok || m.Ref != "" || m.JoinRef != "" {
			c.t.Errorf("the server broadcast %q", text)
		}
	}
	return nil
}

func (c *tally) OnBinary(b []byte) error {
	c.t.Errorf("the server sent the binary %q", b)
	return nil
}

func (c *tally) OnPing(b []byte) error {
	c.t.Errorf("the server sent the Ping %q", b)
	return nil
}

func (c *tally) OnPong([]byte) error {
	c.pongs++
	return nil
}

func (c *tally) OnClose(code websocket.Code, _ []byte) error {
	c.code = code
	return nil
}

// count is what the client says, by the definition: messages of Phoenix and Pings, up to the first fault.
type count struct {
	messages, pings int
	over            bool
}

func (c *count) OnText(text []byte) error {
	var m phoenix.Message
	if c.over = c.over || m.Parse(text) != nil; !c.over {
		c.messages++
	}
	return nil
}

func (c *count) OnBinary([]byte) error {
	c.over = true
	return nil
}

func (c *count) OnPing([]byte) error {
	if !c.over {
		c.pings++
	}
	return nil
}

func (*count) OnPong([]byte) error                  { return nil }
func (*count) OnClose(websocket.Code, []byte) error { return nil }

// masked is text as a client sends it.
func masked(texts ...string) (frames []byte) {
	for _, text := range texts {
		frames = websocket.AppendFrame(frames, websocket.Frame{Opcode: websocket.Text, Masked: true, Key: [4]byte{7, 7, 7, 7}, Payload: []byte(text)})
	}
	return frames
}

// FuzzSocket lets a client say any bytes, cut anywhere: each message is answered once, each accepted command is heard by its
// sender, what the server says is a WebSocket of Phoenix, and nothing stays behind.
func FuzzSocket(f *testing.F) {
	const join = `["1","1","room","phx_join",{}]`
	for _, seed := range [][]byte{
		masked(join, `["1","2","room","say",{"payload":"hb1.\n"}]`, `[null,"3","phoenix","heartbeat",{}]`, `["1","4","room","phx_leave",{}]`),
		masked(join, join, `["1","2","room","crash",{}]`, `["1","2","room","say",{"payload":"x"}]`),
		masked(`["1","2","room","phx_close",{"payload":"x"}]`, `{}`), masked("\xff"),
		{0x81, 0x00},
		{0x88, 0x80, 1, 2, 3, 4},
		{0xc1, 0x80},
		nil,
		append(masked(join), 0x89, 0x81, 1, 2, 3, 4, 5, 0x01, 0x80, 0, 0, 0, 0, 0x80, 0x80, 0, 0, 0, 0),
	} {
		f.Add(seed, uint8(5))
	}
	f.Fuzz(func(t *testing.T, said []byte, piece uint8) {
		s, err := New(Options{Design: Channels, MaxBody: 1 << 10, OutboxFrames: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		bye := websocket.AppendFrame(nil, websocket.Frame{Opcode: websocket.Close, Masked: true})
		var want count
		definition := websocket.Parser{Role: websocket.Server, Limit: 1 << 10}
		fault := definition.Feed(append(bytes.Clone(said), bye...), &want)
		conn := &playedConn{said: append(bytes.Clone(said), bye...), piece: int(piece) + 1}
		openSocket(t, s, conn)
		s.streams.Wait()

		got := &tally{t: t}
		parser := websocket.Parser{}
		_, frames, _ := bytes.Cut(conn.told, []byte("\r\n\r\n"))
		if err := parser.Feed(frames, got); err != nil {
			t.Fatalf("the server sent %q: %v", conn.told, err)
		}
		if fault != nil || want.over || definition.Closed() { // else the client went in the middle of a frame, and may have missed the end
			if got.replies+got.errors != want.messages || got.pongs != want.pings || !parser.Closed() {
				t.Errorf("%d messages and %d Pings were answered by %d replies, %d errors and %d Pongs, and the code %d",
					want.messages, want.pings, got.replies, got.errors, got.pongs, got.code)
			}
			if accepted := s.counters.Get(CommandsAccepted); uint64(got.broadcasts) != accepted {
				t.Errorf("of %d accepted commands %d came back", accepted, got.broadcasts)
			}
		}
		checkPhoenixCounters(t, s)
	})
}

func checkPhoenixCounters(t *testing.T, s *Server) {
	t.Helper()
	figures := s.counters.Snapshot()
	if figures["commands_received"] != figures["commands_accepted"]+figures["commands_rejected"] || figures["streams_opened"] != figures["streams_closed"] {
		t.Errorf("the counters are %v", figures)
	}
	if len(s.registry.channels)+len(s.registry.streams)+len(s.registry.instances) != 0 || s.registry.reserved != 0 {
		t.Errorf("something stayed behind: %+v", s.registry)
	}
}

// FuzzLongPollBatch posts any body to a session: it is refused with a reason and does nothing, or each of its messages is
// answered once, in their order, by the polls that follow.
func FuzzLongPollBatch(f *testing.F) {
	const join = `["1","1","room","phx_join",{}]`
	for _, seed := range []string{
		join, join + "\n" + `["1","2","room","say",{"payload":"hb1."}]` + "\n" + `[null,"3","phoenix","heartbeat",{}]`, join + "\n" + join,
		join + "\n" + `["1","2","room","crash",{}]` + "\n" + `["1","3","room","phx_leave",{}]` + "\n", "", "\n", "{}",
		strings.Repeat(`["1","3","a","b",[]]`+"\n", 101),
	} {
		f.Add([]byte(seed), strings.Contains(seed, "\n"))
	}
	f.Fuzz(func(t *testing.T, body []byte, lines bool) {
		s, err := New(Options{Design: LongPoll, MaxBody: 1 << 10, OutboxFrames: 1 << 20, PollWindow: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		kind := "application/json"
		if lines {
			kind = phoenix.BatchType
		}
		p := askPoll(t, s, http.MethodGet, "", "", nil)
		token := p.Token
		sent, bad := phoenix.ParseBatch(kind, body)
		for _, m := range sent {
			if len(m.Payload) > 1<<10 {
				bad = io.ErrShortBuffer
			}
		}
		if answer := askPoll(t, s, http.MethodPost, "&token="+token, kind, body); (answer.Status == http.StatusOK) != (bad == nil) {
			t.Errorf("%q was answered %d, and the definition says %v", body, answer.Status, bad)
		}
		if bad != nil {
			sent = nil
		}
		got := &tally{t: t}
		for got.replies+got.errors < len(sent) {
			p = askPoll(t, s, http.MethodGet, "&token="+token, "", nil)
			if p.Status != http.StatusOK || len(p.Messages) == 0 {
				t.Fatalf("a poll was answered %d with %q", p.Status, p.Messages)
			}
			for _, text := range p.Messages {
				_ = got.OnText(text)
			}
		}
		for _, st := range s.registry.all() {
			st.cut(CutShutdown)
		}
		s.streams.Wait()
		if accepted := s.counters.Get(CommandsAccepted); uint64(got.broadcasts) != accepted {
			t.Errorf("of %d accepted commands %d came back", accepted, got.broadcasts)
		}
		checkPhoenixCounters(t, s)
	})
}

// askPoll sends one request of long polling and returns what the body says, or the status of a refusal.
func askPoll(t *testing.T, s *Server, method, query, kind string, body []byte) (p phoenix.Poll) {
	t.Helper()
	recorder := httptest.NewRecorder()
	r := httptest.NewRequest(method, phoenix.LongPollPath+"?vsn=2.0.0"+query, bytes.NewReader(body))
	if method == http.MethodGet {
		r.Body, r.ContentLength = http.NoBody, 0
	}
	r.Header.Set("Content-Type", kind)
	s.ServeHTTP(recorder, r)
	if recorder.Code != http.StatusOK {
		if recorder.Body.Len() < 10 {
			t.Errorf("refused with %d without a reason", recorder.Code)
		}
		p.Status = recorder.Code
		return p
	}
	if err := p.Parse(recorder.Body.Bytes()); err != nil {
		t.Fatal(err)
	}
	return p
}
