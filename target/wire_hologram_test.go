package target_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/target"
	"holobench/wire"
	"holobench/wire/hologram"
)

func hologramOptions() target.Options {
	return target.Options{Design: target.Hologram, Wire: target.HologramWire}
}

// TestHologramWireBytes holds commands, replies and frames against what was measured on a server of Hologram v0.9.3, with
// the module, the action and the params of this app.
func TestHologramWireBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hologramOptions(), nil)
		ann, bob := w.join("r1"), w.join("r1")
		status, body := ann.command(`[3,{"t":"m","d":[["ainstance_id","b0` + fmt.Sprintf("%x", ann.page.InstanceID) + `"],` +
			`["amodule","aElixir.Holobench.Page"],["aname","asend_message"],` +
			`["aparams",{"t":"m","d":[["achannel","b07231"],["apayload","b068656c6c6f"]]}],["atarget","b070616765"]]}]`)
		const reply = `{"action":"Type.map([[Type.atom(\"__struct__\"), Type.atom(\"Elixir.Hologram.Component.Action\")], ` +
			`[Type.atom(\"delay\"), Type.integer(0n)], [Type.atom(\"name\"), Type.atom(\"sent\")], ` +
			`[Type.atom(\"params\"), Type.map([])], [Type.atom(\"target\"), Type.bitstring(\"page\")]])",` +
			`"selfEchoes":"Type.list([Type.map([[Type.atom(\"__struct__\"), Type.atom(\"Elixir.Hologram.Component.Action\")], ` +
			`[Type.atom(\"delay\"), Type.integer(0n)], [Type.atom(\"name\"), Type.atom(\"send_message\")], ` +
			`[Type.atom(\"params\"), Type.map([[Type.atom(\"channel\"), Type.bitstring(\"r1\")], ` +
			`[Type.atom(\"payload\"), Type.bitstring(\"hello\")]])], [Type.atom(\"target\"), Type.bitstring(\"page\")]])])",` +
			`"status":1,"subReceiptAdds":"Type.list([])","subReceiptDrops":"Type.list([])"}`
		if status != http.StatusOK || body != reply {
			t.Errorf("answered %d %s\nwant %s", status, body, reply)
		}
		ann.say("r1", "again")
		time.Sleep(15 * time.Second)
		synctest.Wait()
		const frames = "event: broadcast\nid: 1\ndata: Type.tuple([Type.atom(\"send_message\"), " +
			"Type.map([[Type.atom(\"channel\"), Type.bitstring(\"r1\")], [Type.atom(\"payload\"), Type.bitstring(\"hello\")]]), " +
			"Type.list([Type.bitstring(\"page\")])])\n\n" +
			"event: broadcast\nid: 2\ndata: Type.tuple([Type.atom(\"message\"), " +
			"Type.map([[Type.atom(\"channel\"), Type.bitstring(\"r1\")], [Type.atom(\"payload\"), Type.bitstring(\"again\")]]), " +
			"Type.list([Type.bitstring(\"page\")])])\n\n:\n\n"
		bob.stream.mu.Lock()
		if got := bob.stream.raw.String(); got != frames {
			t.Errorf("the stream is %s\nwant %s", got, frames)
		}
		bob.stream.mu.Unlock()
		status, _, pong := w.ask("GET "+hologram.PingPath, "")
		if status != http.StatusOK || pong != "pong" {
			t.Errorf("the ping was answered %d %s", status, pong)
		}
		status, header, pong := w.ask("HEAD "+hologram.PingPath, "")
		if status != http.StatusOK || pong != "" || header.Get("Content-Length") != "4" {
			t.Errorf("the ping was answered %d %v %s", status, header, pong)
		}
		w.shutdown()
	})
}

