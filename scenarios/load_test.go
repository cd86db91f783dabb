package scenarios

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

const manyClients = `version: 1
clients:
  members: {count: 100, channel: {pattern: "room-${n}", count: 5}}
  users: {count: 20, channel: "user-${client}"}
  backend: {count: 2, stream: none}
load:
`

// Every schedule, and when it is over.
func TestSchedules(t *testing.T) {
	t.Parallel()
	s := time.Second
	tests := []struct {
		name, load string
		end        time.Duration
		want       string
	}{
		{"rate", "{by: members, rate: 5/s, for: 10s, start: 2s}", 12 * s, "[{5 5 10s}] {constant 0s 0 0s}"},
		{"sine", "{by: members, rate: 5/s, for: 10s, arrivals: {sine: {period: 4s}}}", 10 * s, "[{5 5 10s}] {sine 4s 0.5 0s}"},
		{"swing", "{by: members, stages: [{rate: 5/s, for: 10s}], arrivals: {sine: {period: 4s, swing: 100%}}}", 10 * s, "[{0 5 10s}] {sine 4s 1 0s}"},
		{"bursts", "{by: members, rate: 5/s, for: 10s, arrivals: {bursts: {busy: 2s, quiet: 8s}}}", 10 * s, "[{5 5 10s}] {bursts 10s 0 2s}"},
		{"closed", "{by: members, each: {every: 1s..3s, iterations: 4}, for: 10s}", 10 * s, "{uniform(1e+09, 3e+09) 4 10s}"},
		{"closed without a pause", "{by: members, each: {every: 0s}, for: 10s, start: 1s}", 11 * s, "{0 0 10s}"},
		{"one burst", "{by: members, burst: {commands: 7}}", time.Millisecond, "{7 0s [0s]}"},
		{"two bursts", "{by: members, burst: {commands: 7, within: 500ms, at: [2s, 3s]}, start: 1s}", 4500 * time.Millisecond, "{7 500ms [2s 3s]}"},
		{"reaction", "{by: members, when: {event: hail}, for: 9s}", 9 * s, "{hail 1 0 1 9s}"},
		{"rare reaction", "{by: members, when: {event: hail, share: 1%, after: {p50: 80ms, p99: 400ms}, depth: 3}, for: 9s}", 9 * s, "{hail 0.01 lognormal(p50 8e+07, p99 4e+08), at most 3.6e+12 3 9s}"},
		{"replay", "{by: members, replay: {run: runs/x, load: talk, speed: 2}, for: 9s}", 9 * s, "{runs/x talk 2 9s}"},
		{"capacity", "{by: members, capacity: {from: 100/s, to: 400/s, hold: 2s}}", 10 * s, "{100 400 1.5 0 2s}[100 150 225 337.5] {constant 0s 0 0s}"},
		{"capacity by steps", "{by: members, capacity: {from: 100/s, to: 400/s, step: 100/s}, arrivals: poisson}", 50 * s, "{100 400 0 100 10s}[100 200 300 400] {poisson 0s 0 0s}"},
	}
	for _, test := range tests {
		f := parse(t, manyClients+"  talk: "+test.load)
		l := &f.Load[0]
		var got string
		switch {
		case l.Closed != nil:
			got = fmt.Sprint(*l.Closed)
		case l.Burst != nil:
			got = fmt.Sprint(*l.Burst)
		case l.Reaction != nil:
			got = fmt.Sprint(*l.Reaction)
		case l.Replay != nil:
			got = fmt.Sprint(*l.Replay)
		case l.Capacity != nil:
			got = fmt.Sprint(*l.Capacity, l.Capacity.Rates(), l.Arrivals)
		default:
			got = fmt.Sprint(l.Stages, l.Arrivals)
		}
		if got = strings.ReplaceAll(got, "} [", "}["); got != test.want || l.End() != test.end {
			t.Errorf("%s: got %s until %v, want %s until %v", test.name, got, l.End(), test.want, test.end)
		}
	}
}

