package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"holobench/wire/sse"
)

// seen is one event as the script of a page sees it.
type seen struct{ Type, ID, Data string }

// adversarial are streams on which readers of server-sent events are known to differ, or could. What a browser makes of
// them is not written here: Chromium says it.
func adversarial() []string {
	long := strings.Repeat("0123456789abcdef", 8<<10)
	return []string{
		"data: x\n\n", "data: x\r\n\r\n", "data: x\r\r", "data: 1\rdata: 2\r\ndata: 3\n\r", "data: 1\n\rdata: 2\n\n", "data: 1\r\n\rdata: 2\n\n",
		"\xef\xbb\xbfdata: x\n\n", "\xef\xbb\xbf\xef\xbb\xbfdata: x\n\ndata: y\n\n", "\xef\xbbdata: x\n\ndata: y\n\n", "data: x\n\n\xef\xbb\xbfdata: y\n\n",
		"\xef\xbb\xbf\n\ndata: x\n\n", "\xef\xbb\xbf: c\n\ndata: x\n\n",
		"data:  x\n\n", "data:x\n\n", "data:\tx\n\n", "data: x \n\n", "data: a:b: c\n\n", "data : x\n\ndata: y\n\n", " data: x\n\ndata: y\n\n",
		"data\n\n", "data\ndata\n\n", "data:\n\n", "data: \n\n", "data:\ndata: x\n\n", "data: x\ndata:\n\n", "data\n\ndata\ndata\n\ndata:", "data:\n\ndata\n\n",
		"event: a\n\ndata: x\n\n", "event: a\ndata: x\n\ndata: y\n\n", "event: a\nevent: b\ndata: x\n\n", "event: a\nevent\ndata: x\n\n", "event:\ndata: x\n\n",
		"event: message\ndata: x\n\n", "event: a b\ndata: x\n\n", "event: é\ndata: x\n\n", "Event: a\nDATA: x\n\ndata: y\n\n", "event:  a\ndata: x\n\n",
		"id: 7\n\ndata: x\n\n", "id: 7\ndata: x\n\ndata: y\n\n", "id: 7\ndata: x\n\nid\ndata: y\n\n", "id: 7\ndata: x\n\nid:\ndata: y\n\n", "id: 7\nid: 8\x00\ndata: x\n\n",
		"id: 7\nid: 8\ndata: x\n\n", "id: 7\n\nid: 8\n", "id: 7\x00\n\ndata: x\n\n", "id:  7\ndata: x\n\n", "id: é\ndata: x\n\n", "id: 1\ndata: x\n\nid: 2\n\ndata: y\n\n",
		": ping\n\n", ":\ndata: x\n\n", ": ping\ndata: x\n\n", "data: 1\n: ping\ndata: 2\n\n", "::\ndata: x\n\n", ": id: 9\ndata: x\n\n", ":\n\n:\n\ndata: x\n\n",
		"retry: 1500\ndata: x\n\n", "retry: 1.5\nretry: -1\nretry:  1\nretry\ndata: x\n\n", "retry: 99999999999999999999\ndata: x\n\n", "foo: bar\ndata: x\n\n", "foo\ndata: x\n\n",
		"data: x\n\ndata: y\n", "data: x\n\ndata: y", "data: x\n", "data: x", "data: x\n\n: y", "id: 3\ndata: x\n\nid: 4\ndata: y\n",
		"data: \xff\n\n", "data: a\xc3\n\n", "data: \xed\xa0\x80\n\n", "data: \xf0\x9f\x98\x80\n\n", "data: \xf0\x9f\x98\n\ndata: y\n\n", "data: a\x00b\n\n", "data: a\x0bb\x0cc\n\n", "data: a\u2028b\u0085c\n\n",
		"\n\r\n\r\n\ndata: x\n\n", "\n", "", "data: x\n\n\n\n\ndata: y\n\n", "data:" + long + "\n\n", "data: " + long + "\ndata: y\n\nid: 5\ndata: z\n\n",
		strings.Repeat("data: line\n", 500) + "\n", strings.Repeat("id: 1\nevent: a\ndata: x\n\n", 200), strings.Repeat(": ping\n\n", 300) + "data: x\n\n",
		"event: open\ndata: x\n\n", "data: <b>&amp;</b>\n\n", "data: {\"a\":\"\\n\"}\n\n",
	}
}

// eventTypes are the types that a page has to listen for by name.
func eventTypes() []string { return []string{"message", "a", "b", "a b", "é", " a"} }

// listen is the script of a page that reads one stream to its end.
const listen = `(url, types) => new Promise((done) => {
	const got = [], source = new EventSource(url);
	for (const type of types) source.addEventListener(type, (e) => got.push({ Type: e.type, ID: e.lastEventId, Data: e.data }));
	source.addEventListener("open", (e) => { if (e instanceof MessageEvent) got.push({ Type: e.type, ID: e.lastEventId, Data: e.data }); });
	source.onerror = (e) => { if (e instanceof MessageEvent) return; source.close(); done(got); };
})`

