package scenarios

import (
	"strings"
	"testing"
)

// TestConnections holds which HTTP clients speak, over how many connections, and what is refused.
func TestConnections(t *testing.T) {
	t.Parallel()
	file := func(server, client string) (*File, error) {
		return Parse("s.yaml", []byte("version: 1\nserver: {"+server+"}\nclients:\n  them: {count: 10, "+client+
			"}\nload: {talk: {by: them, rate: 5/s, for: 1s, in_flight: 8, channel: lobby}}\n"), nil)
	}
	const http1, h2c, tls2, own = "bundled: {design: hologram}", "bundled: {transport: h2c}", "bundled: {transport: tls-h2}", "url: https://example.org, protocol: hologram"
	for _, test := range []struct {
		server, client          string
		http, connections, open int // of all ten
	}{
		{http1, "channel: lobby", 1, 6, 60},
		{http1, "channel: lobby, http: 1.1, connections: browser", 1, 6, 60},
		{http1, "channel: lobby, connections: unlimited", 1, 0, 90},
		{http1, "channel: lobby, connections: 2", 1, 2, 20},
		{http1, "stream: none", 1, 6, 60},
		{http1, "stream: none, connections: 1", 1, 1, 10},
		{h2c, "channel: lobby", 2, 6, 10},
		{h2c, "stream: none, connections: unlimited", 2, 0, 10},
		{h2c, "channel: lobby, http: 1.1, connections: 65", 1, 65, 90},
		{tls2, "channel: lobby, http: 1.1", 1, 6, 60},
		{tls2, "channel: lobby, http: 2", 2, 6, 10},
		{own, "channel: lobby", 1, 6, 60},
		{own, "channel: lobby, http: 2", 2, 6, 10},
	} {
		f, err := file(test.server, test.client)
		if err != nil {
			t.Fatalf("%s, %s: %v", test.server, test.client, err)
		}
		c := f.Clients[0]
		if _, open := f.connections(); c.HTTP != test.http || c.Connections != test.connections || open != test.open {
			t.Errorf("%s, %s: HTTP %d, %d connections each, %d in all; want %d, %d, %d", test.server, test.client, c.HTTP, c.Connections, open,
				test.http, test.connections, test.open)
		}
	}
	for text, want := range map[[2]string]string{
		{http1, "channel: lobby, http: 2"}:                                                  "s.yaml:4:43: clients.them.http: over the transport http1 the bundled target speaks HTTP/1.1 only",
		{"bundled: {transport: tls}", "channel: lobby, http: 2"}:                            "write server.bundled.transport: tls-h2, which speaks both",
		{h2c, "channel: lobby, http: 3"}:                                                    `s.yaml:4:43: clients.them.http: "3" is no version of HTTP that clients speak`,
		{"url: https://example.org, protocol: phoenix-longpoll", "channel: lobby, http: 2"}: "clients.them.http: the simulated clients do not speak the wire long-poll over HTTP/2",
		{h2c, "channel: lobby, connections: 4"}:                                             "s.yaml:4:50: clients.them.connections: over HTTP/2 a client has one connection, whatever stands here",
		{http1, "channel: lobby, connections: 1"}:                                           "clients.them.connections: the stream of a client takes its only connection, and leaves none for a command",
		{http1, "channel: lobby, connections: 0"}:                                           "clients.them.connections: 0 is outside of the limits: a client can have from 1 to 65 connections",
		{http1, "channel: lobby, connections: 66"}:                                          "66 is outside of the limits",
		{http1, "channel: lobby, connections: 99999999999999999999"}:                        "99999999999999999999 is outside of the limits",
		{http1, "channel: lobby, connections: brower"}:                                      `clients.them.connections: "brower" is no number of connections, did you mean "browser"?`,
	} {
		if _, err := file(text[0], text[1]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
