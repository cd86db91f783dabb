package target_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/internal/memnet"
	"holobench/target"
	"holobench/wire"
)

var _ wire.StampedConn = (*memnet.Conn)(nil) // here, because the two live on one floor and do not know each other

// TestHologram holds the design to its promises over the wire: self-echo in the reply and only there, for those only who
// hear the channel; everybody else by SSE.
func TestHologram(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.Hologram}, nil)
		ann := w.subscribe("ann", "red", "blue")
		bob := w.subscribe("bob", "red")
		const action = `{"action":{"name":"message","status":"ok"},"echo":[`
		tests := []struct{ instance, channel, payload, echo string }{
			{"ann", "red", "1", `{"channel":"red","name":"message","payload":"1"}`},
			{"bob", "red", "2", `{"channel":"red","name":"message","payload":"2"}`},
			{"bob", "blue", "3", ""},  // bob does not hear blue
			{"", "red", "4", ""},      // somebody without a stream
			{"cat", "red", "5", ""},   // an instance that nobody knows
			{"ann", "green", "6", ""}, // a channel that nobody hears
		}
		for _, test := range tests {
			if got := w.say(test.instance, test.channel, test.payload); got != action+test.echo+"]}" {
				t.Errorf("%+v was answered %s", test, got)
			}
		}
		w.heard("ann", ann, "2 3 4 5")
		w.heard("bob", bob, "1 4 5")
		w.count("commands_received=6 commands_accepted=6 commands_rejected=0 events_dispatched=6 deliveries_expected=9 " +
			"deliveries_enqueued_sse=7 deliveries_written_sse=7 deliveries_written_reply=2 streams_opened=2 streams_closed=0")
		w.shutdown()
		w.count("streams_closed=2 cut_write_error=0 cut_shutdown=0")
	})
}

// TestSingleChannel: 202 without a body, and the sender hears itself on the stream.
func TestSingleChannel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.SingleChannel}, nil)
		ann := w.subscribe("ann", "red", "blue")
		bob := w.subscribe("bob", "red")
		for _, cmd := range []wire.Command{
			{Instance: "ann", Channel: "red", Name: "message", Payload: "1"},
			{Instance: "bob", Channel: "blue", Name: "message", Payload: "2"},
			{Channel: "red", Payload: "3"},
			{Instance: "bob", Channel: "green", Name: "message", Payload: "4"},
		} {
			if status, body := w.post(cmd); status != http.StatusAccepted || body != "" {
				t.Errorf("%+v was answered %d %q, want 202 and nothing", cmd, status, body)
			}
		}
		w.heard("ann", ann, "1 2 3")
		w.heard("bob", bob, "1 3")
		w.count("commands_accepted=4 events_dispatched=4 deliveries_expected=5 deliveries_enqueued_sse=5 " +
			"deliveries_written_sse=5 deliveries_written_reply=0")
		w.shutdown()
	})
}

// TestConcurrentPublishers lets many publishers race, in each design, and lays what the clients saw beside the counters.
// Where one order is promised every subscriber must see it; in all, that of each publisher. (Ephemeral leaves values out and
// has a test of its own.)
func TestConcurrentPublishers(t *testing.T) {
	t.Parallel()
	const publishers, commands, observers = 8, 40, 6
	for _, design := range target.Designs() {
		if design == target.Ephemeral {
			continue
		}
		t.Run(string(design), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, target.Options{Design: design}, nil)
				var all []*subscriber
				for i := range publishers + observers {
					all = append(all, w.subscribe(fmt.Sprintf("c%d", i), "room"))
				}
				var echoes sync.Map
				var wg sync.WaitGroup
				for p := range publishers {
					wg.Go(func() {
						for n := range commands {
							body := w.say(fmt.Sprintf("c%d", p), "room", fmt.Sprintf("%d.%02d", p, n))
							echoes.Store(p*commands+n, strings.Count(body, `"payload"`))
						}
					})
				}
				wg.Wait()
				replies := 0
				echoes.Range(func(_, n any) bool { replies += n.(int); return true })
				seen := 0
				for i, s := range all {
					heard := s.payloads()
					seen += len(heard)
					checkFIFO(t, i, heard)
					if design.Promises()["total"] != "" && !slices.Equal(heard, all[0].payloads()) {
						t.Errorf("subscriber %d heard another order than subscriber 0", i)
					}
				}
				const expected = publishers * commands * (publishers + observers)
				if seen+replies != expected {
					t.Errorf("the clients saw %d by SSE and %d in replies, want %d together", seen, replies, expected)
				}
				w.count(fmt.Sprintf("commands_accepted=%d deliveries_expected=%d deliveries_enqueued_sse=%d "+
					"deliveries_written_sse=%d deliveries_written_reply=%d",
					publishers*commands, expected, seen, seen, replies))
				w.shutdown()
			})
		})
	}
}