// TestHologramWire holds the design to its promises on its own wire: self-echo in the reply and only there, for those only who
// hear the channel; everybody else by SSE. It is TestHologram in other bytes.
func TestHologramWire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hologramOptions(), nil)
		ann, bob := w.join("red", "blue"), w.join("red")
		cat := w.load("red") // has no stream
		for _, test := range []struct {
			sender           *tab
			channel, payload string
			echo             bool
		}{
			{ann, "red", "1", true},
			{bob, "red", "2", true},
			{bob, "blue", "3", false}, // bob does not hear blue
			{cat, "red", "4", false},  // A6
			{ann, "green", "5", false},
		} {
			echoes := test.sender.say(test.channel, test.payload)
			want := []hologram.Event{{Channel: test.channel, Name: "message", Payload: test.payload}}
			if !test.echo {
				want = want[:0]
			}
			if !slices.Equal(echoes, want) {
				t.Errorf("%s has the self-echoes %+v, want %+v", test.payload, echoes, want)
			}
		}
		ann.heard("2 3 4")
		bob.heard("1 4")
		cat.handshake() // A8: what was said between page and stream is lost, and Last-Event-ID gets nothing back
		cat.attach()
		bob.say("red", "6")
		cat.heard("6")
		ann.heard("2 3 4 6")
		w.say("", "red", "7") // the plain wire is there beside it
		bob.heard("1 4 7")
		w.count("commands_received=7 commands_accepted=7 commands_rejected=0 events_dispatched=7 deliveries_expected=13 " +
			"deliveries_enqueued_sse=10 deliveries_written_sse=10 deliveries_written_reply=3 streams_opened=3 streams_closed=0")
		w.shutdown()
		w.count("streams_closed=3 cut_write_error=0 cut_shutdown=0")
	})
}

// TestHologramWirePromise lets publishers race: every subscriber sees each publisher's events in order and once, its own in
// the replies; ids rise on each stream, and none is given twice on the node.
func TestHologramWirePromise(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		publishers, commands, subscribers := load()
		o := hologramOptions()
		o.OutboxFrames, o.OutboxBytes = 1<<20, 1<<30
		w := newWorld(t, o, nil)
		var all []*tab
		for range subscribers {
			all = append(all, w.join("room"))
		}
		echoed := make([][]string, publishers)
		w.publish(publishers, commands, func(p, n int) {
			for _, e := range all[p].say("room", fmt.Sprintf("%d.%02d", p, n)) {
				echoed[p] = append(echoed[p], e.Payload)
			}
		})
		given := map[string]bool{}
		for i, s := range all {
			heard := s.payloads()
			if i < publishers {
				checkFIFO(t, i, echoed[i])
				if len(echoed[i]) != commands || slices.ContainsFunc(heard, func(p string) bool { return strings.HasPrefix(p, fmt.Sprint(i, ".")) }) {
					t.Errorf("publisher %d has %d self-echoes, want %d, and none on its stream", i, len(echoed[i]), commands)
				}
				heard = append(heard, echoed[i]...)
			}
			checkFIFO(t, i, heard)
			if len(heard) != publishers*commands {
				t.Errorf("client %d heard %d events, want %d", i, len(heard), publishers*commands)
			}
			checkIDs(t, s.stream.ids, given)
		}
		seen := publishers*commands*subscribers - publishers*commands
		w.count(fmt.Sprintf("deliveries_enqueued_sse=%d deliveries_written_sse=%d deliveries_written_reply=%d",
			seen, seen, publishers*commands))
		w.shutdown()
	})
}

// checkIDs checks the ids of one stream, and that none of them was given before.
func checkIDs(t *testing.T, ids []string, given map[string]bool) {
	t.Helper()
	last := 0
	for _, id := range ids {
		number, err := strconv.Atoi(id)
		if err != nil || number <= last || given[id] {
			t.Errorf("the id %s comes after %d, or for the second time", id, last)
		}
		last, given[id] = number, true
	}
}

