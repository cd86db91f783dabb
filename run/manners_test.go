package run_test

import (
	"bytes"
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"

	"holobench/history"
	"holobench/internal/memnet"
	"holobench/run"
	"holobench/target"
)

// overheard is a connection that keeps what its client says.
type overheard struct {
	*memnet.Conn

	mu   *sync.Mutex
	said *bytes.Buffer
}

func (c *overheard) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.said.Write(p)
	c.mu.Unlock()
	return c.Conn.Write(p)
}

// Every request of every wire says who asks, and a user's own name goes before ours.
func TestUserAgent(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		protocol, headers, want string
		wire                    target.Wire
	}{
		{"json", "", "User-Agent: holobench/v1.2-dirty (run 00000abc)\r\n", target.JSON},
		{"hologram", "", "User-Agent: holobench/v1.2-dirty (run 00000abc)\r\n", target.HologramWire},
		{"phoenix-channels", "", "User-Agent: holobench/v1.2-dirty (run 00000abc)\r\n", target.ChannelsWire},
		{"phoenix-longpoll", "", "User-Agent: holobench/v1.2-dirty (run 00000abc)\r\n", target.LongPollWire},
		{"json", ", headers: {user-agent: Mozilla/5.0}", "user-agent: Mozilla/5.0\r\n", target.JSON},
	} {
		t.Run(test.protocol+test.headers, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := memnet.New(nil)
				node, err := spoken(network, nil)(t.Context(), run.NodeOptions{Design: "hologram", Wire: string(test.wire)})
				if err != nil {
					t.Fatal(err)
				}
				defer node.Stop(context.Background())
				plan := planOf(t, "version: 1\nserver: {url: http://target:80, protocol: "+test.protocol+test.headers+", login: [{get: /healthz}]}\n"+
					"clients: {members: {count: 3, channel: lobby}}\nload: {talk: {by: members, rate: 5/s, for: 2s}}\n")
				var mu sync.Mutex
				var said bytes.Buffer
				record := &memoryRecord{closed: make(chan struct{})}
				_, err = run.Run(t.Context(), plan, run.Options{
					ID: 0xabc, Names: new(history.Names), Record: record, SaveRun: func(history.Run) error { return nil },
					Software: history.Software{Holobench: "v1.2 (-dirty)"},
					Dial: func(ctx context.Context, n, addr string) (net.Conn, error) {
						conn, err := network.DialContext(ctx, n, addr)
						if err != nil {
							return nil, err
						}
						return &overheard{Conn: conn.(*memnet.Conn), mu: &mu, said: &said}, nil
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				requests, agents := bytes.Count(said.Bytes(), []byte(" HTTP/1.1\r\n")), bytes.Count(said.Bytes(), []byte(test.want))
				if requests < 2*3 || agents != requests || bytes.Count(bytes.ToLower(said.Bytes()), []byte("user-agent:")) != requests {
					t.Errorf("%d requests, %d of them with %q:\n%s", requests, agents, test.want, said.Bytes())
				}
			})
		})
	}
}
