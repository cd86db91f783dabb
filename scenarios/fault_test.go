package scenarios

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func withFaults(faults string) string {
	return "version: 1\nclients: {members: {count: 100, channel: lobby}, deaf: {count: 2, stream: none}}\n" +
		"load: {talk: {by: members, rate: 5/s, for: 60s}}\nwindows: {early: 0s..5s}\nfaults:\n  - " + faults + "\n"
}

// Each fault makes two windows: of what it is at work for, and of what is behind it.
func TestFaults(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, fault, want, windows string }{
		{"disconnect", "{name: cut, at: 10s, disconnect: {}}", "{0s 3e+09}", "cut 10s..13s; cut.after 13s..1m0s"},
		{"some leave slowly", "{name: cut, at: 10s, where: {clients: members, share: 30%}, disconnect: {within: 2s, away: 1s..5s}}", "{2s uniform(1e+09, 5e+09)}", "cut 10s..17s; cut.after 17s..1m0s"},
		{"an away without an end", "{name: cut, at: 10s, disconnect: {away: {dist: exponential, mean: 1s}}}", "{0s exponential(mean 1e+09), at most 1.8e+12}", "cut 10s..16.907755278s; cut.after 16.907755278s..1m0s"},
		{"storm", "{name: storm, at: 10s, reconnect_storm: {away: 2s, within: 500ms}}", "{2s 500ms}", "storm 10s..12.5s; storm.after 12.5s..1m0s"},
		{"a cut that nobody is away for", "{name: storm, at: 10s, reconnect_storm: {away: 0s}}", "{0s 0s}", "storm 10s..10.001s; storm.after 10.001s..1m0s"},
		{"churn", "{name: coming, at: 10s, for: 20s, ramp: 5s, churn: {rate: 120/m, away: 1s}}", "{2 1e+09}", "coming 10s..30s; coming.after 30s..1m0s"},
		{"to the very end", "{name: coming, at: 40s, for: 20s, churn: {rate: 1/s}}", "{1 3e+09}", "coming 40s..1m0s"},
		{"again and again", "{name: cut, at: 10s, every: 15s, disconnect: {away: 4s}}", "{0s 4e+09}", "cut 10s..59s; cut.after 59s..1m0s"},
	}
	for _, test := range tests {
		f := parse(t, withFaults(test.fault))
		windows := ""
		for _, w := range f.Windows[1:] {
			windows += fmt.Sprintf("; %s %v..%v", w.Name, w.From, w.To)
		}
		if got := fmt.Sprint(f.Faults[0].Effect); got != test.want || windows != "; "+test.windows {
			t.Errorf("%s: got %s with%s\nwant %s with %s", test.name, got, windows, test.want, test.windows)
		}
		if !f.Faults[0].Effect.CutsStreams() {
			t.Errorf("%s cuts no stream", test.name)
		}
	}
	f := parse(t, withFaults(tests[len(tests)-1].fault))
	if got := fmt.Sprint(f.Faults[0].Begins(f.End()), f.Faults[0].Where, f.Faults[0].Place); got != "[10s 25s 40s 55s] { 1  } {6 faults[1]}" {
		t.Errorf("it begins at, and hits: %s", got)
	}
}

// A share of the clients is hit: exactly that many, others each time, the same for the same seed.
func TestFaultHitsAShare(t *testing.T) {
	t.Parallel()
	f := Fault{Name: "cut", Where: Where{Share: 0.3}}
	first := f.Hits(7, 0, 100)
	if len(first) != 30 || !slices.IsSorted(first) || first[0] < 0 || first[29] > 99 || len(slices.Compact(slices.Clone(first))) != 30 {
		t.Errorf("hit are %v", first)
	}
	if !slices.Equal(first, f.Hits(7, 0, 100)) || slices.Equal(first, f.Hits(7, 1, 100)) || slices.Equal(first, f.Hits(8, 0, 100)) {
		t.Error("who is hit does not depend on the seed and the turn alone")
	}
	counts := make([]int, 10)
	for turn := range 1000 {
		f.Where.Share = 0.1
		for _, hit := range f.Hits(7, turn, 10) {
			counts[hit]++
		}
	}
	for i, n := range counts {
		if n < 60 || n > 140 {
			t.Errorf("client %d was hit %d times of 1000, want about 100", i, n)
		}
	}
	for share, want := range map[float64]int{0.001: 1, 1: 3, 0.5: 2} {
		f.Where.Share = share
		if got := len(f.Hits(7, 0, 3)); got != want {
			t.Errorf("%v of 3 clients are %d, want %d", share, got, want)
		}
	}
}

