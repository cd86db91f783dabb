package target_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/target"
	"holobench/wire"
)

var verify = flag.Bool("verify", false, "run the long proofs (make verify-designs)")

// load is how many events go to how many subscribers.
func load() (publishers, commands, subscribers int) {
	if *verify {
		return 4, 1250, 500
	}
	return 4, 125, 24
}

// TestOneOrder: in the designs that promise one order for all, no pair of events diverges, while publishers race as they can.
func TestOneOrder(t *testing.T) {
	t.Parallel()
	for _, design := range []target.Design{target.SingleChannel, target.Sequenced, target.StateSync} {
		t.Run(string(design), func(t *testing.T) {
			t.Parallel()
			if design.Promises()["total"] == "" {
				t.Error("it promises no order")
			}
			synctest.Test(t, func(t *testing.T) {
				publishers, commands, subscribers := load()
				w := newWorld(t, target.Options{Design: design, OutboxFrames: 1 << 20, OutboxBytes: 1 << 30}, nil)
				var all []*subscriber
				for i := range subscribers {
					all = append(all, w.subscribe(fmt.Sprintf("c%d", i), "room"))
				}
				var numbers sync.Map // payload -> what the reply said
				w.publish(publishers, commands, func(p, n int) {
					payload := fmt.Sprintf("%d.%d", p, n)
					body := w.say(fmt.Sprintf("c%d", p), "room", payload)
					numbers.Store(payload, body)
				})
				first := all[0].payloads()
				if len(first) != publishers*commands {
					t.Fatalf("%d events were heard, want %d", len(first), publishers*commands)
				}
				for i, s := range all {
					if !slices.Equal(s.payloads(), first) {
						t.Errorf("subscriber %d heard another order than subscriber 0", i)
					}
				}
				checkNumbers(t, design, all[0], &numbers)
				w.shutdown()
			})
		})
	}
}

// checkNumbers holds numbers, ids and replies of a stream that heard everything against its order.
func checkNumbers(t *testing.T, design target.Design, s *subscriber, replies *sync.Map) {
	t.Helper()
	for i, e := range s.events {
		number := i + 1
		reply, _ := replies.Load(e.Payload)
		want, seq := "", uint64(number)
		switch design {
		case target.Sequenced:
			want = fmt.Sprintf(`{"seq":%d}`, number)
		case target.StateSync:
			want = fmt.Sprintf(`{"version":%d}`, number)
		default:
			seq = 0
		}
		if reply != want || e.Seq != seq || s.ids[i] != fmt.Sprint(number) {
			t.Errorf("event %d has the number %d and the id %s, and its sender was told %s; want %d, %d and %s",
				number, e.Seq, s.ids[i], reply, seq, number, want)
		}
	}
}

// TestConcurrentDispatchDiverges schedules fan-outs to the millisecond: in so many rounds, and no other, a slow fan-out is
// overtaken by a fast one between its two subscribers.
func TestConcurrentDispatchDiverges(t *testing.T) {
	t.Parallel()
	for _, design := range []target.Design{target.Hologram, target.LongPoll, target.Channels} {
		t.Run(string(design), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const rounds, crossing = 40, 17
				pause := func(event *wire.Event) {
					if strings.HasPrefix(event.Payload, "slow") {
						time.Sleep(10 * time.Millisecond)
					}
				}
				w := newWorld(t, target.Options{Design: design, Pause: pause}, nil)
				first, second := w.subscribe("first", "room"), w.subscribe("second", "room")
				for round := range rounds {
					var wg sync.WaitGroup
					wg.Go(func() { w.say("a", "room", fmt.Sprintf("slow%d", round)) })
					wg.Go(func() {
						after := 50 * time.Millisecond
						if round < crossing {
							after = time.Millisecond
						}
						time.Sleep(after)
						w.say("b", "room", fmt.Sprintf("fast%d", round))
					})
					wg.Wait()
				}
				if got := divergentPairs([][]string{first.payloads(), second.payloads()}); got != crossing {
					t.Errorf("%d pairs diverge, want %d", got, crossing)
				}
				w.shutdown()
			})
		})
	}
}

