package scenarios

import (
	"strings"
	"testing"
	"time"
)

func TestCuresOfClients(t *testing.T) {
	t.Parallel()
	const who = "version: 1\nserver: {bundled: {design: sequenced}}\nload: {talk: {by: members, rate: 5/s, for: 10s}}\n"
	tests := []struct {
		keys       string
		hold       time.Duration
		optimistic bool
	}{
		{"", 0, false},
		{", resequence: {}", 2 * time.Second, false},
		{", resequence: {max_hold: 300ms}, optimistic: true", 300 * time.Millisecond, true},
	}
	for _, test := range tests {
		f := parse(t, who+"clients: {members: {count: 3, channel: lobby"+test.keys+"}}\n")
		if c := f.Clients[0]; c.MaxHold != test.hold || c.Optimistic != test.optimistic {
			t.Errorf("%q: %v, %v, want %v, %v", test.keys, c.MaxHold, c.Optimistic, test.hold, test.optimistic)
		}
	}
}

// A hold-back queue needs numbers that compare.
func TestWarningsOfCures(t *testing.T) {
	t.Parallel()
	const nothing = "so that there is nothing to put into order"
	tests := []struct{ name, bundled, clients, rest, want string }{
		{"numbers of a sequence", "design: sequenced", "resequence: {}", "", ""},
		{"ids", "design: single-channel", "resequence: {}", "", ""},
		{"none", "design: hologram, wire: json", "resequence: {}", "", "clients.members.resequence: the events of this server bear no numbers, " + nothing + ": write stamp: sequence"},
		{"given", "design: hologram, wire: json, stamp: sequence", "resequence: {}", "", ""},
		{"given on its own wire", "design: hologram, wire: hologram, stamp: sequence", "resequence: {}", "", ""},
		{"none on its own wire", "design: hologram", "resequence: {}", "", "clients.members.resequence: the events of this server bear no numbers, " + nothing + ": write stamp: sequence"},
		{"of two nodes", "design: hologram, wire: json, stamp: sequence, nodes: 2", "resequence: {}", "", "clients.members.resequence: over the bus nats each node numbers by itself, and numbers of two nodes do not compare: take the bus jetstream"},
		{"a budget on nobody", "design: sequenced", "read_rate: 1MiB/s", "budgets: {resequence_hold: ['p(99)<1s'], optimistic_rollbacks: ['rate<0.01']}", "" +
			"budgets.resequence_hold: no clients put events into order, so that the figure has no data: write resequence: {} to some\n" +
			"budgets.optimistic_rollbacks: no clients are optimistic, so that the figure has no data: write optimistic: true to some"},
	}
	for _, test := range tests {
		f := parse(t, "version: 1\nserver: {bundled: {"+test.bundled+"}}\nclients: {members: {count: 3, channel: lobby, "+test.clients+
			"}}\nload: {talk: {by: members, rate: 5/s, for: 10s}}\n"+test.rest)
		if got := strings.Join(f.Warnings(Machine{}), "\n"); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
		}
	}
}

// So it does at a server of one's own, of which the protocol file says whether there are any.
func TestWarningsOfCuresElsewhere(t *testing.T) {
	t.Parallel()
	for identity, want := range map[string]string{
		"identity: {server_seq: sse_id}":    "",
		"identity: {server_seq: {json: n}}": "",
		"identity: {foreign: sse_id}": "clients.members.resequence: the protocol file says of no event what number the server gave it, so that there is nothing to put into order: " +
			"write identity: {server_seq: {json: PATH}} there",
	} {
		path, text := ownServerFile(t, "version: 1\nsubscribe: {request: {get: /sub}}\npublish: {request: {post: /pub, body: \"${payload}\"}}\n"+identity+"\n", "")
		f, err := Parse(path, []byte(strings.Replace(text, "channel: lobby", "channel: lobby, resequence: {}", 1)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(f.Warnings(Machine{}), "\n"); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", identity, got, want)
		}
	}
}
