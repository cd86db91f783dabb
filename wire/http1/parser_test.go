package http1_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"holobench/wire/http1"
)

// notes writes down what a response says, with copies of all bytes; the pieces of the body are joined, because where
// they are cut depends on where the feed was.
type notes struct {
	head  http1.Head
	heads int
	body  []byte
	ends  int

	failHead, failBody, failEnd error
}

func (n *notes) OnHead(head *http1.Head) error {
	n.head = *head
	n.heads++
	return n.failHead
}

func (n *notes) OnBody(b []byte) error {
	if len(b) == 0 {
		return errors.New("an empty piece of the body")
	}
	n.body = append(n.body, b...)
	return n.failBody
}

func (n *notes) OnEnd() error {
	n.ends++
	return n.failEnd
}

// outcome is all that can be observed of one response.
type outcome struct {
	head   http1.Head
	heads  int
	body   string
	ends   int
	done   bool
	used   int
	closed string // the error of Close, when the peer ended the connection behind the input
}

// feed feeds input cut at the given places and ends the connection then. Each piece is overwritten when it has been fed,
// so that a reference kept to it shows.
func feed(input string, cuts []int) outcome {
	var p http1.Parser
	var n notes
	used, from := 0, 0
	var err error
	for _, to := range append(slices.Clone(cuts), len(input)) {
		to = min(max(from, to), len(input))
		piece := []byte(input[from:to])
		from = to
		var part int
		part, err = p.Feed(piece, &n)
		used += part
		clear(piece)
		if err != nil || p.Done() {
			break
		}
	}
	done := p.Done()
	closed := p.Close(&n)
	text := ""
	if closed != nil {
		text = closed.Error()
		used = 0 // up to where a faulty response was read is not promised
	}
	if (err != nil || done) && !errors.Is(closed, err) {
		text = fmt.Sprintf("Feed said %v, Close then %v", err, closed)
	}
	return outcome{n.head, n.heads, string(n.body), n.ends, done, used, text}
}

func everywhere(input string) []int {
	cuts := make([]int, len(input))
	for i := range cuts {
		cuts[i] = i + 1
	}
	return cuts
}

const ok = "HTTP/1.1 200 OK\r\n"

