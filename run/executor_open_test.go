package run_test

import (
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"holobench/clients"
	"holobench/history"
	"holobench/internal/memnet"
	"holobench/run"
	"holobench/scenarios"
)

// senders is a plan of clients that send and do not listen.
func senders(count int, loads ...run.Load) run.Plan {
	p := run.Plan{
		Name: "senders", Seed: 7, Design: "single-channel", Nodes: 1, Drain: 20 * time.Second,
		Groups: []run.Group{{Name: "backend", Count: count, Channel: func(int) string { return "room" }, NoStream: true}},
	}
	for _, l := range loads {
		l.Message = clients.Message{Name: "message", Size: 100}
		if l.Only == 0 {
			l.Only = count
		}
		p.Loads = append(p.Loads, l)
	}
	return p
}

func constant(rate float64, length time.Duration) scenarios.Stages {
	return scenarios.Stages{{From: rate, To: rate, For: length}}
}

// latencies are the times from due, or from sent, to the reply of the commands of a load, in the order of their due times, in ms.
func latencies(all []history.Observation, load uint16, sinceSent bool) (ms []float64) {
	type command struct{ due, sent, replied int64 }
	commands := make(map[uint64]*command)
	for _, o := range all {
		if o.Load != load {
			continue
		}
		id := uint64(o.Event.Publisher)<<32 | uint64(o.Event.Seq)
		switch o.Kind {
		case history.Sent:
			commands[id] = &command{due: o.Due, sent: o.At}
		case history.Replied:
			commands[id].replied = o.At
		default: // the others are of no command, or of one that has no reply
		}
	}
	var list []*command
	for _, c := range commands {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *command) int { return int(a.due - b.due) })
	for _, c := range list {
		from := c.due
		if sinceSent {
			from = c.sent
		}
		ms = append(ms, float64(c.replied-from)/1e6)
	}
	return ms
}

func countOf(all []history.Observation, kind history.Kind, load uint16) (n int) {
	for _, o := range all {
		if o.Kind == kind && o.Load == load {
			n++
		}
	}
	return n
}

// TestStall puts an open load beside a closed one, against a target that answers at once but for 3 s. The stall begins and ends half
// a millisecond before a command is due, so that no two things happen at once.
func TestStall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const from, to = 5*time.Second - 500*time.Microsecond, 8*time.Second - 500*time.Microsecond
		network, barrier := memnet.New(nil), time.Now() // until the first command no time passes
		stall := func(now time.Time) time.Time {
			if since := now.Sub(barrier); since >= from && since < to {
				return barrier.Add(to)
			}
			return now
		}
		p := senders(3,
			run.Load{Name: "open", Stages: constant(10, 10*time.Second), Only: 1},
			run.Load{Name: "crowded", Stages: constant(1000, 10*time.Second), Only: 1, Group: 1},
			run.Load{Name: "closed", Closed: &scenarios.Closed{Every: scenarios.Exactly(100e6), For: 10 * time.Second}, Only: 1, Group: 2})
		p.Groups = []run.Group{p.Groups[0], p.Groups[0], p.Groups[0]}
		all, result := carryOut(t.Context(), t, p, startStub(network.Listen, "target:80", stall), network.DialContext)

		// Open: 10/s, so that 30 commands are due in the stall; each waits for its end, and none vanishes.
		open := latencies(all, 1, false)
		if len(open) != 100 || result.Loads[0].Due != 100 || countOf(all, history.Dropped, 1) != 0 {
			t.Fatalf("open: %d commands were replied to of %d that were due", len(open), result.Loads[0].Due)
		}
		for i, ms := range open {
			due, want := 100*float64(i+1), 0.0
			if due >= 5000 && due < 8000 {
				want = 7999.5 - due
			}
			if ms != want {
				t.Errorf("open: the command due at %v ms took %v ms from then, want %v", due, ms, want)
			}
		}
		// From the sending, only the one that was in flight was late: that is what coordinated omission leaves out.
		if late := late(latencies(all, 1, true)); late != 1 {
			t.Errorf("open: %d commands were late, counted from the sending; want 1", late)
		}
		if late := late(open); late != 30 {
			t.Errorf("open: %d commands were late, counted from due; want 30", late)
		}

		// At 1,000/s 3,000 are due in the stall: one is in flight, the queue of the client holds 1,024, the others are counted.
		sent, dropped := countOf(all, history.Sent, 2), countOf(all, history.Dropped, 2)
		if dropped != 3000-1-1024 || sent+dropped != 10000 || result.Loads[1].Due != 10000 {
			t.Errorf("crowded: %d sent and %d dropped of %d that were due; want 1,975 dropped of 10,000", sent, dropped, result.Loads[1].Due)
		}

		// Closed: the client stood still, and so did its load. Of a stall of 3 s there is one command to tell.
		closed := latencies(all, 3, false)
		if late := late(closed); late != 1 || slices.Max(closed) > 3000 || slices.Max(closed) < 2900 {
			t.Errorf("closed: %d commands were late, the latest by %v ms; want one, by nearly 3 s", late, slices.Max(closed))
		}
		if len(closed) != 70 && len(closed) != 71 {
			t.Errorf("closed: %d commands, want 70 or 71 in the 7 s in which the target was willing", len(closed))
		}
		if p97 := percentile(closed, 0.97); p97 != 0 {
			t.Errorf("closed: a p97 of %v ms; want 0, which is how it hides the stall", p97)
		}
		if p97 := percentile(open, 0.97); p97 != 2699.5 {
			t.Errorf("open: a p97 of %v ms, want 2,699.5", p97)
		}
	})
}

func late(ms []float64) (n int) {
	for _, v := range ms {
		if v > 0 {
			n++
		}
	}
	return n
}

func percentile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(math.Ceil(q*float64(len(sorted))))-1]
}

// TestPoissonArrivalsFitThePlan counts the commands that were really sent in each of 400 s of a Poisson load of 25/s, and compares
// the counts with those of the plan by a chi-square test with 399 degrees of freedom, from both sides: too even is no Poisson
// process either. The quantiles are those of Wilson and Hilferty, for p = 0.001.
func TestPoissonArrivalsFitThePlan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const rate, seconds = 25, 400
		network := memnet.New(nil)
		p := senders(10, run.Load{Name: "talk", Stages: constant(rate, seconds*time.Second), Arrivals: scenarios.Arrivals{Kind: scenarios.Poisson}})
		all, result := carryOut(t.Context(), t, p, startStub(network.Listen, "target:80", oneServer(0)), network.DialContext)
		var counts [seconds]float64
		for _, o := range all {
			if o.Kind == history.Sent {
				if o.At != o.Due {
					t.Fatalf("a command due at %d was sent at %d; in a bubble nothing lags", o.Due, o.At)
				}
				counts[(o.At-result.Barrier-1)/1e9]++
			}
		}
		statistic := 0.0
		for _, n := range counts {
			statistic += (n - rate) * (n - rate) / rate
		}
		const freedom = float64(seconds - 1)
		quantile := func(z float64) float64 {
			return freedom * math.Pow(1-2/(9*freedom)+z*math.Sqrt(2/(9*freedom)), 3)
		}
		const z = 3.0902 // of p = 0.001
		if low, high := quantile(-z), quantile(z); statistic < low || statistic > high {
			t.Errorf("chi-square over seconds is %.1f, outside of %.1f to %.1f", statistic, low, high)
		}
		t.Logf("chi-square over %d seconds: %.1f", seconds, statistic)
	})
}
