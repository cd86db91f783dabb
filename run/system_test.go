package run_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/chaos"
	"holobench/clients"
	"holobench/history"
	"holobench/internal/memnet"
	"holobench/run"
	"holobench/scenarios"
	"holobench/target"
	"holobench/wire"
)

var verify = flag.Bool("verify", false, "run the long proofs (make verify-*)")

// localNode is a node of the target inside the test's own process.
type localNode struct {
	addr     string
	stop     context.CancelFunc
	done     chan struct{}
	counters *target.Counters
	journal  *lockedBuffer
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func startLocal(listen func(addr string) (net.Listener, error), addr string) run.StartNode {
	return startJoined(listen, addr, nil)
}

// startJoined starts nodes that bus joins; nil = there is one.
func startJoined(listen func(addr string) (net.Listener, error), addr string, bus *target.MemoryBus) run.StartNode {
	return func(_ context.Context, o run.NodeOptions) (run.Node, error) {
		n := newLocalNode()
		options := target.Options{
			Design: target.Design(o.Design), Knobs: o.Knobs, Node: o.Number, Nodes: o.Nodes, Counters: n.counters, Journal: n.journal,
		}
		if bus != nil {
			options.Bus = bus.Node(o.Number)
		}
		return n, n.serve(options, listen, addr)
	}
}

func newLocalNode() *localNode {
	return &localNode{done: make(chan struct{}), counters: target.MemoryCounters(), journal: new(lockedBuffer)}
}

// serve makes the node one that listens, until Stop.
func (n *localNode) serve(options target.Options, listen func(addr string) (net.Listener, error), addr string) error { //nolint:gocritic // as target.New has it
	server, err := target.New(options)
	if err != nil {
		return err
	}
	listener, err := listen(addr)
	if err != nil {
		return err
	}
	n.addr = listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	n.stop = cancel
	go func() {
		defer close(n.done)
		server.Serve(ctx, listener)
	}()
	return nil
}

func (n *localNode) Addr() string                         { return n.addr }
func (n *localNode) PID() int                             { return 1 }
func (n *localNode) Done() <-chan struct{}                { return n.done }
func (n *localNode) Exit() string                         { return "ended" }
func (n *localNode) Counters() (map[string]uint64, error) { return n.counters.Snapshot(), nil }
func (n *localNode) Journal() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(n.journal.buf.Bytes())), nil
}

func (n *localNode) Stop(context.Context) error {
	n.stop()
	<-n.done
	return nil
}

// memoryRecord is a run.Recorder without third-party goroutines, which a bubble could not hold.
type memoryRecord struct {
	history.Memory
	closed chan struct{}
}

func (m *memoryRecord) Run(context.Context) error {
	<-m.closed
	return nil
}

func (m *memoryRecord) Close() { close(m.closed) }

// carryOut runs a plan in this process and returns all that was seen.
func carryOut(ctx context.Context, t *testing.T, p run.Plan, start run.StartNode, dial clients.DialFunc) ([]history.Observation, history.Run) {
	t.Helper()
	return carryOutWith(ctx, t, p, run.Options{StartNode: start, Dial: dial})
}

