package run_test

import (
	"fmt"
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
)

// everyLoad is a plan with a load of each kind.
func everyLoad() run.Plan {
	uniform, _ := draw.Uniform(50e6, 400e6)
	pause := scenarios.Amount{Law: uniform}
	sizes, _ := draw.Uniform(100, 2000)
	p := run.Plan{
		Name: "every", Seed: 3, Design: "single-channel", Nodes: 1, Drain: 5 * time.Second,
		Groups: []run.Group{
			{Name: "members", Count: 23, Channel: func(i int) string { return fmt.Sprintf("room-%d", i%3) }},
			{Name: "backend", Count: 5, Channel: func(int) string { return "room-0" }, NoStream: true},
		},
		Loads: []run.Load{
			{Name: "even", Stages: constant(20, 5*time.Second), Only: 23, Payload: scenarios.Payload{Size: scenarios.Amount{Law: sizes}}},
			{Name: "poisson", Stages: scenarios.Stages{{To: 30, For: 5 * time.Second}}, Arrivals: scenarios.Arrivals{Kind: scenarios.Poisson}, Only: 10},
			{Name: "swing", Stages: constant(20, 5*time.Second), Arrivals: scenarios.Arrivals{Kind: scenarios.Sine, Period: 2 * time.Second, Swing: 0.5}, Only: 23},
			{Name: "pulse", Stages: constant(20, 5*time.Second), Arrivals: scenarios.Arrivals{Kind: scenarios.Bursts, Period: 2 * time.Second, Busy: 300 * time.Millisecond}, Only: 23},
			{Name: "closed", Closed: &scenarios.Closed{Every: pause, Iterations: 7, For: 5 * time.Second}, Only: 20},
			{Name: "burst", Burst: &scenarios.Burst{Commands: 40, Within: 300 * time.Millisecond, At: []time.Duration{time.Second, 3 * time.Second}}, Only: 5, Group: 1},
			{Name: "tell", Stages: constant(4, 5*time.Second), Only: 5, Group: 1, To: &scenarios.To{Clients: "members", Which: scenarios.All}},
			{Name: "any", Stages: constant(40, 5*time.Second), Only: 5, Group: 1, To: &scenarios.To{Clients: "members", Which: scenarios.Any}},
			{Name: "react", Reaction: &scenarios.Reaction{Event: "message", Share: 0.05, After: pause, Depth: 1, For: 5 * time.Second}, Only: 23},
			{Name: "again", Replay: &run.Replay{Commands: []run.Recorded{{Due: time.Second, Sender: 4}, {Due: 2 * time.Second, Sender: 40}}}, Only: 23},
			{Name: "press", Stages: constant(10, 2*time.Second), Flood: true, Workers: 2},
		},
	}
	for i := range p.Loads {
		p.Loads[i].Message = clients.Message{Name: "message", Size: 200}
	}
	p.Loads[10].Message.Channel = "room-1"
	return p
}

func digestOf(t *testing.T, p run.Plan) run.Digest {
	t.Helper()
	d, err := p.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDigest: the same plan has the same digest, its shares add up to it, and whatever is changed in it changes it.
func TestDigest(t *testing.T) {
	t.Parallel()
	whole := digestOf(t, everyLoad())
	if again := digestOf(t, everyLoad()); again != whole || whole.Commands == 0 || len(whole.String()) != 16 {
		t.Fatalf("two digests of one plan: %v of %d, %v of %d commands", whole, whole.Commands, again, again.Commands)
	}
	for _, count := range []int{1, 2, 4, 7} {
		var sum run.Digest
		parts := 0
		for index := range count {
			d := digestOf(t, everyLoad().Share(index, count))
			if d.Commands > 0 {
				parts++
			}
			sum = sum.Add(d)
		}
		if sum != whole || parts != count {
			t.Errorf("%d shares, %d of them with commands, add up to %v of %d commands; the whole is %v of %d", count, parts, sum, sum.Commands, whole, whole.Commands)
		}
	}
	for name, change := range map[string]func(p *run.Plan){
		"seed":    func(p *run.Plan) { p.Seed++ },
		"rate":    func(p *run.Plan) { p.Loads[0].Stages = constant(20.01, 5*time.Second) },
		"name":    func(p *run.Plan) { p.Loads[1].Message.Name = "edit" },
		"swing":   func(p *run.Plan) { p.Loads[2].Arrivals.Swing = 0.51 },
		"start":   func(p *run.Plan) { p.Loads[3].Start = time.Second },
		"pauses":  func(p *run.Plan) { p.Loads[4].Closed.Every = scenarios.Exactly(1e9) },
		"within":  func(p *run.Plan) { p.Loads[5].Burst.Within = 0 },
		"channel": func(p *run.Plan) { p.Loads[6].To = nil },
		"sender":  func(p *run.Plan) { p.Loads[7].Only = 4 },
		"share":   func(p *run.Plan) { p.Loads[8].Reaction.Share = 0.06 },
		"due":     func(p *run.Plan) { p.Loads[9].Replay.Commands[0].Due++ },
		"size":    func(p *run.Plan) { p.Loads[10].Message.Size++ },
		"less":    func(p *run.Plan) { p.Loads = p.Loads[:10] },
	} {
		p := everyLoad()
		if change(&p); digestOf(t, p) == whole {
			t.Errorf("%s: another plan has the same digest", name)
		}
	}
}

// TestSharesSendWhatTheWholeDoes carries the shares of a plan out, each as a run of its own, and compares what they sent with what the
// whole plan does: by whom, when, how much. Their loads that act by what they see are left out, since a share sees less.
func TestSharesSendWhatTheWholeDoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent := func(p run.Plan) (rows []string) {
			p.Loads = slices.Delete(p.Loads, 8, 9)
			network := memnet.New(nil)
			all, result := carryOut(t.Context(), t, p, startLocal(network.Listen, "target:80"), network.DialContext)
			for _, o := range all {
				if o.Kind == history.Sent && o.Load != 10 { // a flood counts its commands by itself
					rows = append(rows, fmt.Sprint(o.Load, " ", o.Client, " ", time.Duration(o.Due-result.Barrier)))
				}
			}
			if result.Digest != digestOf(t, p).String() {
				t.Errorf("run.json has the digest %s, the plan %v", result.Digest, digestOf(t, p))
			}
			return rows
		}
		whole := sent(everyLoad())
		for _, count := range []int{2, 3} {
			var parts []string
			for index := range count {
				parts = append(parts, sent(everyLoad().Share(index, count))...)
			}
			slices.Sort(whole)
			slices.Sort(parts)
			if len(whole) == 0 || !slices.Equal(whole, parts) {
				t.Errorf("%d shares sent %d commands, the whole %d, and not the same", count, len(parts), len(whole))
			}
		}
	})
}
