package clients

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/wire"
)

// h2Server answers over HTTP/2, by net/http.
type h2Server struct {
	*http.Server

	events  func(w http.ResponseWriter, r *http.Request) // nil = a stream that goes on
	command func(w http.ResponseWriter, seq uint32)      // nil = 200 at once

	mu     sync.Mutex
	bodies map[uint32][32]byte // digests, by the number of the command
}

// serveHTTP2 lets the clients of the bench find an h2Server.
func (b *bench) serveHTTP2(t *testing.T, config *http.HTTP2Config) *h2Server {
	t.Helper()
	listener, err := b.network.Listen("two:80")
	if err != nil {
		t.Fatal(err)
	}
	b.crowd.Addr, b.crowd.HTTP2 = "two:80", true
	s := &h2Server{Server: &http.Server{HTTP2: config, Protocols: new(http.Protocols)}, bodies: make(map[uint32][32]byte)}
	s.Protocols.SetUnencryptedHTTP2(true)
	s.Protocols.SetHTTP1(true) // as well
	s.Handler = http.HandlerFunc(s.answer)
	go s.Serve(listener)
	t.Cleanup(func() { s.Close() })
	return s
}

func (s *h2Server) answer(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == wire.EventsPath && s.events != nil:
		s.events(w, r)
	case r.URL.Path == wire.EventsPath:
		openStream(w)
		<-r.Context().Done()
	default:
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		command, _ := wire.ParseCommand(body)
		marker, _, _ := wire.FindMarker([]byte(command.Payload))
		s.mu.Lock()
		s.bodies[marker.Event.Seq] = sha256.Sum256([]byte(command.Payload))
		s.mu.Unlock()
		if s.command != nil {
			s.command(w, marker.Event.Seq)
		}
		io.WriteString(w, "{}")
	}
}

// openStream writes the head of a stream.
func openStream(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	http.NewResponseController(w).Flush()
}

// work lets one client hold its stream and post, until the function that it returns is called.
func (b *bench) work(t *testing.T, o ClientOptions) (c *Client, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c = b.crowd.NewClient(o)
	var working sync.WaitGroup
	working.Go(func() { c.HoldStream(ctx, nil) })
	working.Go(func() { c.PostCommands(ctx, t.Context(), nil) })
	<-time.After(time.Second)
	return c, func() {
		cancel()
		working.Wait()
	}
}

// pass lets time pass.
func pass(d time.Duration) { <-time.After(d) }

// tab is a client that may have three commands in flight.
func tab() ClientOptions {
	return ClientOptions{ID: 7, Instance: "c7", Channels: []string{"room"}, InFlight: 3}
}

// TestHTTP2CarriesAll: the stream and three commands at once on one connection; the answers come in the order of the server.
func TestHTTP2CarriesAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		s := b.serveHTTP2(t, nil)
		s.command = func(_ http.ResponseWriter, seq uint32) { pass(time.Duration(4-seq) * 100 * time.Millisecond) }
		c, stop := b.work(t, tab())
		for range 3 {
			c.Post(b.now(), &Message{Channel: "room", Name: "message"})
		}
		pass(time.Second)
		stop()
		b.expect(t, []string{
			"0 opened", "0 subscribed", "1000 sent c7.1", "1000 sent c7.2", "1000 sent c7.3",
			"1100 replied c7.3", "1200 replied c7.2", "1300 replied c7.1",
		}, history.Opened, history.Subscribed, history.Sent, history.Replied)
		for _, o := range b.seen {
			if o.Conn != 1 {
				t.Errorf("%s over connection %d", o.Kind, o.Conn)
			}
			if o.Kind == history.Replied && o.NotBefore != o.At {
				t.Errorf("%v replied in (%d, %d]; nothing came behind it", o.Event, o.NotBefore, o.At)
			}
		}
	})
}

// TestHTTP2WaitsForAFreeStream: a command waits in the client until the server takes one more stream; those behind it, too.
func TestHTTP2WaitsForAFreeStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		s := b.serveHTTP2(t, &http.HTTP2Config{MaxConcurrentStreams: 2})
		s.command = func(http.ResponseWriter, uint32) { pass(100 * time.Millisecond) }
		c, stop := b.work(t, tab())
		for range 3 {
			c.Post(b.now(), &Message{Channel: "room", Name: "message"})
		}
		pass(time.Second)
		stop()
		b.expect(t, []string{
			"1000 sent c7.1", "1100 replied c7.1", "1100 sent c7.2", "1200 replied c7.2", "1200 sent c7.3", "1300 replied c7.3",
		}, history.Sent, history.Replied, history.Unknown, history.Refused)
	})
}

