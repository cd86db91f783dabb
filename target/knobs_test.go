package target_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/target"
	"holobench/wire"
)

// TestPromises lists what each design promises, and what turned knobs take back.
func TestPromises(t *testing.T) {
	t.Parallel()
	memory := func(ordered bool) target.Bus {
		return target.NewMemoryBus(target.MemoryBusOptions{Ordered: ordered}).Node(1)
	}
	for _, test := range []struct {
		options target.Options
		want    string
	}{
		{target.Options{}, "fifo: per publisher, self_echo: reply"},
		{target.Options{Design: target.Hologram, Bus: memory(false)}, "fifo: per publisher and node, self_echo: reply"},
		{
			target.Options{Knobs: target.Knobs{Dispatch: target.Serialized, Echo: target.EchoStream}},
			"fifo: per publisher, self_echo: sse, total: per channel and node",
		},
		{target.Options{Knobs: target.Knobs{Dispatch: target.Serialized}}, "fifo: per publisher, self_echo: reply"},
		{
			target.Options{Design: target.SingleChannel},
			"fifo: per publisher, gap_free: after reconnect to the same node, self_echo: sse, total: per channel and node",
		},
		{
			target.Options{Design: target.SingleChannel, Bus: memory(true)},
			"fifo: per publisher, gap_free: after reconnect, self_echo: sse, total: per channel",
		},
		{
			target.Options{Design: target.SingleChannel, Knobs: target.Knobs{WhenFull: target.DropOldest}},
			"fifo: per publisher, self_echo: sse, total: per channel and node",
		},
		{target.Options{Design: target.LongPoll}, "fifo: per client, self_echo: poll"},
		{target.Options{Design: target.Channels}, "fifo: per socket, self_echo: websocket"},
		{target.Options{Design: target.Channels, Wire: target.JSON}, "fifo: per publisher, self_echo: sse"},
		{target.Options{Design: target.Channels, Knobs: target.Knobs{Echo: target.EchoNone}}, "fifo: per socket"},
		{target.Options{Design: target.Sequenced}, "fifo: per publisher, gap_free: after reconnect, self_echo: sse, total: per channel"},
		{
			target.Options{Design: target.Sequenced, Knobs: target.Knobs{Dispatch: target.Concurrent, Replay: -1}},
			"fifo: per publisher, self_echo: sse",
		},
		{target.Options{Design: target.StateSync}, "converge: per channel, fifo: per publisher, self_echo: sse, total: per channel"},
		{target.Options{Design: target.Ephemeral}, "freshness: latest value per key"},
		{target.Options{Design: target.Ephemeral, Bus: memory(false)}, "freshness: latest value per key and node"},
		{target.Options{Design: "none"}, ""},
	} {
		promises := test.options.Promises()
		var words []string
		for _, name := range slices.Sorted(maps.Keys(promises)) {
			words = append(words, name+": "+promises[name])
		}
		if got := strings.Join(words, ", "); got != test.want {
			t.Errorf("%+v promises\n     %s\nwant %s", test.options.Knobs, got, test.want)
		}
	}
	if target.Design("none").Promises() != nil {
		t.Error("an unknown design promises something")
	}
}

// TestStampOnHologram: numbers in the events of a design that has none of its own, in streams and in the reply.
func TestStampOnHologram(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Knobs: target.Knobs{Stamp: target.StampSequence}}, nil)
		ann, bob := w.subscribe("ann", "red"), w.subscribe("bob", "red")
		if got, want := w.say("ann", "red", "1"), `"echo":[{"channel":"red","name":"message","payload":"1","seq":1}]}`; !strings.HasSuffix(got, want) {
			t.Errorf("ann was answered %s, want %s", got, want)
		}
		w.say("bob", "red", "2")
		w.heard("ann", ann, "2")
		w.heard("bob", bob, "1")
		if ann.events[0].Seq != 2 || bob.events[0].Seq != 1 || ann.ids[0] != "" {
			t.Errorf("the numbers are %d and %d, the id %q", ann.events[0].Seq, bob.events[0].Seq, ann.ids[0])
		}
		w.shutdown()
	})
}

// TestEcho turns the one knob in one design.
func TestEcho(t *testing.T) {
	t.Parallel()
	for echo, want := range map[target.Echo]string{target.EchoReply: "reply", target.EchoStream: "stream", target.EchoNone: ""} {
		t.Run(string(echo), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, target.Options{Design: target.Channels, Knobs: target.Knobs{Echo: echo}}, nil)
				ann, bob := w.subscribe("ann", "red"), w.subscribe("bob", "red")
				got := ""
				if strings.Contains(w.say("ann", "red", "1"), `"payload":"1"`) {
					got = "reply"
				}
				if len(ann.payloads()) > 0 {
					got += "stream"
				}
				if got != want {
					t.Errorf("the sender heard by %q, want %q", got, want)
				}
				w.heard("bob", bob, "1")
				expected := map[bool]int{true: 1, false: 2}[echo == target.EchoNone]
				w.count(fmt.Sprintf("deliveries_expected=%d", expected))
				w.shutdown()
			})
		})
	}
}

