package clients_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"holobench/clients"
	"holobench/wire/http1"
	"holobench/wire/sse"
)

// heard is what one engine says about a stream: an event a line.
type heard struct{ events []string }

func (h *heard) note(id, name, data []byte) {
	h.events = append(h.events, fmt.Sprintf("id=%q name=%q data=%q", id, name, data))
}

// ourEngine reads one response with wire/http1 and wire/sse.
type ourEngine struct {
	heard
	response http1.Parser
	stream   sse.Parser
}

func (o *ourEngine) OnHead(head *http1.Head) error {
	if head.Status != http.StatusOK {
		return fmt.Errorf("status %d", head.Status)
	}
	return nil
}

func (o *ourEngine) OnBody(b []byte) error { return o.stream.Feed(b, o) }

func (o *ourEngine) OnEnd() error { return nil }

func (o *ourEngine) OnEvent(e *sse.Event) { o.note(e.ID, e.Name, e.Data) }

func (o *ourEngine) OnComment([]byte) {}

func (o *ourEngine) OnRetry(time.Duration) {}

// readOurs reads the stream of server to its end with our parsers.
func readOurs(t *testing.T, server *httptest.Server) []string {
	t.Helper()
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := tcpDial(t.Context(), "tcp", target.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write(http1.AppendRequest(nil, http1.Request{Method: "GET", Target: "/", Host: target.Host})); err != nil {
		t.Fatal(err)
	}
	var o ourEngine
	buffer := make([]byte, 1000)
	for !o.response.Done() {
		n, err := conn.Read(buffer)
		if _, err := o.response.Feed(buffer[:n], &o); err != nil {
			t.Fatal(err)
		}
		if errors.Is(err, io.EOF) {
			err = o.response.Close(&o)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return o.events
}

// readReference reads the stream of server to its end with the reference engine.
func readReference(t *testing.T, server *httptest.Server) []string {
	t.Helper()
	var h heard
	if err := clients.Reference(t.Context(), server.URL, nil, tcpDial, h.note); err != nil {
		t.Fatal(err)
	}
	return h.events
}

func tcpDial(ctx context.Context, network, addr string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, addr)
}

// serve answers every request with the pieces, each of which it flushes.
func serve(t *testing.T, pieces ...string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, piece := range pieces {
			_, _ = io.WriteString(w, piece)
			_ = http.NewResponseController(w).Flush()
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// TestReferenceAndOursReportTheSameEvents reads a plain stream, as servers send it, with both engines.
func TestReferenceAndOursReportTheSameEvents(t *testing.T) {
	t.Parallel()
	const count = 500
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 4))
	var stream []byte
	var want heard
	id := ""
	for n := range count {
		name, newID := "", ""
		data := fmt.Sprintf(`{"n":%d,"payload":"%s"}`, n, strings.Repeat("x", random.IntN(3000)))
		if random.IntN(2) == 0 {
			newID = fmt.Sprint(n)
			id = newID
		}
		if random.IntN(3) == 0 {
			name = "chat"
		}
		if random.IntN(3) == 0 {
			data = strings.ReplaceAll(data, ",", ",\n ")
		}
		if random.IntN(4) == 0 {
			stream = append(stream, ": ping\n"...) // without an empty line: see TestReferenceIsKnownToDiffer
		}
		stream = sse.AppendEvent(stream, newID, name, []byte(data))
		want.note([]byte(id), []byte(name), []byte(data))
	}
	var pieces []string
	for rest := string(stream); rest != ""; {
		n := min(len(rest), 1+random.IntN(8000))
		pieces = append(pieces, rest[:n])
		rest = rest[n:]
	}
	server := serve(t, pieces...)
	for engine, got := range map[string][]string{"ours": readOurs(t, server), "the reference": readReference(t, server)} {
		if len(got) != count {
			t.Errorf("seed %d: %s reports %d events, want %d", seed, engine, len(got), count)
		}
		for i := range min(len(got), count) {
			if got[i] != want.events[i] {
				t.Fatalf("seed %d: event %d by %s\n got %.200s\nwant %.200s", seed, i, engine, got[i], want.events[i])
			}
		}
	}
}

// TestReferenceIsKnownToDiffer lists the streams of which the reference engine says something else than the standard. A
// row that fails says that one of the two has changed.
func TestReferenceIsKnownToDiffer(t *testing.T) {
	t.Parallel()
	event := func(id, name, data string) string { return fmt.Sprintf("id=%q name=%q data=%q", id, name, data) }
	for name, test := range map[string]struct {
		stream    string
		standard  []string
		reference []string
	}{
		"a byte order mark spoils the first line": {
			"\xef\xbb\xbfdata: a\n\ndata: b\n\n", []string{event("", "", "a"), event("", "", "b")}, []string{event("", "", "b")},
		},
		"an id with NUL is taken": {
			"id: 1\ndata: a\n\nid: 2\x00\ndata: b\n\n",
			[]string{event("1", "", "a"), event("1", "", "b")},
			[]string{event("1", "", "a"), event("2\x00", "", "b")},
		},
		"an empty id does not reset": {
			"id: 1\ndata: a\n\nid:\ndata: b\n\n", []string{event("1", "", "a"), event("", "", "b")}, []string{event("1", "", "a"), event("1", "", "b")},
		},
		"an id without colon does not reset": {
			"id: 1\ndata: a\n\nid\ndata: b\n\n", []string{event("1", "", "a"), event("", "", "b")}, []string{event("1", "", "a"), event("1", "", "b")},
		},
		"an event without colon does not reset the name": {
			"event: e\nevent\ndata: a\n\n", []string{event("", "", "a")}, []string{event("", "e", "a")},
		},
		"empty data is no event":          {"data:\n\n", []string{event("", "", "")}, nil},
		"data without colon is no event":  {"data\n\n", []string{event("", "", "")}, nil},
		"an id alone is an event":         {"id: 1\n\ndata: a\n\n", []string{event("1", "", "a")}, []string{event("1", "", ""), event("1", "", "a")}},
		"a name alone is an event":        {"event: e\n\ndata: a\n\n", []string{event("", "", "a")}, []string{event("", "e", ""), event("", "", "a")}},
		"retry alone is an event":         {"retry: 10\n\ndata: a\n\n", []string{event("", "", "a")}, []string{event("", "", ""), event("", "", "a")}},
		"an unfinished event is an event": {"data: a\n\ndata: b\n", []string{event("", "", "a")}, []string{event("", "", "a"), event("", "", "b")}},
		"an unfinished line is a line":    {"data: a\n\ndata: b", []string{event("", "", "a")}, []string{event("", "", "a"), event("", "", "b")}},
		"an id of an unfinished event":    {"data: a\n\nid: 9", []string{event("", "", "a")}, []string{event("", "", "a"), event("9", "", "")}},
		"LF CR does not end an event":     {"data: a\n\rdata: b\n\n", []string{event("", "", "a"), event("", "", "b")}, []string{event("", "", "a\nb")}},
		"CRLF CR does not end an event":   {"data: a\r\n\rdata: b\n\n", []string{event("", "", "a"), event("", "", "b")}, []string{event("", "", "a\nb")}},
		"retry that is no number is one":  {"retry: soon\n\ndata: a\n\n", []string{event("", "", "a")}, []string{event("", "", ""), event("", "", "a")}},
		"a comment is an event, once there is an id": {
			": c\n\nid: 1\ndata: a\n\n: c\n\ndata: b\n\n",
			[]string{event("1", "", "a"), event("1", "", "b")},
			[]string{event("1", "", "a"), event("1", "", ""), event("1", "", "b")},
		},
		"an unknown field is an event, once there is an id": {
			"id: 1\ndata: a\n\nfoo: bar\n\n", []string{event("1", "", "a")}, []string{event("1", "", "a"), event("1", "", "")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, test.stream)
			if got := readOurs(t, server); !slices.Equal(got, test.standard) {
				t.Errorf("ours says %q of %q, the standard %q", got, test.stream, test.standard)
			}
			if got := readReference(t, server); !slices.Equal(got, test.reference) {
				t.Errorf("the reference says %q of %q, and used to say %q", got, test.stream, test.reference)
			}
		})
	}
}

// TestReferenceIsKnownToAgree lists what one could suspect, and what holds.
func TestReferenceIsKnownToAgree(t *testing.T) {
	t.Parallel()
	for _, pieces := range [][]string{
		{"data: a\r\rdata: b\r\r"},
		{"data: a\r\n\r\ndata: b\r\n\r\n"},
		{"data: a\r\n\r", "\ndata: b\r", "\n\r\n"},
		{"data: a\r", "\rdata: b\n\r\n"},
		{"data:  two spaces\n\n", "data:none\n\n", "data:\ttab\n\n", "data: trailing \n\n"},
		{"data: a\ndata\ndata:\ndata: b\n\n"},
		{"data: a: b:c\n\n", ": comment\ndata: d\n\n", "data: e\nother: f\nData: g\n\n"},
		{"id: 1\ndata: a\n\ndata: b\n\n", "id: 2\nid: 3\ndata: c\n\n"},
		{"\n\n\ndata: a\n\n\n\n\ndata: b\n\n"},
		{"data: \xff\x00\n\n"},
		{"data: " + strings.Repeat("x", 1<<20-100) + "\n\ndata: b\n\n"},
		{},
		{"\xef\xbb\xbf\n\ndata: a\n\n"},
	} {
		server := serve(t, pieces...)
		ours, reference := readOurs(t, server), readReference(t, server)
		if !slices.Equal(ours, reference) {
			t.Errorf("of %.200q\nours says          %.300q\nthe reference says %.300q", pieces, ours, reference)
		}
		if len(ours) == 0 && len(pieces) > 0 {
			t.Errorf("%.200q has no event: the row compares nothing", pieces)
		}
	}
}

// TestReferenceEnds is not parallel: it counts the goroutines of r3labs in the whole process.
func TestReferenceEnds(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, "data: x\n\n")
			_ = http.NewResponseController(w).Flush()
		}
	}))
	t.Cleanup(server.Close)
	stop := errors.New("enough")
	for range 20 {
		ctx, cancel := context.WithCancelCause(t.Context())
		events, alive := 0, 0
		err := clients.Reference(ctx, server.URL, nil, tcpDial, func(_, _, _ []byte) {
			if events++; events == 3 {
				alive = referenceGoroutines()
				cancel(stop)
			}
		})
		if !errors.Is(err, stop) {
			t.Fatalf("Reference returned %v, want the cause of the end", err)
		}
		if alive < 2 {
			t.Fatalf("found %d goroutines of r3labs while one subscription was alive: the search is broken", alive)
		}
	}
	deadline := time.Now().Add(10 * time.Second)
	for referenceGoroutines() > 0 {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines of r3labs are left", referenceGoroutines())
		}
		runtime.Gosched()
	}
}

