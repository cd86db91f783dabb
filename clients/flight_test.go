package clients

import (
	"context"
	"fmt"
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

// TestCommandsInFlightOverHTTP: three lanes are three connections, and the fourth command waits until one of them is free.
func TestCommandsInFlightOverHTTP(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		c := b.crowd.NewClient(ClientOptions{ID: 7, Instance: "c7", InFlight: 3})
		done := make(chan error, 1)
		go func() { done <- c.PostCommands(ctx, t.Context(), nil) }()
		var mu sync.Mutex
		var outcomes []string
		for seq := range 5 {
			c.PostThen(int64(seq), &Message{Channel: "room", Name: "message"}, func(o *Outcome) {
				mu.Lock()
				defer mu.Unlock()
				outcomes = append(outcomes, fmt.Sprintf("%d: %s %v at %d %q", seq+1, o.Kind, o.OK, o.At/1e6, o.Body))
			})
		}
		answer := func(p *peer, status string) {
			fmt.Fprintf(p, "HTTP/1.1 %s\r\nContent-Length: 2\r\n\r\n{}", status)
			synctest.Wait()
		}
		peers := make(map[uint32]*peer) // by the number of the command that came over it
		for range 3 {
			p := <-b.accept
			peers[seqOf(t, p)] = p
		}
		if _, ok := peers[3]; len(peers) != 3 || !ok {
			t.Fatalf("on the wire: %v, want 1, 2 and 3", peers)
		}
		<-time.After(100 * time.Millisecond)
		answer(peers[2], "409 Conflict")
		request, err := http.ReadRequest(peers[2].in)
		if err != nil {
			t.Fatal(err)
		}
		if peers[2].request = request; seqOf(t, peers[2]) != 4 {
			t.Error("not the fourth came next")
		}
		<-time.After(100 * time.Millisecond)
		answer(peers[1], "200 OK")
		peers[3].Close() // never answered
		synctest.Wait()
		cancel()
		synctest.Wait()
		answer(peers[2], "200 OK")
		peers[1].Close() // it had got the fifth
		if err := <-done; err != nil {
			t.Error(err)
		}
		slices.SortStableFunc(outcomes, func(a, b string) int { return strings.Compare(a[:1], b[:1]) })
		want := []string{`1: replied true at 200 "{}"`, `2: replied false at 100 "{}"`, `3: unknown false at 200 ""`, `4: replied true at 200 "{}"`, `5: unknown false at 200 ""`}
		if !slices.Equal(outcomes, want) {
			t.Errorf("outcomes:\n  %s\nwant:\n  %s", strings.Join(outcomes, "\n  "), strings.Join(want, "\n  "))
		}
		if sent := b.story(history.Sent); len(sent) != 5 {
			t.Errorf("sent: %v", sent)
		}
		if fourth := b.find(t, history.Sent, 4); fourth.NotBefore != int64(100*time.Millisecond) {
			t.Errorf("the fourth could go at %d, want 100 ms", fourth.NotBefore)
		}
	})
}

// seqOf is the number of the command that a request brought.
func seqOf(t *testing.T, p *peer) uint32 {
	t.Helper()
	body, err := io.ReadAll(p.request.Body)
	if err != nil {
		t.Fatal(err)
	}
	command, err := wire.ParseCommand(body)
	if err != nil {
		t.Fatal(err)
	}
	marker, _, _ := wire.FindMarker([]byte(command.Payload))
	return marker.Event.Seq
}

// TestCommandsInFlightOverASocket: several refs wait for their replies at once, which may come in any order; the commands leave in
// the order in which they were asked for.
func TestCommandsInFlightOverASocket(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.crowd.Wire = Channels
		ctx, cancel := context.WithCancel(t.Context())
		c := b.crowd.NewClient(ClientOptions{ID: 7, Channels: []string{"room"}, InFlight: 3})
		done := make(chan error, 2)
		go func() { done <- c.HoldStream(ctx, nil) }()
		go func() { done <- c.PostCommands(ctx, t.Context(), nil) }()
		p := (<-b.accept).join(t, "1")
		<-time.After(time.Second)
		var mu sync.Mutex
		var outcomes []string
		for seq := range 4 {
			c.PostThen(b.now(), &Message{Channel: "room", Name: "message"}, func(o *Outcome) {
				mu.Lock()
				defer mu.Unlock()
				outcomes = append(outcomes, fmt.Sprintf("%d: %s %v %q", seq+1, o.Kind, o.OK, o.Body))
			})
		}
		for _, ref := range []string{"2", "3", "4"} {
			if said := p.hear(t); !strings.HasPrefix(said, `["1","`+ref+`","room","message"`) {
				t.Errorf("the client said %s, want the command of ref %s", said, ref)
			}
		}
		<-time.After(time.Second)
		p.say(reply("1", "4", `{"n":3}`), reply("1", "2", `{"n":1}`))
		if said := p.hear(t); !strings.HasPrefix(said, `["1","5","room","message"`) {
			t.Errorf("the client said %s, want the fourth command", said)
		}
		cancel()
		<-done
		<-done
		slices.Sort(outcomes)
		want := []string{`1: replied true "{\"n\":1}"`, `2: unknown false ""`, `3: replied true "{\"n\":3}"`, `4: unknown false ""`}
		if !slices.Equal(outcomes, want) {
			t.Errorf("outcomes:\n  %s\nwant:\n  %s", strings.Join(outcomes, "\n  "), strings.Join(want, "\n  "))
		}
		if got, want := b.story(history.Sent), []string{"1000 sent c7.1", "1000 sent c7.2", "1000 sent c7.3", "2000 sent c7.4"}; !slices.Equal(got, want) {
			t.Errorf("sent %v, want %v", got, want)
		}
	})
}
