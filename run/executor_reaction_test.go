package run_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"holobench/clients"
	"holobench/history"
	"holobench/internal/draw"
	"holobench/internal/memnet"
	"holobench/run"
	"holobench/scenarios"
	"holobench/wire"
)

// auction is a plan in which one client opens, and others answer what they hear.
func auction(share float64, depth int, answerWith string) run.Plan {
	p := rooms("single-channel", 20, 1, 5*time.Second)
	p.Groups[0].Channel = func(int) string { return "lot" }
	p.Loads[0].Only = 1
	p.Loads[0].Message.Name = "bid"
	law, _ := draw.Uniform(200e6, 900e6)
	p.Loads = append(p.Loads, run.Load{
		Name: "react", Only: 20, Message: clients.Message{Name: answerWith, Size: 100},
		Reaction: &scenarios.Reaction{Event: "bid", Share: share, After: scenarios.Amount{Law: law}, Depth: depth, For: 20 * time.Second},
	})
	return p
}

func TestReaction(t *testing.T) {
	t.Parallel()
	for _, design := range []string{"single-channel", "hologram", "channels", "long-poll"} {
		synctest.Test(t, func(t *testing.T) {
			p := auction(1, 1, "bid")
			p.Design = design
			all, result := inMemory(t.Context(), t, p, asIs)
			heard := make(map[int64]bool) // when anything arrived
			for _, o := range all {
				if o.Kind == history.Delivered {
					heard[o.At] = true
				}
			}
			answers := 0
			for _, o := range all {
				if o.Kind != history.Sent || o.Load != 2 {
					continue
				}
				if answers++; o.Client == 0 {
					t.Errorf("%s: a client answered its own event", design)
				}
				late := false
				for at := range heard {
					late = late || o.Due-at >= int64(200*time.Millisecond) && o.Due-at < int64(900*time.Millisecond)
				}
				if !late || o.At < o.Due {
					t.Errorf("%s: an answer was due at %v and sent at %v, with nothing 200 to 900 ms before", design, time.Duration(o.Due), time.Duration(o.At))
				}
			}
			// Five events, each heard by 19 others, who all answer once, and answer no answer.
			if answers != 5*19 || int(result.Loads[1].Due) != answers {
				t.Errorf("%s: %d answers to 5 events at 19 others each", design, answers)
			}
		})
	}
}

// TestReactionsEnd: what is itself a reaction is answered only as deep as the load says, so that a load whose clients answer what they
// themselves say comes to an end.
func TestReactionsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for depth, want := range map[int]int{0: 5 * 2, 1: 5 * 2, 2: 5*2 + 5*2*2, 3: 5*2 + 5*4 + 5*8} {
			p := auction(1, depth, "bid")
			p.Groups[0].Count, p.Loads[1].Only = 3, 3 // each event is heard by two others
			all, _ := inMemory(t.Context(), t, p, asIs)
			if got := countOf(all, history.Sent, 2); got != want {
				t.Errorf("depth %d: %d answers, want %d", depth, got, want)
			}
		}
		// Another name is another matter: nobody waits for it.
		p := auction(1, 9, "outbid")
		all, _ := inMemory(t.Context(), t, p, asIs)
		if got := countOf(all, history.Sent, 2); got != 5*19 {
			t.Errorf("%d answers by another name, want %d", got, 5*19)
		}
	})
}

// TestReactionIsDrawn: the same seed answers the same events by the same clients after the same time, another seed others.
func TestReactionIsDrawn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		answers := func(seed uint64) (rows []history.Observation) {
			p := auction(0.3, 1, "outbid")
			p.Seed = seed
			p.Loads[0].Stages = constant(20, 5*time.Second)
			all, result := inMemory(t.Context(), t, p, asIs)
			for _, o := range all {
				if o.Kind == history.Sent && o.Load == 2 {
					rows = append(rows, history.Observation{Client: o.Client, Due: o.Due - result.Barrier, Event: wire.EventID{Publisher: o.Client}})
				}
			}
			slices.SortFunc(rows, func(a, b history.Observation) int { return int(a.Due - b.Due) })
			return rows
		}
		first, again, other := answers(1), answers(1), answers(2)
		if !slices.Equal(first, again) || slices.Equal(first, other) {
			t.Error("the answers are not a function of the seed")
		}
		if want := 0.3 * 100 * 19; float64(len(first)) < 0.9*want || float64(len(first)) > 1.1*want {
			t.Errorf("%d answers, want about %v", len(first), want)
		}
	})
}

// TestReplay: what an earlier run sent is sent again, when it was and by whom, or twice as fast.
func TestReplay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(nil)
		before := senders(10, run.Load{Name: "talk", Stages: constant(50, 4*time.Second), Arrivals: scenarios.Arrivals{Kind: scenarios.Poisson}, Start: time.Second})
		all, result := carryOut(t.Context(), t, before, startStub(network.Listen, "target:80", oneServer(0)), network.DialContext)
		record := new(history.Memory)
		record.Observe(all)
		type sent struct {
			client uint32
			due    time.Duration
		}
		rows := func(all []history.Observation, barrier int64, scale float64) (list []sent) {
			for _, o := range all {
				if o.Kind == history.Sent {
					list = append(list, sent{o.Client, time.Duration(float64(o.Due-barrier) * scale)})
				}
			}
			slices.SortFunc(list, func(a, b sent) int { return int(a.due - b.due) })
			return list
		}
		for speed, load := range map[float64]string{1: "", 2: "talk"} {
			replay, err := run.ReadReplay(record.History(result, nil), load, speed, 0)
			if err != nil {
				t.Fatal(err)
			}
			p := senders(10, run.Load{Name: "again", Replay: replay})
			got, again := carryOut(t.Context(), t, p, startStub(network.Listen, "target:81", oneServer(0)), network.DialContext)
			want := rows(all, result.Barrier, 1)
			if load != "" { // a load by itself begins with itself
				want = rows(all, result.Barrier+int64(time.Second), 1/speed)
			}
			if have := rows(got, again.Barrier, 1); len(have) == 0 || !slices.Equal(have, want) {
				t.Errorf("at speed %v %d commands were sent again of %d, or by others, or at other times", speed, len(have), len(want))
			}
		}
		for name, read := range map[string]func() (*run.Replay, error){
			"no such load": func() (*run.Replay, error) { return run.ReadReplay(record.History(result, nil), "tlak", 1, 0) },
			"no speed":     func() (*run.Replay, error) { return run.ReadReplay(record.History(result, nil), "", 0, 0) },
			"nothing due":  func() (*run.Replay, error) { return run.ReadReplay(record.History(result, nil), "", 1, time.Second) },
			"no barrier":   func() (*run.Replay, error) { return run.ReadReplay(record.History(history.Run{}, nil), "", 1, 0) },
		} {
			if _, err := read(); err == nil {
				t.Errorf("%s: it was read", name)
			}
		}
	})
}