// TestHologramWireKnobs turns knobs of the design on its own wire.
func TestHologramWireKnobs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name         string
		knobs        target.Knobs
		echo, stream string // what ann hears of her own event
	}{
		{"stamp", target.Knobs{Stamp: target.StampSequence}, "[{red message 1 1 }]", "[]"},
		{"echo on the stream", target.Knobs{Echo: target.EchoStream, Dispatch: target.Serialized}, "[]", "[{red message 1 0 }]"},
		{"no echo", target.Knobs{Echo: target.EchoNone}, "[]", "[]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := hologramOptions()
				o.Knobs = test.knobs
				w := newWorld(t, o, nil)
				ann := w.join("red")
				echo := fmt.Sprint(ann.say("red", "1"))
				ann.payloads()
				if stream := fmt.Sprint(ann.stream.events); echo != test.echo || stream != test.stream {
					t.Errorf("ann was told %s by the reply and %s by the stream, want %s and %s", echo, stream, test.echo, test.stream)
				}
				w.shutdown()
			})
		})
	}
	o := hologramOptions()
	o.Design = target.SingleChannel
	const want = "making the target: the wire hologram sends nothing again: a replay of 1024 events would be kept for nobody"
	if _, err := target.New(o); err == nil || err.Error() != want {
		t.Errorf("New: %v, want %s", err, want)
	}
	if got := fmt.Sprint(hologramOptions().Promises()); got != "map[fifo:per publisher self_echo:reply]" {
		t.Errorf("it promises %s", got)
	}
}

// TestHologramWireHeartbeat: a comment every 15 s from the opening on, whatever else is written.
func TestHologramWireHeartbeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hologramOptions(), nil)
		ann, bob := w.join("red"), w.load("red")
		for range 60 {
			time.Sleep(time.Second)
			bob.say("red", "1")
		}
		synctest.Wait()
		ann.stream.mu.Lock()
		want := []time.Duration{15 * time.Second, 30 * time.Second, 45 * time.Second, 60 * time.Second}
		if got := ann.stream.heartbeats; !slices.Equal(got, want) || strings.Count(ann.stream.raw.String(), "\n\n:\n\n") != 4 {
			t.Errorf("heartbeats at %v, want %v", got, want)
		}
		ann.stream.mu.Unlock()
		w.count("heartbeats_written=4 deliveries_written_sse=60")
		w.shutdown()
	})
}

// TestHologramWireSupersede: a handshake opens more than one stream, and the newer ends the older one cleanly. A stream of
// another tab of the session stays.
func TestHologramWireSupersede(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hologramOptions(), nil)
		ann := w.join("red")
		first := ann.stream
		other := w.loadIn(ann.cookie, "red")
		other.handshake()
		other.attach()
		if other.page.InstanceID == ann.page.InstanceID || other.page.CSRFToken == ann.page.CSRFToken {
			t.Errorf("two tabs are told the same: %+v, %+v", ann.page, other.page)
		}
		ann.page.CSRFToken = other.page.CSRFToken // each page's token is good for the session
		w.say("", "red", "1")
		ann.attach()
		w.say("", "red", "2")
		if len(ann.say("red", "3")) != 1 {
			t.Error("the newer stream has no self-echo")
		}
		<-first.done
		if first.ended != nil || len(first.events) != 1 {
			t.Errorf("the older stream heard %+v and ended with %v, want a clean end", first.events, first.ended)
		}
		ann.heard("2")
		other.heard("1 2 3")
		w.count("streams_opened=3 streams_superseded=1 streams_closed=1")
		w.shutdown()
	})
}

// TestHologramWireCluster: any node takes page, handshake, stream and command of one tab (A7 is there, and cured by the
// knob), and the journal finds the marker in a command.
func TestHologramWireCluster(t *testing.T) {
	t.Parallel()
	for registry, wantEchoes := range map[target.Registry]int{target.NodeLocal: 10, target.Shared: 30} {
		t.Run(string(registry), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var journal bytes.Buffer
				bus := farNodes(false)
				o := hologramOptions()
				o.Knobs.Registry, o.Journal = registry, &lockedWriter{w: &journal}
				nodes := newCluster(t, 3, bus, o)
				ann := nodes[0].load("room")
				ann.w = nodes[1]
				ann.handshake()
				ann.w = nodes[2]
				ann.attach()
				bob := nodes[0].join("room")
				echoes := 0
				for n := range uint32(30) {
					ann.w = nodes[n%3]
					marker := wire.Marker{Run: 1, Event: wire.EventID{Publisher: 1, Seq: n + 1}}
					echoes += len(ann.say("room", string(wire.AppendMarker([]byte(`"`), marker))))
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if heard := len(bob.payloads()); echoes != wantEchoes || heard != 30 || len(ann.payloads()) != 0 {
					t.Errorf("%d self-echoes, and bob heard %d; want %d and 30", echoes, heard, wantEchoes)
				}
				shutdown(bus, nodes)
				if records := journal.Len() / wire.DispatchSize; records != 90 {
					t.Errorf("the journals have %d records, want 30 of each node", records)
				}
			})
		})
	}
}

