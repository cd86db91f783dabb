package http2_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"holobench/wire/http2"
)

// notes writes down what a connection says, one line each; the parts of a body are joined, since where they are cut does not count.
type notes struct {
	heads  map[uint32]string
	bodies map[uint32]*bytes.Buffer
	ended  map[uint32]string
}

func newNotes() *notes {
	return &notes{make(map[uint32]string), make(map[uint32]*bytes.Buffer), make(map[uint32]string)}
}

func (n *notes) OnHead(id uint32, h *http2.Head) error {
	n.heads[id] += fmt.Sprintf("%d %s", h.Status, h.Get("content-type"))
	return nil
}

func (n *notes) OnData(id uint32, b []byte) error {
	if n.bodies[id] == nil {
		n.bodies[id] = new(bytes.Buffer)
	}
	n.bodies[id].Write(b)
	return nil
}

func (n *notes) OnEnd(id uint32) error {
	n.ended[id] += "end"
	return nil
}

func (n *notes) OnReset(id uint32, code http2.Code) error {
	n.ended[id] += code.String()
	return nil
}

func (n *notes) body(id uint32) string {
	if n.bodies[id] == nil {
		return ""
	}
	return n.bodies[id].String()
}

// talk drives a Conn over a connection in pieces of random sizes until done says so, or the connection ends.
func talk(t *testing.T, conn net.Conn, c *http2.Conn, n *notes, draw *rand.Rand, done func() bool) error {
	t.Helper()
	buf := make([]byte, 64<<10)
	for !done() {
		if out := c.Output(); len(out) > 0 {
			if _, err := conn.Write(out); err != nil {
				return err
			}
		}
		read, err := conn.Read(buf[:1+draw.IntN(1<<draw.IntN(17))])
		if err != nil {
			return err
		}
		if err := c.Feed(buf[:read], n); err != nil {
			return err
		}
	}
	return nil
}

// serve runs net/http's own server without TLS and connects to it.
func serve(t *testing.T, handler http.HandlerFunc) (net.Conn, *http.Server) {
	t.Helper()
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: handler, Protocols: protocols, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 8}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(listener)
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); server.Close() })
	return conn, server
}

// A stream, commands with bodies beyond every window, and answers beyond ours go side by side over one connection to a server
// that is not ours.
func TestAgainstNetHTTP(t *testing.T) {
	t.Parallel()
	answer := strings.Repeat("0123456789abcdef", 1<<20) // 16 MiB: more than two windows
	conn, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/events":
			w.Header().Set("Content-Type", "text/event-stream")
			for i := range 100 {
				fmt.Fprintf(w, "data: %d\n\n", i)
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
		case "/long":
			io.WriteString(w, answer)
		case "/trailers":
			w.Header().Set("Trailer", "X-Sum")
			io.WriteString(w, "x")
			w.Header().Set("X-Sum", "1")
		case "/hint":
			w.Header().Set("Link", "</x>")
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusNoContent)
		default:
			body, _ := io.ReadAll(r.Body)
			w.Header().Set("Content-Type", "text/plain")
			fmt.Fprintf(w, "%s %s %d %s", r.Method, r.Host, len(body), r.Header.Get("X-Mine"))
		}
	})
	var c http2.Conn
	c.Start()
	n := newNotes()
	request := func(method, path string, body []byte) uint32 {
		id, err := c.Request(&http2.Request{
			Method: method, Scheme: "http", Authority: "example.test", Path: path, Fields: []http2.Field{{Name: "x-mine", Value: "m"}}, Body: body,
		})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	seed := rand.Uint64()
	draw := rand.New(rand.NewPCG(seed, 0))
	stream, long, trailers, hint := request("GET", "/events", nil), request("GET", "/long", nil), request("GET", "/trailers", nil), request("GET", "/hint", nil)
	post, big := request("POST", "/command", []byte("hello")), request("POST", "/command", bytes.Repeat([]byte("x"), 300<<10))
	if err := talk(t, conn, &c, n, draw, func() bool { return c.Open() == 1 && strings.Contains(n.body(stream), "data: 99\n\n") }); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	for _, want := range []struct {
		id               uint32
		head, body, ends string
	}{
		{long, "200 text/plain; charset=utf-8", answer, "end"},
		{trailers, "200 text/plain; charset=utf-8", "x", "end"},
		{hint, "204 ", "", "end"},
		{post, "200 text/plain", "POST example.test 5 m", "end"},
		{big, "200 text/plain", "POST example.test 307200 m", "end"},
	} {
		if n.heads[want.id] != want.head || n.body(want.id) != want.body || n.ended[want.id] != want.ends {
			t.Errorf("seed %d: stream %d: head %q, %d bytes of body, %q; want %q, %d, %q",
				seed, want.id, n.heads[want.id], len(n.body(want.id)), n.ended[want.id], want.head, len(want.body), want.ends)
		}
	}
	if n.heads[stream] != "200 text/event-stream" || n.ended[stream] != "" {
		t.Errorf("the event stream: %q, %q", n.heads[stream], n.ended[stream])
	}
	c.Cancel(stream)
	again := request("POST", "/command", []byte("more"))
	if err := talk(t, conn, &c, n, draw, func() bool { return n.ended[again] != "" }); err != nil {
		t.Fatal(err)
	}
	if c.Open() != 0 || n.ended[stream] != "" {
		t.Errorf("%d streams are open, the cancelled one said %q", c.Open(), n.ended[stream])
	}
}

