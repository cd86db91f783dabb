package chaos

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"holobench/wire/http1"
)

// spliced runs bytes through a stage, cut at some places, and returns what came out, with the end behind it.
func spliced(s stage, b []byte, cuts []byte) (out []byte, pieces []piece) {
	next := func(p piece) {
		out = append(out, p.bytes...)
		p.bytes = bytes.Clone(p.bytes)
		pieces = append(pieces, p)
	}
	for i := 0; len(b) > 0; i++ {
		n := len(b)
		if len(cuts) > 0 {
			n = min(n, 1+int(cuts[i%len(cuts)]))
		}
		s.pass(piece{bytes: b[:n], at: 1}, next)
		b = b[n:]
	}
	s.pass(piece{at: 1, err: io.EOF}, next)
	return out, pieces
}

// body is what a response says, without the framing of its body.
type body struct {
	parser http1.Parser
	text   []byte
}

func (b *body) OnHead(h *http1.Head) error {
	b.text = fmt.Appendf(b.text, "%d %s ", h.Status, h.ContentType)
	return nil
}

func (b *body) OnBody(p []byte) error {
	b.text = append(b.text, p...)
	return nil
}

func (b *body) OnEnd() error {
	b.text = append(b.text, " end "...)
	return nil
}

// said reads responses one behind the other, as far as they can be read.
func said(b []byte) string {
	var all body
	for len(b) > 0 {
		n, err := all.parser.Feed(b, &all)
		b = b[n:]
		if err != nil {
			return string(all.text) + "!"
		}
		if all.parser.Done() {
			all.parser.Reset()
		}
	}
	return string(all.text)
}

// forced is a rule that is in force and lets everything pass.
type forced struct {
	calm
	in bool
}

func (f forced) busy(int64) bool { return f.in }

func (forced) judge(m message, next func(message)) { next(m) }

// FuzzRewriter: whatever a server sends, and however it is cut, a rewriter whose rules touch nothing says the same, in force or not.
func FuzzRewriter(f *testing.F) {
	head := "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
	f.Add([]byte(head+"Transfer-Encoding: chunked\r\n\r\n9\r\ndata: a\n\n\r\n3\r\n:\n\n\r\n0\r\n\r\n"), []byte{3})
	f.Add([]byte(head+"\r\ndata: a\r\n\r\ndata: b\r\rdata: c\n\n\n\n"), []byte{1})
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"), []byte{5, 1})
	f.Add([]byte(head+"Content-Length: 18\r\n\r\ndata: a\n\ndata: b\n\nHTTP/1.0 200 OK\nContent-length:9\nContent-Type: text/event-stream\n\ndata: c\n\n"), []byte{4})
	f.Add([]byte("HTTP/1.1 103 Early\r\nLink: x\r\n\r\n"+head+"Content-Length: 9\r\nContent-Length: 9\r\n\r\ndata:"), []byte{})
	f.Add([]byte("HTTP/1.1 101 Switching\r\n\r\n\x81\x02hi"), []byte{})
	f.Add([]byte("no HTTP at all"), []byte{2})
	f.Add([]byte(head+"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), []byte{7})
	f.Fuzz(func(t *testing.T, b, cuts []byte) {
		want := said(b)
		for _, in := range []bool{false, true} {
			out, _ := spliced(newRewriter([]eventStage{forced{in: in}}), b, cuts)
			if got := said(out); got != want {
				t.Errorf("in force: %v: %q is rewritten to %q, which says\n%q, not\n%q", in, b, out, got, want)
			}
		}
	})
}

// FuzzUnits: cutting into messages changes no byte, and does not depend on how the bytes came, but for the number of pieces.
func FuzzUnits(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: a\n\n\r\n3\r\n:\n\n\r\n0\r\n\r\n"), []byte{3}, false)
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), []byte{1, 9}, false)
	f.Add(bytes.Repeat([]byte("x"), 4000), []byte{255}, true)
	f.Fuzz(func(t *testing.T, b, cuts []byte, opaque bool) {
		whole := &units{opaque: opaque}
		out, _ := spliced(whole, b, nil)
		cut := &units{opaque: opaque}
		again, pieces := spliced(cut, b, cuts)
		skipped := &units{opaque: opaque}
		for i := 0; i < len(b); i += 7 {
			skipped.skip(b[i:min(i+7, len(b))])
		}
		if !bytes.Equal(out, b) || !bytes.Equal(again, b) {
			t.Errorf("%q became %q, and %q", b, out, again)
		}
		if whole.number != cut.number || whole.number != skipped.number {
			t.Errorf("%q is %d messages at once, %d in parts, %d when skipped", b, whole.number, cut.number, skipped.number)
		}
		for i, p := range pieces[1:] {
			if before := pieces[i]; p.err == nil && (p.unit < before.unit || p.first != (p.unit != before.unit)) {
				t.Errorf("piece %d is of message %d, first: %v, behind one of message %d", i+1, p.unit, p.first, before.unit)
			}
		}
	})
}

// FuzzRequests: however requests are cut, their bytes are all accounted for, and their number is the same.
func FuzzRequests(f *testing.F) {
	f.Add([]byte("POST /x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n"), byte(4))
	f.Add([]byte("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x81\x00"), byte(1))
	f.Add([]byte("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), byte(9))
	f.Add([]byte("POST / HTTP/1.1\r\nContent-Length: -3\r\n\r\n"), byte(2))
	f.Fuzz(func(t *testing.T, b []byte, cut byte) {
		count := func(size int) (number int64, opaque bool) {
			var r requests
			for from := 0; from < len(b); from += size {
				for part := b[from:min(from+size, len(b))]; len(part) > 0; {
					n, whole, over := r.next(part)
					if n <= 0 || n > len(part) || over && !whole {
						t.Fatalf("%d bytes of %d, whole: %v, over: %v", n, len(part), whole, over)
					}
					if part = part[n:]; over {
						r.done()
					}
				}
			}
			return r.number, r.opaque
		}
		if n, opaque := count(len(b) + 1); len(b) < maxRequestHead {
			if again, also := count(1 + int(cut)); n != again || opaque != also {
				t.Errorf("%q: %d requests at once, %d in parts; opaque: %v, %v", b, n, again, opaque, also)
			}
		}
	})
}
