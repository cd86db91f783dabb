package clients

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/internal/memnet"
	"holobench/wire"
	"holobench/wire/http1"
)

const testRun = wire.RunID(0xc0ffee)

// bench is one server that a test plays by hand, and the record of what clients saw of it.
type bench struct {
	network *memnet.Network
	crowd   *Crowd
	accept  chan *peer
	began   time.Time

	mu   sync.Mutex
	seen []history.Observation
}

// peer is the server's end of one connection, with the request that came over it first.
type peer struct {
	net.Conn
	in      *bufio.Reader
	request *http.Request
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{network: memnet.New(nil), began: time.Now()}
	listener, err := b.network.Listen("server:80")
	if err != nil {
		t.Fatal(err)
	}
	b.accept = acceptPeers(t, listener)
	b.crowd = &Crowd{
		Addr: "server:80", Run: testRun, Epoch: b.began.UnixNano(), Names: new(history.Names), Dial: b.network.DialContext,
		Header: []http1.Field{{Name: "X-Team", Value: "blue"}},
		Observe: func(batch []history.Observation) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.seen = append(b.seen, batch...)
		},
	}
	return b
}

// acceptPeers passes on each connection to the listener, once the first request has come over it.
func acceptPeers(t *testing.T, listener net.Listener) chan *peer {
	t.Helper()
	accept := make(chan *peer, 16)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				in := bufio.NewReader(conn)
				if request, err := http.ReadRequest(in); err == nil {
					accept <- &peer{Conn: conn, in: in, request: request}
				}
			}()
		}
	}()
	return accept
}

// story is what was seen, a word or two an Observation, with the time in ms.
func (b *bench) story(kinds ...history.Kind) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var told []string
	for _, o := range b.seen {
		if len(kinds) > 0 && !slices.Contains(kinds, o.Kind) {
			continue
		}
		line := fmt.Sprintf("%d %s", o.At/1e6, o.Kind)
		if o.Event.Seq > 0 {
			line += fmt.Sprintf(" c%d.%d", o.Event.Publisher, o.Event.Seq)
		}
		if o.Err != 0 {
			line += ": " + b.crowd.Names.Name(uint32(o.Err))
		}
		told = append(told, line)
	}
	return told
}

func (b *bench) expect(t *testing.T, want []string, kinds ...history.Kind) {
	t.Helper()
	if got := b.story(kinds...); !slices.Equal(got, want) {
		t.Errorf("seen:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

const streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

// chunk frames text as one chunk of a body.
func chunk(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }

// message is one SSE message that bears the marker of an event of client 7.
func message(run wire.RunID, seq uint32) string {
	marker := wire.AppendMarker(nil, wire.Marker{Run: run, Event: wire.EventID{Publisher: 7, Seq: seq}})
	return "data: " + string(wire.AppendEventJSON(nil, wire.Event{Channel: "room", Payload: string(marker)})) + "\n\n"
}

// hold lets a client hold its stream until the test ends it, and returns what HoldStream returned.
func (b *bench) hold(ctx context.Context) <-chan error {
	ended := make(chan error, 1)
	c := b.crowd.NewClient(ClientOptions{ID: 3, Instance: "c3", Channels: []string{"room"}})
	go func() { ended <- c.HoldStream(ctx, nil) }()
	return ended
}

func TestStreamReconnectsAsABrowserDoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		ended := b.hold(ctx)

		first := <-b.accept
		if got := first.request.URL.RequestURI(); got != "/events?channel=room&instance=c3" {
			t.Errorf("asked for %s", got)
		}
		if first.request.Header.Get("X-Team") != "blue" || first.request.Header.Get("Last-Event-ID") != "" {
			t.Errorf("headers of the first request: %v", first.request.Header)
		}
		io.WriteString(first, streamHead+chunk("id: 41\n"+message(testRun, 1))+"0\r\n\r\n") // a clean end
		second := <-b.accept
		if got := second.request.Header.Get("Last-Event-ID"); got != "41" {
			t.Errorf("reconnected with Last-Event-ID %q, want 41", got)
		}
		io.WriteString(second, streamHead+chunk("retry: 500\n\n")+"1a\r\ndata: cut in") // cut in mid-chunk
		second.Close()
		third := <-b.accept
		io.WriteString(third, streamHead)
		synctest.Wait()
		third.Conn.(interface{ Reset() }).Reset()
		fourth := <-b.accept
		io.WriteString(fourth, streamHead)
		synctest.Wait()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("HoldStream returned %v", err)
		}
		b.expect(t, []string{
			"0 opened", "0 subscribed", "0 delivered c7.1", "0 ended: end of stream",
			"3000 opened", "3000 subscribed", "3000 ended: cut in mid-message",
			"3500 opened", "3500 subscribed", "3500 ended: connection reset",
			"4000 opened", "4000 subscribed", "4000 closed",
		})
		if conn := b.seen[len(b.seen)-1].Conn; conn != 4 {
			t.Errorf("the last socket has number %d, want 4", conn)
		}
	})
}

func TestRefusedStreamIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n":                    "http 503",
		"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi":        "not an event stream",
		"HTTP/1.1 200 OK\r\nContent-Type: text/event-streams\r\nContent-Length: 0\r\n\r\n": "not an event stream",
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			ended := b.hold(t.Context())
			p := <-b.accept
			io.WriteString(p, answer)
			var refused *RefusedError
			if err := <-ended; !errors.As(err, &refused) {
				t.Errorf("HoldStream returned %v, want a RefusedError", err)
			}
			b.expect(t, []string{"0 opened", "0 ended: " + want})
		})
	}
}

func TestNobodyListensAndReconnectGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.crowd.Addr = "nobody:1"
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		if err := <-b.hold(ctx); err != nil {
			t.Errorf("HoldStream returned %v", err)
		}
		b.expect(t, []string{"0 ended: connection refused", "3000 ended: connection refused", "6000 ended: connection refused"})
	})
}

func TestIntervalsOfOneRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		ended := b.hold(ctx)
		p := <-b.accept
		io.WriteString(p, streamHead)
		synctest.Wait()
		<-time.After(time.Second)
		// Three messages in one segment: only the last is known exactly. Then one with the beginning of another behind it,
		// and the rest of that: the first of them did not end the read, the second did.
		io.WriteString(p, chunk(message(testRun, 1)+message(testRun, 2)+message(testRun, 3)))
		synctest.Wait()
		<-time.After(time.Second)
		next := message(testRun, 5)
		io.WriteString(p, chunk(message(testRun, 4)+next[:10]))
		synctest.Wait()
		<-time.After(time.Second)
		io.WriteString(p, chunk(next[10:]))
		synctest.Wait()
		<-time.After(time.Second)
		io.WriteString(p, chunk(message(testRun, 6)+":\n\n")) // a heartbeat behind it
		synctest.Wait()
		cancel()
		<-ended
		var got []string
		for _, o := range b.seen {
			if o.Kind == history.Delivered {
				got = append(got, fmt.Sprintf("%d (%d,%d]", o.Event.Seq, o.NotBefore/1e6, o.At/1e6))
			}
		}
		want := []string{"1 (0,1000]", "2 (0,1000]", "3 (1000,1000]", "4 (1000,2000]", "5 (3000,3000]", "6 (3000,4000]"}
		if !slices.Equal(got, want) {
			t.Errorf("intervals %v, want %v", got, want)
		}
	})
}

func TestAlienEventsAreCountedApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		ended := b.hold(ctx)
		p := <-b.accept
		io.WriteString(p, streamHead+chunk("data: hello\n\n"+message(testRun+1, 1)+message(testRun, 2)))
		synctest.Wait()
		cancel()
		<-ended
		b.expect(t, []string{"0 alien: no marker", "0 alien c7.1: marker of another run", "0 delivered c7.2"}, history.Alien, history.Delivered)
	})
}

func TestCommandsGoOneAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		c := b.crowd.NewClient(ClientOptions{ID: 7, Instance: "c7", Channels: []string{"room"}})
		done := make(chan error, 1)
		go func() { done <- c.PostCommands(ctx, t.Context(), nil) }()
		m := &Message{Channel: "room", Name: "message", Size: 100}
		c.Post(0, m) // three at once: two wait
		c.Post(0, m)
		c.Post(int64(10*time.Millisecond), m)
		p := <-b.accept
		for seq := 1; ; seq++ {
			body, _ := io.ReadAll(p.request.Body)
			command, err := wire.ParseCommand(body)
			if err != nil || command.Instance != "c7" || len(command.Payload) != 100 {
				t.Fatalf("command %d: %+v, %v", seq, command, err)
			}
			<-time.After(100 * time.Millisecond)
			if seq == 3 {
				break
			}
			reply := string(wire.AppendReplyJSON(nil, wire.Reply{Echo: []wire.Event{{Channel: "room", Payload: command.Payload}}}))
			fmt.Fprintf(p, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(reply), reply)
			if p.request, err = http.ReadRequest(p.in); err != nil {
				t.Fatal(err)
			}
		}
		p.Close() // the third is never answered
		synctest.Wait()
		c.Post(b.now(), m)
		p = <-b.accept // a new connection
		io.WriteString(p, "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		b.expect(t, []string{
			"0 opened",
			"0 sent c7.1", "100 replied c7.1", "100 delivered c7.1",
			"100 sent c7.2", "200 replied c7.2", "200 delivered c7.2",
			"200 sent c7.3", "300 unknown c7.3: end of stream", "300 closed",
			"300 opened", "300 sent c7.4", "300 replied c7.4: http 500", "300 closed",
		})
		third := b.find(t, history.Sent, 3)
		if third.Due != int64(10*time.Millisecond) || third.NotBefore != int64(200*time.Millisecond) {
			t.Errorf("third command: due %d, free %d; want 10 ms and 200 ms: it waited for the one before", third.Due, third.NotBefore)
		}
	})
}

func (b *bench) now() int64 { return time.Now().UnixNano() - b.began.UnixNano() }

func (b *bench) find(t *testing.T, kind history.Kind, seq uint32) history.Observation {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range b.seen {
		if o.Kind == kind && o.Event.Seq == seq {
			return o
		}
	}
	t.Fatalf("no %s of command %d", kind, seq)
	return history.Observation{}
}

func TestCommandsThatAreNeverSentAreDropped(t *testing.T) {
	t.Parallel()
	for cause, want := range map[error]string{nil: "interrupted", ErrOverdue: "still waiting when the run ended"} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.crowd.QueueLimit = 2
			ctx, cancel := context.WithCancelCause(t.Context())
			c := b.crowd.NewClient(ClientOptions{ID: 7})
			done := make(chan error, 1)
			go func() { done <- c.PostCommands(ctx, t.Context(), nil) }()
			synctest.Wait()
			m := &Message{Channel: "room"}
			c.Post(0, m)
			p := <-b.accept
			for range 3 { // two wait, the third finds the queue full
				c.Post(0, m)
			}
			cancel(cause)
			io.WriteString(p, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
			<-done
			b.expect(t, []string{
				"0 dropped c7.4: queue of the client is full", "0 replied c7.1", "0 dropped c7.2: " + want, "0 dropped c7.3: " + want,
			}, history.Dropped, history.Replied)
		})
	}
}

func TestReplyTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		c := b.crowd.NewClient(ClientOptions{ID: 7})
		done := make(chan error, 1)
		go func() { done <- c.PostCommands(ctx, t.Context(), nil) }()
		c.Post(0, &Message{Channel: "room"})
		<-b.accept
		<-time.After(31 * time.Second)
		cancel()
		<-done
		b.expect(t, []string{"30000 unknown c7.1: timeout"}, history.Unknown)
	})
}