// A load begins when those before it in its chain are over, in whatever order they stand.
func TestLoadsAfterLoads(t *testing.T) {
	t.Parallel()
	f := parse(t, manyClients+`  third: {by: members, after: second, rate: 1/s, for: 4s}
  second: {by: members, after: first, start: 500ms, each: {every: 1s, iterations: 1}, for: 2s}
  first: {by: members, start: 1s, rate: 1/s, for: 3s}
`)
	for i, want := range []time.Duration{6500 * time.Millisecond, 4500 * time.Millisecond, time.Second} {
		if got := f.Load[i].Start; got != want {
			t.Errorf("%s begins at %v, want %v", f.Load[i].Name, got, want)
		}
	}
	if f.End() != 10500*time.Millisecond {
		t.Errorf("all is over at %v", f.End())
	}
	if err := f.keepOnly([]string{"second", "third"}); err != nil {
		t.Fatal(err)
	}
	if f.Load[0].Start != 2500*time.Millisecond || f.Load[1].Start != 500*time.Millisecond || f.Load[1].After != "" {
		t.Errorf("without the first: %+v", f.Load)
	}
}

func TestErrorsOfSchedules(t *testing.T) {
	t.Parallel()
	one := func(load string) string { return manyClients + "  talk: " + load + "\n" }
	checkHeadlines(t, []headlineTest{
		{"none", one("{by: members}"), "s.yaml:7:3: load.talk: rate is missing\ns.yaml:7:3: load.talk: for is missing"},
		{"two", one("{by: members, burst: {commands: 3}, rate: 5/s, for: 1s}"), "s.yaml:7:23: load.talk.burst stands beside rate, and a load has one schedule"},
		{"three", one("{by: members, capacity: {from: 1/s, to: 2/s}, each: {every: 1s}, burst: {commands: 3}, for: 1s}"), "s.yaml:7:23: load.talk.capacity stands beside each, and a load has one schedule\ns.yaml:7:74: load.talk.burst stands beside each, and a load has one schedule"},
		{"for beside stages", one("{by: members, stages: [{rate: 1/s, for: 1s}], for: 1s}"), "s.yaml:7:60: load.talk.for does not go with stages"},
		{"in_flight beside each", one("{by: members, each: {every: 1s}, for: 1s, in_flight: 2}"), "s.yaml:7:62: load.talk.in_flight does not go with each"},
		{"arrivals beside burst", one("{by: members, burst: {commands: 3}, arrivals: poisson}"), "s.yaml:7:45: load.talk.arrivals does not go with burst"},
		{"flood that bursts", one("{flood: true, channel: c, burst: {commands: 3}}"), "s.yaml:7:35: load.talk.burst does not go with a flood: nobody in particular sends it"},

		{"two arrivals", one("{by: members, rate: 1/s, for: 1s, arrivals: {sine: {period: 1s}, bursts: {busy: 1s, quiet: 1s}}}"), "s.yaml:7:74: load.talk.arrivals.bursts stands beside sine, and arrivals are of one kind"},
		{"no arrivals", one("{by: members, rate: 1/s, for: 1s, arrivals: {}}"), "s.yaml:7:43: load.talk.arrivals: it says nothing"},
		{"sine without period", one("{by: members, rate: 1/s, for: 1s, arrivals: {sine: {swing: 10%}}}"), "s.yaml:7:54: load.talk.arrivals.sine: period is missing"},
		{"sine of nothing", one("{by: members, rate: 1/s, for: 1s, arrivals: {sine: {period: 1s, swing: 0%}}}"), "s.yaml:7:80: load.talk.arrivals.sine.swing: a rate that swings by nothing is constant"},
		{"swing above all", one("{by: members, rate: 1/s, for: 1s, arrivals: {sine: {period: 1s, swing: 101%}}}"), `s.yaml:7:80: load.talk.arrivals.sine.swing: "101%" is no share`},
		{"short period", one("{by: members, rate: 1/s, for: 1s, arrivals: {sine: {period: 1us}}}"), "s.yaml:7:69: load.talk.arrivals.sine.period: 1µs is outside of the limits: it can be from 1ms to 24h0m0s"},
		{"never quiet", one("{by: members, rate: 1/s, for: 1s, arrivals: {bursts: {busy: 1s, quiet: 0s}}}"), "s.yaml:7:80: load.talk.arrivals.bursts.quiet: 0s is outside of the limits: it can be from 1ms to 24h0m0s"},

		{"no pause", one("{by: members, each: {iterations: 3}, for: 1s}"), "s.yaml:7:23: load.talk.each: every is missing"},
		{"backward pause", one("{by: members, each: {every: 3s..1s}, for: 1s}"), `s.yaml:7:37: load.talk.each.every: the range "3s..1s" ends below its beginning`},
		{"endless", one("{by: members, each: {every: 3s, iterations: 4}}"), "s.yaml:7:3: load.talk: for is missing"},
		{"burst of nothing", one("{by: members, burst: {commands: 0}}"), "s.yaml:7:41: load.talk.burst.commands: 0 is outside of the limits: there can be from 1 to 1000000"},
		{"bursts that overlap", one("{by: members, burst: {commands: 4, within: 2s, at: [1s, 2s]}}"), "s.yaml:7:65: load.talk.burst.at[2]: the burst at 2s begins before that at 1s is over"},
		{"reaction to nothing", one("{by: members, when: {share: 1%}, for: 1s}"), "s.yaml:7:23: load.talk.when: event is missing"},
		{"reaction of nobody", one("{by: members, when: {event: a, share: 0%}, for: 1s}"), "s.yaml:7:47: load.talk.when.share: a reaction of none sends nothing"},
		{"deep reaction", one("{by: members, when: {event: a, depth: 11}, for: 1s}"), "s.yaml:7:47: load.talk.when.depth: 11 is outside of the limits: it can be from 1 to 10"},
		{"replay of nothing", one("{by: members, replay: {speed: 1}, for: 1s}"), "s.yaml:7:23: load.talk.replay: run is missing"},
		{"fast replay", one("{by: members, replay: {run: x, speed: 101}, for: 1s}"), "s.yaml:7:47: load.talk.replay.speed: 101 is outside of the limits: it can be from 0.01 to 100"},
		{"speed in words", one("{by: members, replay: {run: x, speed: 2x}, for: 1s}"), `s.yaml:7:47: load.talk.replay.speed: "2x" is no number`},

		{"search downward", one("{by: members, capacity: {from: 9/s, to: 9/s}}"), "s.yaml:7:49: load.talk.capacity.to: 9/s is not above 9/s, where it begins"},
		{"search by both", one("{by: members, capacity: {from: 1/s, to: 9/s, factor: 2, step: 1/s}}"), "s.yaml:7:71: load.talk.capacity.step stands beside factor, and both say how the rate rises"},
		{"search that stands", one("{by: members, capacity: {from: 1/s, to: 9/s, factor: 1}}"), "s.yaml:7:62: load.talk.capacity.factor: 1 is outside of the limits: it can be from 1.01 to 10"},
		{"slow search", one("{by: members, capacity: {from: 1/s, to: 900/s, step: 1/s}}"), "s.yaml:7:23: load.talk.capacity: there are 200 steps or more"},

		{"after nobody", one("{by: members, after: tal, rate: 1/s, for: 1s}"), `s.yaml:7:30: load.talk.after: there is no load "tal", did you mean "talk"?`},
		{"after itself", one("{by: members, after: talk, rate: 1/s, for: 1s}"), "s.yaml:7:30: load.talk.after: none of these loads ever begins, since each waits for the next: talk, talk"},
		{"after each other", one("{by: members, after: b, rate: 1/s, for: 1s}") + "  b: {by: members, after: c, rate: 1/s, for: 1s}\n  c: {by: members, after: talk, rate: 1/s, for: 1s}\n  d: {by: members, after: c, rate: 1/s, for: 1s}\n", "s.yaml:8:27: load.b.after: none of these loads ever begins, since each waits for the next: b, c, talk, b"},
		{"after too long", one("{by: members, after: long, rate: 1/s, for: 2h}") + "  long: {by: members, rate: 1/s, for: 23h}\n", "s.yaml:7:3: load.talk: the load ends after 25h0m0s, the limit is 24h0m0s"},

		{"to and channel", one("{by: members, to: users, channel: c, rate: 1/s, for: 1s}"), "s.yaml:7:23: load.talk.to stands beside channel, and both say where the commands go"},
		{"to nobody", one("{by: members, to: user, rate: 1/s, for: 1s}"), `s.yaml:7:27: load.talk.to: there are no clients "user", did you mean "users"?`},
		{"to the deaf", one("{by: members, to: backend, rate: 1/s, for: 1s}"), "s.yaml:7:27: load.talk.to: the clients backend have no channel to send to"},
		{"to whom", one("{by: members, to: {which: all}, rate: 1/s, for: 1s}"), "s.yaml:7:23: load.talk.to: clients is missing"},
		{"to which", one("{by: members, to: {clients: users, which: every}, rate: 1/s, for: 1s}"), `s.yaml:7:51: load.talk.to.which: unknown word "every"`},
		{"a number of channels in a name", one(`{by: backend, channel: "room-${n}", rate: 1/s, for: 1s}`), "s.yaml:7:32: load.talk.channel: a single name has no number for ${n}"},
		{"a flood has no clients", one(`{flood: true, channel: "user-${client}", rate: 1/s, for: 1s}`), `s.yaml:7:32: load.talk.channel: nothing is known under the name "client"`},
	})
}

