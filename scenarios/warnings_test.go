package scenarios

import (
	"strings"
	"testing"
)

func TestWarnings(t *testing.T) {
	t.Parallel()
	const roomy = `version: 1
clients:
  members: {count: 100, channel: {pattern: "room-${n}", count: 10}}
  backend: {count: 5, stream: none}
load:
  talk: {by: {clients: members, only: 40}, rate: 5/s, for: 10s}
  more: {by: {clients: members, only: 30}, rate: 5/s, for: 10s}
  news: {by: backend, rate: 5/s, for: 10s, channel: room-1}
  press: {flood: true, rate: 5/s, for: 10s, channel: room-10, workers: 7}
`
	// 100 streams, 40 of them send (the 30 are among the 40), 5 post only, 7 workers, 64 to spare.
	const need = 100 + 40 + 5 + 7 + 64
	tests := []struct {
		name, text string
		files      int
		want       string
	}{
		{"enough files", roomy, need, ""},
		{"unknown limit", roomy, 0, ""},
		{"one too few", roomy, need - 1, "the run needs 216 open files in the generator and as many in the target, the limit of a process is 215: raise it with ulimit -n 216"},
		{"empty channels", strings.ReplaceAll(roomy, "count: 10}}", "count: 130}}"), 0, "clients.members: 100 clients leave 30 of their 130 channels without a subscriber"},
		{"nobody listens to a load", strings.Replace(roomy, "channel: room-1}", "channel: lobby}", 1), 0, `load.news: nobody listens on the channel "lobby", so that its commands reach nobody`},
		{"nobody listens to a flood", strings.Replace(roomy, "channel: room-10", "channel: room-11", 1), 0, ""},
		{"nobody listens where they post", strings.Replace(roomy, "stream: none}", "channel: hall, stream: none}", 1) + "  hail: {by: backend, rate: 1/s, for: 1s}\n", 0, `load.hail: nobody listens on the channel "hall", so that its commands reach nobody`},
		{"an order that nobody promises", roomy + "guarantees: {total: {among: observers}}", 0, "guarantees.total: the design hologram does not promise one order for all clients: expect to see it violated; the design single-channel promises one"},
		{"an order that is promised", roomy + "server: {bundled: {design: single-channel}}\nguarantees: {total: held, fifo: held}", 0, ""},
		{"FIFO is promised", roomy + "guarantees: {fifo: held}", 0, ""},
		{"a channel of another group", roomy + "  late: {by: backend, to: members, rate: 5/s, for: 10s}\n", 0, ""},
		{"a reaction to nothing", roomy + "  answer: {by: members, when: {event: hail}, for: 10s}\n", 0, `load.answer: no load sends "hail", so that there is nothing to react to`},
		{"a search that nothing ends", roomy + "  find: {by: backend, channel: room-1, capacity: {from: 1/s, to: 9/s}}\n", 0, "load.find: there is no budget that could fail, so that every rate is good: add what must hold"},
		{"own channels", strings.Replace(roomy, "backend: {count: 5, stream: none}", `backend: {count: 5, channel: "own-${client}"}`, 1), 0, ""},
		{"secret in the file", roomy + `server: {headers: {A: s3cr3t, B: "${env.TOKEN}"}}`, 0, "server.headers.A stands in the file in clear: write ${env.NAME} to keep a secret out of it"},
	}
	for _, test := range tests {
		f := parse(t, test.text)
		if got := strings.Join(f.Warnings(Machine{Files: test.files}), "\n"); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
		}
	}
}

