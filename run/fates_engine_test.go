package run_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"holobench/clients"
	"holobench/history"
)

// idleFate is what happens to a subscribed stream on which nothing comes.
type idleFate struct {
	name string
	play func(conn *net.TCPConn)
	why  string
}

const (
	idleHead  = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
	idleChunk = "6\r\n: ab\n\n\r\n"
)

func idleFates() []idleFate {
	write := func(text string) func(conn *net.TCPConn) {
		return func(conn *net.TCPConn) {
			io.WriteString(conn, text)
			conn.CloseWrite()
			io.Copy(io.Discard, conn) // until the client has closed its end: else this end might reset
		}
	}
	return []idleFate{
		{"a reset", func(conn *net.TCPConn) { conn.SetLinger(0) }, "connection reset"},
		{"an end", write(""), cutShort},
		{"a clean end", write("0\r\n\r\n"), streamEnd},
		{"a clean end in mid-event", write("9\r\ndata: hal\r\n0\r\n\r\n"), streamEnd},
		{"a cut in mid-event", write("ff\r\ndata: hal"), cutShort},
		{"a cut in mid-chunk", write("f"), cutShort},
		{"nonsense for a chunk", write("zz\r\n"), badBytes},
		{"an alert of TLS", write("\x15\x03\x01\x00\x02\x02\x28\r\n"), badBytes},
		{"an event without end", func(conn *net.TCPConn) {
			block := "10000\r\n" + strings.Repeat("a", 64<<10) + "\r\n"
			for sent := 0; sent < 100<<20; sent += len(block) {
				if _, err := io.WriteString(conn, block); err != nil {
					return
				}
			}
		}, badBytes},
	}
}

// TestNothingHangsAnIdleStream ends streams on real sockets, once they were subscribed and nothing came, in every way there is, under each
// engine: both must say the same of it, and hold the next stream that comes.
func TestNothingHangsAnIdleStream(t *testing.T) {
	t.Parallel()
	loops, err := clients.StartLoops(1)
	if err != nil && clients.HasLoops() {
		t.Fatal(err)
	}
	var working sync.WaitGroup
	t.Cleanup(func() {
		working.Wait()
		if loops != nil {
			loops.Close()
		}
	})
	for _, engine := range []clients.Engine{clients.EngineGoroutine, clients.EngineEpoll} {
		if engine == clients.EngineEpoll && !clients.HasLoops() {
			continue
		}
		for _, fate := range idleFates() {
			t.Run(string(engine)+": "+fate.name, func(t *testing.T) {
				t.Parallel()
				working.Add(1)
				defer working.Done()
				sufferIdle(t, loops, engine, fate)
			})
		}
	}
}

// sufferIdle lets one stream end, and waits for the next one.
func sufferIdle(t *testing.T, loops *clients.Loops, engine clients.Engine, fate idleFate) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	names := new(history.Names)
	ended, heartbeats := make(chan string, 16), make(chan struct{}, 16)
	crowd := &clients.Crowd{
		Addr: listener.Addr().String(), Run: 0xabc, Epoch: time.Now().UnixNano(), Names: names, Loops: loops, Retry: time.Millisecond,
		Dial: clients.StampedDial(new(net.Dialer).DialContext, 0),
		Observe: func(batch []history.Observation) {
			for _, o := range batch {
				switch o.Kind {
				case history.Ended:
					ended <- names.Name(uint32(o.Err))
				case history.Heartbeat:
					heartbeats <- struct{}{}
				default:
				}
			}
		},
	}
	client := crowd.NewClient(clients.ClientOptions{Channels: []string{"room"}, Engine: engine})
	ctx, cancel := context.WithCancel(t.Context())
	held := make(chan error, 1)
	go func() { held <- client.HoldStream(ctx, nil) }()
	conn := subscribeOne(t, listener)
	io.WriteString(conn, idleChunk)
	<-heartbeats
	<-heartbeats // who was subscribed by the first is held as the engine has it
	fate.play(conn)
	conn.Close()
	if why := <-ended; why != fate.why {
		t.Errorf("the stream ended by %q, want %q", why, fate.why)
	}
	again := subscribeOne(t, listener)
	defer again.Close()
	io.WriteString(again, idleChunk)
	<-heartbeats
	<-heartbeats
	cancel()
	if err := <-held; err != nil || len(ended) > 0 {
		t.Errorf("the next stream was held until %v, and %d ended", err, len(ended))
	}
}

// subscribeOne takes the next stream.
func subscribeOne(t *testing.T, listener net.Listener) *net.TCPConn {
	t.Helper()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	io.WriteString(conn, idleHead+idleChunk)
	return conn.(*net.TCPConn)
}