// TestHTTP2StreamIsReset: the server gives one command up; the connection goes on.
func TestHTTP2StreamIsReset(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		s := b.serveHTTP2(t, nil)
		s.command = func(_ http.ResponseWriter, seq uint32) {
			if seq == 1 {
				panic(http.ErrAbortHandler)
			}
		}
		c, stop := b.work(t, tab())
		c.Post(b.now(), &Message{Channel: "room", Name: "message"})
		pass(time.Second)
		c.Post(b.now(), &Message{Channel: "room", Name: "message"})
		pass(time.Second)
		stop()
		b.expect(t, []string{
			"0 opened", "1000 sent c7.1", "1000 unknown c7.1: the server reset the stream", "2000 sent c7.2", "2000 replied c7.2",
		}, history.Opened, history.Sent, history.Replied, history.Unknown, history.Ended)
	})
}

// TestHTTP2StreamOfEventsEnds: what is in flight is still answered, and the next connection is made as ever.
func TestHTTP2StreamOfEventsEnds(t *testing.T) {
	t.Parallel()
	for _, end := range []struct {
		by  func()
		why string
	}{
		{func() {}, "end of stream"},
		{func() { panic(http.ErrAbortHandler) }, "the server reset the stream"},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			s := b.serveHTTP2(t, nil)
			s.command = func(http.ResponseWriter, uint32) { pass(500 * time.Millisecond) }
			streams := 0
			s.events = func(w http.ResponseWriter, r *http.Request) {
				openStream(w)
				if streams++; streams == 1 {
					pass(1200 * time.Millisecond)
					end.by()
					return
				}
				<-r.Context().Done()
			}
			c, stop := b.work(t, tab())
			c.Post(b.now(), &Message{Channel: "room", Name: "message"})
			pass(300 * time.Millisecond)
			c.Post(b.now(), &Message{Channel: "room", Name: "message"}) // waits for the next connection
			pass(10 * time.Second)
			stop()
			b.expect(t, []string{
				"0 opened", "1000 sent c7.1", "1500 replied c7.1", "1200 ended: " + end.why, "4500 opened", "4500 sent c7.2", "5000 replied c7.2",
			}, history.Opened, history.Sent, history.Replied, history.Unknown, history.Refused, history.Ended)
		})
	}
}

// TestHTTP2GoAway: a server that shuts down answers what it has, and the client comes back elsewhere.
func TestHTTP2GoAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		s := b.serveHTTP2(t, nil)
		s.command = func(http.ResponseWriter, uint32) { pass(500 * time.Millisecond) }
		c, stop := b.work(t, tab())
		c.Post(b.now(), &Message{Channel: "room", Name: "message"})
		pass(200 * time.Millisecond)
		go s.Shutdown(t.Context())
		pass(time.Second)
		c.Post(b.now(), &Message{Channel: "room", Name: "message"})
		pass(time.Second)
		stop()
		got := b.story(history.Sent, history.Replied, history.Unknown, history.Ended)
		want := []string{"1000 sent c7.1", "1500 replied c7.1", "1200 ended: the server said that it ends the connection"}
		if len(got) < 3 || !slices.Equal(got[:3], want) || slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, "sent c7.2") }) {
			t.Errorf("seen %q, want %q and no second command", got, want)
		}
	})
}

// TestHTTP2ConnectionIsLost: it ends both halves.
func TestHTTP2ConnectionIsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		s := b.serveHTTP2(t, nil)
		s.command = func(http.ResponseWriter, uint32) { pass(500 * time.Millisecond) }
		c, stop := b.work(t, tab())
		c.Post(b.now(), &Message{Channel: "room", Name: "message"})
		pass(200 * time.Millisecond)
		s.Close()
		pass(time.Second)
		stop()
		b.expect(t, []string{"1000 sent c7.1", "1200 unknown c7.1: cut in mid-message"}, history.Sent, history.Replied, history.Unknown)
		b.expect(t, []string{"1200 ended: cut in mid-message"}, history.Ended)
	})
}

// TestHTTP2HeadNeverComes: neither a page nor a stream that is not answered holds a client up, which tries again.
func TestHTTP2HeadNeverComes(t *testing.T) {
	t.Parallel()
	for w, again := range map[Wire]string{JSON: "3500 opened", Hologram: "777 opened"} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			s := b.serveHTTP2(t, nil)
			s.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
			b.crowd.Wire, b.crowd.HeadTimeout, b.crowd.ReplyTimeout = w, 500*time.Millisecond, time.Second
			c, stop := b.work(t, tab())
			c.Post(b.now(), &Message{Channel: "room", Name: "message"})
			pass(5 * time.Second)
			stop()
			got := b.story(history.Opened, history.Ended)
			if len(got) < 3 || got[0] != "0 opened" || got[1] != "500 ended: timeout" || got[2] != again {
				t.Errorf("%s: seen %q", w, got)
			}
		})
	}
}

