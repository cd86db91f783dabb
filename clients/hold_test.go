package clients

import (
	"context"
	"errors"
	"io"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestSubscribeOpensANewStream holds that on the plain wire a client changes its channels as a page does: it closes its
// EventSource and makes another one, which knows nothing of the ids of the first.
func TestSubscribeOpensANewStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		c := b.crowd.NewClient(ClientOptions{ID: 3, Instance: "c3", Channels: []string{"room"}})
		ended, changed := make(chan error, 1), make(chan error, 1)
		go func() { ended <- c.HoldStream(ctx, nil) }()
		first := <-b.accept
		io.WriteString(first, streamHead+chunk("id: 41\n"+message(testRun, 1)))
		synctest.Wait()

		time.Sleep(10 * time.Millisecond)
		go func() { changed <- c.Subscribe(t.Context(), "hall") }()
		second := <-b.accept
		if got := second.request.URL.RequestURI(); got != "/events?channel=room&channel=hall&instance=c3" {
			t.Errorf("asked for %s", got)
		}
		if got := second.request.Header.Get("Last-Event-ID"); got != "" {
			t.Errorf("the new EventSource sent the id %q of the old one", got)
		}
		synctest.Wait()
		select {
		case err := <-changed:
			t.Fatalf("it was subscribed before the server said so: %v", err)
		default:
		}
		time.Sleep(5 * time.Millisecond)
		io.WriteString(second, streamHead)
		if err := <-changed; err != nil {
			t.Fatal(err)
		}

		go func() { changed <- c.Unsubscribe(t.Context(), "room") }()
		third := <-b.accept
		if got := third.request.URL.RequestURI(); got != "/events?channel=hall&instance=c3" {
			t.Errorf("asked for %s", got)
		}
		io.WriteString(third, streamHead)
		if err := errors.Join(<-changed, c.Unsubscribe(t.Context(), "room"), c.Unsubscribe(t.Context(), "hall")); err != nil {
			t.Fatal(err) // the second has nothing to do, the third takes the stream away
		}
		if _, err := third.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the last stream ended with %v", err)
		}
		go func() { changed <- c.Subscribe(t.Context(), "attic") }()
		io.WriteString(<-b.accept, streamHead)
		if err := <-changed; err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		b.expect(t, []string{
			"0 opened", "0 subscribed", "0 delivered c7.1",
			"10 closed", "10 opened", "15 subscribed", "15 subscribed",
			"15 unsubscribed", "15 closed", "15 opened", "15 subscribed",
			"15 unsubscribed", "15 closed", "15 opened", "15 subscribed", "15 closed",
		})
	})
}

// TestDisconnect holds that a client which loses its network says nothing, stays away until it is told to come back, and then
// goes on where it was.
func TestDisconnect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		c := b.crowd.NewClient(ClientOptions{ID: 3, Instance: "c3", Channels: []string{"room"}})
		ended := make(chan error, 1)
		go func() { ended <- c.HoldStream(ctx, nil) }()
		first := <-b.accept
		io.WriteString(first, streamHead+chunk("retry: 100\n\n"))
		synctest.Wait()
		io.WriteString(first, chunk("id: 41\n"+message(testRun, 1))) // in the same moment: whoever comes first, it was there in time
		if err := c.Disconnect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := first.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the server reads %v, want a reset", err)
		}
		time.Sleep(time.Minute)
		if len(b.accept) != 0 {
			t.Fatal("it came back by itself")
		}
		if err := c.Subscribe(t.Context(), "room"); err != nil { // it is wanted already
			t.Fatal(err)
		}
		back := make(chan error, 1)
		go func() { back <- c.Reconnect(t.Context()) }()
		second := <-b.accept
		if got := second.request.Header.Get("Last-Event-ID"); got != "41" {
			t.Errorf("it goes on behind %q, want 41", got)
		}
		second.Close() // the wire's own client tries again, after its pause
		third := <-b.accept
		io.WriteString(third, streamHead)
		if err := <-back; err != nil {
			t.Fatal(err)
		}
		cancel()
		<-ended
		if err := c.Reconnect(t.Context()); !errors.Is(err, errNoStream) {
			t.Errorf("behind the end: %v", err)
		}
		b.expect(t, []string{
			"0 opened", "0 subscribed", "0 delivered c7.1", "0 closed",
			"60000 opened", "60000 ended: end of stream", "60100 opened", "60100 subscribed", "60100 closed",
		})
	})
}

