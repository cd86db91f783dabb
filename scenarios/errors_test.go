package scenarios

import (
	"errors"
	"strings"
	"testing"
)

const whole = `version: 1
clients: {members: {count: 10, channel: lobby}}
load: {talk: {by: members, rate: 5/s, for: 10s}}
`

type headlineTest struct{ name, text, want string }

func withLoad(l string) string {
	return "version: 1\nclients: {members: {count: 10, channel: lobby}}\nload: {talk: " + l + "}\n"
}

func withClients(c string) string {
	return "version: 1\nclients: {members: " + c + "}\nload: {talk: {by: members, rate: 5/s, for: 10s}}\n"
}

func withServer(s string) string { return whole + "server: " + s + "\n" }

// Every error of the language with its place, as it is printed without excerpt and remedy.
func TestErrors(t *testing.T) {
	t.Parallel()
	checkHeadlines(t, []headlineTest{
		{"empty", "", "s.yaml:1:1: the file is empty"},
		{"only a comment", "# nothing\n", "s.yaml:1:1: the file is empty"},
		{"null", "null", "s.yaml:1:1: the file has no value"},
		{"a list", "- a", "s.yaml:1:1: the file is a list where a mapping belongs"},
		{"no version", strings.TrimPrefix(whole, "version: 1\n"), "s.yaml:1:1: version is missing"},
		{"another version", "version: 2\nfuture: {}\n", `s.yaml:1:10: version "2" of the language is not known`},
		{"no load", "version: 1\n", "s.yaml:1:1: load is missing"},
		{"empty load", "version: 1\nload: {}\n", "s.yaml:2:1: load: there is none, so that nothing would be sent"},
		{"key without value", whole + "drain:\n", "s.yaml:4:1: drain has no value"},
		{"unknown key", whole + "sed: 1\n", `s.yaml:4:1: unknown key "sed", did you mean "seed"?`},
		{"unknown key far from any", whole + "quite_another: 1\n", `s.yaml:4:1: unknown key "quite_another"`},
		{"a comma splits a word", withLoad(`{by: members, rate: lognormal(2ms, 0.5), for: 1s}`), `s.yaml:3:49: the comma inside of the brackets splits "lognormal(2ms, 0.5)" in two: "0.5)" is read as an entry of its own`},
		{"key twice", whole + "seed: 1\nseed: 2\n", `s.yaml:5:1: the key "seed" stands here twice`},
		{"name twice", "version: 1\nclients: {a: {count: 1, channel: c}, a: {count: 1, channel: c}}\nload: {t: {by: a, rate: 1/s, for: 1s}}", `s.yaml:2:38: the key "a" stands here twice`},
		{"complex key", whole + "? a\n: b\n", "s.yaml:4:1: YAML's mappingkey is no part of the language"},
		{"tag", whole + "seed: !!int 3\n", "s.yaml:4:7: YAML's tag is no part of the language"},
		{"two documents", whole + "---\nversion: 1\n", "s.yaml:5:1: a second document begins here"},
		{"directive", "%YAML 1.2\n---\n" + whole, "s.yaml:1:1: directives are no part of the language"},
		{"unknown alias", whole + "seed: *a\n", "s.yaml:4:7: the alias *a has no anchor above it"},
		{"alias of itself", whole + "server: &a {bundled: *a}\n", "s.yaml:4:22: the alias *a has no anchor above it"},
		{"merge of a value", whole + "server: {<<: 3}\n", `s.yaml:4:14: "<<" merges mappings only`},
		{"open bracket", "version: 1\nload: {", "s.yaml:2:7: the { here is not closed"},
		{"open quote", "version: \"1\nload: 1", "s.yaml:1:10: the quote that opens here is never closed"},
		{"wrong indentation", "version: 1\nclients:\n   a: 1\n  b: 2\n", "s.yaml:4:3: this line does not fit those above it"},
		{"control character", "version: 1\nname: \x01", `s.yaml:2:7: the control character "\x01" stands in the file`},
		{"lone carriage return", "version: 1\rname: a", `s.yaml:1:11: the control character "\r" stands in the file`},
		{"tab in quotes", "version: 1\nname: \"a\tb\"c", "s.yaml:2:7: a tab stands in a text in quotes"},
		{"no UTF-8", "version: 1\nname: é\xff", "s.yaml:2:8: the file is not UTF-8 text"},
		{"a line behind wide letters", "version: 1 # ü€😀\n" + strings.TrimPrefix(whole, "version: 1\n") + "\"sed\": 1", `s.yaml:4:1: unknown key "sed", did you mean "seed"?`},
		{"a column behind wide letters", whole + "windows: {\"ü€😀\": 0s..1s, sted: 5}", "s.yaml:4:11: windows: \"ü€😀\" is no name\ns.yaml:4:32: windows.sted: \"5\" is no interval"},

		{"name", whole + "name: a b\n", `s.yaml:4:7: name: "a b" is no name`},
		{"seed", whole + "seed: -1\n", `s.yaml:4:7: seed: "-1" is no whole number`},
		{"drain without unit", whole + "drain: 10\n", `s.yaml:4:8: drain: "10" is no duration`},
		{"drain too long", whole + "drain: 11m\n", "s.yaml:4:8: drain: 11m0s is more than the limit, 10m0s"},

		{"header name", withServer(`{headers: {"A B": c}}`), `s.yaml:4:20: server.headers: "A B" is no name of a header`},
		{"header of our own", withServer(`{headers: {content-length: "3"}}`), "s.yaml:4:20: server.headers: content-length is set by holobench itself"},
		{"header twice", withServer(`{headers: {A: b, a: c}}`), "s.yaml:4:26: server.headers: the header a stands here twice"},
		{"header with a line break", withServer(`{headers: {A: "b\r\nc"}}`), "s.yaml:4:23: server.headers.A: the value has a line break or another control character"},
		{"header on two lines", withServer("\n  headers:\n    A: |\n      b"), "s.yaml:6:8: server.headers.A: the value stands on several lines"},
		{"header without value", withServer("{headers: {A: , B: c}}"), "s.yaml:4:20: server.headers.A has no value"},
		{"variable that is not set", withServer(`{headers: {A: "x ${env.NOPE}"}}`), "s.yaml:4:23: server.headers.A: the environment variable NOPE is not set"},
		{"variable that is empty", withServer(`{headers: {A: "${env.EMPTY}"}}`), "s.yaml:4:23: server.headers.A: the environment variable EMPTY is empty"},
		{"variable of another kind", withServer(`{headers: {A: "${TOKEN}"}}`), `s.yaml:4:23: server.headers.A: nothing is filled in for "${TOKEN}"`},
		{"variable elsewhere", withClients(`{count: 1, channel: "${TOKEN}"}`), `s.yaml:2:40: clients.members.channel: nothing is known under the name "TOKEN"`},
	})
}

