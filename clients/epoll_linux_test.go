package clients

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"holobench/history"
)

// socketBench is a server on a real socket that a test plays by hand, for clients of one engine, and the record of what they saw.
type socketBench struct {
	bench
	loops   *Loops // nil = a goroutine a stream
	changed chan struct{}
}

// eachEngine runs a test once with each engine.
func eachEngine(t *testing.T, test func(t *testing.T, b *socketBench)) {
	t.Helper()
	for _, engine := range []Engine{EngineGoroutine, EngineEpoll} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			test(t, newSocketBench(t, engine))
		})
	}
}

func newSocketBench(t *testing.T, engine Engine) *socketBench {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &socketBench{bench: bench{accept: acceptPeers(t, listener), began: time.Now()}, changed: make(chan struct{}, 1)}
	b.crowd = &Crowd{
		Addr: listener.Addr().String(), Run: testRun, Epoch: b.began.UnixNano(), Names: new(history.Names),
		Dial: new(net.Dialer).DialContext, Retry: time.Millisecond,
		Observe: func(batch []history.Observation) {
			b.mu.Lock()
			b.seen = append(b.seen, batch...)
			b.mu.Unlock()
			select {
			case b.changed <- struct{}{}:
			default:
			}
		},
	}
	if engine == EngineEpoll {
		if b.loops, err = StartLoops(2); err != nil {
			t.Fatal(err)
		}
		b.crowd.Loops = b.loops
		t.Cleanup(b.loops.Close)
	}
	return b
}

// client begins to hold a stream. What it returns beside the client ends that, and is what Hold is done with.
func (b *socketBench) client(t *testing.T) (c *Client, end func(), over <-chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	c = b.crowd.NewClient(ClientOptions{ID: 3, Instance: "c3", Channels: []string{"room"}})
	done := make(chan error, 1)
	c.Hold(ctx, nil, func(err error) { done <- err })
	return c, cancel, done
}

// heldClient is client, once its stream is subscribed and with the engine that shall hold it; p is the server's end of it.
func (b *socketBench) heldClient(t *testing.T) (c *Client, p *peer, end func(), over <-chan error) {
	t.Helper()
	c, end, over = b.client(t)
	p = <-b.accept
	io.WriteString(p, streamHead)
	b.await(t, history.Subscribed, 1)
	b.awaitHeld(1)
	return c, p, end, over
}

// await waits until that many Observations of the kind were seen; what never comes ends with the time of all tests.
func (b *socketBench) await(t *testing.T, kind history.Kind, count int) {
	t.Helper()
	for {
		if len(b.story(kind)) >= count {
			return
		}
		<-b.changed
	}
}

// awaitHeld waits until the loops hold so many streams.
func (b *socketBench) awaitHeld(count int) {
	for b.loops != nil && b.loops.Held() != count {
		runtime.Gosched()
	}
}

// standStill makes a stream stand still where a test asks for it: of what it returns the first call has to bring one delivery, and while
// that is handled the second one is made.
func (b *socketBench) standStill() (whileHandled func(brings, do func())) {
	stands, goOn := make(chan struct{}), make(chan struct{})
	var wanted atomic.Bool
	observe := b.crowd.Observe
	b.crowd.Observe = func(batch []history.Observation) {
		observe(batch)
		if batch[0].Kind == history.Delivered && wanted.CompareAndSwap(true, false) {
			stands <- struct{}{}
			<-goOn
		}
	}
	return func(brings, do func()) {
		wanted.Store(true)
		brings()
		<-stands
		do()
		goOn <- struct{}{}
	}
}

// told is the story without its times.
func (b *socketBench) told() []string {
	var words []string
	for _, line := range b.story() {
		_, word, _ := strings.Cut(line, " ")
		words = append(words, word)
	}
	return words
}

