package run

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/ordering"
	"holobench/scenarios"
	"holobench/target"
)

// TestFlowOnEveryWire holds that a client changes what it hears, goes away and comes back on every wire, and that by the rule of
// membership nothing is lost by it: what was on its way meanwhile is in doubt, and what it did not hear is not owed to it.
func TestFlowOnEveryWire(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		design target.Design
		wire   target.Wire
	}{
		{target.Hologram, target.JSON},
		{target.Hologram, target.HologramWire},
		{target.SingleChannel, target.JSON},
		{target.LongPoll, target.LongPollWire},
		{target.Channels, target.ChannelsWire},
		{target.Sequenced, target.JSON},
		{target.StateSync, target.JSON},
		{target.Ephemeral, target.JSON},
	} {
		t.Run(fmt.Sprintf("%s by %s", c.design, c.wire), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := travels()
				if c.wire == target.ChannelsWire { // its commands go by the socket that is not there
					flow := p.Loads[0].Flow
					p.Loads[0].Flow = slices.DeleteFunc(flow, func(s scenarios.Step) bool {
						return s.Where().Path == "mark away" || s.Where().Path == "away"
					})
				}
				p.Design, p.Wire = string(c.design), string(c.wire)
				rehearse(t, p, func(r *rehearsal) {
					go r.act(r.ctx, act{load: 1, due: r.now()})
					r.acts(0)
					time.Sleep(5 * time.Second) // what was said is there
					wantWaits(t, r)
					if left := r.told(history.Unsubscribed); len(left) != 1 || !strings.Contains(left[0], " in hall") {
						t.Errorf("left: %q", left)
					}
					nothingLost(t, r)
				})
			})
		})
	}
}

// travels is a plan of a client that moves, and one that speaks all the time, in two rooms.
func travels() Plan {
	hear := func(path, channel string) *scenarios.Expect {
		return &scenarios.Expect{Place: at(path), Event: "news", Channel: template(channel), Within: time.Second, Count: 2}
	}
	tell := func(channel string) *scenarios.Send {
		s := say("news", "of "+channel)
		s.Channel = template(channel)
		return s
	}
	away := say("mark", "")
	away.Place = at("mark away")
	return Plan{
		Name: "travels", Seed: 7,
		Groups: []Group{
			{Name: "travellers", Count: 1, Channel: func(int) string { return "room" }},
			{Name: "speakers", Count: 1, Channel: func(int) string { return "desk" }},
		},
		Loads: []Load{
			{Name: "travel", Only: 1, Flow: []scenarios.Step{
				hear("at home", "room"), &scenarios.Subscribe{Place: at("subscribe"), Channel: template("hall")}, say("mark", ""),
				hear("in the hall", "hall"), hear("still at home", "room"),
				&scenarios.Unsubscribe{Place: at("unsubscribe"), Channel: template("hall")}, say("mark", ""),
				hear("behind the door", "hall"), &scenarios.Disconnect{}, rest(500 * time.Millisecond), away,
				hear("away", "room"), &scenarios.Reconnect{Place: at("reconnect"), Within: 5 * time.Second}, hear("back", "room"),
			}},
			{Name: "tell", Group: 1, Only: 1, Flow: []scenarios.Step{&scenarios.Repeat{
				Place: at("repeat"), Times: scenarios.Exactly(60), Flow: []scenarios.Step{tell("hall"), tell("room"), rest(50 * time.Millisecond)},
			}}},
		},
	}
}

// wantWaits holds which waits were met.
func wantWaits(t *testing.T, r *rehearsal) {
	t.Helper()
	var unmet []string
	waits := r.told(history.Expectation)
	for _, wait := range waits {
		if _, why, found := strings.Cut(wait, ": "); found {
			unmet = append(unmet, why)
		}
	}
	want, all := []string{"behind the door: not within 1s", "away: not within 1s"}, 7
	if r.plan.Wire == string(target.ChannelsWire) {
		want, all = want[:1], 6
	}
	if !slices.Equal(unmet, want) || len(waits) != all {
		t.Errorf("%d waits, unmet %q, want %d and %q", len(waits), unmet, all, want)
	}
}

// nothingLost holds that whoever should have received something did.
func nothingLost(t *testing.T, r *rehearsal) {
	t.Helper()
	var members ordering.Membership
	if err := r.memory.Scan(func(batch []history.Observation) error {
		members.Add(batch)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	members.Close(history.Run{Finished: true, End: r.now(), Promises: r.plan.Promises()})
	expected, lost, stray := 0, 0, 0
	members.Events(func(s ordering.Standing) {
		expected += s.Expected
		lost += s.Lost
		stray += s.Stray
	})
	if expected == 0 || lost > 0 || stray > 0 {
		t.Errorf("%d deliveries were expected, %d of them lost, and %d went to who never subscribed", expected, lost, stray)
	}
}