// TestDisconnectWhileConnecting holds that a client can go away when it has no stream yet, and that what waits for it ends.
func TestDisconnectWhileConnecting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		c := b.crowd.NewClient(ClientOptions{ID: 3, Instance: "c3", Channels: []string{"room"}})
		if err := c.Disconnect(ctx); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- c.HoldStream(ctx, nil) }()
		synctest.Wait()
		back, gaveUp := context.WithTimeout(ctx, 3*time.Second)
		defer gaveUp()
		go func() {
			<-b.accept // it says nothing
			time.Sleep(time.Second)
			if err := c.Disconnect(ctx); err != nil {
				t.Error(err)
			}
		}()
		if err := c.Reconnect(back); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a client that was sent away again: %v", err)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		b.expect(t, []string{"0 opened", "1000 closed"})
	})
}

// TestRefusedStreamEndsTheWait holds that nobody waits for a stream that the server does not want.
func TestRefusedStreamEndsTheWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		c := b.crowd.NewClient(ClientOptions{ID: 3, Instance: "c3", Channels: []string{"room"}})
		go c.HoldStream(t.Context(), nil)
		io.WriteString(<-b.accept, streamHead)
		synctest.Wait()
		changed := make(chan error, 1)
		go func() { changed <- c.Subscribe(t.Context(), "secret") }()
		io.WriteString(<-b.accept, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
		if refused, ok := errors.AsType[*RefusedError](<-changed); !ok || refused.Status != 403 {
			t.Errorf("it waits for %v", refused)
		}
	})
}

// TestFetch holds that a fetch waits for its turn, comes over the connection for commands, and leaves nothing in the history.
func TestFetch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		c := b.crowd.NewClient(ClientOptions{ID: 7})
		done := make(chan error, 1)
		go func() { done <- c.PostCommands(ctx, t.Context(), nil) }()
		var outcome Outcome
		answers := make(chan Fetched, 3)
		keep := func(f *Fetched) { answers <- *f }
		c.PostThen(0, &Message{Channel: "room", Name: "say", Fields: true}, func(o *Outcome) { outcome = *o })
		c.Fetch("/doc/room?x=1", keep)
		p := <-b.accept
		time.Sleep(20 * time.Millisecond)
		io.WriteString(p, "HTTP/1.1 409 Conflict\r\nETag: v7\r\nContent-Length: 2\r\n\r\nno")
		io.Copy(io.Discard, p.request.Body)
		request, err := http.ReadRequest(p.in)
		if err != nil || request.Method != "GET" || request.URL.RequestURI() != "/doc/room?x=1" || request.Header.Get("X-Team") != "blue" {
			t.Fatalf("%v, %v", request, err)
		}
		if outcome.Status != 409 || outcome.OK || outcome.Why != "" || len(outcome.Fields) != 2 || outcome.Fields[0].Value != "v7" {
			t.Errorf("the command ended as %+v", outcome)
		}
		time.Sleep(5 * time.Millisecond)
		io.WriteString(p, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello")
		if f := <-answers; f.Status != 200 || string(f.Body) != "hello" || f.At != 25e6 || len(f.Fields) != 2 {
			t.Errorf("fetched %+v", f)
		}
		c.Fetch("/gone", keep)
		(<-b.accept).Close()
		if f := <-answers; f.Status != 0 || f.Why != errCut && f.Why != errEndOfStream {
			t.Errorf("fetched %+v", f)
		}
		cancel()
		<-done
		c.Fetch("/late", keep) // nobody carries it out any more; it stays in the queue as a command would
		b.expect(t, []string{
			"0 opened", "0 sent c7.1", "20 replied c7.1: http 409", "25 closed", "25 opened", "25 closed",
		})
	})
}

// TestGoAwayAndDisconnectAreCountedApart holds that a client is back only when everybody lets it who sent it away.
func TestGoAwayAndDisconnectAreCountedApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		c := b.crowd.NewClient(ClientOptions{ID: 3, Instance: "c3", Channels: []string{"room"}})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.HoldStream(ctx, nil) }()
		io.WriteString(<-b.accept, streamHead)
		synctest.Wait()
		c.GoAway()
		c.GoAway()
		if err := c.Disconnect(ctx); err != nil {
			t.Fatal(err)
		}
		for _, undo := range []func(){c.ComeBack, func() {
			soon, gaveUp := context.WithTimeout(ctx, time.Second)
			defer gaveUp()
			if err := c.Reconnect(soon); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("it came back: %v", err)
			}
		}} {
			undo()
			time.Sleep(time.Second)
			if len(b.accept) > 0 {
				t.Fatal("it came back before everybody let it")
			}
		}
		c.ComeBack()
		io.WriteString(<-b.accept, streamHead)
		synctest.Wait()
		cancel()
		<-ended
		b.expect(t, []string{"0 opened", "0 subscribed", "0 closed", "3000 opened", "3000 subscribed", "3000 closed"})
	})
}
