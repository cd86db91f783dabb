package run_test

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/clients"
	"holobench/history"
	"holobench/internal/memnet"
	"holobench/run"
	"holobench/target"
)

// spoken starts a node that speaks as the plan says.
func spoken(network *memnet.Network, then func(target.Options) target.Options) run.StartNode {
	return func(_ context.Context, o run.NodeOptions) (run.Node, error) {
		n := newLocalNode()
		options := target.Options{
			Design: target.Design(o.Design), Wire: target.Wire(o.Wire), Knobs: o.Knobs, Counters: n.counters, Journal: n.journal,
		}
		if then != nil {
			options = then(options)
		}
		return n, n.serve(options, network.Listen, "target:80")
	}
}

// wireCase is a design as it is spoken to, and by which ways its events come.
type wireCase struct {
	design target.Design
	wire   target.Wire
	knobs  target.Knobs
	others history.Path // the way to everybody
	author history.Path // the way to the one who sent it; NoPath = none
}

func (c wireCase) name() string {
	return fmt.Sprintf("%s by %s%s", c.design, cmp.Or(c.wire, c.design.Wire()), c.knobs.Echo)
}

func wireCases() []wireCase {
	return []wireCase{
		{design: target.Hologram, wire: target.JSON, others: history.SSE, author: history.Reply},
		{design: target.Hologram, wire: target.HologramWire, others: history.SSE, author: history.Reply},
		{design: target.Hologram, wire: target.ChannelsWire, others: history.WebSocket, author: history.Reply},
		{design: target.SingleChannel, others: history.SSE, author: history.SSE},
		{design: target.LongPoll, others: history.Poll, author: history.Poll},
		{design: target.LongPoll, knobs: target.Knobs{Echo: target.EchoReply}, others: history.Poll, author: history.Reply},
		{design: target.LongPoll, wire: target.JSON, others: history.SSE, author: history.SSE},
		{design: target.Channels, others: history.WebSocket, author: history.WebSocket},
		{design: target.Channels, knobs: target.Knobs{Echo: target.EchoReply}, others: history.WebSocket, author: history.Reply},
		{design: target.Sequenced, others: history.SSE, author: history.SSE},
		{design: target.StateSync, others: history.SSE, author: history.SSE},
		{design: target.Ephemeral, others: history.SSE, author: history.NoPath},
	}
}

// TestEveryWire holds that clients and target understand each other on every wire: every event comes to everybody once, by the
// way that the design has for it.
func TestEveryWire(t *testing.T) {
	t.Parallel()
	for _, c := range wireCases() {
		t.Run(c.name(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := rooms(string(c.design), 40, 20, 5*time.Second)
				p.Wire, p.Knobs = string(c.wire), c.knobs
				network := memnet.New(nil)
				all, result := carryOut(t.Context(), t, p, spoken(network, nil), network.DialContext)
				if drained := time.Duration(result.End - result.LoadEnd); drained > time.Second {
					t.Errorf("the drain took %v: it waited for what does not come", drained)
				}
				const commands, members = 100, 20
				wanted := commands * members
				if c.author == history.NoPath {
					wanted -= commands
				}
				for _, kind := range []history.Kind{history.Sent, history.Replied} {
					if got := count(all, kind); got != commands {
						t.Errorf("%d commands %s, want %d", got, kind, commands)
					}
				}
				if got := count(all, history.Delivered); got != wanted || len(deliveries(all)) != wanted {
					t.Errorf("%d deliveries, %d of them different; want %d", got, len(deliveries(all)), wanted)
				}
				for _, o := range all {
					way, together := c.others, false
					if o.Client == o.Event.Publisher {
						way = c.author
						together = c.design.Wire() == target.ChannelsWire // the event and the reply, in one write of the server
					}
					switch {
					case o.Kind == history.Delivered && o.Path != way:
						t.Fatalf("client %d was told of %v by %s, want %s", o.Client, o.Event, o.Path, way)
					case (o.Kind == history.Delivered || o.Kind == history.Replied) && (o.NotBefore != o.At && !together || o.Handled != o.At):
						t.Fatalf("%s of %v at client %d: in (%d,%d], handled %d; nothing comes together here", o.Kind, o.Event, o.Client, o.NotBefore, o.At, o.Handled)
					case o.Err != history.NoErr && o.Kind != history.Closed:
						t.Fatalf("client %d: %s with error %d", o.Client, o.Kind, o.Err)
					}
				}
			})
		})
	}
}