func TestErrorsOfChannels(t *testing.T) {
	t.Parallel()
	one := func(clients string) string {
		return "version: 1\nclients:\n  members: {count: 9, channel: lobby}\n  users: " + clients + "\nload: {talk: {by: members, rate: 5/s, for: 10s}}\n"
	}
	checkHeadlines(t, []headlineTest{
		{"popular without law", one(`{count: 1, channel: {pattern: "${n}", count: 2, popularity: {}}}`), "s.yaml:4:58: clients.users.channel.popularity: zipf is missing"},
		{"flat law", one(`{count: 1, channel: {pattern: "${n}", count: 2, popularity: {zipf: 0}}}`), "s.yaml:4:77: clients.users.channel.popularity.zipf: 0 is outside of the limits: it can be from 0.01 to 10"},
		{"same as nobody", one("{count: 1, channel: {same: member}}"), `s.yaml:4:37: clients.users.channel.same: there are no clients "member", did you mean "members"?`},
		{"same as itself", one("{count: 1, channel: {same: users}}"), "s.yaml:4:37: clients.users.channel.same: the clients users have their channels from others themselves"},
		{"same and more", one("{count: 1, channel: {same: members, count: 2}}"), "s.yaml:4:53: clients.users.channel.count stands beside same, which says all about the channels"},
		{"same as the deaf", one("{count: 1, channel: {same: deaf}}") + "  \n" + "ordering: {}\n", `s.yaml:4:37: clients.users.channel.same: there are no clients "deaf"`},
		{"joining nothing", one("{count: 1, stream: none, join_over: 1s}"), "s.yaml:4:46: clients.users.join_over: clients without a stream join nothing"},
		{"joining for ever", one("{count: 1, channel: c, join_over: 11m}"), "s.yaml:4:44: clients.users.join_over: 11m0s is more than the limit, 10m0s"},
	})
}

