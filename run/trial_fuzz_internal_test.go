package run

import (
	"testing"
	"time"
)

// FuzzSpy lets a spy look into whatever a server says, cut anywhere: it never gives up, keeps what it was asked for in order, and finds the
// same whether the bytes come at once or one by one.
func FuzzSpy(f *testing.F) {
	const stream = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: beat\n\nevent: said\ndata: {\"a\": [\"hb1.00000abc.c1.s2.t3.\"]}\n\n"
	f.Add([]byte(stream), true)
	f.Add([]byte("HTTP/1.1 302 Found\r\nContent-Length: 2\r\nVia: 1.1 x\r\n\r\nno"+stream), true)
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}\n{}\r\n0\r\n\r\n"), true)
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n[\"hb1.00000abc.c1.s2.t3.\"]"), false)
	f.Add([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x02{}\x89\x00"), true)
	f.Add([]byte("SSH-2.0-OpenSSH\r\n"), false)
	f.Fuzz(func(t *testing.T, said []byte, forStream bool) {
		look := func(cut int) *spy {
			x := &trial{began: time.Now(), find: markedBy}
			s := x.look(nil, forStream)
			s.asks([]byte("GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n"))
			s.asks([]byte("GET /c HTTP/1.1\r\nHost: x\r\n\r\n"))
			for rest := said; len(rest) > 0; {
				n := min(cut, len(rest))
				s.answers(rest[:n])
				rest = rest[n:]
			}
			return s
		}
		whole, pieces := look(len(said)+1), look(1)
		if len(whole.exchanges) != 2 || whole.exchanges[0].Path != "/a" || whole.exchanges[1].Path != "/c" {
			t.Fatalf("asked for %+v", whole.exchanges)
		}
		if len(whole.events) != len(pieces.events) {
			t.Errorf("%d events at once, %d in pieces", len(whole.events), len(pieces.events))
		}
		for i, e := range whole.exchanges {
			if p := pieces.exchanges[i]; e.Status != p.Status || e.ContentType != p.ContentType || e.Streams != p.Streams || len(e.Found) != len(p.Found) {
				t.Errorf("exchange %d is %+v at once, %+v in pieces", i, e, p)
			}
		}
	})
}