// checkFIFO checks that the events "<publisher>.<number>" of each publisher come in order and without a gap.
func checkFIFO(t *testing.T, subscriber int, heard []string) {
	t.Helper()
	next := map[string]int{}
	for _, payload := range heard {
		publisher, _, _ := strings.Cut(payload, ".")
		if want := fmt.Sprintf("%s.%02d", publisher, next[publisher]); payload != want {
			t.Errorf("subscriber %d heard %s, want %s", subscriber, payload, want)
			return
		}
		next[publisher]++
	}
}

// TestFanOutPrecedesTheReply holds the reply back on its way out of the server: the other subscriber must have the event
// all the same.
func TestFanOutPrecedesTheReply(t *testing.T) {
	t.Parallel()
	for _, design := range target.Designs() {
		t.Run(string(design), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				gate := &gatedListener{pass: make(chan struct{})}
				w := newWorld(t, target.Options{Design: design}, gate.wrap)
				bob := w.subscribe("bob", "red") // the first connection is not gated
				replied := make(chan string, 1)
				go func() { replied <- w.say("ann", "red", "1") }()
				w.heard("bob", bob, "1")
				select {
				case body := <-replied:
					t.Errorf("the reply %q came through the gate", body)
				default:
				}
				close(gate.pass)
				<-replied
				w.shutdown()
			})
		})
	}
}

// TestSupersede: a second stream of an instance ends the first one cleanly and hears everything from then on.
func TestSupersede(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{}, nil)
		first := w.subscribe("ann", "red")
		w.say("bob", "red", "1")
		second := w.subscribe("ann", "blue", "red")
		w.say("bob", "red", "2")
		if body := w.say("ann", "red", "3"); !strings.Contains(body, `"payload":"3"`) {
			t.Errorf("the newer stream's self-echo is missing: %s", body)
		}
		<-first.done
		if first.ended != nil {
			t.Errorf("the first stream ended with %v, want a clean end", first.ended)
		}
		w.heard("the first stream", first, "1")
		w.heard("the second stream", second, "2")
		w.count("streams_opened=2 streams_superseded=1 streams_closed=1 deliveries_expected=3 deliveries_written_sse=2")
		w.shutdown()
	})
}

// TestClientLeaves: a FIN and a RST are noticed at once, and what is dispatched afterwards is owed to nobody.
func TestClientLeaves(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*memnet.Conn){
		"FIN": func(c *memnet.Conn) { _ = c.Close() },
		"RST": func(c *memnet.Conn) { c.Reset() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, target.Options{}, nil)
				ann := w.subscribe("ann", "red")
				leave(ann.conn)
				synctest.Wait()
				w.say("bob", "red", "1")
				w.count("streams_opened=1 streams_closed=1 deliveries_expected=0 cut_write_error=0 events_dispatched=1")
				if took := time.Since(w.start); took != 0 {
					t.Errorf("it took %v", took)
				}
				w.shutdown()
			})
		})
	}
}
