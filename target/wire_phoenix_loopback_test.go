package target_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"holobench/target"
	"holobench/wire/phoenix"
	"holobench/wire/websocket"
)

// serveLoopback serves over a real socket until the test ends the returned function.
func serveLoopback(t *testing.T, options target.Options) (server *target.Server, addr string, stop func()) {
	t.Helper()
	server, err := target.New(options)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, l) }()
	return server, l.Addr().String(), func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve = %v", err)
		}
	}
}

// heardFrames collects what came on a socket.
type heardFrames struct {
	texts []string
	code  websocket.Code
}

func (h *heardFrames) OnText(text []byte) error {
	h.texts = append(h.texts, string(text))
	return nil
}
func (*heardFrames) OnBinary([]byte) error { return nil }
func (*heardFrames) OnPing([]byte) error   { return nil }
func (*heardFrames) OnPong([]byte) error   { return nil }

func (h *heardFrames) OnClose(code websocket.Code, _ []byte) error {
	h.code = code
	return nil
}

// TestChannelsLoopback: over a real socket a client gets all that was for it, and the Close behind it, although it was still
// sending when the server had had enough: the connection is not reset under it.
func TestChannelsLoopback(t *testing.T) {
	t.Parallel()
	server, addr, stop := serveLoopback(t, target.Options{Design: target.Channels})
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	said := []byte(socketRequest)
	for _, text := range []string{
		`["1","1","red","phx_join",{}]`, `["1","2","red","say",{"payload":"1"}]`, "no message", `["1","3","red","say",{"payload":"2"}]`,
	} {
		said = websocket.AppendFrame(said, websocket.Frame{Opcode: websocket.Text, Masked: true, Payload: []byte(text)})
	}
	if _, err := conn.Write(said); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	if _, err := http.ReadResponse(reader, nil); err != nil {
		t.Fatal(err)
	}
	var heard heardFrames
	var parser websocket.Parser
	buffer := make([]byte, 4096)
	for !parser.Closed() {
		n, err := reader.Read(buffer)
		if err != nil {
			t.Fatalf("after %q the socket ended with %v", heard.texts, err)
		}
		if err := parser.Feed(buffer[:n], &heard); err != nil {
			t.Fatal(err)
		}
		more := websocket.AppendFrame(nil, websocket.Frame{Opcode: websocket.Pong, Masked: true})
		_, _ = conn.Write(more) // the server has closed, perhaps
	}
	_, _ = conn.Write(websocket.AppendFrame(nil, websocket.Frame{Opcode: websocket.Close, Masked: true}))
	if _, err := io.Copy(io.Discard, reader); err != nil {
		t.Errorf("behind the Close came %v", err)
	}
	want := `["1","1","red","phx_reply",{"response":{},"status":"ok"}] [null,null,"red","say",{"payload":"1"}] ` +
		`["1","2","red","phx_reply",{"response":{},"status":"ok"}]`
	if got := strings.Join(heard.texts, " "); got != want || heard.code != websocket.PolicyViolated {
		t.Errorf("heard %s and %d, want %s and 1008", got, heard.code, want)
	}
	stop()
	if got := server.Counters().Get(target.StreamsClosed); got != 1 {
		t.Errorf("%d streams were closed", got)
	}
}

// TestLongPollLoopback: the same server over real connections, and a poll that waits when it stops.
func TestLongPollLoopback(t *testing.T) {
	t.Parallel()
	server, addr, stop := serveLoopback(t, target.Options{Design: target.LongPoll})
	client := &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	ask := func(query, body string) (p phoenix.Poll) {
		url := "http://" + addr + pollPath + query
		var response *http.Response
		var err error
		if body == "" {
			response, err = client.Get(url)
		} else {
			response, err = client.Post(url, phoenix.BatchType, strings.NewReader(body))
		}
		if err != nil {
			t.Error(err)
			return p
		}
		defer func() { _ = response.Body.Close() }()
		read, err := io.ReadAll(response.Body)
		if err == nil {
			err = p.Parse(read)
		}
		if err != nil {
			t.Errorf("%q: %v", read, err)
		}
		return p
	}
	token := "&token=" + ask("", "").Token
	if got := ask(token, `["1","1","red","phx_join",{}]`+"\n"+`["1","2","red","say",{"payload":"1"}]`).Status; got != http.StatusOK {
		t.Errorf("a batch was answered %d", got)
	}
	p := ask(token, "")
	var texts []string
	for _, message := range p.Messages {
		texts = append(texts, string(message))
	}
	want := `["1","1","red","phx_reply",{"response":{},"status":"ok"}] [null,null,"red","say",{"payload":"1"}] ` +
		`["1","2","red","phx_reply",{"response":{},"status":"ok"}]`
	if got := strings.Join(texts, " "); got != want {
		t.Errorf("heard %s, want %s", got, want)
	}
	last := make(chan int, 1)
	go func() { last <- ask(token, "").Status }()
	ask(token, `[null,"3","phoenix","heartbeat",{}]`) // that poll, or the one after it, brings the answer
	if got := <-last; got != http.StatusOK {
		t.Errorf("the poll that waited was answered %d", got)
	}
	stop()
	if got := server.Counters().Get(target.StreamsClosed); got != 1 {
		t.Errorf("%d streams were closed", got)
	}
}
