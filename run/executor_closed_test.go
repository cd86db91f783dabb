package run_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"holobench/chaos"
	"holobench/clients"
	"holobench/history"
	"holobench/internal/memnet"
	"holobench/run"
	"holobench/scenarios"
)

// perSender are the times, since the barrier, at which each client sent.
func perSender(all []history.Observation, barrier int64) map[uint32][]time.Duration {
	times := make(map[uint32][]time.Duration)
	for _, o := range all {
		if o.Kind == history.Sent {
			times[o.Client] = append(times[o.Client], time.Duration(o.At-barrier))
		}
	}
	return times
}

// TestClosed: between two acts of a sender lies the time that the target took, and the pause.
func TestClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(nil)
		p := senders(50, run.Load{Name: "closed", Closed: &scenarios.Closed{Every: scenarios.Exactly(100e6), Iterations: 5}})
		answer := func(now time.Time) time.Time { return now.Add(30 * time.Millisecond) }
		all, result := carryOut(t.Context(), t, p, startStub(network.Listen, "target:80", answer), network.DialContext)
		times := perSender(all, result.Barrier)
		first := make(map[time.Duration]bool)
		for client, sent := range times {
			if len(sent) != 5 || sent[0] < 0 || sent[0] >= 100*time.Millisecond {
				t.Fatalf("client %d sent at %v; want 5 times, the first within the first pause", client, sent)
			}
			first[sent[0]] = true
			for i := range sent[1:] {
				if gap := sent[i+1] - sent[i]; gap != 130*time.Millisecond {
					t.Errorf("client %d sent %v after the time before, want 130 ms", client, gap)
				}
			}
		}
		if len(times) != 50 || len(first) != 50 || result.Loads[0].Due != 250 {
			t.Errorf("%d clients sent, beginning at %d times, %d commands", len(times), len(first), result.Loads[0].Due)
		}
		if last := time.Duration(result.LoadEnd - result.Barrier); last >= 700*time.Millisecond || last < 550*time.Millisecond {
			t.Errorf("the load was over after %v: it should be when the last act is", last)
		}

		// For a time: nobody begins an act later, and the load does not wait for those that are under way.
		p.Loads[0].Closed = &scenarios.Closed{Every: scenarios.Exactly(0), For: time.Second}
		all, result = carryOut(t.Context(), t, p, startStub(network.Listen, "target:81", answer), network.DialContext)
		for client, sent := range perSender(all, result.Barrier) {
			if len(sent) != 34 || slices.Max(sent) != 990*time.Millisecond {
				t.Errorf("client %d sent %d times, the last at %v; want 34 and 990 ms", client, len(sent), slices.Max(sent))
			}
		}
		if end := time.Duration(result.LoadEnd - result.Barrier); end != time.Second || countOf(all, history.Replied, 1) != 34*50 {
			t.Errorf("the load was over after %v, with %d replies", end, countOf(all, history.Replied, 1))
		}
	})
}

// TestAfter: a load that comes after a closed one starts when that is over, which no plan knows.
func TestAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(nil)
		p := senders(1,
			run.Load{Name: "then", After: "login", Start: 10*time.Second + 500*time.Millisecond, Stages: constant(10, time.Second)},
			run.Load{Name: "login", Closed: &scenarios.Closed{Every: scenarios.Exactly(0), Iterations: 3, For: 10 * time.Second}})
		answer := func(now time.Time) time.Time { return now.Add(100 * time.Millisecond) }
		all, result := carryOut(t.Context(), t, p, startStub(network.Listen, "target:80", answer), network.DialContext)
		times := perSender(all, result.Barrier)[0]
		want := []time.Duration{0, 100 * time.Millisecond, 200 * time.Millisecond} // the login, over at 300 ms
		for n := range 10 {
			want = append(want, 800*time.Millisecond+time.Duration(n+1)*100*time.Millisecond)
		}
		if !slices.Equal(times, want) {
			t.Errorf("sent at %v, want %v", times, want)
		}
		if l := result.Loads[0]; l.From != int64(800*time.Millisecond) || l.To != int64(1800*time.Millisecond) {
			t.Errorf("run.json has the load from %v to %v", time.Duration(l.From), time.Duration(l.To))
		}
	})
	for _, p := range []run.Plan{
		senders(1, run.Load{Name: "a", After: "b", Stages: constant(1, time.Second)}, run.Load{Name: "b", After: "a", Stages: constant(1, time.Second)}),
		senders(1, run.Load{Name: "a", After: "a", Stages: constant(1, time.Second)}),
		senders(1, run.Load{Name: "a", After: "nobody", Stages: constant(1, time.Second)}),
	} {
		if _, err := run.Run(t.Context(), p, run.Options{}); err == nil {
			t.Error("loads that wait for each other, or for nobody, were taken")
		}
	}
}