// TestWhoSpeaksHears lets clients that hold no stream post to a channel. On the wires of Phoenix they have to join it, and what
// the server then writes to them is seen; on the others they are told nothing.
func TestWhoSpeaksHears(t *testing.T) {
	t.Parallel()
	for _, c := range wireCases() {
		t.Run(c.name(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := rooms(string(c.design), 10, 10, 5*time.Second)
				p.Wire, p.Knobs = string(c.wire), c.knobs
				p.Groups = append(p.Groups, run.Group{Name: "voices", Count: 3, NoStream: true})
				p.Loads[0].Group, p.Loads[0].Only, p.Loads[0].Message.Channel = 1, 3, "room-1"
				network := memnet.New(nil)
				all, result := carryOut(t.Context(), t, p, spoken(network, nil), network.DialContext)
				listening, written := make(map[uint32]bool), 0
				for _, o := range all {
					switch {
					case o.Kind == history.Subscribed:
						listening[o.Client] = true
					case o.Kind == history.Delivered && !listening[o.Client]:
						t.Fatalf("client %d was told of %v, and is not subscribed", o.Client, o.Event)
					}
				}
				for _, path := range []string{"sse", "reply", "poll", "websocket"} {
					written += int(result.Nodes[0].Counters["deliveries_written_"+path])
				}
				speakers := 0
				if c.others == history.Poll || c.others == history.WebSocket {
					speakers = 3
				}
				if len(listening) != 10+speakers {
					t.Errorf("%d clients were subscribed, want %d", len(listening), 10+speakers)
				}
				if got := count(all, history.Delivered); got != written || got < 50*5 || count(all, history.Replied) != 50 {
					t.Errorf("%d deliveries seen, %d written", got, written)
				}
			})
		})
	}
}

// TestNumbersTravel holds that a client takes up the number that the server gives an event, wherever that stands.
func TestNumbersTravel(t *testing.T) {
	t.Parallel()
	stamped := target.Knobs{Stamp: target.StampSequence}
	for _, c := range []wireCase{
		{design: target.SingleChannel},
		{design: target.Sequenced},
		{design: target.StateSync},
		{design: target.Sequenced, wire: target.ChannelsWire, knobs: target.Knobs{Replay: -1}},
		{design: target.Sequenced, wire: target.HologramWire, knobs: target.Knobs{Replay: -1}},
		{design: target.LongPoll, knobs: stamped},
		{design: target.Channels, knobs: target.Knobs{Stamp: target.StampSequence, Echo: target.EchoReply}},
		{design: target.Hologram, wire: target.JSON, knobs: stamped},
		{design: target.Hologram, wire: target.HologramWire, knobs: stamped},
	} {
		t.Run(c.name(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := rooms(string(c.design), 10, 10, 5*time.Second)
				p.Wire, p.Knobs = string(c.wire), c.knobs
				network := memnet.New(nil)
				all, _ := carryOut(t.Context(), t, p, spoken(network, nil), network.DialContext)
				numbers := make(map[key]uint64)
				for _, o := range all {
					if o.Kind != history.Delivered {
						continue
					}
					of := key{event: o.Event}
					if numbers[of] == 0 {
						numbers[of] = o.Sequence
					}
					if o.Sequence == 0 || o.Sequence != numbers[of] {
						t.Fatalf("event %v has number %d at client %d, and %d elsewhere", o.Event, o.Sequence, o.Client, numbers[of])
					}
				}
				for _, o := range all {
					answers := (c.design == target.Sequenced || c.design == target.StateSync) && c.wire != target.HologramWire
					if o.Kind == history.Replied && answers && o.Sequence != numbers[key{event: o.Event}] {
						t.Fatalf("the reply to %v says number %d, the event %d", o.Event, o.Sequence, numbers[key{event: o.Event}])
					}
				}
			})
		})
	}
}