func TestErrorsOfFaults(t *testing.T) {
	t.Parallel()
	checkHeadlines(t, []headlineTest{
		{"no name", withFaults("{at: 1s, disconnect: {}}"), "s.yaml:6:5: faults[1]: name is missing"},
		{"no name at all", withFaults(`{name: "1", at: 1s, disconnect: {}}`), `s.yaml:6:12: faults[1].name: "1" is no name`},
		{"no time", withFaults("{name: a, disconnect: {}}"), "s.yaml:6:5: faults[1]: at is missing"},
		{"nothing", withFaults("{name: a, at: 1s}"), "s.yaml:6:5: faults[1]: it does nothing"},
		{"two things", withFaults("{name: a, at: 1s, disconnect: {}, reconnect_storm: {}}"), "s.yaml:6:39: faults[1].reconnect_storm stands beside disconnect, and a fault does one thing"},
		{"unknown", withFaults("{name: a, at: 1s, disconect: {}}"), `s.yaml:6:23: unknown key "disconect" in faults[1], did you mean "disconnect"?`},
		{"name of a window", withFaults("{name: early, at: 1s, disconnect: {}}"), `s.yaml:6:12: faults[1].name: there is a window "early" already, and a fault makes one of its own name`},
		{"twice", withFaults("{name: a, at: 1s, disconnect: {}}\n  - {name: a, at: 2s, disconnect: {}}"), `s.yaml:7:12: faults[2].name: there are two faults "a"`},
		{"for of a cut", withFaults("{name: a, at: 1s, for: 3s, disconnect: {}}"), "s.yaml:6:28: faults[1].for does not go with disconnect"},
		{"ramp of a storm", withFaults("{name: a, at: 1s, ramp: 3s, reconnect_storm: {}}"), "s.yaml:6:29: faults[1].ramp does not go with reconnect_storm"},
		{"churn for ever", withFaults("{name: a, at: 1s, churn: {rate: 1/s}}"), "s.yaml:6:5: faults[1]: for is missing"},
		{"churn of nobody", withFaults("{name: a, at: 1s, for: 1s, churn: {away: 1s}}"), "s.yaml:6:32: faults[1].churn: rate is missing"},
		{"a long rise", withFaults("{name: a, at: 1s, for: 1s, ramp: 2s, churn: {rate: 1/s}}"), "s.yaml:6:38: faults[1].ramp: its strength rises for 2s, and it is over after 1s"},
		{"past the end", withFaults("{name: a, at: 58s, disconnect: {}}"), "s.yaml:6:19: faults[1].at: the fault ends at 1m1s, the load at 1m0s"},
		{"again too soon", withFaults("{name: a, at: 1s, every: 2s, disconnect: {}}"), "s.yaml:6:30: faults[1].every: it begins again after 2s, and is at work for 3s"},
		{"away for ever", withFaults("{name: a, at: 1s, disconnect: {away: 2h}}"), "s.yaml:6:42: faults[1].disconnect.away: 2h0m0s is more than the limit, 30m0s"},
		{"leaving for ever", withFaults("{name: a, at: 1s, reconnect_storm: {within: 2h}}"), "s.yaml:6:49: faults[1].reconnect_storm.within: 2h0m0s is more than the limit, 30m0s"},
		{"nobody", withFaults("{name: a, at: 1s, where: {share: 0%}, disconnect: {}}"), "s.yaml:6:38: faults[1].where.share: a fault that hits nobody is none"},
		{"strangers", withFaults("{name: a, at: 1s, where: member, disconnect: {}}"), `s.yaml:6:30: faults[1].where: there are no clients "member", did you mean "members"?`},
		{"the deaf", withFaults("{name: a, at: 1s, where: deaf, disconnect: {}}"), "s.yaml:6:30: faults[1].where: the clients deaf hold no stream that could end"},
		{"no list", withFaults("")[:len(withFaults(""))-5] + " {name: a}\n", "s.yaml:6:2: faults is a mapping where a list belongs"},
		{"window of no fault", withFaults("{name: a, at: 1s, disconnect: {}}") + "budgets: {\"reach{window:b.after}\": value==1}\n", `s.yaml:7:11: budgets: there is no window "b.after", did you mean "a.after"?`},
		{"window behind the load", withFaults("{name: a, at: 57s, disconnect: {}}") + "budgets: {\"reach{window:a.after}\": value==1}\n", `s.yaml:7:11: budgets: there is no window "a.after"`},
		{"window of a wrong fault", withFaults("{name: a, at: 1, disconnect: {}}") + "budgets: {\"reach{window:a.after}\": value==1}\n", `s.yaml:6:19: faults[1].at: "1" is no duration`},
	})
}

// The long form of a budget.
func TestBudgetsThatEndARun(t *testing.T) {
	t.Parallel()
	f := parse(t, whole+"budgets: {reach: [value==1, {threshold: value>0.5, abortOnFail: true}, {threshold: value>0.9, abortOnFail: true, delayAbortEval: 5s}]}\n")
	for i, want := range []struct {
		abort bool
		delay time.Duration
	}{{false, 0}, {true, 0}, {true, 5 * time.Second}} {
		if b := f.Budgets[i]; b.AbortOnFail != want.abort || b.AbortDelay != want.delay {
			t.Errorf("budget %v: got %v after %v, want %v after %v", b, b.AbortOnFail, b.AbortDelay, want.abort, want.delay)
		}
	}
}
