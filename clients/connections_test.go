package clients

import (
	"context"
	"net"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
)

// TestConnectionsOfABrowser: commands that are due at once and answered after 100 ms each. What the client's script may not send yet
// waits in its queue, what has no connection waits for that, and neither is the generator's own lateness.
func TestConnectionsOfABrowser(t *testing.T) {
	t.Parallel()
	room := []string{"room"}
	for _, test := range []struct {
		name    string
		o       ClientOptions
		streams int // that the server takes at once over HTTP/2
		queued  []int
		waited  []int // by the number of the command, in ms
	}{
		{"five beside the stream", ClientOptions{Channels: room, InFlight: 6, Connections: 6}, 0, []int{0, 0, 0, 0, 0, 0}, []int{0, 0, 0, 0, 0, 100}},
		{"as many as it likes", ClientOptions{Channels: room, InFlight: 6}, 0, []int{0, 0, 0, 0, 0, 0}, []int{0, 0, 0, 0, 0, 0}},
		{"six without a stream", ClientOptions{InFlight: 7, Connections: 6}, 0, []int{0, 0, 0, 0, 0, 0, 0}, []int{0, 0, 0, 0, 0, 0, 100}},
		{"one in flight", ClientOptions{Channels: room, InFlight: 1, Connections: 6}, 0, []int{0, 100, 200}, []int{0, 0, 0}},
		{"one of two is the stream", ClientOptions{Channels: room, InFlight: 3, Connections: 2}, 0, []int{0, 0, 0, 100, 200}, []int{0, 100, 200, 200, 200}},
		{
			"queue and connections",
			ClientOptions{Channels: room, InFlight: 7, Connections: 6},
			0,
			[]int{0, 0, 0, 0, 0, 0, 0, 100, 100, 100, 100, 100, 200},
			[]int{0, 0, 0, 0, 0, 100, 100, 0, 0, 0, 100, 100, 0},
		},
		{"one connection of HTTP/2", ClientOptions{Channels: room, InFlight: 8, Connections: 6, HTTP: 2}, 0, make([]int, 8), make([]int, 8)},
		{"... with three streams", ClientOptions{Channels: room, InFlight: 5, HTTP: 2}, 3, []int{0, 0, 0, 0, 0}, []int{0, 0, 100, 100, 200}},
		{"... with four", ClientOptions{Channels: room, InFlight: 6, HTTP: 2}, 4, []int{0, 0, 0, 0, 0, 0}, []int{0, 0, 0, 100, 100, 100}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				s := b.serveHTTP2(t, &http.HTTP2Config{MaxConcurrentStreams: test.streams})
				s.command = func(http.ResponseWriter, uint32) { pass(100 * time.Millisecond) }
				test.o.ID, test.o.Instance, test.o.HTTP = 7, "c7", max(1, test.o.HTTP)
				c, stop := b.work(t, test.o)
				for range test.waited {
					c.Post(b.now(), &Message{Channel: "room", Name: "message"})
				}
				pass(time.Second)
				stop()
				var queued, waited []int
				for seq := range test.waited {
					sent := b.find(t, history.Sent, uint32(seq+1))
					queued = append(queued, int(sent.NotBefore-int64(sent.Sequence)-sent.Due)/1e6)
					waited = append(waited, int(sent.Sequence)/1e6)
					if sent.At != sent.NotBefore {
						t.Errorf("command %d was free to go at %d, and went at %d", seq+1, sent.NotBefore, sent.At)
					}
				}
				if !slices.Equal(queued, test.queued) || !slices.Equal(waited, test.waited) {
					t.Errorf("queued %v ms, waited %v ms for a connection; want %v and %v", queued, waited, test.queued, test.waited)
				}
			})
		})
	}
}

// TestServerClosesTheConnection: what a new connection takes is no lateness of the generator's.
func TestServerClosesTheConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		s := b.serveHTTP2(t, nil)
		s.command = func(w http.ResponseWriter, _ uint32) { w.Header().Set("Connection", "close") }
		dial := b.crowd.Dial
		b.crowd.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			pass(30 * time.Millisecond)
			return dial(ctx, network, addr)
		}
		c, stop := b.work(t, ClientOptions{ID: 7, Instance: "c7", Channels: []string{"room"}, HTTP: 1})
		for range 2 {
			c.Post(b.now(), &Message{Channel: "room", Name: "message"})
			pass(10 * time.Second)
		}
		stop()
		sent := b.find(t, history.Sent, 2)
		if want := sent.Due + int64(30*time.Millisecond); sent.NotBefore != want || sent.At != want || sent.Sequence != 30e6 {
			t.Errorf("due at %d, free at %d, sent at %d, waited %d; the dial takes 30 ms", sent.Due, sent.NotBefore, sent.At, sent.Sequence)
		}
	})
}
