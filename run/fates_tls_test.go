package run_test

import (
	"context"
	"crypto/tls"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/clients"
	"holobench/history"
	"holobench/internal/memnet"
	"holobench/target"
)

// tlsFate is what a client meets that wants to speak TLS.
type tlsFate struct {
	name  string
	play  func(t *testing.T, conn *memnet.Conn, over <-chan struct{})
	why   string
	after time.Duration
}

func tlsFates() []tlsFate {
	const insecure = "no secure connection"
	answer := func(text string) func(*testing.T, *memnet.Conn, <-chan struct{}) {
		return func(_ *testing.T, conn *memnet.Conn, over <-chan struct{}) {
			conn.Read(make([]byte, 4<<10))
			io.WriteString(conn, text)
			conn.CloseWrite()
			<-over
		}
	}
	return []tlsFate{
		{name: "no TLS", play: answer("HTTP/1.1 400 Bad Request\r\n\r\n"), why: insecure},
		{name: "an alert", play: answer("\x15\x03\x03\x00\x02\x02\x28"), why: insecure},
		{name: "an end", play: answer(""), why: streamEnd},
		{name: "an end in a record", play: answer("\x16\x03\x03\x00\x40\x02"), why: cutShort},
		{name: "a reset", play: func(_ *testing.T, conn *memnet.Conn, _ <-chan struct{}) { conn.Reset() }, why: "connection reset"},
		{name: "no answer", play: func(_ *testing.T, _ *memnet.Conn, over <-chan struct{}) { <-over }, why: "timeout", after: 10 * time.Second},
		{name: "somebody whom nobody knows", play: func(t *testing.T, conn *memnet.Conn, _ <-chan struct{}) {
			certificate, _, err := target.SelfSigned(time.Now(), "target")
			if err != nil {
				t.Error(err)
			}
			tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}).HandshakeContext(t.Context())
		}, why: insecure},
	}
}

// TestWhatTLSEndsIn lets the handshake come to every bad end that there is, for the connection of a stream and for that of a command.
func TestWhatTLSEndsIn(t *testing.T) {
	t.Parallel()
	for _, f := range tlsFates() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { sufferTLS(t, f) })
		})
	}
}

func sufferTLS(t *testing.T, f tlsFate) {
	network := memnet.New(nil)
	listener, err := network.Listen("target:443")
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	var working sync.WaitGroup
	working.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			working.Go(func() {
				defer conn.Close()
				f.play(t, conn.(*memnet.Conn), over)
			})
		}
	})
	var mu sync.Mutex
	var seen []history.Observation
	names, began := new(history.Names), time.Now()
	crowd := &clients.Crowd{
		Addr: "target:443", Run: 0xabc, Epoch: began.UnixNano(), Names: names, Dial: network.DialContext, TLS: &tls.Config{MinVersion: tls.VersionTLS12},
		Retry: time.Hour,
		Observe: func(batch []history.Observation) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, batch...)
		},
	}
	ctx, cancel := context.WithCancel(t.Context())
	holder := crowd.NewClient(clients.ClientOptions{ID: 0, Channels: []string{"room"}})
	author := crowd.NewClient(clients.ClientOptions{ID: 1})
	working.Go(func() { holder.HoldStream(ctx, nil) })
	working.Go(func() { author.PostCommands(ctx, ctx, nil) }) // whose first try nobody hears of
	<-time.After(time.Minute)
	author.Post(int64(time.Minute), &clients.Message{Channel: "room", Name: "say"})
	<-time.After(time.Minute)
	cancel()
	close(over)
	listener.Close()
	working.Wait()
	for kind, since := range map[history.Kind]time.Duration{history.Ended: 0, history.Refused: time.Minute} {
		found := false
		for _, o := range seen {
			if o.Kind != kind {
				continue
			}
			found = true
			if why, at := names.Name(uint32(o.Err)), time.Duration(o.At); why != f.why || at != since+f.after {
				t.Errorf("%s at %v (%s), want that at %v (%s)", o.Kind, at, why, since+f.after, f.why)
			}
		}
		if !found {
			t.Errorf("nothing is %s: %+v", kind, seen)
		}
	}
}