// cutting remembers the connections that it makes, so that a test can cut them.
type cutting struct {
	dial  clients.DialFunc
	mu    sync.Mutex
	conns []net.Conn
}

func (c *cutting) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := c.dial(ctx, network, addr)
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.conns = append(c.conns, conn)
	}
	return conn, err
}

// cut resets every third connection of those that are there.
func (c *cutting) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, conn := range c.conns {
		if i%3 == 0 {
			conn.(interface{ Reset() }).Reset()
		}
	}
}

// TestWhatComesBackAfterACut cuts a third of the streams twice under load. Where events are kept each comes once all the
// same; and replicas agree in the end also where the server keeps so few that it has to begin them anew.
func TestWhatComesBackAfterACut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		design target.Design
		replay int
		whole  bool // every event comes once
	}{
		{target.SingleChannel, 0, true},
		{target.Sequenced, 0, true},
		{target.StateSync, 0, true},
		{target.StateSync, 5, false},
		{target.LongPoll, 0, false}, // a session outlives its connection, but not the answer to a poll that is cut
		{target.Channels, 0, false},
		{target.Hologram, 0, false},
	} {
		t.Run(fmt.Sprintf("%s, replay %d", c.design, c.replay), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { cutAndComeBack(t, c.design, c.replay, c.whole) })
		})
	}
}

func cutAndComeBack(t *testing.T, design target.Design, replay int, whole bool) {
	network := memnet.New(nil)
	node, err := spoken(network, func(o target.Options) target.Options {
		o.Knobs.Replay = replay
		return o
	})(t.Context(), run.NodeOptions{Number: 1, Design: string(design)})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Stop(t.Context())
	const members, commands = 12, 100
	var mu sync.Mutex
	seen := make(map[key]int)
	line := &cutting{dial: network.DialContext}
	speaks, err := clients.ParseWire(string(design.Wire()))
	if err != nil {
		t.Fatal(err)
	}
	crowd := &clients.Crowd{
		Addr: node.Addr(), Run: 0xabc, Epoch: time.Now().UnixNano(), Names: new(history.Names), Wire: speaks, Dial: line.DialContext,
		Observe: func(batch []history.Observation) {
			mu.Lock()
			defer mu.Unlock()
			for _, o := range batch {
				if o.Kind == history.Delivered && o.Client < members { // the author may hear, too
					seen[key{event: o.Event, client: o.Client}]++
				}
			}
		},
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all []*clients.Client
	var holding sync.WaitGroup
	for i := range members {
		client := crowd.NewClient(clients.ClientOptions{ID: uint32(i), Instance: fmt.Sprintf("c%d", i), Channels: []string{"room"}})
		all = append(all, client)
		holding.Go(func() { client.HoldStream(ctx, nil) })
	}
	synctest.Wait()
	author := crowd.NewClient(clients.ClientOptions{ID: members, Instance: "author"})
	holding.Go(func() { author.PostCommands(ctx, ctx, nil) })
	for i := range commands {
		author.Post(0, &clients.Message{Channel: "room", Name: "message"})
		<-time.After(100 * time.Millisecond)
		if i == commands/3 || i == commands/2 {
			line.cut()
		}
	}
	<-time.After(30 * time.Second)
	replicas := make(map[clients.Replica]int)
	for _, client := range all {
		for _, r := range client.Replicas() {
			r.Holes = 0
			replicas[r]++
		}
	}
	cancel()
	holding.Wait()
	mu.Lock()
	defer mu.Unlock()
	for k, n := range seen {
		if n != 1 {
			t.Errorf("event %v came to client %d %d times", k.event, k.client, n)
		}
	}
	if whole && len(seen) != members*commands {
		t.Errorf("%d deliveries, want %d: each event to everybody", len(seen), members*commands)
	}
	if design == target.StateSync && (len(replicas) != 1 || replicas[oneOf(replicas)] != members) {
		t.Errorf("the replicas after the drain: %+v; want one that all have", replicas)
	}
}

func oneOf(replicas map[clients.Replica]int) (r clients.Replica) {
	for r = range replicas {
		break
	}
	return r
}