// TestVerifyEventSource is make verify-eventsource: our parser of event streams against Chromium's own.
func TestVerifyEventSource(t *testing.T) {
	if !*verify {
		t.Skip("starts a browser: make verify-eventsource")
	}
	streams := adversarial()
	if len(streams) < 60 {
		t.Fatalf("%d streams, want at least 60", len(streams))
	}
	seed := rand.Uint64()
	server := httptest.NewUnstartedServer(pieces(streams, seed))
	server.Start()
	t.Cleanup(server.Close)
	browser := startChromium(t)
	page := browser.open(server.URL + "/")
	page.until("the page", `document.readyState === "complete"`)
	types, err := json.Marshal(eventTypes())
	if err != nil {
		t.Fatal(err)
	}
	events := 0
	for i, stream := range streams {
		for _, way := range []string{"chunked", "close"} {
			var want []seen
			page.eval(fmt.Sprintf("(%s)(%q, %s)", listen, fmt.Sprintf("/%s?stream=%d", way, i), types), &want)
			if got := parsed(t, stream, seed); !slices.Equal(got, want) {
				t.Errorf("%s: of %s Chromium sees %s, and we %s (seed %d)", way, clip(stream), clip(fmt.Sprintf("%q", want)), clip(fmt.Sprintf("%q", got)), seed)
			}
			events += len(want)
		}
	}
	t.Logf("%d streams, each in chunks and up to the end of its connection, in random pieces: %d events, all as Chromium sees them", len(streams), events)
}

func clip(text string) string {
	if len(text) > 200 {
		return fmt.Sprintf("%q... (%d bytes)", text[:200], len(text))
	}
	return fmt.Sprintf("%q", text)
}

// parsed is what our parser makes of a stream that comes in random pieces, in the terms of a page: a type that is not given
// is "message", and what is no UTF-8 is replaced as a decoder replaces it.
func parsed(t *testing.T, stream string, seed uint64) []seen {
	t.Helper()
	var p sse.Parser
	var h pageHandler
	for piece := range randomPieces(stream, seed) {
		if err := p.Feed([]byte(piece), &h); err != nil {
			t.Fatal(err)
		}
	}
	return h.got
}

type pageHandler struct{ got []seen }

func (h *pageHandler) OnEvent(e *sse.Event) {
	kind := string(e.Name)
	if kind == "" {
		kind = "message"
	}
	h.got = append(h.got, seen{decoded(kind), decoded(string(e.ID)), decoded(string(e.Data))})
}

func (*pageHandler) OnComment([]byte) {}

func (*pageHandler) OnRetry(time.Duration) {}

// decoded replaces as the WHATWG encoding standard does: the longest beginning of a sequence by one U+FFFD.
func decoded(text string) string {
	var b strings.Builder
	for text != "" {
		r, size := utf8.DecodeRuneInString(text)
		if r != utf8.RuneError || size > 1 {
			b.WriteString(text[:size])
			text = text[size:]
			continue
		}
		b.WriteRune(utf8.RuneError)
		text = text[truncated(text):]
	}
	return b.String()
}

// truncated is the length of the longest beginning of a valid sequence with which text begins, at least 1.
func truncated(text string) int {
	for size := min(3, len(text)); size > 1; size-- {
		for _, whole := range []string{"\x80", "\xbf", "\x90", "\x80\x80", "\x90\x80", "\xbf\xbf", "\x9f", "\x8f"} {
			if r, n := utf8.DecodeRuneInString(text[:size] + whole); r != utf8.RuneError && n == size+len(whole) {
				return size
			}
		}
	}
	return 1
}

// randomPieces cuts a stream, the same for the same seed.
func randomPieces(stream string, seed uint64) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		draw := rand.New(rand.NewPCG(seed, uint64(len(stream))))
		for stream != "" {
			n := 1 + draw.IntN(min(len(stream), 1+draw.IntN(1<<draw.IntN(17))))
			if !yield(stream[:n]) {
				return
			}
			stream = stream[n:]
		}
	}
}

// pieces serves the streams by number, chunked at /chunked and up to the end of the connection at /close.
func pieces(streams []string, seed uint64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<!doctype html><title>streams</title>")
			return
		}
		i, err := strconv.Atoi(r.URL.Query().Get("stream"))
		if err != nil || i < 0 || i >= len(streams) {
			http.NotFound(w, r)
			return
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		head := "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n"
		if r.URL.Path == "/close" {
			serveClosed(conn, head, streams[i], seed)
			return
		}
		fmt.Fprintf(conn, "%sTransfer-Encoding: chunked\r\n\r\n", head)
		for piece := range randomPieces(streams[i], seed) {
			fmt.Fprintf(conn, "%x\r\n%s\r\n", len(piece), piece)
		}
		fmt.Fprint(conn, "0\r\n\r\n")
	})
}

func serveClosed(conn net.Conn, head, stream string, seed uint64) {
	fmt.Fprintf(conn, "%s\r\n", head)
	for piece := range randomPieces(stream, seed) {
		fmt.Fprint(conn, piece)
	}
}