// referenceGoroutines counts the goroutines that run r3labs' code or were started by it.
func referenceGoroutines() (count int) {
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for goroutine := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(goroutine, "r3labs/sse") {
			count++
		}
	}
	return count
}

func TestReferenceFails(t *testing.T) {
	t.Parallel()
	answer := func(status int) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	none := func(_, _, _ []byte) { t.Error("an event of a stream that failed") }
	for _, test := range []struct{ url, want string }{
		{answer(http.StatusServiceUnavailable), "reading a stream by the reference engine: could not connect to stream: Service Unavailable"},
		{answer(http.StatusFound), "reading a stream by the reference engine: could not connect to stream: Found"},
		{serve(t, "data: "+strings.Repeat("x", 1<<20)+"\n\n").URL, "reading a stream by the reference engine: bufio.Scanner: token too long"},
		{"http://h:x/", `reading a stream by the reference engine: parse "http://h:x/": invalid port ":x" after host`},
	} {
		if err := clients.Reference(t.Context(), test.url, nil, tcpDial, none); err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %q", err, test.want)
		}
	}
	refuse := errors.New("no way")
	for url, addr := range map[string]string{"http://h/": "h:80", "https://h": "h:443", "http://[::1]:7/": "[::1]:7"} {
		err := clients.Reference(t.Context(), url, nil, func(_ context.Context, _, got string) (net.Conn, error) {
			if got != addr {
				t.Errorf("dialed %s, want %s", got, addr)
			}
			return nil, refuse
		}, none)
		if !errors.Is(err, refuse) {
			t.Errorf("error %v, want the dialer's", err)
		}
	}
}

func TestReferenceSendsTheHeader(t *testing.T) {
	t.Parallel()
	seen := make(chan http.Header, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header }))
	t.Cleanup(server.Close)
	header := http.Header{"Last-Event-Id": {"7"}, "X-List": {"a", "b"}}
	if err := clients.Reference(t.Context(), server.URL, header, tcpDial, func(_, _, _ []byte) {}); err != nil {
		t.Fatal(err)
	}
	got := <-seen
	if got.Get("Last-Event-Id") != "7" || got.Get("X-List") != "a, b" || got.Get("Accept") != "text/event-stream" || got.Get("Accept-Encoding") != "" {
		t.Errorf("the server saw %v", got)
	}
}