// carryOutWith is carryOut with more options.
func carryOutWith(ctx context.Context, t *testing.T, p run.Plan, o run.Options) ([]history.Observation, history.Run) {
	t.Helper()
	record := &memoryRecord{closed: make(chan struct{})}
	o.ID, o.Names, o.Record, o.SaveRun = 0xabc, new(history.Names), record, func(history.Run) error { return nil }
	result, err := run.Run(ctx, p, o)
	if err != nil {
		t.Fatalf("run: %v", err)
	}
	var all []history.Observation
	if err := record.Scan(func(batch []history.Observation) error {
		all = append(all, batch...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all, result
}

// rooms is a plan of clients in two channels, of which every fifth sends.
func rooms(design string, count int, rate float64, length time.Duration) run.Plan {
	return run.Plan{
		Name: "rooms", Seed: 7, Design: design, Nodes: 1, Drain: 5 * time.Second,
		Groups: []run.Group{{Name: "members", Count: count, Channel: func(i int) string { return fmt.Sprintf("room-%d", i%2) }}},
		Loads: []run.Load{{
			Name: "talk", Stages: scenarios.Stages{{From: rate, To: rate, For: length}}, Only: count / 5,
			Message: clients.Message{Name: "message", Size: 200},
		}},
	}
}

// key is one delivery.
type key struct {
	event  wire.EventID
	client uint32
	path   history.Path
}

func deliveries(all []history.Observation) map[key]history.Observation {
	found := make(map[key]history.Observation)
	for _, o := range all {
		if o.Kind == history.Delivered {
			found[key{o.Event, o.Client, o.Path}] = o
		}
	}
	return found
}

func count(all []history.Observation, kind history.Kind) (n int) {
	for _, o := range all {
		if o.Kind == kind {
			n++
		}
	}
	return n
}

// inMemory runs a plan over a network in memory, with what wrap makes of its dial.
func inMemory(ctx context.Context, t *testing.T, p run.Plan, wrap func(clients.DialFunc) clients.DialFunc) ([]history.Observation, history.Run) {
	network := memnet.New(nil)
	return carryOut(ctx, t, p, startLocal(network.Listen, "target:80"), wrap(network.DialContext))
}

func asIs(dial clients.DialFunc) clients.DialFunc { return dial }

func TestDelayAddsExactlyItselfToEveryDelivery(t *testing.T) {
	t.Parallel()
	const delay = 250 * time.Millisecond
	for _, design := range []string{"hologram", "single-channel"} {
		synctest.Test(t, func(t *testing.T) {
			p := rooms(design, 20, 2, 30*time.Second)
			without, _ := inMemory(t.Context(), t, p, asIs)
			with, _ := inMemory(t.Context(), t, p, func(dial clients.DialFunc) clients.DialFunc {
				return chaos.Late(dial, delay)
			})
			plain, delayed := deliveries(without), deliveries(with)
			if len(plain) != 60*10 || len(delayed) != len(plain) {
				t.Fatalf("%s: %d deliveries without the delay, %d with it, want 600", design, len(plain), len(delayed))
			}
			for k, o := range delayed {
				base, ok := plain[k]
				if !ok {
					t.Fatalf("%s: %v came only with the delay", design, k)
				}
				if got := (o.At - o.Due) - (base.At - base.Due); got != int64(delay) {
					t.Fatalf("%s: %v is %v later, want exactly %v", design, k, time.Duration(got), delay)
				}
				if o.Handled != o.At {
					t.Fatalf("%s: %v was handled %v after it arrived; in a bubble nothing lags", design, k, time.Duration(o.Handled-o.At))
				}
			}
		})
	}
}

func TestEveryCountAgrees(t *testing.T) {
	t.Parallel()
	for _, design := range []string{"hologram", "single-channel"} {
		synctest.Test(t, func(t *testing.T) {
			all, result := inMemory(t.Context(), t, rooms(design, 100, 50, 10*time.Second), asIs)
			const commands, wanted = 500, 500 * 50
			counters := result.Nodes[0].Counters
			for what, got := range map[string]int{
				"sent": count(all, history.Sent), "replied": count(all, history.Replied), "dispatched": count(all, history.Dispatched),
				"accepted": int(counters["commands_accepted"]), "due": int(result.Loads[0].Due),
			} {
				if got != commands {
					t.Errorf("%s: %d commands %s, want %d", design, got, what, commands)
				}
			}
			written := int(counters["deliveries_written_sse"] + counters["deliveries_written_reply"])
			if got := count(all, history.Delivered); got != wanted || written != wanted || len(deliveries(all)) != wanted {
				t.Errorf("%s: %d deliveries seen, %d of them different, %d written; want %d", design, got, len(deliveries(all)), written, wanted)
			}
			if result.Ending != history.EndingComplete || !result.Finished || result.LoadEnd == 0 || result.End < result.LoadEnd {
				t.Errorf("%s: %+v", design, result)
			}
			for _, o := range all {
				own := o.Client == o.Event.Publisher
				if o.Kind == history.Delivered && (o.Path == history.Reply) != (own && design == "hologram") {
					t.Fatalf("%s: own %v came by %v", design, own, o.Path)
				}
			}
		})
	}
}

// TestLateCommandsAreNotLost: a server closes a connection over which nothing came for a while; a browser opens another.
func TestLateCommandsAreNotLost(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(clients.DialFunc) clients.DialFunc{
		"plain": asIs,
		"behind a delay": func(dial clients.DialFunc) clients.DialFunc {
			return chaos.Late(dial, 10*time.Millisecond)
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := rooms("hologram", 20, 1, 10*time.Second)
			p.Loads[0].Start = 10 * time.Minute
			all, _ := inMemory(t.Context(), t, p, wrap)
			if sent, replied, seen := count(all, history.Sent), count(all, history.Replied), count(all, history.Delivered); sent != 10 || replied != 10 || seen != 100 {
				t.Errorf("%s: %d sent, %d replied, %d delivered; want 10, 10 and 100", name, sent, replied, seen)
			}
		})
	}
}

// TestBarrierWaitsForThoseThatWereCut: a stream that was ready and is cut during the join is waited for again.
func TestBarrierWaitsForThoseThatWereCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(nil)
		var mu sync.Mutex
		dials := 0
		dial := func(ctx context.Context, net, addr string) (net.Conn, error) {
			mu.Lock()
			dials++
			n := dials
			mu.Unlock()
			conn, err := network.DialContext(ctx, net, addr)
			switch {
			case err == nil && n <= 5: // one of them at least is a stream: there are four senders
				time.AfterFunc(time.Second, conn.(*memnet.Conn).Reset)
			case n == 6:
				<-time.After(2 * time.Second) // keeps the barrier away until then
			}
			return conn, err
		}
		p := rooms("hologram", 20, 1, 10*time.Second)
		p.Wire = "json" // a browser comes back after 3 s there
		all, result := carryOut(t.Context(), t, p, startLocal(network.Listen, "target:80"), dial)
		if barrier := time.Duration(result.Barrier); barrier < 4*time.Second {
			t.Errorf("the barrier was at %v, when somebody was away who had been cut at 1s and came back at 4s", barrier)
		}
		if got := count(all, history.Delivered); got != 100 {
			t.Errorf("%d deliveries, want 100", got)
		}
	})
}