// TestSerializedDispatchDoesNot turns the one knob: fan-outs that give way after every subscriber still cross nowhere.
func TestSerializedDispatchDoesNot(t *testing.T) {
	t.Parallel()
	for _, dispatch := range []target.Dispatch{target.Concurrent, target.Serialized} {
		t.Run(string(dispatch), func(t *testing.T) {
			t.Parallel()
			pause := func(*wire.Event) { runtime.Gosched() }
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, target.Options{
					Design: target.LongPoll, Knobs: target.Knobs{Dispatch: dispatch}, Pause: pause,
				}, nil)
				var all []*subscriber
				for i := range 8 {
					all = append(all, w.subscribe(fmt.Sprintf("c%d", i), "room"))
				}
				w.publish(4, 50, func(p, n int) { w.say("", "room", fmt.Sprintf("%d.%d", p, n)) })
				var seen [][]string
				for _, s := range all {
					seen = append(seen, s.payloads())
				}
				if got := divergentPairs(seen); got != 0 && dispatch == target.Serialized {
					t.Errorf("%d pairs diverge, want 0", got)
				}
				w.shutdown()
			})
		})
	}
}

// TestCutAndResume cuts a third of the streams again and again while publishers race: in the designs that keep events nobody
// misses one, has one twice, or sees another order.
func TestCutAndResume(t *testing.T) {
	t.Parallel()
	for _, design := range []target.Design{target.SingleChannel, target.Sequenced} {
		t.Run(string(design), func(t *testing.T) {
			t.Parallel()
			if !strings.HasPrefix(design.Promises()["gap_free"], "after reconnect") {
				t.Error("it does not promise that nothing is lost")
			}
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			synctest.Test(t, func(t *testing.T) {
				w, all := cutAndResume(t, seed, design, func(w *world, p, n int) {
					w.say(fmt.Sprintf("c%d", p), "room", fmt.Sprintf("%d.%d", p, n))
				})
				publishers, commands, _ := load()
				whole := payloadsOf(all[len(all)-1].events())
				if len(whole) != publishers*commands {
					t.Errorf("who was never cut heard %d events, want %d", len(whole), publishers*commands)
				}
				for _, s := range all {
					if got := payloadsOf(s.events()); !slices.Equal(got, whole) {
						t.Errorf("%s heard %d events over %d streams, not the %d of who was never cut", s.instance,
							len(got), len(s.streams), len(whole))
					}
					if controls := s.controls(); len(controls) > 0 {
						t.Errorf("%s was told %q", s.instance, controls)
					}
				}
				w.shutdown()
			})
		})
	}
}

// cutAndResume runs the load, and cuts and resumes a third of the sessions meanwhile.
func cutAndResume(t *testing.T, seed uint64, design target.Design, post func(w *world, p, n int)) (*world, []*session) {
	t.Helper()
	publishers, commands, subscribers := load()
	w := newWorld(t, target.Options{Design: design, Knobs: target.Knobs{Replay: publishers * commands}}, nil)
	var all []*session
	for i := range subscribers {
		all = append(all, w.newSession(fmt.Sprintf("c%d", i), "room"))
	}
	var cutting sync.WaitGroup
	stop := make(chan struct{})
	for i, s := range all[:subscribers/3] {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		cutting.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Duration(random.IntN(50)) * time.Millisecond):
				}
				s.cut()
				<-time.After(time.Duration(random.IntN(10)) * time.Millisecond)
				s.resume()
			}
		})
	}
	w.publish(publishers, commands, func(p, n int) {
		<-time.After(time.Duration(1+p) * time.Millisecond)
		post(w, p, n)
	})
	close(stop)
	cutting.Wait()
	cuts := 0
	for _, s := range all {
		cuts += len(s.streams) - 1
	}
	if cuts < subscribers {
		t.Errorf("streams were cut %d times, which proves little", cuts)
	}
	return w, all
}

// TestReplicasConverge: publishers write the same few keys, streams are cut and resumed; at the end all replicas are one.
func TestReplicasConverge(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		w, all := cutAndResume(t, seed, target.StateSync, func(w *world, p, n int) {
			status, body := w.post(wire.Command{
				Instance: fmt.Sprintf("c%d", p), Channel: "room", Key: fmt.Sprintf("k%d", n%7), Name: "set",
				Payload: fmt.Sprintf("%d.%d", p, n),
			})
			var receipt wire.Receipt
			if err := json.Unmarshal([]byte(body), &receipt); status != http.StatusOK || err != nil || receipt.Version == 0 {
				t.Errorf("the mutation was answered %d %s", status, body)
			}
		})
		publishers, commands, _ := load()
		late := w.newSession("late", "room") // has everything from its snapshot
		want := replicaOf(t, late).digest()
		if !strings.HasPrefix(want, fmt.Sprintf("version %d k0=", publishers*commands)) {
			t.Errorf("the document is %s", want)
		}
		for _, s := range all {
			if got := replicaOf(t, s).digest(); got != want {
				t.Errorf("%s has\n%s, want\n%s", s.instance, got, want)
			}
		}
		w.shutdown()
	})
}