// The errors of server.bundled.
func TestErrorsOfTheBundledTarget(t *testing.T) {
	t.Parallel()
	with := func(bundled string) string { return withServer("{bundled: {" + bundled + "}}") }
	checkHeadlines(t, []headlineTest{
		{"design", with("design: hologramm"), `s.yaml:4:28: server.bundled.design: unknown word "hologramm", did you mean "hologram"?`},
		{"wire", with("wire: jsn"), `s.yaml:4:26: server.bundled.wire: unknown word "jsn", did you mean "json"?`},
		{"wire without replay", with("design: single-channel, wire: hologram"), "s.yaml:4:50: server.bundled.wire: the wire hologram sends nothing again to a client that comes back: a replay of 1024 events would be kept for nobody"},
		{"wire with replay", with("wire: hologram, replay: 5"), "s.yaml:4:26: server.bundled.wire: the wire hologram sends nothing again to a client that comes back: a replay of 5 events would be kept for nobody"},
		{"replay without a wire for it", with("design: channels, replay: 5"), "s.yaml:4:46: server.bundled.replay: the wire channels sends nothing again to a client that comes back: a replay of 5 events would be kept for nobody"},
		{"transport", with("transport: tsl"), `s.yaml:4:31: server.bundled.transport: unknown word "tsl", did you mean "tls"?`},
		{"transport of other wires", with("transport: h2c, wire: channels"), "s.yaml:4:31: server.bundled.transport: the simulated clients do not speak the wire channels over HTTP/2, and h2c is that"},
		{"transport of other designs", with("transport: tls-h2, design: long-poll"), "s.yaml:4:31: server.bundled.transport: the simulated clients do not speak the wire long-poll over HTTP/2, and tls-h2 is that"},
		{"transport of two connections", with("transport: h2c, nodes: 2, spread: random"), "s.yaml:4:31: server.bundled.transport: spread: random sends commands to other nodes than the stream, and over HTTP/2 both are on one connection"},
		{"no nodes", with("nodes: 0"), "s.yaml:4:27: server.bundled.nodes: 0 is outside of the limits: the nodes of the bundled target can be from 1 to 16"},
		{"too many nodes", with("nodes: 17"), "s.yaml:4:27: server.bundled.nodes: 17 is outside of the limits: the nodes of the bundled target can be from 1 to 16"},
		{"unknown key", with("when-full: cut"), `s.yaml:4:20: unknown key "when-full" in server.bundled, did you mean "when_full"?`},

		{"bus", with("nodes: 2, bus: nat"), `s.yaml:4:35: server.bundled.bus: unknown word "nat", did you mean "nats"?`},
		{"bus of tests", with("nodes: 2, bus: {kind: memory}"), `s.yaml:4:42: server.bundled.bus.kind: unknown word "memory"`},
		{"bus in vain", with("bus: {kind: memory}"), `s.yaml:4:32: server.bundled.bus.kind: unknown word "memory"`},
		{"bus as a list", with("nodes: 2, bus: [nats]"), "s.yaml:4:35: server.bundled.bus is a list where a single value belongs"},
		{"bus without a number", with("design: sequenced, nodes: 2, bus: nats"), "s.yaml:4:54: server.bundled.bus: the design sequenced needs a bus with an order: numbers that each node gives by itself name different events"},
		{"bus without a version", with("design: state-sync, nodes: 2, bus: {kind: nats}"), "s.yaml:4:62: server.bundled.bus.kind: the design state-sync needs a bus with an order: numbers that each node gives by itself name different events"},
		{"url", with(`nodes: 2, bus: {url: "127.0.0.1:4222"}`), "s.yaml:4:41: server.bundled.bus.url: this is no URL of a NATS server"},
		{"url of the web", with(`nodes: 2, bus: {url: "http://a"}`), "s.yaml:4:41: server.bundled.bus.url: this is no URL of a NATS server"},
		{"url with a path", with(`nodes: 2, bus: {url: "nats://a/b"}`), "s.yaml:4:41: server.bundled.bus.url: this is no URL of a NATS server"},
		{"url with a password", with(`nodes: 2, bus: {url: "nats://u:s3cr3t@a"}`), "s.yaml:4:41: server.bundled.bus.url: there is a user or a password in the URL"},
		{"url of a variable", with(`nodes: 2, bus: {url: "nats://${env.BUS}"}`), "s.yaml:4:41: server.bundled.bus.url: this is no URL of a NATS server"},
		{"long delay", with("nodes: 2, bus: {delay: 2001ms}"), "s.yaml:4:43: server.bundled.bus.delay: 2.001s is more than the limit, 2s"},
		{"spread", with("nodes: 2, spread: stiky"), `s.yaml:4:38: server.bundled.spread: unknown word "stiky", did you mean "sticky"?`},

		{"dispatch", with("dispatch: serialised"), `s.yaml:4:30: server.bundled.dispatch: unknown word "serialised", did you mean "serialized"?`},
		{"stamp", with("stamp: seq"), `s.yaml:4:27: server.bundled.stamp: unknown word "seq"`},
		{"echo", with("echo: off"), `s.yaml:4:26: server.bundled.echo: unknown word "off"`},
		{"registry", with("registry: local"), `s.yaml:4:30: server.bundled.registry: unknown word "local"`},
		{"when full", with("when_full: drop"), `s.yaml:4:31: server.bundled.when_full: unknown word "drop"`},
		{"fan-out order", with("fanout_order: shuffle"), `s.yaml:4:34: server.bundled.fanout_order: unknown word "shuffle", did you mean "shuffled"?`},
		{"no outbox", with("outbox: 0"), "s.yaml:4:28: server.bundled.outbox: 0 is outside of the limits: an outbox can hold from 1 to 1048576"},
		{"outbox in bytes", with("outbox: 64KiB"), `s.yaml:4:28: server.bundled.outbox: "64KiB" is no whole number`},
		{"long replay", with("replay: 1048577"), "s.yaml:4:28: server.bundled.replay: 1048577 events are more than the limit, 1048576"},
		{"no replay", with("design: state-sync, replay: 0"), "s.yaml:4:48: server.bundled.replay: the design state-sync resumes by the versions that it keeps, and would keep none"},
		{"server-triggered without unit", with("server_triggered: 5"), `s.yaml:4:38: server.bundled.server_triggered: "5" is no rate`},
		{"server-triggered too often", with("server_triggered: 11/ms"), "s.yaml:4:38: server.bundled.server_triggered: 11000/s is more than the limit, 10000/s"},
		{"no heartbeat", with("heartbeat: 0s"), "s.yaml:4:31: server.bundled.heartbeat: no time at all makes no heartbeat"},
		{"rare heartbeat", with("heartbeat: 61m"), "s.yaml:4:31: server.bundled.heartbeat: 1h1m0s is more than the limit, 1h0m0s"},
	})
}