func TestInterruptedRunDrains(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		interrupt, stop := context.WithCancel(t.Context())
		defer stop()
		context.AfterFunc(ctx, stop)
		all, result := inMemory(interrupt, t, rooms("hologram", 20, 50, time.Hour), func(dial clients.DialFunc) clients.DialFunc {
			return chaos.Late(dial, 400*time.Millisecond)
		})
		if result.Ending != history.EndingInterrupted {
			t.Errorf("ending %q", result.Ending)
		}
		sent, replied, dropped := count(all, history.Sent), count(all, history.Replied), count(all, history.Dropped)
		if sent == 0 || replied != sent || uint64(sent+dropped) != result.Loads[0].Due {
			t.Errorf("%d sent, %d replied, %d dropped, %d due", sent, replied, dropped, result.Loads[0].Due)
		}
		if got := count(all, history.Delivered); got != sent*10 {
			t.Errorf("%d deliveries of %d commands to 10 subscribers each", got, sent)
		}
	})
}

func TestSameSeedSamePlan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := rooms("hologram", 20, 20, 10*time.Second)
		p.Loads[0].Arrivals.Kind = scenarios.Poisson
		schedule := func() (dues []string) {
			all, result := inMemory(t.Context(), t, p, asIs)
			for _, o := range all {
				if o.Kind == history.Sent {
					dues = append(dues, fmt.Sprint(o.Event, o.Due-result.Barrier))
				}
			}
			slices.Sort(dues)
			return dues
		}
		first, second := schedule(), schedule()
		if len(first) == 0 || !slices.Equal(first, second) {
			t.Errorf("two runs of one seed differ: %d and %d commands", len(first), len(second))
		}
		p.Seed++
		if slices.Equal(first, schedule()) {
			t.Error("another seed made the same schedule")
		}
	})
}