func TestParser(t *testing.T) {
	t.Parallel()
	cut := func(where string) string {
		return "reading an HTTP response: the connection ended within its " + where + ": unexpected EOF"
	}
	for name, test := range map[string]struct {
		input  string
		head   http1.Head
		body   string
		done   bool
		rest   string // what was not consumed
		closed string
	}{
		"length": {
			input: ok + "Content-Length: 5\r\nContent-Type: text/plain\r\n\r\nhelloHTTP/1.1", rest: "HTTP/1.1",
			head: http1.Head{Status: 200, ContentType: "text/plain", ContentLength: 5, KeepAlive: true}, body: "hello", done: true,
		},
		"length 0": {
			input: ok + "Content-Length: 0\r\n\r\nx", rest: "x",
			head: http1.Head{Status: 200, KeepAlive: true}, done: true,
		},
		"chunked": {
			input: ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA ; name=\"v\"\r\n, world!!!\r\n0\r\n\r\nx", rest: "x",
			head: http1.Head{Status: 200, ContentLength: -1, Chunked: true, KeepAlive: true}, body: "hello, world!!!", done: true,
		},
		"chunked with trailers": {
			input: ok + "transfer-encoding: Chunked\r\n\r\n0003\r\nabc\r\n000;x\r\nExpires: never\r\nnonsense\r\n\r\nx", rest: "x",
			head: http1.Head{Status: 200, ContentLength: -1, Chunked: true, KeepAlive: true}, body: "abc", done: true,
		},
		"until the end of the connection": {
			input: ok + "Content-Type:text/event-stream \r\n\r\ndata: x\n\n",
			head:  http1.Head{Status: 200, ContentType: "text/event-stream", ContentLength: -1}, body: "data: x\n\n",
		},
		"bare LF": {
			input: "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhi\n0\n\n",
			head:  http1.Head{Status: 200, ContentLength: -1, Chunked: true, KeepAlive: true}, body: "hi", done: true,
		},
		"chunks win over a length": {
			input: ok + "Content-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
			head:  http1.Head{Status: 200, ContentLength: -1, Chunked: true}, body: "x", done: true,
		},
		"the same length twice": {
			input: ok + "Content-Length: 1\r\ncontent-length:1\r\n\r\nx",
			head:  http1.Head{Status: 200, ContentLength: 1, KeepAlive: true}, body: "x", done: true,
		},
		"204 has no body": {
			input: "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc", rest: "abc",
			head: http1.Head{Status: 204, KeepAlive: true}, done: true,
		},
		"304 has no body": {
			input: "HTTP/1.1 304\r\nTransfer-Encoding: chunked\r\n\r\n0", rest: "0",
			head: http1.Head{Status: 304, KeepAlive: true}, done: true,
		},
		"interim responses": {
			input: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLocation: /a\r\nContent-Length: 7\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
			head:  http1.Head{Status: 202, KeepAlive: true}, done: true,
		},
		"all fields": {
			input: "HTTP/1.1 503 \r\nRETRY-AFTER:\t 7 \t\r\nLocation: /b\r\nlocation: /c\r\nContent-Encoding: gzip\r\nX-Other: \xfc\r\nContent-Length: 0\r\n\r\n",
			head:  http1.Head{Status: 503, RetryAfter: "7", Location: "/b", ContentEncoding: "gzip", KeepAlive: true}, done: true,
		},
		"connection: close": {
			input: ok + "Connection: x, Close\r\nContent-Length: 1\r\n\r\nx",
			head:  http1.Head{Status: 200, ContentLength: 1}, body: "x", done: true,
		},
		"HTTP/1.0 ends the connection": {
			input: "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
			head:  http1.Head{Status: 200, ContentLength: 1}, body: "x", done: true,
		},
		"HTTP/1.0 with keep-alive": {
			input: "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx",
			head:  http1.Head{Status: 200, ContentLength: 1, KeepAlive: true}, body: "x", done: true,
		},
		"HTTP/1.0 with chunks": {
			input: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
			head:  http1.Head{Status: 200, ContentLength: -1, Chunked: true}, body: "x", done: true,
		},
		"nothing":              {closed: "EOF"},
		"cut status line":      {input: "H", closed: cut("head")},
		"cut behind 100":       {input: "HTTP/1.1 100 Continue\r\n\r\n", closed: cut("head")},
		"cut head":             {input: ok, closed: cut("head")},
		"cut length":           {input: ok + "Content-Length: 2\r\n\r\nx", head: http1.Head{Status: 200, ContentLength: 2, KeepAlive: true}, body: "x", closed: cut("body")},
		"cut within a chunk":   {input: ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nx", head: chunkedHead(), body: "x", closed: cut("chunked body")},
		"cut behind a chunk":   {input: ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", head: chunkedHead(), body: "x", closed: cut("chunked body")},
		"cut trailers":         {input: ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n", head: chunkedHead(), closed: cut("trailer section")},
		"chunk data too long":  {input: ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n", head: chunkedHead(), body: "x", closed: "reading an HTTP response: a chunk is longer than the size that it states"},
		"chunk data too long2": {input: ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\n", head: chunkedHead(), body: "x", closed: "reading an HTTP response: a chunk is longer than the size that it states"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := outcome{head: test.head, body: test.body, done: test.done, used: len(test.input) - len(test.rest), closed: test.closed}
			if test.head.Status != 0 {
				want.heads = 1
			}
			if test.closed == "" {
				want.ends = 1
			} else {
				want.used = 0
			}
			for at := range len(test.input) + 1 {
				if got := feed(test.input, []int{at}); got != want {
					t.Fatalf("cut at %d\n got %+v\nwant %+v", at, got, want)
				}
			}
			if got := feed(test.input, everywhere(test.input)); got != want {
				t.Fatalf("byte by byte\n got %+v\nwant %+v", got, want)
			}
		})
	}
}

func chunkedHead() http1.Head {
	return http1.Head{Status: 200, ContentLength: -1, Chunked: true, KeepAlive: true}
}

func TestParserRefuses(t *testing.T) {
	t.Parallel()
	chunked := ok + "Transfer-Encoding: chunked\r\n\r\n"
	filler := strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 70)
	for input, want := range map[string]string{
		"SSH-2.0-OpenSSH_9\r\n": `it begins with "SSH-2.0-OpenSSH_9", not with HTTP/1.1 or HTTP/1.0; is there an HTTP server?`,
		"\r\n":                  `it begins with "", not with HTTP/1.1 or HTTP/1.0; is there an HTTP server?`,
		"HTTP/2.0 200 OK\r\n":   `it begins with "HTTP/2.0 200 OK", not with HTTP/1.1 or HTTP/1.0; is there an HTTP server?`,
		"HTTP/1.1 20 OK\r\n":    `the status line "HTTP/1.1 20 OK" has no status of three digits`,
		"HTTP/1.1 099 OK\r\n":   `the status line "HTTP/1.1 099 OK" has no status of three digits`,
		"HTTP/1.1 +20 OK\r\n":   `the status line "HTTP/1.1 +20 OK" has no status of three digits`,
		"HTTP/1.1\r\n":          `the status line "HTTP/1.1" has no status of three digits`,
		"HTTP/1.1 101 Switching Protocols\r\n\r\n":                      "101 Switching Protocols, though no other protocol was asked for",
		ok + "A: b\r\n c\r\n":                                           `a folded header line, " c"`,
		ok + "no colon\r\n":                                             `"no colon" is no header field`,
		ok + "A : b\r\n":                                                `"A : b" is no header field`,
		ok + ": b\r\n":                                                  `": b" is no header field`,
		ok + "A: b\x00c\r\n":                                            "the header field A holds the control byte 0x0",
		ok + "A: b\rc\r\n":                                              "a bare CR in its head",
		ok + "Content-Length: 1\r\nContent-Length: 2\r\n":               "Content-Length is 1 and 2",
		ok + "Content-Length: 1, 1\r\n":                                 `Content-Length is "1, 1", not a number`,
		ok + "Content-Length: -1\r\n":                                   `Content-Length is "-1", not a number`,
		ok + "Content-Length:\r\n":                                      `Content-Length is "", not a number`,
		ok + "Content-Length: 9223372036854775808\r\n":                  `Content-Length "9223372036854775808" is out of range`,
		ok + "Transfer-Encoding: gzip, chunked\r\n":                     `Transfer-Encoding "gzip, chunked" is not supported, only chunked`,
		ok + "Transfer-Encoding: " + strings.Repeat("x", 99) + "\n":     `Transfer-Encoding "` + strings.Repeat("x", 57) + `..." is not supported, only chunked`,
		ok + "Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n": "it is chunked twice",
		chunked + "\r\n":                                                "a chunk without a size",
		chunked + ";x\r\n":                                              "a chunk without a size",
		chunked + "0x1\r\n":                                             `the size of a chunk is "0x1", not a hexadecimal number`,
		chunked + "-1\r\n":                                              `the size of a chunk is "-1", not a hexadecimal number`,
		chunked + "8000000000000000\r\n":                                `the size of a chunk, "8000000000000000", is out of range`,
		chunked + "1;a\rb\r\n":                                          "a bare CR in its chunked body",
		chunked + "1;" + strings.Repeat("x", 4096):                      "the line that opens a chunk is longer than 4 KiB",
		chunked + "0\r\n" + filler:                                      "its trailer section is longer than 64 KiB",
		ok + filler:                                                     "its head is longer than 64 KiB",
		ok + "A: " + strings.Repeat("x", 70_000):                        "its head is longer than 64 KiB",
		strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 3000):           "its head is longer than 64 KiB",
	} {
		for _, cuts := range [][]int{nil, everywhere(input)} {
			var p http1.Parser
			var n notes
			var err error
			from := 0
			for _, to := range append(cuts, len(input)) {
				if _, err = p.Feed([]byte(input[from:to]), &n); err != nil {
					break
				}
				from = to
			}
			if err == nil || err.Error() != "reading an HTTP response: "+want {
				t.Errorf("%.80q: error %v, want %q", input, err, want)
			}
			if n.ends > 0 || len(n.body) > 0 || p.Done() {
				t.Errorf("%.80q: went on to %+v", input, n)
			}
			if used, again := p.Feed([]byte("x"), &n); used != 0 || !errors.Is(again, err) || !errors.Is(p.Close(&n), err) {
				t.Errorf("%.80q: the dead parser said %d, %v", input, used, again)
			}
		}
	}
}

func TestParserKeepsAlive(t *testing.T) {
	t.Parallel()
	connection := ok + "Content-Type: text/a\r\nRetry-After: 1\r\nContent-Length: 1\r\n\r\nx" +
		ok + "Content-Type: text/b\r\nTransfer-Encoding: chunked\r\n\r\n1\r\ny\r\n0\r\n\r\n" + ok + "Content-Length: 0\r\n\r\n"
	var p http1.Parser
	var said []string
	for rest := []byte(connection); len(rest) > 0; p.Reset() {
		if p.Begun() || p.Done() {
			t.Fatal("a reset parser has begun")
		}
		var n notes
		used, err := p.Feed(rest, &n)
		if err != nil || !p.Done() || !p.Begun() || n.ends != 1 {
			t.Fatalf("at %q: %v, %+v", rest, err, n)
		}
		if more, err := p.Feed(rest[used:], &n); more != 0 || err != nil {
			t.Fatalf("a response that is done took %d more bytes, %v", more, err)
		}
		said = append(said, n.head.ContentType+" "+n.head.RetryAfter+" "+string(n.body))
		rest = rest[used:]
	}
	if want := []string{"text/a 1 x", "text/b  y", "  "}; !slices.Equal(said, want) {
		t.Errorf("said %q, want %q", said, want)
	}
	if err := p.Close(&notes{}); err != io.EOF { //nolint:errorlint // the comment of Close says io.EOF itself
		t.Errorf("Close between two responses: %v, want io.EOF", err)
	}
}

func TestParserReturnsTheHandlersError(t *testing.T) {
	t.Parallel()
	stop := errors.New("stop")
	for name, n := range map[string]*notes{"head": {failHead: stop}, "body": {failBody: stop}, "end": {failEnd: stop}} {
		for _, input := range []string{
			ok + "Content-Length: 1\r\n\r\nx", ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", ok + "\r\nx",
		} {
			var p http1.Parser
			_, err := p.Feed([]byte(input), n)
			if err == nil {
				err = p.Close(n)
			}
			if !errors.Is(err, stop) || p.Done() {
				t.Errorf("%s of %q: error %v, done %v", name, input, err, p.Done())
			}
		}
	}
}

// TestParserCost is not parallel, because allocations are counted for the whole process.
func TestParserCost(t *testing.T) {
	var p http1.Parser
	var c counter
	chunk := []byte("12c\r\n" + strings.Repeat("x", 300) + "\r\n")
	if _, err := p.Feed([]byte(ok+"Transfer-Encoding: chunked\r\n\r\n"), &c); err != nil {
		t.Fatal(err)
	}
	feed := func(b []byte) {
		if _, err := p.Feed(b, &c); err != nil {
			t.Fatal(err)
		}
	}
	if got := testing.AllocsPerRun(100, func() { feed(chunk) }); got != 0 {
		t.Errorf("a whole chunk: %v allocations", got)
	}
	if got := testing.AllocsPerRun(100, func() { feed(chunk[:2]); feed(chunk[2:99]); feed(chunk[99:]) }); got != 0 {
		t.Errorf("a split chunk: %v allocations", got)
	}
	reply := []byte(ok + "Content-Type: application/json\r\nDate: now\r\nContent-Length: 2\r\n\r\n{}")
	if got := testing.AllocsPerRun(100, func() { p.Reset(); feed(reply) }); got != 0 {
		t.Errorf("a reply on a connection that is kept alive: %v allocations", got)
	}
	if c == 0 {
		t.Error("no body was seen")
	}
	if size := unsafe.Sizeof(p); size > 200 {
		t.Errorf("a Parser is %d bytes: each held stream has one, keep it below 200", size)
	}
}

// counter is a handler that counts the bytes of bodies.
type counter int

func (c *counter) OnHead(*http1.Head) error { return nil }

func (c *counter) OnBody(b []byte) error { *c += counter(len(b)); return nil }

func (c *counter) OnEnd() error { return nil }

func BenchmarkParserChunk(b *testing.B) {
	var p http1.Parser
	var c counter
	chunk := []byte("12c\r\n" + strings.Repeat("x", 300) + "\r\n")
	if _, err := p.Feed([]byte(ok+"Transfer-Encoding: chunked\r\n\r\n"), &c); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Feed(chunk, &c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParserReply(b *testing.B) {
	var p http1.Parser
	var c counter
	reply := []byte(ok + "Content-Type: application/json\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Length: 2\r\n\r\n{}")
	b.ReportAllocs()
	for b.Loop() {
		p.Reset()
		if _, err := p.Feed(reply, &c); err != nil {
			b.Fatal(err)
		}
	}
}
