package clients

import (
	"context"
	"fmt"
	"io"
	"testing"
	"testing/synctest"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/http1"
	"holobench/wire/sse"
)

// numbered is one event as an SSE message with an id.
func numbered(id string, e wire.Event) string {
	return string(sse.AppendEvent(nil, id, "", wire.AppendEventJSON(nil, e)))
}

// control is an SSE message that is no event.
func control(id, kind string, data []byte) string {
	return string(sse.AppendEvent(nil, id, kind, data))
}

func TestPlainNumbers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		c := b.crowd.NewClient(ClientOptions{ID: 3, Instance: "c3", Channels: []string{"a", "b"}})
		ended := make(chan error, 1)
		go func() { ended <- c.HoldStream(ctx, nil) }()
		p := <-b.accept
		io.WriteString(p, streamHead+chunk(
			numbered("17,4", wire.Event{Channel: "a", Payload: markerOf(7, 1)})+ // by its place in the id
				numbered("17,5", wire.Event{Channel: "b", Payload: markerOf(7, 2)})+
				numbered("18,5", wire.Event{Channel: "a", Payload: markerOf(7, 3), Seq: 99})+ // its own word comes first
				numbered("19", wire.Event{Channel: "a", Payload: markerOf(7, 4)})+ // not an id of two channels
				numbered("x,y", wire.Event{Channel: "b", Payload: markerOf(7, 5)})+
				numbered("1,99999999999999999999", wire.Event{Channel: "b", Payload: markerOf(7, 6)})+
				numbered("2,3", wire.Event{Channel: "elsewhere", Payload: markerOf(7, 7)})+
				numbered("20,6", wire.Event{Channel: "b", Payload: `,"seq":5` + markerOf(7, 8)}))) // a text is no number
		synctest.Wait()
		cancel()
		<-ended
		for seq, want := range map[uint32]uint64{1: 17, 2: 5, 3: 99, 4: 0, 5: 0, 6: 0, 7: 0, 8: 6} {
			if got := b.find(t, history.Delivered, seq); got.Sequence != want {
				t.Errorf("event %d has number %d, want %d", seq, got.Sequence, want)
			}
		}
	})
}

func TestPlainGapAndSnapshotDeliverNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		ended := b.hold(ctx)
		p := <-b.accept
		io.WriteString(p, streamHead+chunk(
			control("", wire.GapMessage, wire.AppendGapJSON(nil, wire.Gap{Channel: "room", From: 3, First: 9}))+
				control("", wire.GapMessage, []byte(`[`))+
				control("", wire.SnapshotMessage, wire.AppendSnapshotJSON(nil, wire.Snapshot{
					Channel: "room", Version: 16, Entries: []wire.Entry{{Key: "k", Payload: markerOf(7, 1), Seq: 16}},
				}))+
				control("", wire.SnapshotMessage, []byte(`{"channel":1}`))+
				numbered("17", wire.Event{Channel: "room", Payload: markerOf(7, 2), Seq: 17, Key: "k"})))
		synctest.Wait()
		cancel()
		<-ended
		b.expect(t, []string{
			"0 heartbeat: events are lost: the server keeps them no more", "0 heartbeat: protocol error", "0 heartbeat",
			"0 heartbeat: protocol error", "0 delivered c7.2",
		}, history.Heartbeat, history.Delivered, history.Alien)
		if gap := b.of(history.Heartbeat); gap.Sequence != 9 || gap.Channel != b.crowd.Names.Number("room") {
			t.Errorf("the gap ends at %d of channel %d, want 9 of room", gap.Sequence, gap.Channel)
		}
	})
}