// TestVerifyDelay is make verify-delay: the wrapper on real sockets, against the same run without it.
func TestVerifyDelay(t *testing.T) {
	if !*verify {
		t.Skip("a long proof: make verify-delay")
	}
	const delay = 50 * time.Millisecond
	median := func(wrap func(clients.DialFunc) clients.DialFunc) time.Duration {
		listen := func(addr string) (net.Listener, error) { return net.Listen("tcp", addr) }
		dial := wrap(clients.StampedDial(new(net.Dialer).DialContext, wire.StampKernel))
		all, _ := carryOut(t.Context(), t, rooms("hologram", 200, 20, 6*time.Second), startLocal(listen, "127.0.0.1:0"), dial)
		var latencies []time.Duration
		for _, o := range all {
			if o.Kind == history.Delivered {
				latencies = append(latencies, time.Duration(o.At-o.Due))
			}
		}
		slices.Sort(latencies)
		return latencies[len(latencies)/2]
	}
	for round := range 3 {
		without := median(asIs)
		with := median(func(dial clients.DialFunc) clients.DialFunc { return chaos.Late(dial, delay) })
		t.Logf("round %d: median fanout_latency %v without, %v with a delay of %v: %v more", round+1, without, with, delay, with-without)
		if off := (with - without - delay).Abs(); off > time.Millisecond {
			t.Errorf("round %d: off by %v, at most 1ms is allowed", round+1, off)
		}
	}
}

func TestInterruptedBeforeTheBarrier(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		network := memnet.New(nil)
		start := startLocal(network.Listen, "target:80")
		all, result := carryOut(ctx, t, rooms("hologram", 20, 50, time.Minute), func(ctx context.Context, o run.NodeOptions) (run.Node, error) {
			node, err := start(ctx, o)
			cancel()
			return node, err
		}, network.DialContext)
		if result.Ending != history.EndingInterrupted || !result.Finished || count(all, history.Sent) != 0 {
			t.Errorf("ending %q, %d commands sent; want an interrupted run that sent none", result.Ending, count(all, history.Sent))
		}
	})
}

func TestNodeThatDiesEndsTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(nil)
		start := startLocal(network.Listen, "target:80")
		record := &memoryRecord{closed: make(chan struct{})}
		result, err := run.Run(t.Context(), rooms("hologram", 20, 50, time.Hour), run.Options{
			ID: 0xabc, Names: new(history.Names), Record: record, Dial: network.DialContext,
			SaveRun: func(history.Run) error { return nil },
			StartNode: func(ctx context.Context, o run.NodeOptions) (run.Node, error) {
				node, err := start(ctx, o)
				time.AfterFunc(5*time.Second, node.(*localNode).stop)
				return node, err
			},
		})
		if err == nil || result.Ending != history.EndingFailed || result.Nodes[0].Exit != "ended" {
			t.Errorf("run returned %v, ending %q, node %q; want it to name the node that died", err, result.Ending, result.Nodes[0].Exit)
		}
		if result.Nodes[0].Counters["commands_accepted"] == 0 {
			t.Error("the counters of the dead node are missing")
		}
	})
}

func TestCannotStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		record := &memoryRecord{closed: make(chan struct{})}
		saved := 0
		result, err := run.Run(t.Context(), rooms("hologram", 20, 50, time.Minute), run.Options{
			Names: new(history.Names), Record: record, SaveRun: func(history.Run) error { saved++; return nil },
			StartNode: func(context.Context, run.NodeOptions) (run.Node, error) { return nil, errors.New("no such design") },
		})
		const want = "start node 1 of the bundled target: no such design"
		if err == nil || err.Error() != want || result.Failure != want || saved < 2 {
			t.Errorf("run returned %v, failure %q, saved %d times; want %q", err, result.Failure, saved, want)
		}
	})
	p := rooms("hologram", 20, 50, time.Minute)
	p.Loads[0].Only = 21
	if _, err := run.Run(t.Context(), p, run.Options{}); err == nil || err.Error() != `check the plan: load "talk" has 21 senders of 20 clients` {
		t.Errorf("a plan with too many senders: %v", err)
	}
}

func TestClientsThatCannotSubscribe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(nil)
		p := rooms("hologram", 20, 50, time.Minute)
		p.Join = 20 * time.Second
		record := &memoryRecord{closed: make(chan struct{})}
		began := time.Now()
		_, err := run.Run(t.Context(), p, run.Options{
			Names: new(history.Names), Record: record, SaveRun: func(history.Run) error { return nil },
			StartNode: startLocal(network.Listen, "target:80"),
			Dial: func(context.Context, string, string) (net.Conn, error) {
				return nil, errors.New("no way there")
			},
		})
		if err == nil || !strings.Contains(err.Error(), "only 0 of 20 streams were ready") || time.Since(began) != p.Join {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}
