package clients

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/http1"
)

// byID and byField name an event by the id of its SSE message, and by a field of its data.
func byID(id string, _ []byte) ([]byte, bool) { return []byte(id), id != "" }

func byField(_ string, data []byte) ([]byte, bool) { return found(`"id":"(.*?)"`)(data, nil) }

// foreignName is how a story names an event that the server calls so.
func foreignName(name string) string {
	id := wire.ForeignEvent("room", []byte(name))
	return fmt.Sprintf("c%d.%d", id.Publisher, id.Seq)
}

// What bears no marker of this run is told apart by what the server calls it; what it does not call anything is not.
func TestGenericForeign(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, server := newBench(t), new(foreignServer)
		other := string(wire.AppendMarker(nil, wire.Marker{Run: 5, Event: wire.EventID{Publisher: 1, Seq: 1}}))
		streams := 0
		server.serve(t, b, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Node", fmt.Sprint("n", streams))
			streams++
			eventStreamHead(w)
			if streams == 1 {
				say(w, "data: nameless\n\n", "id: 11\ndata: one\n\n", "id: 12\ndata: "+markerOf(7, 1)+"\n\n", "id: 14\ndata: "+other+"\n\n", "id: 13\ndata: back\n\n")
				return
			}
			say(w, "id: 11\ndata: one again\n\n")
			<-r.Context().Done()
		})
		b.crowd.Wire, b.crowd.Own.Generic = Described, &Generic{
			Request: step("GET", "/sub", ""), Framing: FrameSSE, Message: called("message"), Pause: Pause{Least: 100 * time.Millisecond},
			Foreign: byID, Numbered: true, Succession: Gapless, PerStream: true, Node: plainText("${header.X-Node}"),
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := b.hold(ctx)
		time.Sleep(time.Second)
		cancel()
		<-ended
		b.expect(t, []string{
			"0 subscribed", "0 heartbeat: an event without the server's number", "0 alien: no marker", "0 foreign " + foreignName("11"), "0 delivered c7.1",
			"0 heartbeat: the server's numbers have a gap", "0 foreign " + foreignName("14"), "0 heartbeat: the server's numbers go back", "0 foreign " + foreignName("13"),
			"100 subscribed", "100 foreign " + foreignName("11"),
		}, history.Subscribed, history.Delivered, history.Alien, history.Heartbeat, history.Foreign)
		if names := b.crowd.NodeNames(); !slices.Equal(names, []string{"n0", "n1"}) {
			t.Errorf("the nodes are %q", names)
		}
		for _, o := range b.seen {
			if want := uint16(1 + o.At/(100*int64(time.Millisecond))); o.Kind == history.Foreign && (o.Node != want || o.Due != 0 || o.Channel == 0) {
				t.Errorf("%+v is not of node %d", o, want)
			}
		}
	})
}

// An event whose name only the reply says comes 5 ms before it: the history has it, and all that follows on that stream, in the
// order of bytes and with the stamps of their arrival. What no reply names stays foreign.
func TestGenericReplyID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, stream := newBench(t), make(chan string, 9)
		new(foreignServer).serveStream(t, b, stream, func(w http.ResponseWriter, body string) {
			stream <- "data: {\"id\":\"r" + body + "\"}\n\n"
			time.Sleep(5 * time.Millisecond)
			stream <- ": behind " + body + "\n\n"
			fmt.Fprintf(w, `{"ok":true,"id":"r%s"}`, body)
			if body == "2" {
				stream <- "data: {\"id\":\"r2\"}\n\n" // again, and now at once
				stream <- "data: {\"id\":\"stranger\"}\n\n"
			}
		})
		replies := &Replies{Reply: found(`"id":"(.*?)"`), Event: byField, Take: b.crowd.Observe}
		b.crowd.Observe = replies.Observe
		b.crowd.Wire, b.crowd.Own.Generic = Described, &Generic{
			Request: step("GET", "/sub", ""), Framing: FrameSSE, Message: called("message"), Replies: replies, Pause: Pause{Least: time.Hour},
			Publish: &Publish{Step: step("POST", "/say", "${seq}")},
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := b.hold(ctx)
		synctest.Wait()
		c := b.crowd.NewClient(ClientOptions{ID: 4})
		posting, hang := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { c.PostCommands(posting, t.Context(), nil); close(done) }()
		c.Post(0, &Message{Channel: "room", Name: "say"})
		c.Post(1e6, &Message{Channel: "room", Name: "say"})
		time.Sleep(time.Second)
		hang()
		<-done
		close(stream)
		synctest.Wait()
		cancel()
		<-ended
		b.mu.Lock()
		var told []string
		for _, o := range b.seen {
			if o.Client == 3 && slices.Contains([]history.Kind{history.Delivered, history.Foreign, history.Heartbeat, history.Ended}, o.Kind) {
				told = append(told, fmt.Sprintf("%d %s %d.%d due %d", o.At/1e6, o.Kind, o.Event.Publisher, o.Event.Seq, o.Due/1e6))
			}
		}
		b.mu.Unlock()
		stranger := wire.ForeignEvent("room", []byte("stranger"))
		want := []string{
			"0 heartbeat 0.0 due 0", "0 delivered 4.1 due 0", "5 heartbeat 0.0 due 0", "5 delivered 4.2 due 1", "10 heartbeat 0.0 due 0", "10 delivered 4.2 due 1",
			fmt.Sprintf("10 foreign %d.%d due 0", stranger.Publisher, stranger.Seq), "1000 ended 0.0 due 0",
		}
		if !slices.Equal(told, want) {
			t.Errorf("seen:\n  %s\nwant:\n  %s", strings.Join(told, "\n  "), strings.Join(want, "\n  "))
		}
	})
}