// TestHTTP2UploadWaitsForItsWindow: a body of four windows comes whole.
func TestHTTP2UploadWaitsForItsWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		s := b.serveHTTP2(t, &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10, MaxReceiveBufferPerConnection: 64 << 10})
		c, stop := b.work(t, tab())
		c.Post(b.now(), &Message{Channel: "room", Name: "message", Size: 250 << 10})
		pass(time.Second)
		stop()
		b.expect(t, []string{"1000 sent c7.1", "1000 replied c7.1"}, history.Sent, history.Replied, history.Unknown)
		due := b.find(t, history.Sent, 1).Due
		want := AppendPayload(nil, wire.Marker{Run: testRun, Event: wire.EventID{Publisher: 7, Seq: 1}, Due: due}, &Message{Size: 250 << 10})
		if s.bodies[1] != sha256.Sum256(want) {
			t.Error("the server read another payload than was sent")
		}
	})
}

// TestHTTP2AgainstHTTP1: a server that does not speak it is told at once, not when every wait is over.
func TestHTTP2AgainstHTTP1(t *testing.T) {
	t.Parallel()
	for _, w := range []Wire{JSON, Hologram} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			listener, err := b.network.Listen("one:80")
			if err != nil {
				t.Fatal(err)
			}
			s := &http.Server{Handler: http.NotFoundHandler()}
			go s.Serve(listener)
			defer s.Close()
			b.crowd.Addr, b.crowd.HTTP2, b.crowd.Wire = "one:80", true, w
			c := b.crowd.NewClient(tab())
			err = c.HoldStream(t.Context(), nil)
			if _, ok := errors.AsType[*RefusedError](err); !ok || !strings.Contains(err.Error(), "it does not speak HTTP/2 here") {
				t.Errorf("%s: %v", w, err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- c.PostCommands(ctx, t.Context(), nil) }()
			c.Post(b.now(), &Message{Channel: "room", Name: "message"})
			pass(time.Second)
			cancel()
			<-done
			b.expect(t, []string{"0 ended: the server speaks no HTTP/2", "0 refused c7.1: the server speaks no HTTP/2"},
				history.Ended, history.Sent, history.Refused)
		})
	}
}

// TestHTTP2SubscribeAndLeave: channels change by a new connection, behind which the client without any still posts.
func TestHTTP2SubscribeAndLeave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		s := b.serveHTTP2(t, nil)
		s.command = func(http.ResponseWriter, uint32) { pass(100 * time.Millisecond) }
		c, stop := b.work(t, tab())
		c.Post(b.now(), &Message{Channel: "room", Name: "message"})
		synctest.Wait()
		for _, change := range []func(context.Context, string) error{c.Subscribe, c.Unsubscribe} {
			if err := change(t.Context(), "hall"); err != nil {
				t.Error(err)
			}
		}
		if err := c.Unsubscribe(t.Context(), "room"); err != nil {
			t.Error(err)
		}
		c.Post(b.now(), &Message{Channel: "room", Name: "message"})
		pass(time.Second)
		var fetched Fetched
		c.Fetch("/anything", func(f *Fetched) { fetched = *f })
		pass(time.Second)
		stop()
		b.expect(t, []string{
			"0 opened", "1000 sent c7.1", "1100 replied c7.1", "1100 opened", "1100 opened", "1100 opened", "1100 sent c7.2", "1200 replied c7.2",
		}, history.Opened, history.Sent, history.Replied, history.Unknown)
		if fetched.Status != 200 || string(fetched.Body) != "{}" {
			t.Errorf("fetched %+v", fetched)
		}
	})
}

// TestHTTP2TimesOut: a command whose reply does not come is given up; the connection goes on.
func TestHTTP2TimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		s := b.serveHTTP2(t, nil)
		b.crowd.ReplyTimeout = 300 * time.Millisecond
		s.command = func(_ http.ResponseWriter, seq uint32) {
			if seq == 1 {
				pass(time.Second)
			}
		}
		o := tab()
		o.InFlight = 1
		c, stop := b.work(t, o)
		for range 2 {
			c.Post(b.now(), &Message{Channel: "room", Name: "message"})
		}
		pass(3 * time.Second)
		stop()
		b.expect(t, []string{"0 opened", "1000 sent c7.1", "1300 unknown c7.1: timeout", "1300 sent c7.2", "1300 replied c7.2"},
			history.Opened, history.Sent, history.Replied, history.Unknown, history.Ended)
	})
}