// Popular channels have more clients, and of every number of clients each channel has its share.
func TestPopularChannels(t *testing.T) {
	t.Parallel()
	f := parse(t, `version: 1
clients:
  members: {count: 1000, channel: {pattern: "room-${n}", count: 4, popularity: {zipf: 1}}}
  slow: {count: 25, channel: {same: members}}
  users: {count: 3, channel: "user-${client}"}
  watchers: {count: 2, channel: {same: users}}
load: {talk: {by: users, channel: "to-${client}", rate: 5/s, for: 10s}}
`)
	members := &f.Clients[0]
	for _, first := range []int{25, 100, 1000} {
		count := members.listeners(first)
		for k := 1; k <= 4; k++ {
			want := float64(first) * 12 / 25 / float64(k) // 1 + 1/2 + 1/3 + 1/4 is 25/12
			if got := count[fmt.Sprintf("room-%d", k)]; math.Abs(got-want) > 1.5 {
				t.Errorf("%v of the first %d clients are in room-%d, want about %v", got, first, k, want)
			}
		}
	}
	for i := range 25 {
		if got, want := f.Clients[1].ChannelOf(i), members.ChannelOf(i); got != want {
			t.Errorf("slow client %d is in %s, its member in %s", i, got, want)
		}
	}
	if got := f.Clients[2].ChannelOf(2) + " " + f.Clients[3].ChannelOf(1) + " " + f.Load[0].ChannelOf(&f.Clients[2], 2); got != "user-3 user-2 to-3" {
		t.Errorf("own channels: %s", got)
	}
}