func (b *socketBench) expectTold(t *testing.T, want ...string) {
	t.Helper()
	if got := b.told(); !slices.Equal(got, want) {
		t.Errorf("seen:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// TestEnginesGoOnAfterEveryEnd holds that a stream which ended, cleanly, in mid-message, by a reset or by foreign bytes, is noted as
// such and opened again with what it had, by every engine; and that a refusal behind it is final.
func TestEnginesGoOnAfterEveryEnd(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, b *socketBench) {
		_, _, over := b.client(t)
		ends := []struct {
			how  func(p *peer)
			want string
		}{
			{func(p *peer) { io.WriteString(p, "0\r\n\r\n"); p.Close() }, "ended: end of stream"},
			{func(p *peer) { io.WriteString(p, "40\r\ndata"); p.Close() }, "ended: cut in mid-message"},
			{func(p *peer) { p.Conn.(*net.TCPConn).SetLinger(0); p.Close() }, "ended: connection reset"},
			{func(p *peer) { io.WriteString(p, "no chunk\r\n"); p.Close() }, "ended: protocol error"},
		}
		var want []string
		for i, e := range ends {
			p := <-b.accept
			if got := p.request.Header.Get("Last-Event-ID"); i > 0 && got != fmt.Sprint(i-1) {
				t.Errorf("connection %d asks for what follows %q", i+1, got)
			}
			io.WriteString(p, streamHead)
			b.await(t, history.Subscribed, i+1)
			b.awaitHeld(1)
			io.WriteString(p, chunk(fmt.Sprintf("id: %d\n", i)+message(testRun, uint32(i+1))))
			b.await(t, history.Delivered, i+1)
			e.how(p)
			b.await(t, history.Ended, i+1)
			want = append(want, "opened", "subscribed", fmt.Sprintf("delivered c7.%d", i+1), e.want)
		}
		p := <-b.accept
		io.WriteString(p, "HTTP/1.1 204 No Content\r\n\r\n")
		refused, ok := errors.AsType[*RefusedError](<-over)
		if !ok || refused.Status != 204 {
			t.Errorf("the client gave up because of %v", refused)
		}
		b.expectTold(t, append(want, "opened", "ended: http 204")...)
	})
}

// TestEnginesLetGo holds what a client makes of its own stream, while a loop holds it as well as while a goroutine does: other channels,
// none, away and back.
func TestEnginesLetGo(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, b *socketBench) {
		c, p, end, over := b.heldClient(t)

		changed := make(chan error, 1)
		go func() { changed <- c.Subscribe(t.Context(), "hall") }()
		second := <-b.accept
		if got := second.request.URL.RequestURI(); got != "/events?channel=room&channel=hall&instance=c3" {
			t.Errorf("asked for %s", got)
		}
		io.WriteString(second, streamHead)
		if err := <-changed; err != nil {
			t.Fatal(err)
		}
		if _, err := p.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the first stream ended with %v", err)
		}
		b.awaitHeld(1)

		if err := c.Disconnect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := second.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("a lost network ended the stream with %v, not hard", err)
		}
		b.awaitHeld(0)
		go func() { changed <- c.Reconnect(t.Context()) }()
		third := <-b.accept
		io.WriteString(third, streamHead)
		if err := <-changed; err != nil {
			t.Fatal(err)
		}
		b.awaitHeld(1)
		c.GoAway()
		if _, err := third.Read(make([]byte, 1)); err == nil {
			t.Error("a stream that nobody wants goes on")
		}
		c.ComeBack()
		fourth := <-b.accept
		io.WriteString(fourth, streamHead+chunk(message(testRun, 1)))
		b.await(t, history.Delivered, 1)
		b.awaitHeld(1)
		go func() { changed <- c.Unsubscribe(t.Context(), "room") }()
		io.WriteString(<-b.accept, streamHead)
		if err := errors.Join(<-changed, c.Unsubscribe(t.Context(), "hall")); err != nil {
			t.Error(err)
		}
		if end(); <-over != nil {
			t.Error("a stream that the client ended is an error")
		}
		b.awaitHeld(0)
	})
}

// TestEnginesReadWhatHasArrived holds that who leaves still reads what was there.
func TestEnginesReadWhatHasArrived(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, b *socketBench) {
		whileHandled := b.standStill()
		c, p, end, over := b.heldClient(t)
		gone := make(chan error, 1)
		whileHandled(func() { io.WriteString(p, chunk(message(testRun, 1))) }, func() {
			io.WriteString(p, chunk(message(testRun, 2)+message(testRun, 3)))
			go func() { gone <- c.Disconnect(t.Context()) }()
			for c.isServed() {
				runtime.Gosched()
			}
		})
		if err := <-gone; err != nil {
			t.Fatal(err)
		}
		end()
		<-over
		b.expectTold(t, "opened", "subscribed", "delivered c7.1", "delivered c7.2", "delivered c7.3", "closed")
	})
}

// TestEnginesReadOn holds that what one read leaves in a socket is read without anything coming behind it, be it bytes or an end.
func TestEnginesReadOn(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, b *socketBench) {
		whileHandled := b.standStill()
		_, p, end, over := b.heldClient(t)
		told, want := uint32(0), []string{"opened", "subscribed"}
		write := func(size int) {
			text := ""
			for len(text) < size {
				told++
				text += chunk(message(testRun, told))
				want = append(want, fmt.Sprintf("delivered c7.%d", told))
			}
			io.WriteString(p, text)
		}
		whileHandled(func() { write(1) }, func() { write(3 * len(scratch{}.buf)) })
		b.await(t, history.Delivered, int(told))
		b.awaitHeld(1) // still
		whileHandled(func() { write(1) }, func() {
			write(len(scratch{}.buf) + 1)
			io.WriteString(p, "0\r\n\r\n")
			p.Close()
		})
		b.await(t, history.Ended, 1)
		p = <-b.accept
		end()
		<-over
		p.Close()
		b.expectTold(t, append(want, "ended: end of stream", "opened", "closed")...)
	})
}

