package target

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"holobench/wire"
	"holobench/wire/http1"
	"holobench/wire/phoenix"
)

// FuzzPollToken reads any query and header as a poll on a connection of our own: what is taken for one is one with the same
// token to those who read all requests.
func FuzzPollToken(f *testing.F) {
	for query, header := range map[string]string{
		"vsn=2.0.0&token=ABC": "", "vsn=2.0.0": "ABC", "token=&vsn=2.0.0&&x": "D", "token=A&token=B&vsn=2.0.0": "", "vsn=2.0.0&token=%41": "",
		"vsn=2.0.0;token=A": "", "vsn=1.0.0&token=A": "", "vsn=2.0.0&vsn=2.0.0": "", "vsn=2.0.0&token": "A", "vsn=2.0.0&token=A#b": "", "": "",
	} {
		f.Add(query, header)
	}
	f.Fuzz(func(t *testing.T, query, header string) {
		text := "GET " + phoenix.LongPollPath + "?" + query + " HTTP/1.1\r\nHost: t\r\nX-Phoenix-Longpoll-Token: " + header + "\r\n\r\n"
		head, n := http1.ReadPlainRequest([]byte(text))
		if n == 0 {
			return
		}
		token, ok := pollToken(head)
		if !ok {
			return
		}
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil {
			t.Fatalf("%q: net/http says %v", text, err)
		}
		values, refused := checkPhoenixVersion(r)
		if refused != nil || tokenOf(r, values) != string(token) || r.URL.Path != phoenix.LongPollPath {
			t.Fatalf("%q: the token is %q, to the others %q at %q, or it is refused: %+v", text, token, tokenOf(r, values), r.URL.Path, refused)
		}
	})
}

// TestPollDeliveryCost: an event costs a few allocations, its delivery by a poll, and the next poll, none. It is not parallel, because
// allocations are counted for the whole process.
func TestPollDeliveryCost(t *testing.T) {
	const sessions = 40
	s, err := New(Options{Design: LongPoll})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	conns, polls := make([]net.Conn, sessions), make([][]byte, sessions)
	buffer := make([]byte, 64<<10)
	exchange := func(i int, request string) []byte {
		if _, err := io.WriteString(conns[i], request); err != nil {
			t.Fatal(err)
		}
		n, err := conns[i].Read(buffer) // one answer is one segment
		if err != nil {
			t.Fatal(err)
		}
		return buffer[:n]
	}
	for i := range conns {
		if conns[i], err = net.Dial("tcp", l.Addr().String()); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conns[i].Close() }()
		_, body, _ := bytes.Cut(exchange(i, "GET "+phoenix.LongPollPath+"?vsn=2.0.0 HTTP/1.1\r\nHost: t\r\n\r\n"), []byte("\r\n\r\n"))
		var p phoenix.Poll
		if err := p.Parse(body); err != nil {
			t.Fatal(err)
		}
		path := phoenix.LongPollPath + "?vsn=2.0.0&token=" + p.Token
		const join = `["1","1","room","phx_join",{}]`
		exchange(i, fmt.Sprintf("POST %s HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n%s", path, len(join), join))
		polls[i] = []byte("GET " + path + " HTTP/1.1\r\nHost: t\r\n\r\n")
		exchange(i, string(polls[i]))
	}
	event := wire.Event{Channel: "room", Name: "message", Payload: strings.Repeat("x", 200)}
	round := func() {
		for i := range conns {
			if _, err := conns[i].Write(polls[i]); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Publish(ctx, event, ""); err != nil {
			t.Fatal(err)
		}
		for i := range conns {
			if n, err := conns[i].Read(buffer); err != nil || !bytes.Contains(buffer[:n], []byte("xxx")) {
				t.Fatalf("session %d was answered %q, %v", i, buffer[:n], err)
			}
		}
	}
	round()
	if got := testing.AllocsPerRun(50, round); got > sessions/4 && !poolsLose {
		t.Errorf("%v allocations an event with %d sessions", got, sessions)
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