// What plan says of each load, worked out by hand.
func TestEstimates(t *testing.T) {
	t.Parallel()
	f := parse(t, manyClients+`  talk: {by: members, rate: 10/s, for: 10s, payload: 100B}
  closed: {by: {clients: users, only: 10}, each: {every: 1s..3s}, for: 9s}
  few: {by: users, each: {every: 1s, iterations: 2}, for: 9s}
  notify: {by: backend, to: {clients: users, which: all}, burst: {commands: 5, at: [1s, 2s]}}
  some: {by: backend, to: members, rate: 1/s, for: 10s}
  answer: {by: {clients: members, only: 50}, when: {event: message, share: 10%}, for: 10s, send: answer}
  again: {by: backend, replay: {run: x}, channel: room-1, for: 10s}
  wave: {by: backend, channel: room-1, rate: 10/s, for: 10s, arrivals: {bursts: {busy: 1s, quiet: 4s}}}
  climb: {by: backend, channel: room-1, capacity: {from: 1/s, to: 4/s, factor: 2, hold: 2s}}
`)
	// 20 members in each room. A message of talk is heard by 20, 10 of which are among the 50 who answer, and not to themselves, which half
	// of the senders are: 9.5. One of some is heard by 10 of them.
	// users hear themselves only; notify is 20 commands each time. wave and climb send messages to room-1, too.
	want := []string{
		"talk 100 2000 10000 200000 false 10 200",
		"closed 50 50 10000 10000 true 5.56 5.556",
		"few 40 40 8000 8000 true 4.44 4.444",
		"notify 200 200 40000 40000 false 100 100",
		"some 10 200 2000 40000 false 1 20",
		"answer 227 4540 45400 908000 true 22.7 454",
		"again NaN NaN NaN NaN true 0 0",
		"wave 100 2000 20000 400000 false 50 1000",
		"climb 22 440 4400 88000 true 4 80",
	}
	each, sum := f.Estimates()
	for i, e := range each {
		got := fmt.Sprintf("%s %.4g %.4g %.6g %.6g %v %.3g %.4g", e.Load, e.Commands, e.Deliveries, e.Up, e.Down, e.Rough, e.PeakCommands, e.PeakDeliveries)
		if got != want[i] {
			t.Errorf("got  %s\nwant %s", got, want[i])
		}
	}
	if got := fmt.Sprintf("%.4g %.4g %v", sum.Commands, sum.Deliveries, sum.Rough); got != "749 9470 true" {
		t.Errorf("the sum: %s", got)
	}
}