// TestBurst: so many commands in a short time, each time.
func TestBurst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(nil)
		p := senders(10, run.Load{
			Name: "burst", Burst: &scenarios.Burst{Commands: 100, Within: 500 * time.Millisecond, At: []time.Duration{2 * time.Second, time.Second}}, InFlight: 64,
		})
		all, result := carryOut(t.Context(), t, p, startStub(network.Listen, "target:80", oneServer(0)), network.DialContext)
		var dues []time.Duration
		for _, o := range all {
			if o.Kind == history.Sent {
				dues = append(dues, time.Duration(o.Due-result.Barrier))
			}
		}
		slices.Sort(dues)
		var want []time.Duration
		for _, at := range []time.Duration{time.Second, 2 * time.Second} {
			for n := range 100 {
				want = append(want, at+time.Duration(n)*5*time.Millisecond)
			}
		}
		if !slices.Equal(dues, want) {
			t.Errorf("due at %v, want %v", dues, want)
		}
	})
}

// TestInFlight: on every wire a client has as many commands on the wire as its load says, no more, and each comes to everybody once.
func TestInFlight(t *testing.T) {
	t.Parallel()
	for _, design := range []string{"single-channel", "hologram", "channels", "long-poll"} {
		synctest.Test(t, func(t *testing.T) {
			p := rooms(design, 20, 1, time.Second)
			p.Loads[0].Stages, p.Loads[0].Only, p.Loads[0].InFlight = nil, 4, 8
			p.Loads[0].Burst = &scenarios.Burst{Commands: 200, At: []time.Duration{0}}
			all, _ := inMemory(t.Context(), t, p, func(dial clients.DialFunc) clients.DialFunc {
				return chaos.Late(dial, 50*time.Millisecond)
			})
			flying, most, last := make(map[uint32]int), make(map[uint32]int), make(map[uint32]uint32)
			slices.SortStableFunc(all, func(a, b history.Observation) int { return int(a.At - b.At) })
			for _, o := range all {
				switch o.Kind {
				case history.Sent:
					flying[o.Client]++
					most[o.Client] = max(most[o.Client], flying[o.Client])
					if design == "channels" && o.Event.Seq != last[o.Client]+1 {
						t.Errorf("%s: %v left behind number %d: on one socket the order is that of the queue", design, o.Event, last[o.Client])
					}
					last[o.Client] = o.Event.Seq
				case history.Replied:
					flying[o.Client]--
				default: // no command
				}
			}
			for client := range uint32(4) {
				if most[client] != 8 {
					t.Errorf("%s: client %d had up to %d commands in flight, want 8", design, client, most[client])
				}
			}
			if sent, replied, seen := count(all, history.Sent), count(all, history.Replied), len(deliveries(all)); sent != 200 || replied != 200 || seen != 200*10 {
				t.Errorf("%s: %d sent, %d replied, %d deliveries; want 200, 200 and 2,000", design, sent, replied, seen)
			}
		})
	}
}
