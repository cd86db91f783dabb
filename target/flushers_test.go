package target_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"holobench/target"
	"holobench/wire"
)

// narrowListener gives its connections so small buffers that a burst of events does not fit.
type narrowListener struct{ net.Listener }

func (l narrowListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(32 << 10)
	}
	return conn, err
}

// TestFullSockets sends bursts that overflow the sockets, on a real network, so that writes are taken in part, go on in a
// goroutine of the stream's own, and come back to the flushers: each subscriber has every event whole and in order, while one
// of them reads nothing at all.
func TestFullSockets(t *testing.T) {
	t.Parallel()
	const subscribers, bursts, each, size = 4, 8, 40, 6 << 10
	server, err := target.New(target.Options{
		Design: target.SingleChannel, Knobs: target.Knobs{Replay: -1}, OutboxFrames: 1 << 16, OutboxBytes: 1 << 28,
		WriteTimeout: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, narrowListener{l}) }()
	dial := func(instance string) (net.Conn, *bufio.Scanner) {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		io.WriteString(conn, request(instance, "room"))
		lines := bufio.NewScanner(conn)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() && lines.Text() != "" { // the head ends with an empty line
		}
		return conn, lines
	}
	mute, _ := dial("mute")
	heard := make(chan string, subscribers)
	more := make([]chan struct{}, subscribers)
	for i := range more {
		more[i] = make(chan struct{})
		_, lines := dial(fmt.Sprint("c", i))
		go func() {
			next := 0
			for range more[i] {
				heard <- hear(lines, &next, each)
			}
		}()
	}
	for burst := range bursts {
		for n := range each {
			payload := fmt.Sprint(burst*each+n, strings.Repeat(" x", size/2))
			if err := server.Publish(t.Context(), wire.Event{Channel: "room", Payload: payload}, ""); err != nil {
				t.Fatal(err)
			}
		}
		for _, m := range more {
			m <- struct{}{}
		}
		for range more {
			if fault := <-heard; fault != "" {
				t.Fatal(fault)
			}
		}
	}
	for _, m := range more {
		close(m)
	}
	mute.Close()
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	counters := server.Counters()
	// What the mute one had in its buffers was written too; nothing of the others is missing.
	if got := counters.Get(target.DeliveriesWrittenSSE); got < subscribers*bursts*each || got >= (subscribers+1)*bursts*each {
		t.Errorf("%d deliveries are counted as written, want %d and a few", got, subscribers*bursts*each)
	}
	if cuts := counters.Get(target.CutOutboxFull) + counters.Get(target.CutWriteTimeout); cuts > 0 {
		t.Errorf("%d streams were cut", cuts)
	}
}

// hear reads so many events, whose numbers go on with next, and returns what is wrong with them.
func hear(lines *bufio.Scanner, next *int, events int) (fault string) {
	for events > 0 {
		if !lines.Scan() {
			return fmt.Sprintf("the stream ended before %d: %v", *next, lines.Err())
		}
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var event wire.Event
		if err := json.Unmarshal([]byte(data), &event); err != nil {
			return err.Error()
		}
		if number, _, _ := strings.Cut(event.Payload, " "); number != fmt.Sprint(*next) {
			return fmt.Sprintf("heard %.20q, want %d", event.Payload, *next)
		}
		*next++
		events--
	}
	return ""
}
