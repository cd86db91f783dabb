package run_test

import (
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/internal/draw"
	"holobench/internal/memnet"
	"holobench/ordering"
	"holobench/run"
	"holobench/scenarios"
	"holobench/target"
	"holobench/wire"
)

// lagging carries a plan out in which all that comes by one path is that late: by the streams, or in the replies.
func lagging(t *testing.T, p run.Plan, path string, late time.Duration) (all []history.Observation, result history.Run) { //nolint:gocritic // as carryOut has it
	t.Helper()
	law, err := draw.Constant(float64(late))
	if err != nil {
		t.Fatal(err)
	}
	p.Faults = []scenarios.Fault{{
		Name: "late", For: p.End(), Where: scenarios.Where{Share: 1, Path: path, Direction: scenarios.Down},
		Effect: scenarios.LinkFault{Kind: "delay", By: scenarios.Amount{Law: law}},
	}}
	network := memnet.New(nil)
	return carryOut(t.Context(), t, p, spoken(network, nil), network.DialContext)
}

// TestAQueueWaitsForTheStream: with streams 120 ms late and an event each 50 ms, a sender has its own event before the ones in front of
// it. Its queue holds that back until the last of them has come, to the nanosecond, and nothing else; behind it no pair is left
// divergent. Its app would be wrong for as long without a queue.
func TestAQueueWaitsForTheStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const late = 120 * time.Millisecond
		p := rooms("hologram", 20, 20, 10*time.Second)
		p.Wire, p.Knobs = string(target.JSON), target.Knobs{Stamp: target.StampSequence}
		p.Groups[0].MaxHold = time.Second
		all, result := lagging(t, p, scenarios.PathStream, late)
		if g := result.Groups[0]; g.MaxHold != int64(time.Second) || g.Optimistic {
			t.Errorf("run.json says %+v of the clients", g)
		}
		sent := make(map[wire.EventID]history.Observation)
		for _, o := range all {
			if o.Kind == history.Sent {
				sent[o.Event] = o
			}
		}
		held := 0
		r := ordering.Resequencer{MaxHold: func(uint32) time.Duration { return time.Second }, Handed: func(h *ordering.Handing) {
			got, want := time.Duration(h.Handed-h.At), time.Duration(0)
			if h.Client == h.Event.Publisher {
				want = waitOf(sent, sent[h.Event], late)
			}
			if got != want {
				t.Errorf("client %d held %v back for %v, want %v", h.Client, h.Event, got, want)
			}
			held += min(1, int(got))
		}}
		r.Add(all)
		found := r.Close(result)
		if held < 50 || found.Held != held || found.GivenUp+uint64(found.Late) > 0 || found.InversionsArrived == 0 || found.InversionsHanded > 0 {
			t.Errorf("%d held, %+v", held, found)
		}
		var plain ordering.Analysis
		plain.Add(all)
		if before, after := plain.Close(result).Overall.All, found.App.Overall.All; before.Divergent == 0 || after.Divergent > 0 || after.AtRisk < before.AtRisk {
			t.Errorf("arrived %+v, behind the queue %+v", before, after)
		}
	})
}

// waitOf is how long the sender of an event waits for the latest one of another client in front of it, which was sent to the same
// channel less than late before.
func waitOf(sent map[wire.EventID]history.Observation, own history.Observation, late time.Duration) (wait time.Duration) {
	for _, o := range sent {
		if o.Channel == own.Channel && o.Client != own.Client && o.At < own.At {
			wait = max(wait, late-time.Duration(own.At-o.At))
		}
	}
	return wait
}

// TestOthersKnowFirst: where replies are late and streams are not, everybody else knows of an event before its sender, by just that much; an
// optimistic sender is told as late, and puts below its change what came meanwhile.
func TestOthersKnowFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const late = 120 * time.Millisecond
		p := rooms("hologram", 20, 20, 5*time.Second)
		p.Wire = string(target.JSON)
		p.Groups[0].Optimistic = true
		all, result := lagging(t, p, scenarios.PathCommand, late)
		var elsewhere ordering.Elsewhere
		elsewhere.Add(all)
		commands := 0
		elsewhere.Close(result, func(h ordering.Headway) {
			commands++
			if h.First != ordering.OthersFirst || h.Lead != int64(late) {
				t.Errorf("%v: %d knew first, by %v", h.Event, h.First, time.Duration(h.Lead))
			}
		})
		var optimistic ordering.Optimistic
		optimistic.Add(all)
		rebases := 0
		optimistic.Close(func(c ordering.Change) {
			if c.Outcome != ordering.Confirmed || c.Settled-c.Due < int64(late) {
				t.Errorf("%+v: it is confirmed by the reply", c)
			}
			rebases += c.Rebases
		})
		if commands != 100 || rebases == 0 {
			t.Errorf("%d commands and %d rebases", commands, rebases)
		}
	})
}
