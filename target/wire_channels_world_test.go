package target_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"holobench/internal/memnet"
	"holobench/wire/phoenix"
	"holobench/wire/websocket"
)

// socket is a client of Phoenix Channels over WebSocket, read by a goroutine of its own until it ends.
type socket struct {
	w    *world
	conn *memnet.Conn
	done chan struct{}
	mute bool // it does not answer a Close

	mu      sync.Mutex
	arrived *sync.Cond // at each text
	texts   []string
	times   []time.Duration // of texts
	pongs   []string
	end     string // what the server's Close said, or how it ended without one
	endedAt time.Duration
}

const (
	socketKey     = "dGhlIHNhbXBsZSBub25jZQ=="
	socketRequest = "GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nHost: target\r\nConnection: keep-alive, Upgrade\r\n" +
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + socketKey + "\r\n\r\n"
)

// socket opens one.
func (w *world) socket() *socket { return w.socketWith(socketRequest, false) }

func (w *world) socketWith(request string, mute bool) *socket {
	w.t.Helper()
	s := &socket{w: w, conn: w.dial(request), done: make(chan struct{}), mute: mute}
	s.arrived = sync.NewCond(&s.mu)
	reader := bufio.NewReader(s.conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		w.t.Fatalf("reading the head of a socket: %v", err)
	}
	if err := websocket.CheckAnswer(response.StatusCode, response.Header.Values, socketKey); err != nil {
		w.t.Fatal(err)
	}
	go s.read(reader)
	return s
}

func (s *socket) read(reader *bufio.Reader) {
	defer close(s.done)
	parser := websocket.Parser{Role: websocket.Client}
	buffer := make([]byte, 4096)
	var err error
	for err == nil {
		var n int
		if n, err = reader.Read(buffer); n > 0 {
			if fault := parser.Feed(buffer[:n], s); fault != nil {
				err = fault
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end == "" {
		s.end = err.Error()
	}
	s.endedAt = time.Since(s.w.start)
	s.arrived.Broadcast()
	_ = s.conn.Close()
}

func (s *socket) OnText(text []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts = append(s.texts, string(text))
	s.times = append(s.times, time.Since(s.w.start))
	s.arrived.Broadcast()
	return nil
}

func (s *socket) OnBinary([]byte) error { return nil }
func (s *socket) OnPing([]byte) error   { return nil }

func (s *socket) OnPong(b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pongs = append(s.pongs, string(b))
	return nil
}

func (s *socket) OnClose(code websocket.Code, reason []byte) error {
	s.mu.Lock()
	s.end = strings.TrimSpace(fmt.Sprintf("%d %s", code, reason))
	s.mu.Unlock()
	if !s.mute {
		s.frame(websocket.Close, websocket.AppendClosePayload(nil, code, ""))
	}
	return nil
}

// frame sends one frame, as a client does.
func (s *socket) frame(opcode websocket.Opcode, payload []byte) {
	frame := websocket.Frame{Opcode: opcode, Masked: true, Key: [4]byte{1, 2, 3, 4}, Payload: payload}
	if _, err := s.conn.Write(websocket.AppendFrame(nil, frame)); err != nil && opcode != websocket.Close {
		s.w.t.Errorf("writing to a socket: %v", err)
	}
}

// send sends one message.
func (s *socket) send(text string) { s.frame(websocket.Text, []byte(text)) }

// join joins a topic and waits for the answer.
func (s *socket) join(topic string) {
	s.w.t.Helper()
	s.send(`["1","1","` + topic + `","phx_join",{}]`)
	s.await(`["1","1","` + topic + `","phx_reply",{"response":{},"status":"ok"}]`)
}

// await waits until text has come.
func (s *socket) await(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at := 0; ; at++ {
		for at == len(s.texts) {
			if s.endedAt != 0 || s.end != "" {
				s.w.t.Errorf("the socket ended with %q, and %s has not come", s.end, text)
				return
			}
			s.arrived.Wait()
		}
		if s.texts[at] == text {
			return
		}
	}
}

// takeTexts returns what came since it was called last, once everything has settled.
func (s *socket) takeTexts() []string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	texts := s.texts
	s.texts = nil
	return texts
}

// ending waits for the end and returns what the Close said.
func (s *socket) ending() string {
	<-s.done
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end
}

// said are the payloads of the broadcasts among texts.
func said(texts []string) (payloads []string) {
	for _, text := range texts {
		var m phoenix.Message
		if m.Parse([]byte(text)) != nil || m.Event == phoenix.EventReply {
			continue
		}
		if payload, ok := phoenix.PayloadText(m.Payload); ok {
			payloads = append(payloads, string(payload))
		}
	}
	return payloads
}