// The errors of clients, load, windows and budgets.
func TestErrorsOfSections(t *testing.T) {
	t.Parallel()
	checkHeadlines(t, []headlineTest{
		{"no count", withClients("{channel: lobby}"), "s.yaml:2:11: clients.members: count is missing"},
		{"no channel", withClients("{count: 1}"), "s.yaml:2:11: clients.members: channel is missing"},
		{"count of 0", withClients("{count: 0, channel: a}"), "s.yaml:2:28: clients.members.count: 0 is outside of the limits: there can be from 1 to 100000"},
		{"count too high", withClients("{count: 100001, channel: a}"), "s.yaml:2:28: clients.members.count: 100001 is outside of the limits: there can be from 1 to 100000"},
		{"count in words", withClients("{count: 2e3, channel: a}"), `s.yaml:2:28: clients.members.count: "2e3" is no whole number`},
		{"stream", withClients("{count: 1, channel: a, stream: ws}"), `s.yaml:2:51: clients.members.stream: unknown word "ws"`},
		{"pattern without n", withClients("{count: 1, channel: {pattern: room, count: 2}}"), "s.yaml:2:50: clients.members.channel.pattern: the pattern has no ${n}, so that all channels would be one"},
		{"pattern without count", withClients(`{count: 1, channel: {pattern: "room-${n}"}}`), "s.yaml:2:31: clients.members.channel: count is missing"},
		{"n in a name", withClients(`{count: 1, channel: "room-${n}"}`), "s.yaml:2:40: clients.members.channel: a single name has no number for ${n}"},
		{"n without quotes", withClients(`{count: 1, channel: {pattern: room-${n}, count: 2}}`), "s.yaml:2:56: a { stands in the middle of a text that is not in quotes"},
		{"channel too long", withClients("{count: 1, channel: " + strings.Repeat("a", 201) + "}"), "s.yaml:2:40: clients.members.channel: the name has 201 bytes, the limit is 200"},
		{"same alone", withClients("{count: 1, channel: same}"), `s.yaml:2:40: clients.members.channel: "same" alone does not say whose channels these are`},
		{"channel as a list", withClients("{count: 1, channel: [a, b]}"), "s.yaml:2:40: clients.members.channel is a list where a single value belongs"},
		{"group as a number", "version: 1\nclients: {members: 5}\nload: {talk: {by: members, rate: 5/s, for: 10s}}\n", "s.yaml:2:20: clients.members is a single value where a mapping belongs"},
		{"boolean word", "version: 1\nclients: {yes: {count: 1, channel: a}}\nload: {talk: {by: yes, rate: 5/s, for: 10s}}\n", `s.yaml:2:11: clients: the name "yes" means something else in YAML`},

		{"by nobody", withLoad("{by: membres, rate: 5/s, for: 1s}"), `s.yaml:3:19: load.talk.by: there are no clients "membres", did you mean "members"?`},
		{"by too many", withLoad("{by: {clients: members, only: 11}, rate: 5/s, for: 1s}"), "s.yaml:3:44: load.talk.by.only: 11 of 10 clients cannot send"},
		{"by none", withLoad("{by: {clients: members, only: 0}, rate: 5/s, for: 1s}"), "s.yaml:3:44: load.talk.by.only: 0 of 10 clients cannot send"},
		{"no by", withLoad("{rate: 5/s, for: 1s}"), "s.yaml:3:8: load.talk: by is missing"},
		{"no clients in by", withLoad("{by: {only: 3}, rate: 5/s, for: 1s}"), "s.yaml:3:15: load.talk.by: clients is missing"},
		{"nowhere to send", "version: 1\nclients: {b: {count: 1, stream: none}}\nload: {talk: {by: b, rate: 5/s, for: 1s}}\n", "s.yaml:3:19: load.talk.by: the clients b have no channel to send to"},
		{"no rate", withLoad("{by: members, for: 1s}"), "s.yaml:3:8: load.talk: rate is missing"},
		{"rate without unit", withLoad("{by: members, rate: 200, for: 1s}"), `s.yaml:3:34: load.talk.rate: "200" is no rate`},
		{"rate of 0", withLoad("{by: members, rate: 0/s, for: 1s}"), "s.yaml:3:34: load.talk.rate: a rate of 0 sends nothing"},
		{"rate too high", withLoad("{by: members, rate: 2000/ms, for: 1s}"), "s.yaml:3:34: load.talk.rate: 2e+06/s is more than the limit, 1e+06/s"},
		{"no time", withLoad("{by: members, rate: 5/s, for: 0s}"), "s.yaml:3:44: load.talk.for: no time at all sends nothing"},
		{"too long", withLoad("{by: members, rate: 5/s, for: 24h, start: 1s}"), "s.yaml:3:8: load.talk: the load ends after 24h0m1s, the limit is 24h0m0s"},
		{"too many commands", withLoad("{by: members, rate: 900/ms, for: 1h}"), "s.yaml:3:1: load: 3240000000 commands are asked for, the limit is 100000000"},
		{"rate beside stages", withLoad("{by: members, rate: 5/s, stages: [{rate: 5/s, for: 1s}]}"), "s.yaml:3:39: load.talk.stages stands beside rate, and a load has one schedule"},
		{"from without stages", withLoad("{by: members, from: 1/s, rate: 5/s, for: 1s}"), "s.yaml:3:34: load.talk.from does not go with rate"},
		{"stage without for", withLoad("{by: members, stages: [{rate: 5/s}]}"), "s.yaml:3:37: load.talk.stages[1]: for is missing"},
		{"stages of nothing", withLoad("{by: members, stages: [{rate: 0/s, for: 1s}]}"), "s.yaml:3:28: load.talk.stages: the rate never rises above 0"},
		{"in_flight", withLoad("{by: members, rate: 5/s, for: 1s, in_flight: 65}"), "s.yaml:3:59: load.talk.in_flight: 65 is outside of the limits: in_flight can be from 1 to 64"},
		{"arrivals", withLoad("{by: members, rate: 5/s, for: 1s, arrivals: poison}"), `s.yaml:3:58: load.talk.arrivals: unknown word "poison", did you mean "poisson"?`},
		{"payload too small", withLoad("{by: members, rate: 5/s, for: 1s, payload: 63B}"), "s.yaml:3:57: load.talk.payload: 63 bytes do not hold the marker and the text"},
		{"payload too small for text", withLoad("{by: members, rate: 5/s, for: 1s, payload: {size: 64B, text: 1234567}}"), "s.yaml:3:64: load.talk.payload.size: 64 bytes do not hold the marker and the text"},
		{"payload too big", withLoad("{by: members, rate: 5/s, for: 1s, payload: 1MiB}"), "s.yaml:3:57: load.talk.payload: 1048576B is more than the limit, 32768B"},
		{"payload without unit", withLoad("{by: members, rate: 5/s, for: 1s, payload: 200}"), `s.yaml:3:57: load.talk.payload: "200" is no size`},
		{"workers of nobody", withLoad("{by: members, rate: 5/s, for: 1s, workers: 3}"), "s.yaml:3:57: load.talk.workers: only a flood has workers"},
		{"flood by somebody", withLoad("{by: members, flood: true, channel: c, rate: 5/s, for: 1s}"), "s.yaml:3:15: load.talk.by does not go with a flood: nobody in particular sends it"},
		{"flood to nowhere", withLoad("{flood: true, rate: 5/s, for: 1s}"), "s.yaml:3:8: load.talk: channel is missing"},
		{"flood perhaps", withLoad("{flood: yes, rate: 5/s, for: 1s, by: members}"), `s.yaml:3:22: load.talk.flood: "yes" is neither true nor false`},

		{"window backwards", whole + "windows: {a: 5s..1s}\n", `s.yaml:4:14: windows.a: the interval "5s..1s" ends before it has begun`},
		{"window of nothing", whole + "windows: {a: 5s..5s}\n", `s.yaml:4:14: windows.a: the interval "5s..5s" is empty`},
		{"window past the end", whole + "windows: {a: 5s..11s}\n", "s.yaml:4:14: windows.a: the window ends at 11s, the load at 10s"},
		{"window without dots", whole + "windows: {a: 5s}\n", `s.yaml:4:14: windows.a: "5s" is no interval`},

		{"metric", whole + "budgets:\n  fanout_latancy: max<1s\n", `s.yaml:5:3: budgets: unknown metric "fanout_latancy", did you mean "fanout_latency"?`},
		{"window of a budget", whole + "windows: {steady: 0s..5s}\nbudgets:\n  reach{window:stedy}: value==1\n", `s.yaml:6:3: budgets: there is no window "stedy", did you mean "steady"?`},
		{"load of a budget", whole + "budgets:\n  http_reqs{load:talk}: count>1\n", `s.yaml:5:3: budgets: there is no flood "talk"`},
		{"path of a budget", whole + "budgets:\n  own_latency{path:see}: max<1s\n", `s.yaml:5:3: budgets: unknown path "see", did you mean "sse"?`},
		{"another path of a budget", whole + "budgets:\n  own_latency{path:socket}: max<1s\n", `s.yaml:5:3: budgets: unknown path "socket"`},
		{"class of a budget", whole + "budgets:\n  ties{class:observer_observer}: count==0\n", `s.yaml:5:3: budgets: unknown class "observer_observer", did you mean "observer-observer"?`},
		{"aggregation", whole + "budgets: {reach: p(99)==1}\n", `s.yaml:4:18: budgets.reach: reach has no aggregation "p(99)"`},
		{"long form without threshold", whole + "budgets: {reach: [{}]}\n", "s.yaml:4:19: budgets.reach[1]: threshold is missing"},
		{"long form with a slip", whole + "budgets: {reach: [{threshold: value==1, abortOnFial: true}]}\n", `s.yaml:4:41: unknown key "abortOnFial" in budgets.reach[1], did you mean "abortOnFail"?`},
		{"delay of nothing", whole + "budgets: {reach: [{threshold: value==1, delayAbortEval: 5s}]}\n", "s.yaml:4:57: budgets.reach[1].delayAbortEval does nothing without abortOnFail: true"},
		{"long delay", whole + "budgets: {reach: [{threshold: value==1, abortOnFail: true, delayAbortEval: 25h}]}\n", "s.yaml:4:76: budgets.reach[1].delayAbortEval: 25h0m0s is more than the limit, 24h0m0s"},

		{"several at once", "version: 1\nclients: {members: {cuont: 10, channel: lobby}}\nload: {talk: {by: nobody, rate: 5, for: 10s}}\nwindows: {a: 0s..1s}\nbudgets:\n  reach{window:b}: value==1\n", `s.yaml:2:21: unknown key "cuont" in clients.members, did you mean "count"?
s.yaml:3:19: load.talk.by: there are no clients "nobody"
s.yaml:3:33: load.talk.rate: "5" is no rate
s.yaml:6:3: budgets: there is no window "b", did you mean "a"?`},
	})
}

