package chaos_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/chaos"
	"holobench/clients"
	"holobench/history"
	"holobench/internal/memnet"
	"holobench/wire"
	"holobench/wire/sse"
)

// A real client behind faults: it sees exactly what they left, when they say, and each event exactly at its stamp.
func TestAClientBehindFaults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const events, gap = 100, 100 * ms
		network := memnet.New(nil)
		listener, err := network.Listen("server:1")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		r := rigOn(t, 12, listener, network.DialContext,
			chaos.Fault{Name: "gone", Effect: chaos.Drop{Pick: chaos.Pick{Share: 0.2}}},
			chaos.Fault{Name: "lag", Effect: chaos.Delay{Law: constant(250 * ms)}},
		)
		r.run(t.Context())
		var mu sync.Mutex
		var seen []history.Observation
		crowd := &clients.Crowd{
			Addr: "server:1", Run: 1, Epoch: r.began.UnixNano(), Names: new(history.Names), Observe: func(all []history.Observation) {
				mu.Lock()
				defer mu.Unlock()
				seen = append(seen, all...)
			},
			Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
				return r.dial(context.WithValue(ctx, whoKey{}, who{3, chaos.Stream}), network, addr)
			},
		}
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() {
			client := crowd.NewClient(clients.ClientOptions{ID: 3, Channels: []string{"room"}})
			if err := client.HoldStream(ctx, nil); err != nil {
				t.Error(err)
			}
		})
		serveEvents(t, r, listener, events, gap)
		r.until(time.Duration(events+20) * gap)
		cancel()
		done.Wait()
		r.mu.Lock()
		defer r.mu.Unlock()
		var dropped []uint32
		for _, d := range r.decisions {
			if d.Fault == "gone" {
				dropped = append(dropped, d.Event.Seq)
			}
		}
		next := uint32(0)
		for _, o := range seen {
			if o.Kind != history.Delivered {
				continue
			}
			for next++; slices.Contains(dropped, next); next++ {
			}
			want := int64(time.Duration(next)*gap + 250*ms)
			if o.Event.Seq != next || o.At != want || o.NotBefore != want || o.Handled != want {
				t.Errorf("event %d in (%v, %v], handled at %v; want event %d exactly at %v",
					o.Event.Seq, time.Duration(o.NotBefore), time.Duration(o.At), time.Duration(o.Handled), next, time.Duration(want))
			}
		}
		if len(dropped) < 10 || next < events-5 {
			t.Errorf("%d events were dropped, the last seen is %d", len(dropped), next)
		}
	})
}

// serveEvents answers one request with a stream of events, one each gap.
func serveEvents(t *testing.T, r *rig, listener net.Listener, events int, gap time.Duration) {
	conn, err := listener.Accept()
	if err != nil {
		t.Error(err)
		return
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := conn.Read(make([]byte, 4096)); err != nil {
		t.Error(err)
	}
	fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
	for n := 1; n <= events; n++ {
		r.until(time.Duration(n) * gap)
		marker := wire.AppendMarker(nil, wire.Marker{Run: 1, Event: wire.EventID{Publisher: 1, Seq: uint32(n)}})
		event := wire.AppendEventJSON(nil, wire.Event{Channel: "room", Name: "message", Payload: string(marker)})
		text := sse.AppendEvent(nil, "", "", event)
		fmt.Fprintf(conn, "%x\r\n%s\r\n", len(text), text)
	}
}
