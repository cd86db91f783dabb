package run_test

import (
	"bytes"
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/clients"
	"holobench/history"
	"holobench/internal/memnet"
	"holobench/target"
	"holobench/wire"
	"holobench/wire/hologram"
)

// counted is a network that counts the requests which clients send, by method and path, and can reset all connections.
type counted struct {
	*memnet.Network

	mu       sync.Mutex
	conns    []*memnet.Conn
	requests map[string]int
}

func countRequests() *counted {
	return &counted{Network: memnet.New(nil), requests: make(map[string]int)}
}

// countedConn is the client's end of a connection.
type countedConn struct {
	*memnet.Conn

	network *counted
}

// Write implements net.Conn.
func (c *countedConn) Write(p []byte) (int, error) {
	request, _, _ := bytes.Cut(p, []byte(" HTTP/1.1\r\n"))
	request, _, _ = bytes.Cut(request, []byte("?"))
	c.network.mu.Lock()
	c.network.requests[string(request)]++
	c.network.mu.Unlock()
	return c.Conn.Write(p)
}

func (n *counted) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := n.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns = append(n.conns, conn.(*memnet.Conn))
	return &countedConn{conn.(*memnet.Conn), n}, nil
}

// reset resets all connections that there are.
func (n *counted) reset() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, conn := range n.conns {
		conn.Reset()
	}
}

// TestHologramComesBack: the design hologram over its own wire, as it is by default. A client loads a page, shakes hands and hears; all
// connections are reset; it shakes hands again, with the page that it has. It hears of its own events by the replies alone, of nothing
// twice, and misses what was sent while it was away, its own too (A6), and nothing else.
func TestHologramComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := planOf(t, `version: 1
server: {bundled: {design: hologram}}
clients: {members: {count: 12, channel: {pattern: "room-${n}", count: 2}}}
load: {talk: {by: {clients: members, only: 4}, rate: 20/s, for: 6s}}
drain: 1s
`)
		network := countRequests()
		time.AfterFunc(2025*time.Millisecond, network.reset) // between two commands
		all, _ := carryOut(t.Context(), t, p, spoken(network.Network, nil), clients.DialFunc(network.dial))
		for request, want := range map[string]int{
			"GET /hologram/room": 12, "POST " + hologram.HandshakePath: 24, "GET " + hologram.EventsPath: 24, "POST " + hologram.CommandPath: 120,
			"POST " + wire.CommandPath: 0, "GET " + wire.EventsPath: 0,
		} {
			if got := network.requests[request]; got != want {
				t.Errorf("%d times %s, want %d", got, request, want)
			}
		}
		away := make(map[uint32][2]int64) // from the end of a stream to the next subscription
		for _, o := range all {
			switch gone := away[o.Client]; {
			case o.Kind == history.Ended:
				away[o.Client] = [2]int64{o.At, o.At}
			case o.Kind == history.Subscribed && gone[0] > 0:
				away[o.Client] = [2]int64{gone[0], o.At}
				if pause := time.Duration(o.At - gone[0]); pause < 187*time.Millisecond || pause > 313*time.Millisecond {
					t.Errorf("client %d came back after %v, want 250 ms, a quarter more or less", o.Client, pause)
				}
			}
		}
		if missed := checkHeard(t, all, away); missed == 0 || count(all, history.Replied) != 120 {
			t.Errorf("%d deliveries missed, %d replies; want some, and 120", missed, count(all, history.Replied))
		}
	})
}

// checkHeard checks that the six members of a room heard of each of its events once, their own by its reply and others by the stream, unless
// they were away then, and returns how many deliveries are missing.
func checkHeard(t *testing.T, all []history.Observation, away map[uint32][2]int64) (missed int) {
	t.Helper()
	heard := make(map[key]int)
	for _, o := range all {
		if o.Kind == history.Delivered {
			heard[key{event: o.Event, client: o.Client}]++
		}
	}
	for k, n := range heard {
		if n != 1 {
			t.Errorf("client %d heard %d times of %v", k.client, n, k.event)
		}
	}
	for _, o := range all {
		own := o.Client == o.Event.Publisher
		if o.Kind == history.Delivered && (o.Path == history.Reply) != own {
			t.Errorf("client %d heard of %v by %s", o.Client, o.Event, o.Path)
		}
		if o.Kind != history.Sent {
			continue
		}
		for client := o.Client % 2; client < 12; client += 2 {
			if heard[key{event: o.Event, client: client}] == 1 {
				continue
			}
			missed++
			if gone := away[client]; o.At < gone[0] || o.At > gone[1] {
				t.Errorf("client %d never heard of %v, sent at %v, and was away from %v to %v", client, o.Event, time.Duration(o.At), time.Duration(gone[0]), time.Duration(gone[1]))
			}
		}
	}
	return missed
}

// TestTwoVersionsOfHTTP: two groups of one design at one server, one over two connections of HTTP/1.1 a client and one over one of HTTP/2.
func TestTwoVersionsOfHTTP(t *testing.T) {
	t.Parallel()
	for _, transport := range []target.Transport{target.H2C, target.TLSH2} {
		t.Run(string(transport), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := planOf(t, `version: 1
server: {bundled: {design: hologram, transport: `+string(transport)+`}}
clients:
  two: {count: 6, channel: lobby, http: 1.1}
  one: {count: 6, channel: lobby, http: 2}
load:
  over-two: {by: two, rate: 10/s, for: 4s}
  over-one: {by: one, rate: 10/s, for: 4s}
drain: 1s
`)
				network := memnet.New(nil)
				all, _ := carryOut(t.Context(), t, p, spoken(network, carriedBy(transport)), network.DialContext)
				synctest.Wait()
				opened := make(map[uint32]int)
				for _, o := range all {
					if o.Kind == history.Opened {
						opened[o.Client]++
					}
				}
				for client := range uint32(12) {
					if want := 2 - int(client/6); opened[client] != want {
						t.Errorf("client %d opened %d connections, want %d", client, opened[client], want)
					}
				}
				heard := deliveries(all)
				if len(heard) != 80*12 || count(all, history.Delivered) != 80*12 || count(all, history.Replied) != 80 {
					t.Errorf("%d deliveries, %d of them different, %d replies; want %d and 80", count(all, history.Delivered), len(heard), count(all, history.Replied), 80*12)
				}
			})
		})
	}
}