// What the knobs of the bundled target make of the rest of a scenario.
func TestWarningsOfTheBundledTarget(t *testing.T) {
	t.Parallel()
	const expect = ": expect to see it violated; "
	tests := []struct {
		name, bundled, rest string
		cores               int
		want                string
	}{
		{"nothing turned", "nodes: 1", "guarantees: {fifo: held}", 1, ""},
		{"as many nodes as cores", "nodes: 2", "", 2, ""},
		{"more nodes than cores", "nodes: 3", "", 2, "server.bundled.nodes: 3 nodes share the 2 cores of this machine with the clients: figures of time say more about the machine than about the design; order and counts are not touched"},
		{"unknown cores", "nodes: 16", "", 0, ""},

		{"one order, taken back", "design: sequenced, dispatch: concurrent, replay: 0", "guarantees: {total: held}", 0, "guarantees.total: dispatch: concurrent takes the one order back that the design sequenced promises" + expect + "leave it out\n" +
			"server.bundled.replay: 0 takes back what the design sequenced promises: a client that reconnects misses what was sent meanwhile"},
		{"one order, cured", "dispatch: serialized, echo: stream", "guarantees: {total: held}", 0, ""},
		{"one order, not for senders", "dispatch: serialized", "guarantees: {total: held}", 0, "guarantees.total: with echo: reply a sender may hear of its own event before others that everybody else sees first" + expect + "write echo: stream, or among: observers"},
		{"one order, for onlookers", "dispatch: serialized", "guarantees: {total: {among: observers}}", 0, ""},
		{"one order on each node", "design: single-channel, nodes: 2", "guarantees: {total: held}", 0, "guarantees.total: over the bus nats each node has an order of its own" + expect + "the bus jetstream has one"},
		{"one order over a bus", "design: single-channel, nodes: 2, bus: jetstream", "guarantees: {total: held}", 0, ""},
		{"each channel on one node", "design: single-channel, nodes: 2, spread: sticky", "guarantees: {total: held}", 0, ""},
		{"one order, coalesced", "design: single-channel, when_full: coalesce", "guarantees: {total: held}", 0, "guarantees.total: with when_full: coalesce a newer value overtakes what waits behind an older one" + expect + "write when_full: cut"},
		{"one order of cursors", "design: ephemeral", "guarantees: {total: held}", 0, "guarantees.total: the design ephemeral does not promise one order for all clients" + expect + "the design single-channel promises one"},

		{"FIFO of cursors", "design: ephemeral", "guarantees: {fifo: held}", 0, "guarantees.fifo: with when_full: coalesce a newer value overtakes what waits behind an older one: expect to see it violated where senders share a channel; write when_full: cut"},
		{"FIFO from node to node", "nodes: 3", "guarantees: {fifo: held}", 0, ""},
		{"FIFO over any node", "design: single-channel, nodes: 3, spread: random", "guarantees: {fifo: held}", 0, "guarantees.fifo: with spread: random the commands of one sender go to different nodes, which the bus nats does not order" + expect + "write spread: sticky, or take the bus jetstream"},
		{"FIFO over any node, in one order", "design: sequenced, nodes: 3, spread: random", "guarantees: {fifo: held}", 0, ""},

		{"the wrong node", "nodes: 3, spread: random", "", 0, "server.bundled.spread: random with echo: reply and registry: node-local: a command that reaches another node than its sender's stream has no self-echo, about 2 of 3; registry: shared loses none"},
		{"the wrong node, cured", "nodes: 3, spread: random, registry: shared", "", 0, ""},
		{"any node, and everybody hears by the stream", "nodes: 3, spread: random, echo: stream", "", 0, ""},
		{"nobody else to ask", "registry: shared", "", 0, "server.bundled.registry: shared changes nothing here: it takes several nodes and echo: reply"},
		{"nothing to ask for", "design: long-poll, nodes: 2, registry: shared", "", 0, "server.bundled.registry: shared changes nothing here: it takes several nodes and echo: reply"},
		{"a bus for nobody", "bus: nats, spread: random", "", 0, "server.bundled.bus changes nothing: there is one node"},
		{"one node for all", "spread: sticky", "", 0, "server.bundled.spread changes nothing: there is one node"},

		{"nothing is sent again", "design: single-channel, replay: 0", "", 0, "server.bundled.replay: 0 takes back what the design single-channel promises: a client that reconnects misses what was sent meanwhile"},
		{"sent again, with holes", "wire: json, replay: 9", "", 0, "server.bundled.replay: with dispatch: concurrent ids may come out of order, so that a stream that ends between two such events misses one"},
		{"a figure without data", "echo: none", `budgets: {own_latency: "max<1s", "own_latency{path:sse}": "max<1s", other_latency: "max<1s"}`, 0, "budgets.own_latency: with echo: none no sender hears of its own event, so that the figure has no data\n" +
			"budgets.own_latency{path:sse}: with echo: none no sender hears of its own event, so that the figure has no data"},
		{"paths of a design", "", `budgets: {"own_latency{path:reply}": "max<1s", "other_latency{path:sse}": "max<1s"}`, 0, ""},
		{"a path of another wire", "design: channels", `budgets: {"own_latency{path:websocket}": "max<1s", "other_latency{path:sse}": "max<1s"}`, 0, "budgets.other_latency{path:sse}: nothing comes by that path with the wire channels and echo: stream, so that the figure has no data"},
		{"a path of another echo", "design: long-poll", `budgets: {"fanout_latency{path:poll}": "max<1s", "own_latency{path:reply}": "max<1s"}`, 0, "budgets.own_latency{path:reply}: nothing comes by that path with the wire long-poll and echo: stream, so that the figure has no data"},
	}
	for _, test := range tests {
		f := parse(t, whole+"server: {bundled: {"+test.bundled+"}}\n"+test.rest)
		if got := strings.Join(f.Warnings(Machine{Cores: test.cores}), "\n"); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
		}
	}
}