// TestALoopMissesNothing holds that an event is read which comes just while a stream is handed over to a loop.
func TestALoopMissesNothing(t *testing.T) {
	t.Parallel()
	b := newSocketBench(t, EngineEpoll)
	for i := range 300 {
		_, end, over := b.client(t)
		p := <-b.accept
		io.WriteString(p, streamHead)
		if i%2 == 0 {
			b.awaitHeld(1) // which counts it as soon as it is about to be
		}
		io.WriteString(p, chunk(message(testRun, 1)))
		b.await(t, history.Delivered, i+1)
		end()
		<-over
		p.Close()
	}
}

// isServed says whether the stream that the client holds is the one that it wants.
func (c *Client) isServed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hold.served
}

// TestEnginesLeaveNothingBehind holds that no descriptor and no goroutine is left when streams are over, whoever ended them. It is not
// parallel, because both are counted for the whole process.
func TestEnginesLeaveNothingBehind(t *testing.T) {
	for _, engine := range []Engine{EngineGoroutine, EngineEpoll} {
		files, goroutines := openDescriptors(t), runtime.NumGoroutine()
		t.Run(string(engine), func(t *testing.T) {
			b := newSocketBench(t, engine)
			ctx, cancel := context.WithCancel(t.Context())
			const streams = 40
			over := make(chan error, streams)
			var peers []*peer
			for i := range streams {
				c := b.crowd.NewClient(ClientOptions{ID: uint32(i), Instance: "x", Channels: []string{"room"}})
				c.Hold(ctx, nil, func(err error) { over <- err })
				p := <-b.accept
				io.WriteString(p, streamHead)
				peers = append(peers, p)
			}
			b.await(t, history.Subscribed, streams)
			b.awaitHeld(streams)
			if b.loops != nil {
				if got := runtime.NumGoroutine() - goroutines; got > 10 {
					t.Errorf("%d goroutines while loops hold all streams", got)
				}
			}
			for i, p := range peers {
				if i%2 == 0 {
					p.Close()
				}
			}
			b.await(t, history.Ended, streams/2)
			for range streams / 2 {
				p := <-b.accept
				io.WriteString(p, streamHead)
				peers = append(peers, p)
			}
			b.await(t, history.Subscribed, streams*3/2)
			b.awaitHeld(streams)
			cancel()
			for range streams {
				if err := <-over; err != nil {
					t.Error(err)
				}
			}
			for _, p := range peers {
				p.Close()
			}
		})
		for runtime.NumGoroutine() > goroutines || openDescriptors(t) > files {
			if end, ok := t.Deadline(); ok && time.Until(end) < 5*time.Second {
				t.Fatalf("%s: %d goroutines and %d descriptors are left", engine, runtime.NumGoroutine()-goroutines, openDescriptors(t)-files)
			}
			runtime.Gosched()
		}
	}
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// TestEnginesSeeTheSame holds that both engines note the same from the same bytes, wherever these are cut: what arrived, in which order,
// on which connection, and how each ended.
func TestEnginesSeeTheSame(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			var stories [][]string
			for _, engine := range []Engine{EngineGoroutine, EngineEpoll} {
				b := newSocketBench(t, engine)
				_, end, over := b.client(t)
				rng := rand.New(rand.NewPCG(seed, 7))
				told := uint32(0)
				for conn := range 3 {
					p := <-b.accept
					io.WriteString(p, streamHead)
					b.await(t, history.Subscribed, conn+1)
					b.awaitHeld(1)
					text := ""
					for range 30 {
						told++
						text += chunk(message(testRun, told))
						if rng.IntN(4) == 0 {
							text += chunk(": still here\n")
						}
					}
					for len(text) > 0 {
						n := min(len(text), 1+rng.IntN(1+rng.IntN(600)))
						io.WriteString(p, text[:n])
						text = text[n:]
						if rng.IntN(3) == 0 {
							runtime.Gosched()
						}
					}
					if rng.IntN(2) == 0 {
						io.WriteString(p, "5\r\nda")
					}
					p.Close()
					b.await(t, history.Ended, conn+1)
				}
				<-b.accept
				if end(); <-over != nil {
					t.Error("a stream that the client ended is an error")
				}
				stories = append(stories, b.told())
				b.checkIntervals(t)
			}
			if !slices.Equal(stories[0], stories[1]) {
				t.Errorf("seen by a goroutine:\n  %s\nby a loop:\n  %s", strings.Join(stories[0], "\n  "), strings.Join(stories[1], "\n  "))
			}
		})
	}
}

// checkIntervals holds that the intervals of each connection rise along its bytes.
func (b *socketBench) checkIntervals(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	last := make(map[uint32]int64)
	for i := range b.seen {
		o := &b.seen[i]
		if o.Kind != history.Delivered && o.Kind != history.Heartbeat {
			continue
		}
		if o.NotBefore > o.At || o.At > o.Handled || o.At < last[o.Conn] {
			t.Errorf("%+v follows what came at %d", *o, last[o.Conn])
		}
		last[o.Conn] = o.At
	}
}