// A server that shuts down says so; the Conn takes no more requests and hears the rest.
func TestGoAwayIsHeard(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	conn, server := serve(t, func(w http.ResponseWriter, r *http.Request) { close(arrived); <-release })
	var c http2.Conn
	c.Start()
	n := newNotes()
	draw := rand.New(rand.NewPCG(1, 1))
	id, err := c.Request(&http2.Request{Method: "GET", Scheme: "http", Authority: "a", Path: "/"})
	if err != nil {
		t.Fatal(err)
	}
	if err := talk(t, conn, &c, n, draw, c.Ready); err != nil {
		t.Fatal(err)
	}
	<-arrived // who shuts down before it has read a request refuses it
	go server.Shutdown(context.Background())
	if err := talk(t, conn, &c, n, draw, func() bool { return !c.Ready() }); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Request(&http2.Request{Method: "GET", Scheme: "http", Authority: "a", Path: "/"}); !errors.Is(err, http2.ErrFull) || !c.Leaving() {
		t.Errorf("a request after GOAWAY: %v, want ErrFull", err)
	}
	close(release)
	if err := talk(t, conn, &c, n, draw, func() bool { return n.ended[id] != "" }); err != nil || n.ended[id] != "end" {
		t.Errorf("the request before it ended with %q, %v", n.ended[id], err)
	}
}

// script writes frames as a server would.
type script struct {
	bytes.Buffer
	framer *xhttp2.Framer
	fields bytes.Buffer
	hpack  *hpack.Encoder
}

func newScript() *script {
	s := new(script)
	s.framer = xhttp2.NewFramer(&s.Buffer, nil)
	s.framer.AllowIllegalWrites = true
	s.hpack = hpack.NewEncoder(&s.fields)
	return s
}

// block encodes fields, given as name and value in turn.
func (s *script) block(fields ...string) []byte {
	s.fields.Reset()
	for i := 0; i < len(fields); i += 2 {
		s.hpack.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return bytes.Clone(s.fields.Bytes())
}

func (s *script) head(id uint32, end bool, fields ...string) {
	s.framer.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: id, BlockFragment: s.block(fields...), EndStream: end, EndHeaders: true})
}