// fanoutOrders returns for each event in which order its subscribers were told, as the network saw it.
func fanoutOrders(t *testing.T, order target.FanoutOrder, seed uint64) (orders []string) {
	synctest.Test(t, func(t *testing.T) {
		const subscribers, commands = 7, 12
		var told []time.Duration // when which fan-out went on to its next subscriber
		w := newWorld(t, target.Options{
			Design: target.LongPoll, Knobs: target.Knobs{FanoutOrder: order}, Seed: seed,
			Pause: func(*wire.Event) { time.Sleep(time.Millisecond) },
		}, nil)
		var all []*subscriber
		for i := range subscribers {
			all = append(all, w.subscribe(fmt.Sprint(i), "room"))
		}
		for n := range commands {
			told = append(told, time.Since(w.start))
			w.say("", "room", fmt.Sprint(n))
		}
		synctest.Wait()
		for n := range commands {
			places := make([]byte, subscribers)
			for i, s := range all {
				places[(s.times[n]-told[n])/time.Millisecond] = byte('0' + i)
			}
			orders = append(orders, string(places))
		}
		w.shutdown()
	})
	return orders
}

// TestFanoutOrder: by registration the last one is always last (A10); shuffled each order is drawn anew, everybody is told
// once, and the seed gives the same orders again.
func TestFanoutOrder(t *testing.T) {
	t.Parallel()
	for _, got := range fanoutOrders(t, target.Registration, 1) {
		if got != "0123456" {
			t.Errorf("told in the order %s, want that of registration", got)
		}
	}
	shuffled := fanoutOrders(t, target.Shuffled, 1)
	last := map[byte]bool{}
	for _, got := range shuffled {
		if digits := []byte(got); !slices.Equal(slices.Sorted(slices.Values(digits)), []byte("0123456")) {
			t.Errorf("told in the order %q, which is no permutation", got)
		}
		last[got[6]] = true
	}
	if len(last) < 3 {
		t.Errorf("the last one is one of %d subscribers in the orders %v", len(last), shuffled)
	}
	if again := fanoutOrders(t, target.Shuffled, 1); !slices.Equal(again, shuffled) {
		t.Errorf("the same seed gave %v, then %v", shuffled, again)
	}
	if other := fanoutOrders(t, target.Shuffled, 2); slices.Equal(other, shuffled) {
		t.Errorf("another seed gave %v again", other)
	}
}

// TestServerTriggered: events that nobody sent come at their exact times, to each channel that somebody hears, and behind
// the same rules as all others.
func TestServerTriggered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.Sequenced, Knobs: target.Knobs{ServerTriggered: 2}}, nil)
		time.Sleep(1100 * time.Millisecond) // nobody is there yet
		ann, bob := w.subscribe("ann", "red"), w.subscribe("bob", "blue", "red")
		time.Sleep(time.Second)
		w.say("ann", "red", "mine")
		w.heard("ann", ann, "node 1, event 3 node 1, event 4 mine")
		w.heard("bob", bob, "node 1, event 3 node 1, event 3 node 1, event 4 node 1, event 4 mine")
		if want := []time.Duration{1500 * time.Millisecond, 2 * time.Second, 2100 * time.Millisecond}; !slices.Equal(ann.times, want) {
			t.Errorf("ann heard at %v, want %v", ann.times, want)
		}
		if e := ann.events[1]; e.Name != target.ServerEvent || e.Seq != 2 || ann.events[2].Seq != 3 {
			t.Errorf("the events are %+v", ann.events)
		}
		w.count("events_triggered=4 events_dispatched=5 commands_accepted=1")
		w.shutdown()
		time.Sleep(time.Minute)
		w.count("events_triggered=4")
	})
}

// TestOneThatNeverReads: beside 500 that do, one subscriber never reads. Each event reaches each healthy one at the moment of
// its dispatch, before the next is sent: never does a second one wait in its outbox.
func TestOneThatNeverReads(t *testing.T) {
	t.Parallel()
	for design, cuts := range map[target.Design]int{target.SingleChannel: 1, target.Ephemeral: 0} {
		t.Run(string(design), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const healthy, commands = 500, 20
				w := newWorld(t, target.Options{Design: design, OutboxFrames: 8, WriteTimeout: time.Hour}, nil)
				w.network.BufferBytes = 4 << 10
				never := w.dial(request("never", "room"))
				synctest.Wait()
				var all []*subscriber
				for i := range healthy {
					all = append(all, w.subscribe(fmt.Sprint("c", i), "room"))
				}
				payload := strings.Repeat("x", 1000) // 20 of them do not go into 4 KiB and 8 events
				var sent []time.Duration
				for range commands {
					time.Sleep(time.Millisecond)
					sent = append(sent, time.Since(w.start))
					if status, body := w.post(wire.Command{Channel: "room", Key: "k", Payload: payload}); status >= 300 {
						t.Errorf("answered %d %s", status, body)
					}
				}
				synctest.Wait()
				for i, s := range all {
					if !slices.Equal(s.times, sent) {
						t.Errorf("subscriber %d heard %d events at %v, want %d at %v", i, len(s.times), s.times, len(sent), sent)
						break
					}
				}
				w.count(fmt.Sprintf("cut_outbox_full=%d streams_closed=%d", cuts, cuts))
				_ = never.Close()
				w.shutdown()
			})
		})
	}
}