// The errors of ordering and guarantees.
func TestErrorsOfOrder(t *testing.T) {
	t.Parallel()
	with := func(guarantees string) string { return whole + "guarantees: " + guarantees + "\n" }
	checkHeadlines(t, []headlineTest{
		{"no window", whole + "ordering: {window: 0s}\n", "s.yaml:4:20: ordering.window: no time at all makes no pairs"},
		{"a long window", whole + "ordering: {window: 61s}\n", "s.yaml:4:20: ordering.window: 1m1s is more than the limit, 1m0s"},
		{"window without unit", whole + "ordering: {window: 1}\n", `s.yaml:4:20: ordering.window: "1" is no duration`},
		{"window alone", whole + "ordering: 1s\n", "s.yaml:4:11: ordering is a single value where a mapping belongs"},
		{"unknown key of ordering", whole + "ordering: {windw: 1s}\n", `s.yaml:4:12: unknown key "windw" in ordering, did you mean "window"?`},

		{"unknown guarantee", with("{fifi: held}"), `s.yaml:4:14: unknown key "fifi" in guarantees, did you mean "fifo"?`},
		{"guarantee of the future", with("{causal: held}"), `s.yaml:4:14: unknown key "causal" in guarantees`},
		{"guarantees as a word", with("held"), "s.yaml:4:13: guarantees is a single value where a mapping belongs"},
		{"guarantees as a list", with("[fifo]"), "s.yaml:4:13: guarantees is a list where a mapping belongs"},
		{"guarantee as a list", with("{fifo: [held]}"), "s.yaml:4:20: guarantees.fifo is a list where a single value belongs"},
		{"guarantee without value", with("{fifo: , total: held}"), "s.yaml:4:14: guarantees.fifo has no value"},
		{"guarantee twice", with("{fifo: held, fifo: held}"), `s.yaml:4:26: the key "fifo" stands here twice`},
		{"another word", with("{fifo: hold}"), `s.yaml:4:20: guarantees.fifo: unknown word "hold", did you mean "held"?`},
		{"a boolean", with("{total: true}"), `s.yaml:4:21: guarantees.total: unknown word "true"`},
		{"among of fifo", with("{fifo: {among: observers}}"), `s.yaml:4:21: unknown key "among" in guarantees.fifo`},
		{"among whom", with("{total: {among: observer}}"), `s.yaml:4:29: guarantees.total.among: unknown word "observer", did you mean "observers"?`},
		{"unknown key of a guarantee", with("{total: {at_risk: 3}}"), `s.yaml:4:22: unknown key "at_risk" in guarantees.total`},
		{"no pairs", with("{fifo: {at_risk_at_least: 0}}"), "s.yaml:4:39: guarantees.fifo.at_risk_at_least: a guarantee that no pair could have broken proves nothing"},
		{"too many pairs", with("{total: {at_risk_at_least: 1000000001}}"), "s.yaml:4:40: guarantees.total.at_risk_at_least: 1000000001 is outside of the limits: it can be from 1 to 1000000000"},
		{"pairs in words", with("{total: {at_risk_at_least: 1k}}"), `s.yaml:4:40: guarantees.total.at_risk_at_least: "1k" is no whole number`},
		{"two of them", with("{total: hold, fifo: {at_risk_at_least: 0}}"), `s.yaml:4:21: guarantees.total: unknown word "hold", did you mean "held"?
s.yaml:4:52: guarantees.fifo.at_risk_at_least: a guarantee that no pair could have broken proves nothing`},
	})
}