// What a server may do that net/http's does not, and what none may do.
func TestFrames(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		write  func(s *script)
		body   string // of stream 1
		ended  string
		broken string // in the error
	}{
		"padding is not data": {func(s *script) {
			s.head(1, false, ":status", "200")
			s.framer.WriteDataPadded(1, false, []byte("ab"), make([]byte, 200))
			s.framer.WriteDataPadded(1, true, []byte("c"), nil)
		}, "abc", "end", ""},
		"an empty end": {func(s *script) {
			s.head(1, false, ":status", "200")
			s.framer.WriteData(1, false, nil)
			s.framer.WriteData(1, false, []byte("a"))
			s.framer.WriteData(1, true, nil)
		}, "a", "end", ""},
		"a head in pieces": {func(s *script) {
			block := s.block(":status", "200", "content-type", "text/plain", "x", strings.Repeat("long", 100))
			s.framer.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:3]})
			s.framer.WriteContinuation(1, false, block[3:9])
			s.framer.WriteContinuation(1, true, block[9:])
			s.framer.WriteData(1, true, []byte("a"))
		}, "a", "end", ""},
		"a reset":                  {func(s *script) { s.framer.WriteRSTStream(1, xhttp2.ErrCodeEnhanceYourCalm) }, "", "ENHANCE_YOUR_CALM", ""},
		"a refusal by GOAWAY":      {func(s *script) { s.framer.WriteGoAway(0, xhttp2.ErrCodeNo, nil) }, "", "REFUSED_STREAM", ""},
		"frames that nobody knows": {func(s *script) { s.framer.WriteRawFrame(0xbe, 0xff, 1, []byte("x")); s.head(1, true, ":status", "204") }, "", "end", ""},
		"a ping":                   {func(s *script) { s.framer.WritePing(false, [8]byte{1}); s.head(1, true, ":status", "204") }, "", "end", ""},
		"data before the head":     {func(s *script) { s.framer.WriteData(1, false, []byte("x")) }, "", "", "before its head"},
		"data of nobody":           {func(s *script) { s.framer.WriteData(7, false, []byte("x")) }, "", "", "nobody opened"},
		"a head of nobody":         {func(s *script) { s.head(2, false, ":status", "200") }, "", "", "nobody opened"},
		"a head without a status":  {func(s *script) { s.head(1, false, "a", "b") }, "", "", "no status"},
		"a push": {func(s *script) {
			s.framer.WritePushPromise(xhttp2.PushPromiseParam{StreamID: 1, PromiseID: 2, EndHeaders: true})
		}, "", "", "pushes"},
		"bad compression": {func(s *script) {
			s.framer.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0xff, 0xff, 0xff}, EndHeaders: true})
		}, "", "", "decoding error"},
		"something within a head": {func(s *script) {
			s.framer.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: 1, BlockFragment: s.block(":status", "200")})
			s.framer.WritePing(false, [8]byte{})
		}, "", "", "within the fields"},
		"a CONTINUATION of nothing": {func(s *script) { s.framer.WriteContinuation(1, true, nil) }, "", "", "PROTOCOL_ERROR"},
		"a long frame":              {func(s *script) { s.framer.WriteRawFrame(xhttp2.FrameData, 0, 1, make([]byte, 16<<10+1)) }, "", "", "longer"},
		"too long a head":           {func(s *script) { s.huge(1) }, "", "", "more than"},
		"a window beyond its limit": {func(s *script) { s.framer.WriteWindowUpdate(0, 1<<31-1) }, "", "", "window"},
		"too much padding": {func(s *script) {
			s.head(1, false, ":status", "200")
			s.framer.WriteRawFrame(xhttp2.FrameData, xhttp2.FlagDataPadded, 1, []byte{9, 1})
		}, "", "", "padding"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScript()
			s.framer.WriteSettings()
			test.write(s)
			for _, size := range []int{1, 2, 3, 9, 10, 1 << 20} {
				n, err := fed(s.Bytes(), size)
				if test.broken == "" && err != nil || test.broken != "" && (err == nil || !strings.Contains(err.Error(), test.broken) || !errors.Is(err, http2.ErrBroken)) {
					t.Errorf("in pieces of %d: %v, want %q", size, err, test.broken)
				}
				if n.body(1) != test.body || test.broken == "" && n.ended[1] != test.ended {
					t.Errorf("in pieces of %d: body %q, end %q; want %q, %q", size, n.body(1), n.ended[1], test.body, test.ended)
				}
			}
		})
	}
	if _, err := fed([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), 100); !errors.Is(err, http2.ErrBroken) {
		t.Errorf("a server of HTTP/1.1: %v", err)
	}
}