// TestHologramWireSlowSubscriber: what is counted as written is what the client has whole.
func TestHologramWireSlowSubscriber(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.0", "1.1"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, hologramOptions(), nil)
				slow := w.load("red")
				slow.handshake()
				conn := w.dial("GET " + eventsPath(slow.page.InstanceID, slow.shake.HandshakeID) + " HTTP/" + version + "\r\nHost: t\r\nCookie: " +
					slow.cookie + "\r\n\r\n")
				synctest.Wait()
				bob := w.load("red")
				var wg sync.WaitGroup
				for range 50 {
					wg.Go(func() { bob.say("red", strings.Repeat("x", 10<<10)) })
				}
				wg.Wait()
				time.Sleep(10 * time.Second)
				w.count("cut_write_timeout=1 streams_closed=1 deliveries_expected=50 deliveries_enqueued_sse=50")
				body, err := readStream(conn)
				whole := strings.Count(body, "\n\n")
				if version == "1.1" && err == nil || err != nil && version == "1.0" {
					t.Errorf("the stream ended with %v", err)
				}
				if uint64(whole) != w.counters.Get(target.DeliveriesWrittenSSE) || whole == 0 || whole == 50 {
					t.Errorf("the slow client has %d whole events, %d are counted as written", whole, w.counters.Get(target.DeliveriesWrittenSSE))
				}
				w.shutdown()
			})
		})
	}
}

// TestHologramWireHostileText: what a client puts into names and payload stays data for everybody else, in the page too.
func TestHologramWireHostileText(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const hostile = "</script><img src=x onerror=alert(1)>\u2028&\"'\\`${x}"
		w := newWorld(t, hologramOptions(), nil)
		status, _, body := w.ask("GET "+target.HologramPagePath+"?channel=%3C/script%3E%3Cimg+src=x%3E", "")
		if status != http.StatusOK || strings.Contains(body, "<img") || strings.Count(body, "</script>") != 2 {
			t.Errorf("answered %d %s", status, body)
		}
		ann, bob := w.join(hostile), w.load(hostile)
		event := hologram.EventCommand{
			Instance: bob.page.InstanceID, Channel: hostile, Name: hostile, Payload: "\r\nid: 9\r\n\r\n\x00" + hostile,
		}
		if status, body := bob.command(string(hologram.AppendEventCommand(nil, event))); status != http.StatusOK {
			t.Errorf("answered %d %s", status, body)
		}
		ann.heard(event.Payload)
		if got := ann.stream.events[0]; got.Name != hostile || got.Channel != hostile || ann.stream.ids[0] != "1" {
			t.Errorf("heard %+v as %s", got, ann.stream.ids[0])
		}
		w.shutdown()
	})
}

// TestHologramWireShutdown ends streams with their terminating chunk.
func TestHologramWireShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hologramOptions(), nil)
		ann := w.join("red")
		conn := w.dial("GET " + eventsPath("a", "b") + " HTTP/1.1\r\nHost: t\r\nCookie: " + ann.cookie + "\r\n\r\n") // is kept waiting
		synctest.Wait()
		w.shutdown()
		<-ann.stream.done
		if ann.stream.ended != nil {
			t.Errorf("the stream ended with %v", ann.stream.ended)
		}
		if answer, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
			t.Errorf("who was kept waiting got %q, %v", answer, err)
		}
	})
}
