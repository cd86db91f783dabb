package target_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/target"
	"holobench/wire"
)

// TestEphemeral: 202, and the sender hears nothing; everybody else has the value and its key.
func TestEphemeral(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.Ephemeral}, nil)
		ann, bob := w.subscribe("ann", "red"), w.subscribe("bob", "red")
		for _, cmd := range []wire.Command{
			{Instance: "ann", Channel: "red", Payload: "1"}, {Instance: "bob", Channel: "red", Payload: "2", Key: "k"},
		} {
			if status, body := w.post(cmd); status != http.StatusAccepted || body != "" {
				t.Errorf("%+v was answered %d %q, want 202 and nothing", cmd, status, body)
			}
		}
		w.heard("ann", ann, "2")
		w.heard("bob", bob, "1")
		if ann.events[0].Key != "k" || bob.events[0].Key != "ann" {
			t.Errorf("the keys are %q and %q, want k and ann", ann.events[0].Key, bob.events[0].Key)
		}
		w.count("deliveries_expected=2 deliveries_written_sse=2 deliveries_written_reply=0")
		w.shutdown()
	})
}

// TestEphemeralStaysFresh: one client reads now and then, one never, while publishers move their cursors as fast as they can
// and some keys have several writers. Nobody sees an older value after a newer one, what waits is bounded by the number of
// keys, and at the end the slow reader has the last value of each.
func TestEphemeralStaysFresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const publishers, commands, keys = 4, 125, 3
		w := newWorld(t, target.Options{
			Design: target.Ephemeral, WriteTimeout: time.Hour, OutboxFrames: publishers * keys,
		}, nil)
		w.network.BufferBytes = 16 << 10
		never := w.dial(request("never", "room"))
		slow := w.dial(request("slow", "room"))
		fast := w.subscribe("fast", "room")
		synctest.Wait()
		filler := strings.Repeat("x", 1<<10) // 500 of them are beyond what the connections hold
		w.publish(publishers, commands, func(p, n int) {
			time.Sleep(time.Millisecond)
			w.post(wire.Command{
				Channel: "room", Key: fmt.Sprintf("%d.%d", p, n%keys), Payload: strconv.Itoa(n) + " " + filler,
			})
		})
		w.count(fmt.Sprintf("cut_outbox_full=0 streams_closed=0 deliveries_expected=%d", 3*publishers*commands))
		fresh(t, "fast", fast)

		response, err := http.ReadResponse(bufio.NewReader(slow), nil)
		if err != nil {
			t.Fatal(err)
		}
		late := &subscriber{conn: slow, response: response, start: w.start, done: make(chan struct{})}
		go late.read()
		last := fresh(t, "slow", late)
		for p := range publishers {
			for key := range keys {
				name, want := fmt.Sprintf("%d.%d", p, key), commands-1-(commands-1-key)%keys
				if last[name] != want {
					t.Errorf("the last value of %s is %d, want %d", name, last[name], want)
				}
			}
		}
		figures := w.counters.Snapshot()
		lost := figures["deliveries_expected"] - figures["deliveries_written_sse"] - figures["outbox_coalesced"]
		const bound = 2 * publishers * keys // a value of each key is being written to who never reads, and another one waits
		if figures["outbox_coalesced"] == 0 || lost > bound {
			t.Errorf("%d values were superseded, %d are neither that nor written, want at most %d", figures["outbox_coalesced"], lost, bound)
		}
		_ = never.Close()
		w.shutdown()
	})
}

// fresh checks that the values of each key only rise, and returns the last ones.
func fresh(t *testing.T, who string, s *subscriber) map[string]int {
	t.Helper()
	s.payloads()
	last := map[string]int{}
	for _, e := range s.events {
		text, _, _ := strings.Cut(e.Payload, " ")
		value, err := strconv.Atoi(text)
		if before, ok := last[e.Key]; err != nil || ok && value <= before {
			t.Errorf("%s: %s was %d, then %d", who, e.Key, before, value)
		}
		last[e.Key] = value
	}
	return last
}

// TestDropOldest: a subscriber that does not keep up loses the oldest events and is not cut.
func TestDropOldest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{
			Design: target.LongPoll, Knobs: target.Knobs{WhenFull: target.DropOldest}, OutboxFrames: 4, WriteTimeout: time.Hour,
		}, nil)
		w.network.BufferBytes = 16 << 10
		slow := w.dial(request("slow", "room"))
		synctest.Wait()
		filler := strings.Repeat("x", 2<<10)
		const commands = 50
		for n := range commands {
			w.say("", "room", strconv.Itoa(n)+" "+filler)
			synctest.Wait()
		}
		response, err := http.ReadResponse(bufio.NewReader(slow), nil)
		if err != nil {
			t.Fatal(err)
		}
		s := &subscriber{conn: slow, response: response, start: w.start, done: make(chan struct{})}
		go s.read()
		heard := s.payloads()
		last := -1
		for _, payload := range heard {
			text, _, _ := strings.Cut(payload, " ")
			n, _ := strconv.Atoi(text)
			if n <= last {
				t.Errorf("%d came after %d", n, last)
			}
			last = n
		}
		if last != commands-1 || len(heard) > 20 {
			t.Errorf("%d events were heard, the last was %d", len(heard), last)
		}
		w.count(fmt.Sprintf("outbox_dropped=%d cut_outbox_full=0 deliveries_enqueued_sse=%d", commands-len(heard), commands))
		w.shutdown()
	})
}