// What a machine cannot hold, with the figures from which that follows.
func TestWarningsOfTheMachine(t *testing.T) {
	t.Parallel()
	const big = `version: 1
clients: {members: {count: 10000, channel: {pattern: "room-${n}", count: 10}}}
load: {talk: {by: {clients: members, only: 1000}, rate: 100/s, for: 10s, in_flight: 4}}
`
	tests := []struct {
		name, rest string
		machine    Machine
		want       string
	}{
		{"unknown", "", Machine{}, ""},
		{"all that it takes", "", Machine{Files: 14064, Ports: 14000, MemoryMB: 350, Cores: 3}, ""},
		{"ports", "", Machine{Ports: 13999}, "the run makes 14000 connections to one address, this machine has 13999 local ports for that: raise them with sysctl net.ipv4.ip_local_port_range=\"1024 65535\", or take more nodes"},
		{"ports of two nodes", "server: {bundled: {nodes: 2}}", Machine{Ports: 7000}, ""},
		{"ports of many addresses", "", Machine{Ports: 100, ManyLoopback: true}, ""},
		{"ports to another machine", "server: {url: http://192.0.2.1}", Machine{Ports: 13999, ManyLoopback: true}, "the run makes 14000 connections to one address, this machine has 13999 local ports for that: raise them with sysctl net.ipv4.ip_local_port_range=\"1024 65535\""},
		{"memory, just so", "", Machine{MemoryMB: 280}, "10000 streams need about 280 MB, at 28 KiB each, this machine has 280 MB: take fewer clients, or a machine with more"},
		{"memory", "", Machine{MemoryMB: 349}, "10000 streams need about 280 MB, at 28 KiB each, this machine has 349 MB: take fewer clients, or a machine with more"},
		{"memory in loops", "", Machine{MemoryMB: 119, Looped: func(group int) bool { return group == 0 }}, "10000 streams need about 120 MB, at 12 KiB each, this machine has 119 MB: take fewer clients, or a machine with more"},
		{"memory of clients alone", "server: {url: http://127.0.0.1:1}", Machine{MemoryMB: 250}, ""},
		{"cores", "", Machine{Cores: 2}, "at its peak the load is 100 commands and 100000 deliveries a second, for which it takes about 1.6 cores, at 150 and 15 us each, this machine has 2: " +
			"expect figures of time that say more about the machine; holobench run --scale makes it smaller"},
	}
	for _, test := range tests {
		f := parse(t, big+test.rest)
		if got := strings.Join(f.Warnings(test.machine), "\n"); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
		}
	}
}

