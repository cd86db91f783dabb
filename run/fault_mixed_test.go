package run_test

import (
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/internal/memnet"
	"holobench/scenarios"
	"holobench/target"
	"holobench/wire"
)

// mixed carries a run out over h2c in which five clients speak HTTP/1.1 and five HTTP/2, with one fault on the links of the first, as a file
// says it. They send 50 commands, and 90.
func mixed(t *testing.T, fault string) (all []history.Observation, result history.Run) {
	t.Helper()
	plan := planOf(t, `version: 1
seed: 7
server: {bundled: {design: single-channel, wire: json, transport: h2c}}
clients:
  old: {count: 5, channel: lobby, http: 1.1}
  new: {count: 5, channel: lobby}
load:
  talk: {by: old, rate: 10/s, for: 5s}
  chat: {by: new, rate: 10/s, for: 9s}
faults: [{name: worse, at: 0s, for: 9s, `+fault+`}]
`)
	network := memnet.New(nil)
	return carryOut(t.Context(), t, plan, spoken(network, carriedBy(target.H2C)), network.DialContext)
}

// TestFaultsOnHTTP1AmongHTTP2: where a part of the clients speaks HTTP/2, a fault on the others does to them all that it does where nobody
// does, and nothing to those: on the connections of commands, and on what has to be read.
func TestFaultsOnHTTP1AmongHTTP2(t *testing.T) {
	t.Parallel()
	const old = 5 // the first clients
	synctest.Test(t, func(t *testing.T) {
		all, _ := mixed(t, "where: {clients: old, path: command}, delay: 120ms")
		replies, sent := 0, make(map[wire.EventID]int64)
		for _, o := range all {
			if o.Kind == history.Sent {
				sent[o.Event] = o.At
			}
			if o.Kind != history.Replied {
				continue
			}
			want := time.Duration(0)
			if o.Client < old {
				want = 120 * time.Millisecond
			}
			if replies++; time.Duration(o.At-sent[o.Event]) != want || o.Err != history.NoErr {
				t.Errorf("client %d has its reply after %v", o.Client, time.Duration(o.At-sent[o.Event]))
			}
		}
		if replies != 140 {
			t.Errorf("%d replies", replies)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		all, result := mixed(t, "where: old, drop: {nth: 4}")
		var told [2]int
		for _, o := range all {
			if o.Kind == history.Delivered {
				told[o.Client/old]++
			}
		}
		if lost := 700 - told[0]; told[1] != 700 || lost < 150 || uint64(lost) != result.Faults[0].Decisions {
			t.Errorf("%d deliveries over HTTP/1.1, %d over HTTP/2, %+v", told[0], told[1], result.Faults[0])
		}
	})
	synctest.Test(t, func(t *testing.T) {
		all, _ := mixed(t, "where: {clients: old, path: command}, http_abort: {status: 503}")
		var failed [2]int
		for _, o := range all {
			if o.Kind == history.Replied && o.Err != history.NoErr {
				failed[o.Client/old]++
			}
		}
		if failed != [2]int{50, 0} {
			t.Errorf("%d commands over HTTP/1.1 and %d over HTTP/2 are refused", failed[0], failed[1])
		}
	})
}

// TestFaultsOnWhoOnlySpeaksOverHTTP2: the one connection of clients without a stream is no connection of commands to a fault, which finds
// it when it is about both.
func TestFaultsOnWhoOnlySpeaksOverHTTP2(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		plan := planOf(t, `version: 1
server: {bundled: {design: hologram, wire: json, transport: h2c}}
clients:
  members: {count: 5, channel: lobby, http: 1.1}
  voices: {count: 5, stream: none, channel: lobby}
load: {talk: {by: voices, rate: 10/s, for: 2s}}
faults: [{name: worse, at: 0s, for: 2s, where: voices, delay: 50ms}]
`)
		for path, want := range map[string]time.Duration{"": 50 * time.Millisecond, scenarios.PathStream: 50 * time.Millisecond} {
			plan.Faults[0].Where.Path = path
			network := memnet.New(nil)
			all, _ := carryOut(t.Context(), t, plan, spoken(network, carriedBy(target.H2C)), network.DialContext)
			for _, o := range all {
				if got := time.Duration(o.At - o.Due); o.Kind == history.Replied && got != want {
					t.Errorf("path %q: client %d has its reply after %v", path, o.Client, got)
				}
			}
			if got := count(all, history.Replied); got != 20 {
				t.Errorf("path %q: %d replies", path, got)
			}
		}
	})
}