func TestReplicasConverge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		document := func(version uint64, entries ...wire.Entry) string {
			return chunk(control("", wire.SnapshotMessage, wire.AppendSnapshotJSON(nil, wire.Snapshot{Channel: "room", Version: version, Entries: entries})))
		}
		patch := func(seq uint64, key, value string) string {
			return chunk(numbered(fmt.Sprint(seq), wire.Event{Channel: "room", Name: "set", Payload: value, Seq: seq, Key: key}))
		}
		streams := []string{
			document(0) + patch(1, "a", "1") + patch(2, "b", "2") + patch(3, "a", "3"),
			document(2, wire.Entry{Key: "a", Name: "set", Payload: "1"}, wire.Entry{Key: "b", Name: "set", Payload: "2"}) + patch(2, "b", "2") + patch(3, "a", "3"),
			patch(9, "z", "before any snapshot") + document(3, wire.Entry{Key: "b", Name: "set", Payload: "2"}, wire.Entry{Key: "a", Name: "set", Payload: "3"}),
			document(0) + patch(1, "a", "1") + patch(3, "a", "3"), // it has missed one, and says so
		}
		var all []*Client
		ended := make(chan error, len(streams))
		for i, stream := range streams {
			c := b.crowd.NewClient(ClientOptions{ID: uint32(i), Instance: fmt.Sprint(i), Channels: []string{"room"}})
			all = append(all, c)
			go func() { ended <- c.HoldStream(ctx, nil) }()
			io.WriteString(<-b.accept, streamHead+stream)
		}
		synctest.Wait()
		cancel()
		for range streams {
			<-ended
		}
		want := all[0].Replicas()
		if len(want) != 1 || want[0].Channel != "room" || want[0].Version != 3 || want[0].Keys != 2 || want[0].Holes != 0 || want[0].Digest == 0 {
			t.Fatalf("the first has %+v", want)
		}
		for i, c := range all[1:3] {
			if got := c.Replicas(); len(got) != 1 || got[0] != want[0] {
				t.Errorf("client %d has %+v, the first %+v", i+1, got, want)
			}
		}
		if got := all[3].Replicas(); got[0].Holes != 1 || got[0].Digest == want[0].Digest {
			t.Errorf("who missed one has %+v", got)
		}
		if got := b.crowd.NewClient(ClientOptions{}).Replicas(); len(got) != 0 {
			t.Errorf("who holds no document has %+v", got)
		}
	})
}

func TestPlainReceipts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		c := b.crowd.NewClient(ClientOptions{ID: 7})
		done := make(chan error, 1)
		go func() { done <- c.PostCommands(ctx, t.Context(), nil) }()
		replies := []struct {
			status int
			body   string
		}{{200, `{"seq":17}`}, {200, `{"version":18}`}, {409, `{"conflict":{"key":"k","version":18,"payload":"v"}}`}, {202, ""}, {200, `{`}}
		c.Post(0, &Message{Channel: "room"})
		p := <-b.accept
		io.ReadAll(p.request.Body)
		for i, r := range replies {
			if i > 0 {
				c.Post(0, &Message{Channel: "room"})
				p.next(t)
			}
			p.answer(t, r.status, "", r.body)
			synctest.Wait()
		}
		cancel()
		<-done
		b.expect(t, []string{
			"0 replied c7.1", "0 replied c7.2", "0 replied c7.3: http 409", "0 replied c7.4", "0 replied c7.5: protocol error",
		}, history.Replied, history.Delivered)
		for seq, want := range map[uint32]uint64{1: 17, 2: 18, 3: 0, 4: 0, 5: 0} {
			if got := b.find(t, history.Replied, seq); got.Sequence != want {
				t.Errorf("reply %d says number %d, want %d", seq, got.Sequence, want)
			}
		}
	})
}

func TestWires(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Wire{"": JSON, "json": JSON, "hologram": Hologram, "long-poll": LongPoll, "channels": Channels} {
		if got, err := ParseWire(name); got != want || err != nil {
			t.Errorf("ParseWire(%q) = %q, %v", name, got, err)
		}
	}
	_, err := ParseWire("carrier-pigeon")
	if want := `reading the wire: clients do not speak "carrier-pigeon"; they speak json, hologram, long-poll, channels`; err == nil || err.Error() != want {
		t.Errorf("ParseWire: %v, want %s", err, want)
	}
}

func TestExchangeNeedsAConnectionThatGoesOn(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n": errProtocol,
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore":                  errProtocol,
		"SSH-2.0\r\n": errProtocol,
		"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n": errCut,
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			conn, err := b.crowd.connect(t.Context(), b.crowd.Addr)
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				p := <-b.accept
				io.WriteString(p, answer)
				p.Close()
			}()
			_, err = b.crowd.exchange(t.Context(), conn, http1.Request{Method: "GET", Target: "/"})
			if err == nil || cause(err) != want {
				t.Errorf("%q: %v, want %s", answer, err, want)
			}
		})
	}
}