// What a run cannot do without ends it before it began; what is only tight does not.
func TestShortages(t *testing.T) {
	t.Parallel()
	const big = "version: 1\nclients: {members: {count: 10000, channel: {pattern: \"room-${n}\", count: 10}}}\nload: {talk: {by: {clients: members, only: 1000}, rate: 100/s, for: 10s, in_flight: 4}}\n"
	for _, test := range []struct {
		name, rest string
		machine    Machine
		want       int
	}{
		{"nothing is known", "", Machine{}, 0},
		{"enough of all", "", Machine{Files: 14064, Ports: 14000, MemoryMB: 280, Cores: 1}, 0},
		{"one too few of each", "", Machine{Files: 14063, Ports: 13999, MemoryMB: 279}, 3},
		{"many addresses", "", Machine{Files: 14063, Ports: 13999, MemoryMB: 280, ManyLoopback: true}, 1},
	} {
		if got := parse(t, big+test.rest).Shortages(test.machine); len(got) != test.want {
			t.Errorf("%s: %q, want %d", test.name, got, test.want)
		}
	}
}

// The connections come from one address as long as one will do, and from more only to a server on this machine.
func TestSources(t *testing.T) {
	t.Parallel()
	const big = "version: 1\nclients: {members: {count: 10000, channel: lobby}}\nload: {talk: {by: members, rate: 100/s, for: 10s}}\n" // 20,000 connections
	linux := Machine{Ports: 10_000, ManyLoopback: true}
	for _, test := range []struct {
		name, rest string
		machine    Machine
		want       int
	}{
		{"70 % of the ports of each address", "", linux, 3},
		{"one will do", "", Machine{Ports: 28_572, ManyLoopback: true}, 1},
		{"one will not quite do", "", Machine{Ports: 28_571, ManyLoopback: true}, 2},
		{"each node has ports of its own", "server: {bundled: {nodes: 3}}", linux, 1},
		{"nobody knows how many ports there are", "", Machine{ManyLoopback: true}, 1},
		{"a system with one loopback address", "", Machine{Ports: 10_000}, 1},
		{"a server here", "server: {url: http://127.0.0.1:8080}", linux, 3},
		{"a server here, by its name", "server: {url: http://localhost:8080}", linux, 3},
		{"a server here, by IPv6", "server: {url: \"http://[::1]:8080\"}", linux, 1},
		{"a server elsewhere", "server: {url: https://example.org}", linux, 1},
	} {
		if got := parse(t, big+test.rest).Sources(test.machine); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

// A budget that a fault touches without being seen by it is told.
func TestWarningsOfFaults(t *testing.T) {
	t.Parallel()
	const told = "budgets.events_lost%s: the fault cut ends streams, and the design hologram sends nothing again: its clients miss by design what is sent meanwhile, and the budget does not see it, " +
		"since nothing is owed to who is away; a design with replay, such as single-channel, sends it again"
	const faults = "windows: {early: 0s..2s}\nfaults: [{name: cut, at: 3s, disconnect: {}}]\n"
	for _, test := range []struct{ budgets, want string }{
		{"{events_lost: count==0}", strings.Replace(told, "%s", "", 1)},
		{`{"events_lost{window:cut}": count==0}`, strings.Replace(told, "%s", "{window:cut}", 1)},
		{`{"events_lost{window:early}": count==0, "events_lost{window:cut.after}": count==0, events_duplicated: count==0}`, ""},
		{"{events_lost: count==0}\nserver: {bundled: {design: single-channel}}", ""},
	} {
		f := parse(t, whole+faults+"budgets: "+test.budgets+"\n")
		if got := strings.Join(f.Warnings(Machine{}), "\n"); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.budgets, got, test.want)
		}
	}
}
