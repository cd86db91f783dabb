package run

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/scenarios"
)

// faulty is a plan of ten clients in one room, and one fault.
func faulty(f scenarios.Fault) Plan {
	p := stage("sequenced", 10, []scenarios.Step{rest(time.Millisecond)})
	p.Loads[0].Stages = scenarios.Stages{{From: 1, To: 1, For: 20 * time.Second}}
	p.Faults = []scenarios.Fault{f}
	return p
}

// ordeal lets the faults of a plan do their work until that time, and returns what they did to streams, with times in ms.
func ordeal(t *testing.T, p Plan, until time.Duration) (left, back map[uint32][]int64, told []string) {
	t.Helper()
	left, back = make(map[uint32][]int64), make(map[uint32][]int64)
	synctest.Test(t, func(t *testing.T) {
		rehearse(t, p, func(r *rehearsal) {
			stop := r.faultClients(r.ctx, time.Now())
			time.Sleep(until)
			stop()
			time.Sleep(time.Second)
			r.memory.Scan(func(batch []history.Observation) error {
				for _, o := range batch {
					at := (o.At - r.began.Load()) / 1e6
					switch {
					case o.At < r.began.Load():
					case o.Kind == history.Closed:
						left[o.Client] = append(left[o.Client], at)
					case o.Kind == history.Subscribed && at > 0: // the first time was at the very barrier
						back[o.Client] = append(back[o.Client], at)
					case o.Kind == history.FaultBegins || o.Kind == history.FaultEnds:
						told = append(told, fmt.Sprintf("%d %s %s %d", at, o.Kind, r.o.Names.Name(uint32(o.Err)), o.Sequence))
					}
				}
				return nil
			})
			if int(r.tally.subscribed.Load()) != 10 {
				t.Errorf("%d clients are there at the end, want 10", r.tally.subscribed.Load())
			}
		})
	})
	return left, back, told
}

// TestDisconnectionTakesAShareAway holds that a share of the clients leaves within its time, and that each comes back when it was
// away for as long as was drawn, also behind the window of the fault.
func TestDisconnectionTakesAShareAway(t *testing.T) {
	t.Parallel()
	fault := scenarios.Fault{
		Name: "tunnel", At: 2 * time.Second, For: 3 * time.Second, Every: 10 * time.Second, Where: scenarios.Where{Clients: "members", Share: 0.3},
		Effect: scenarios.Disconnection{Within: time.Second, Away: scenarios.Exactly(float64(4 * time.Second))},
	}
	left, back, told := ordeal(t, faulty(fault), 18*time.Second)
	if want := []string{"2000 fault-begins tunnel 1", "5000 fault-ends tunnel 1", "12000 fault-begins tunnel 2", "15000 fault-ends tunnel 2"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	departures := 0
	for client, at := range left {
		for i, from := range at {
			departures++
			turn := int64(2000)
			if from > 10_000 {
				turn = 12_000
			}
			if from < turn || from > turn+1000 {
				t.Errorf("client %d left at %d ms, within its second from %d ms on", client, from, turn)
			}
			if i >= len(back[client]) || back[client][i] != from+4010 { // the head of the stream takes 10 ms
				t.Errorf("client %d left at %d ms and was back at %v, want 4 s later", client, from, back[client])
			}
		}
	}
	if departures != 6 {
		t.Errorf("%d departures in two turns, want 6: three of ten each", departures)
	}
	again, _, _ := ordeal(t, faulty(fault), 18*time.Second)
	if fmt.Sprint(left) != fmt.Sprint(again) {
		t.Errorf("the same seed hit %v, then %v", left, again)
	}
}

// TestReconnectStorm holds that all leave at once, and come back at once or spread over the jitter.
func TestReconnectStorm(t *testing.T) {
	t.Parallel()
	for _, within := range []time.Duration{0, 500 * time.Millisecond} {
		left, back, _ := ordeal(t, faulty(scenarios.Fault{
			Name: "restart", At: time.Second, For: 3 * time.Second, Where: scenarios.Where{Share: 1},
			Effect: scenarios.ReconnectStorm{Away: 2 * time.Second, Within: within},
		}), 10*time.Second)
		distinct := map[int64]bool{}
		for client := range uint32(10) {
			if !slices.Equal(left[client], []int64{1000}) || len(back[client]) != 1 {
				t.Fatalf("within %v: client %d left at %v and was back at %v", within, client, left[client], back[client])
			}
			at := back[client][0]
			distinct[at] = true
			if at < 3010 || at > 3010+within.Milliseconds() {
				t.Errorf("within %v: client %d was back at %d ms", within, client, at)
			}
		}
		if within == 0 && len(distinct) != 1 || within > 0 && len(distinct) < 8 {
			t.Errorf("within %v: they were back at %d different moments", within, len(distinct))
		}
	}
}

// TestChurn holds that clients leave at the rate, that nobody leaves who is away, and that at the end of the fault all are back.
func TestChurn(t *testing.T) {
	t.Parallel()
	left, back, told := ordeal(t, faulty(scenarios.Fault{
		Name: "churn", At: time.Second, For: 5 * time.Second, Where: scenarios.Where{Share: 1},
		Effect: scenarios.Churn{Rate: 4, Away: scenarios.Exactly(float64(1600 * time.Millisecond))},
	}), 10*time.Second)
	if want := []string{"1000 fault-begins churn 1", "6000 fault-ends churn 1"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	var departures []int64
	for client, at := range left {
		departures = append(departures, at...)
		for i, from := range at {
			if i >= len(back[client]) || back[client][i] != min(from+1600, 6000)+10 {
				t.Errorf("client %d left at %d ms and was back at %v", client, from, back[client])
			}
		}
	}
	slices.Sort(departures)
	var want []int64
	for at := int64(1250); at < 6000; at += 250 {
		want = append(want, at)
	}
	if !slices.Equal(departures, want) {
		t.Errorf("they left at %v ms, want %v", departures, want)
	}
}

// TestDeparture holds the times of departures against the integral of the rate.
func TestDeparture(t *testing.T) {
	t.Parallel()
	for _, ramp := range []time.Duration{0, 3 * time.Second, time.Hour} {
		for n := 1; n < 200; n++ {
			const rate = 7.5
			at := departure(n, rate, ramp).Seconds()
			area := rate * max(0, at-ramp.Seconds()/2)
			if at < ramp.Seconds() {
				area = rate * at * at / (2 * ramp.Seconds())
			}
			if math.Abs(area-float64(n)) > 1e-6 {
				t.Fatalf("ramp %v: departure %d is at %v s, where the integral is %v", ramp, n, at, area)
			}
		}
	}
	if got := departure(1, 0, 0); got != math.MaxInt64 {
		t.Errorf("at no rate somebody leaves after %v", got)
	}
}