func checkHeadlines(t *testing.T, tests []headlineTest) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("s.yaml", []byte(test.text), func(name string) (string, bool) { return "", name == "EMPTY" })
			if got := headlines(t, err); got != test.want {
				t.Errorf("%s\ngot  %s\nwant %s", test.text, got, test.want)
			}
		})
	}
}

func errorsOf(t *testing.T, err error) Errors {
	t.Helper()
	all, ok := errors.AsType[Errors](err)
	if !ok {
		t.Fatalf("the error is no Errors but %#v", err)
	}
	return all
}

// headlines are the first lines of all errors of a file.
func headlines(t *testing.T, err error) string {
	t.Helper()
	var lines []string
	for _, e := range errorsOf(t, err) {
		line, _, _ := strings.Cut(e.Error(), "\n")
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// Errors as a user sees them.
func TestErrorPrintsExcerptAndRemedy(t *testing.T) {
	t.Parallel()
	long := "# " + strings.Repeat("x", 70) + "\nseed: 1\nname: " + strings.Repeat("y", 60)
	tests := []struct{ name, text, want string }{
		{
			"remedy", "version: 1\nclients: {members: {cuont: 10, channel: lobby}}\nload: {talk: {by: members, rate: 5/s, for: 10s}}\n",
			`s.yaml:2:21: unknown key "cuont" in clients.members, did you mean "count"?
  2 | clients: {members: {cuont: 10, channel: lobby}}
    |                     ^
  remedy: the keys here are count, channel, stream, join_over, read_rate, network, engine, http, connections, resequence, optimistic`,
		},
		{
			"quotes", "version: 1\nclients: {m: {count: 1, channel: {pattern: room-${n}, count: 2}}}\n",
			`s.yaml:2:50: a { stands in the middle of a text that is not in quotes
  2 | clients: {m: {count: 1, channel: {pattern: room-${n}, count: 2}}}
    |                                                  ^
  remedy: put the whole text in quotes, as in "room-${...}": inside of {} and [] YAML takes brackets for its own`,
		},
		{
			"word", "version: 1\nguarantees: {fifo: true}\nload: {talk: {flood: true, channel: c, rate: 5/s, for: 10s}}\n",
			`s.yaml:2:20: guarantees.fifo: unknown word "true"
  2 | guarantees: {fifo: true}
    |                    ^
  remedy: write held, or {at_risk_at_least: 1000}; leave the guarantee out when it need not hold`,
		},
		{
			"no among", "version: 1\nguarantees: {fifo: {among: observers}}\nload: {talk: {flood: true, channel: c, rate: 5/s, for: 10s}}\n",
			`s.yaml:2:21: unknown key "among" in guarantees.fifo
  2 | guarantees: {fifo: {among: observers}}
    |                     ^
  remedy: the keys here are at_risk_at_least`,
		},
		{
			"no order", whole + "server: {bundled: {design: sequenced, nodes: 2, bus: nats}}",
			`s.yaml:4:54: server.bundled.bus: the design sequenced needs a bus with an order: numbers that each node gives by itself name different events
  4 | server: {bundled: {design: sequenced, nodes: 2, bus: nats}}
    |                                                      ^
  remedy: write jetstream, or leave it out: then holobench takes it`,
		},
		{
			"password", whole + `server: {bundled: {nodes: 2, bus: {url: "nats://u:s3cr3t@a"}}}`,
			`s.yaml:4:41: server.bundled.bus.url: there is a user or a password in the URL
  4 | server: {bundled: {nodes: 2, bus: {url: *******************}}}
    |                                         ^
  remedy: name a server that needs none, for example nats://127.0.0.1:4222`,
		},
		{
			"long line", "version: 1\nload: {" + strings.Repeat(" ", 100) + "talk: {by: nobody, rate: 1/s, for: 1s}} " + long,
			`s.yaml:2:119: load.talk.by: there are no clients "nobody"
  2 | ...` + strings.Repeat(" ", 63) + `talk: {by: nobody, rate: 1/s, for: 1s` + `
    | ` + strings.Repeat(" ", 77) + `^
  remedy: the file has no clients`,
		},
	}
	for _, test := range tests {
		_, err := Parse("s.yaml", []byte(test.text), nil)
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: got\n%v\nwant\n%s", test.name, err, test.want)
		}
	}
}

func TestErrorsCanBeFound(t *testing.T) {
	t.Parallel()
	_, err := Parse("s.yaml", []byte(whole+"sed: 1\n"), nil)
	one, ok := errors.AsType[Error](err)
	if !ok || one.File != "s.yaml" || one.Line != 4 || one.Column != 1 || !strings.Contains(one.Remedy, "seed") {
		t.Errorf("got %#v", one)
	}
}

func TestErrorsAreBounded(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 4_000 {
		b.WriteString("k" + strings.Repeat("x", i%5) + string(rune('a'+i%26)) + ": 1\n")
	}
	_, err := Parse("s.yaml", []byte(b.String()), nil)
	if all, _ := errors.AsType[Errors](err); len(all) != maxErrors {
		t.Errorf("got %d errors", len(all))
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	words := []string{"channel", "count", "stream"}
	for written, want := range map[string]string{
		"cuont": "count", "Count": "count", "chanel": "channel", "strem": "stream", "steram": "stream", "counts": "count", "x": "", "": "",
		"something": "", strings.Repeat("count", 1000): "",
	} {
		got := suggest(written, words)
		if want != "" {
			want = `, did you mean "` + want + `"?`
		}
		if got != want {
			t.Errorf("for %.20q: %q, want %q", written, got, want)
		}
	}
}