// TestSilent: whether the last frame told anything, wherever the bytes were cut.
func TestSilent(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		write func(s *script)
		want  bool
	}{
		"settings alone":  {func(*script) {}, true},
		"a head":          {func(s *script) { s.head(1, false, ":status", "200") }, false},
		"data":            {func(s *script) { s.head(1, false, ":status", "200"); s.framer.WriteData(1, false, []byte("a")) }, false},
		"an empty end":    {func(s *script) { s.head(1, false, ":status", "200"); s.framer.WriteData(1, true, nil) }, false},
		"an empty frame":  {func(s *script) { s.head(1, false, ":status", "200"); s.framer.WriteData(1, false, nil) }, true},
		"a ping behind":   {func(s *script) { s.head(1, false, ":status", "200"); s.framer.WritePing(false, [8]byte{}) }, true},
		"a window behind": {func(s *script) { s.head(1, true, ":status", "200"); s.framer.WriteWindowUpdate(0, 1) }, true},
		"data of nobody":  {func(s *script) { s.head(1, true, ":status", "200"); s.framer.WriteData(1, false, []byte("a")) }, true},
	} {
		s := newScript()
		s.framer.WriteSettings()
		test.write(s)
		for _, size := range []int{1, 3, 9, 1 << 20} {
			var c http2.Conn
			c.Start()
			n := newNotes()
			if _, err := c.Request(&http2.Request{Method: "GET", Scheme: "http", Authority: "a", Path: "/"}); err != nil {
				t.Fatal(err)
			}
			for rest := s.Bytes(); len(rest) > 0; rest = rest[min(size, len(rest)):] {
				if err := c.Feed(rest[:min(size, len(rest))], n); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
			if c.Silent() != test.want {
				t.Errorf("%s, in pieces of %d: silent %v", name, size, c.Silent())
			}
		}
	}
}

// huge adds a head of more than the limit.
func (s *script) huge(id uint32) {
	s.framer.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: id, BlockFragment: s.block(":status", "200")})
	for range 6 {
		s.framer.WriteContinuation(id, false, make([]byte, 16<<10))
	}
}

// fed feeds what a server says, in pieces, to a Conn with one open request.
func fed(b []byte, size int) (*notes, error) {
	var c http2.Conn
	c.Start()
	n := newNotes()
	c.Request(&http2.Request{Method: "GET", Scheme: "http", Authority: "a", Path: "/"})
	for len(b) > 0 {
		piece := b[:min(size, len(b))]
		b = b[len(piece):]
		if err := c.Feed(piece, n); err != nil {
			return n, err
		}
		c.Output()
	}
	return n, nil
}

// FuzzConn: no bytes of a server make the Conn panic, and where they are cut does not matter.
func FuzzConn(f *testing.F) {
	for _, seed := range []func(s *script){
		func(s *script) {
			s.head(1, false, ":status", "200")
			s.framer.WriteDataPadded(1, true, []byte("ab"), make([]byte, 3))
		},
		func(s *script) { s.framer.WriteGoAway(0, 0, nil); s.framer.WriteWindowUpdate(1, 9) },
		func(s *script) { s.framer.WriteRSTStream(1, 3); s.framer.WritePing(false, [8]byte{}) },
	} {
		s := newScript()
		s.framer.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingMaxFrameSize, Val: 1 << 15}, xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 7})
		seed(s)
		f.Add(s.Bytes(), 3)
	}
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		whole, wholeErr := fed(b, len(b)+1)
		parts, partsErr := fed(b, max(1, size))
		if (wholeErr == nil) != (partsErr == nil) || whole.body(1) != parts.body(1) || whole.heads[1] != parts.heads[1] || whole.ended[1] != parts.ended[1] {
			t.Errorf("%q: whole %v %q %q %q, in pieces of %d %v %q %q %q", b, wholeErr, whole.heads[1], whole.body(1), whole.ended[1],
				size, partsErr, parts.heads[1], parts.body(1), parts.ended[1])
		}
	})
}