// Whatever comes in which order: each row is handed on once, those of a connection in their order, and an event is joined when its
// reply was there in time.
func TestRepliesKeepEachConnectionInOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		draw := rand.New(rand.NewPCG(seed, 1))
		var out []history.Observation
		r := &Replies{
			Reply: func(text []byte, _ []http1.Field) ([]byte, bool) { return text, true },
			Take:  func(rows []history.Observation) { out = append(out, rows...) },
		}
		rows, named := uint64(0), make(map[wire.EventID]bool)
		put := func(o history.Observation) {
			rows++
			o.Sequence = rows
			r.Observe([]history.Observation{o})
		}
		for range 60 {
			name := []byte{byte(draw.IntN(6))}
			o := history.Observation{Kind: history.Foreign, Client: draw.Uint32N(3), Conn: 1, Event: wire.ForeignEvent("room", name)}
			switch draw.IntN(4) {
			case 0:
				r.named("room", name, nil, wire.Marker{Event: wire.EventID{Publisher: 9, Seq: uint32(name[0]) + 1}})
				named[o.Event] = true
				continue
			case 1:
				o.Kind, o.Event = history.Heartbeat, wire.EventID{}
			}
			put(o)
		}
		for client := range uint32(3) {
			put(history.Observation{Kind: history.Closed, Client: client, Conn: 1})
		}
		latest := make(map[uint32]uint64)
		for _, o := range out {
			if latest[o.Client] >= o.Sequence {
				t.Fatalf("seed %d: row %d of client %d comes behind row %d", seed, o.Sequence, o.Client, latest[o.Client])
			}
			latest[o.Client] = o.Sequence
			if o.Kind == history.Foreign && named[o.Event] {
				t.Fatalf("seed %d: a reply named %v, and it is foreign", seed, o.Event)
			}
		}
		if uint64(len(out)) != rows || len(r.kept) > 0 || len(r.waiting) > 0 {
			t.Fatalf("seed %d: %d rows of %d, %d connections kept, %d names waited for", seed, len(out), rows, len(r.kept), len(r.waiting))
		}
	}
}

// What is kept has a bound in rows and in time, and names have one.
func TestRepliesAreBounded(t *testing.T) {
	t.Parallel()
	taken := 0
	r := &Replies{
		Reply: func(text []byte, _ []http1.Field) ([]byte, bool) { return text, true },
		Take:  func(rows []history.Observation) { taken += len(rows) },
	}
	o := history.Observation{Kind: history.Foreign, Client: 1, Conn: 1, Event: wire.ForeignEvent("room", []byte("a"))}
	r.Observe([]history.Observation{o})
	o.Kind = history.Heartbeat
	for range maxKept - 1 {
		r.Observe([]history.Observation{o})
	}
	if taken != 0 {
		t.Fatalf("%d rows were handed on", taken)
	}
	r.Observe([]history.Observation{o})
	if taken != maxKept+1 {
		t.Errorf("behind one row too many %d were handed on", taken)
	}
	o.Kind, o.At = history.Foreign, 0
	r.Observe([]history.Observation{o})
	o.Kind, o.At = history.Heartbeat, maxKeptTime+1
	r.Observe([]history.Observation{o})
	if taken != maxKept+3 {
		t.Errorf("after too long a time %d were handed on", taken)
	}
}

// What is kept is let go in time also when nothing more comes, and then nobody looks any more.
func TestRepliesLetGoOfASilentStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var told []string
		epoch := time.Now()
		now := func() int64 { return int64(time.Since(epoch)) }
		r := &Replies{Now: now, Take: func(rows []history.Observation) {
			mu.Lock()
			defer mu.Unlock()
			for _, o := range rows {
				told = append(told, fmt.Sprintf("%v: client %d %s of %v", time.Since(epoch), o.Client, o.Kind, time.Duration(o.At)))
			}
		}}
		put := func(client uint32, kind history.Kind) {
			r.Observe([]history.Observation{{Kind: kind, Client: client, Conn: 1, At: now(), Event: wire.ForeignEvent("room", []byte("a"))}})
		}
		put(1, history.Foreign)
		time.Sleep(time.Second)
		put(1, history.Delivered)
		time.Sleep(3 * time.Second)
		put(2, history.Foreign)
		time.Sleep(100 * time.Millisecond)
		put(3, history.Foreign) // it is looked at a second after its neighbour
		time.Sleep(time.Minute)
		want := []string{
			"10s: client 1 foreign of 0s", "10s: client 1 delivered of 1s", "14s: client 2 foreign of 4s", "15s: client 3 foreign of 4.1s",
		}
		mu.Lock()
		defer mu.Unlock()
		if !slices.Equal(told, want) {
			t.Errorf("told\n  %s\nwant\n  %s", strings.Join(told, "\n  "), strings.Join(want, "\n  "))
		}
		if r.mu.Lock(); r.watched || len(r.kept)+len(r.waiting) > 0 {
			t.Errorf("nothing is kept, and there is a timer (%v), or %d connections and %d names", r.watched, len(r.kept), len(r.waiting))
		}
		r.mu.Unlock()
	})
}
