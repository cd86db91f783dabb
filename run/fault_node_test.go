package run_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/internal/memnet"
	"holobench/run"
	"holobench/scenarios"
	"holobench/target"
	"holobench/wire"
)

// frailNode is a node inside of the test's own process on which faults can be put. It cannot stand still, and says what it was told.
type frailNode struct {
	*localNode

	bus *target.FaultyBus
	pid int
	log *toldLog
}

type toldLog struct {
	mu   sync.Mutex
	told []string
}

func (l *toldLog) add(format string, values ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, fmt.Sprintf(format, values...))
}

func (n *frailNode) PID() int      { return n.pid }
func (n *frailNode) Pause() error  { n.log.add("pause %d", n.pid); return nil }
func (n *frailNode) Resume() error { n.log.add("resume %d", n.pid); return nil }

func (n *frailNode) Kill() error {
	n.log.add("kill %d", n.pid)
	n.stop()
	return nil
}

func (n *frailNode) Put(f target.BusFault) error { //nolint:gocritic // as the interface has it
	n.log.add("%d: %s %v", n.pid, f.Name, !f.Over)
	return n.bus.Put(f)
}

// quietBus is a bus process that does not die.
type quietBus struct{ deadBus }

// onFrailNodes carries a plan out on nodes in this process on which faults can be put.
func onFrailNodes(t *testing.T, p run.Plan) (all []history.Observation, result history.Run, told []string) { //nolint:gocritic // as carryOut has it
	t.Helper()
	network, bus := memnet.New(nil), target.NewMemoryBus(target.MemoryBusOptions{Ordered: p.Bus.Kind == run.BusJetStream})
	defer bus.Close()
	log, record := new(toldLog), &memoryRecord{closed: make(chan struct{})}
	result, err := run.Run(t.Context(), p, run.Options{
		ID: 0xabc, Names: new(history.Names), Record: record, Dial: network.DialContext, SaveRun: func(history.Run) error { return nil },
		StartBus: func(context.Context) (run.BusProcess, error) { return &quietBus{deadBus{make(chan struct{})}}, nil },
		StartNode: func(_ context.Context, o run.NodeOptions) (run.Node, error) {
			n := &frailNode{localNode: newLocalNode(), log: log}
			n.pid = 10*o.Number + max(1, o.Start)
			options := target.Options{Design: target.Design(o.Design), Knobs: o.Knobs, Node: o.Number, Nodes: o.Nodes, Counters: n.counters, Journal: n.journal}
			if o.BusFaults {
				n.bus = target.NewFaultyBus(bus.Node(o.Number), o.Number, n.counters)
				options.Bus = n.bus
			} else if o.Nodes > 1 {
				options.Bus = bus.Node(o.Number)
			}
			addr := o.Addr
			if addr == "" {
				addr = fmt.Sprintf("node-%d:80", o.Number)
			}
			return n, n.serve(options, network.Listen, addr)
		},
	})
	if err != nil {
		t.Fatalf("run: %v", err)
	}
	if err := record.Scan(func(batch []history.Observation) error {
		all = append(all, batch...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all, result, log.told
}

// seenLate are the events that came to a client of another node, by how they did: at once, late (with the time of arrival after the
// barrier), or never.
func fates(all []history.Observation, barrier int64) (atOnce, late, never int, arrivals map[int64]int) {
	node, channel := map[uint32]uint16{}, map[uint32]uint32{}
	sent, seen := map[wire.EventID]history.Observation{}, map[key]history.Observation{}
	for _, o := range all {
		switch o.Kind {
		case history.Subscribed:
			node[o.Client], channel[o.Client] = o.Node, o.Channel
		case history.Sent:
			sent[o.Event] = o
		case history.Delivered:
			seen[key{event: o.Event, client: o.Client}] = o
		default:
		}
	}
	arrivals = map[int64]int{}
	for event, command := range sent {
		for client := range node {
			if channel[client] != command.Channel {
				continue
			}
			got, ok := seen[key{event: event, client: client}]
			switch {
			case !ok:
				never++
			case got.At == command.At:
				atOnce++
			default:
				late++
				arrivals[(got.At-barrier)/1e6]++
			}
		}
	}
	return atOnce, late, never, arrivals
}

func marks(all []history.Observation, barrier int64) (list []string) {
	for _, o := range all {
		if o.Kind == history.FaultBegins || o.Kind == history.FaultEnds {
			list = append(list, fmt.Sprintf("%s %d at %d ms", o.Kind, o.Sequence, (o.At-barrier)/1e6))
		}
	}
	return list
}

// between is a plan of 12 clients in two rooms on three nodes, with a fault from 2.01 s to 5.01 s.
func between(design, bus string, effect scenarios.NodeFault) run.Plan {
	p := rooms(design, 12, 20, 8*time.Second)
	p.Nodes, p.Bus.Kind = 3, bus
	p.Loads[0].Only = 12
	p.Faults = []scenarios.Fault{{Name: "cut", At: 2010 * time.Millisecond, For: 3 * time.Second, Effect: effect}} // nothing is due at the very moment
	return p
}

// TestAPartitionIsExact: what is due while two sides do not hear each other never comes to the other side, and all else comes at once.
func TestAPartitionIsExact(t *testing.T) {
	t.Parallel()
	for _, oneWay := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p := between("single-channel", run.BusMemory, scenarios.NodeFault{Kind: scenarios.Partition, Between: [][]int{{1}, {2, 3}}, OneWay: oneWay})
			all, result, told := onFrailNodes(t, p)
			want := 0
			for _, o := range all {
				if since := o.Due - result.Barrier; o.Kind != history.Sent || since < 2010e6 || since >= 5010e6 {
					continue
				}
				switch { // two clients of each room are on each node
				case o.Node == 1:
					want += 4
				case !oneWay:
					want += 2
				}
			}
			atOnce, late, never, _ := fates(all, result.Barrier)
			if never != want || want < 50 || late != 0 || atOnce != 160*6-want {
				t.Errorf("one way %v: %d deliveries never came, %d late, %d at once; want %d never", oneWay, never, late, atOnce, want)
			}
			if got := marks(all, result.Barrier); !slices.Equal(got, []string{"fault-begins 1 at 2010 ms", "fault-ends 1 at 5010 ms"}) {
				t.Errorf("the history has %q", got)
			}
			if len(told) != 6 || len(result.Faults) != 1 {
				t.Fatalf("told %q, recorded %+v", told, result.Faults)
			}
			f := result.Faults[0]
			wantFault := history.Fault{
				Name: "cut", Kind: "partition", Backend: "the bus end of each node", Whom: "nodes 1 | 2, 3", Turns: []history.Turn{{From: 2010e6, To: 5010e6}},
				Decisions: uint64(want / 2), // each message would have had two clients
			}
			if oneWay {
				wantFault.Whom = "nodes 1 to 2, 3"
			}
			if fmt.Sprint(f) != fmt.Sprint(wantFault) {
				t.Errorf("recorded is %+v, want %+v", f, wantFault)
			}
		})
	}
}

// TestAPartitionOfAnOrderHoldsBack: over a bus with an order the smaller side waits, its commands too, and hears all at the heal.
func TestAPartitionOfAnOrderHoldsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := between("sequenced", run.BusJetStream, scenarios.NodeFault{Kind: scenarios.Isolate, Node: 2})
		all, result, _ := onFrailNodes(t, p)
		atOnce, late, never, arrivals := fates(all, result.Barrier)
		if never != 0 || late < 50 || atOnce < 100 {
			t.Errorf("%d deliveries at once, %d late, %d never", atOnce, late, never)
		}
		for at := range arrivals {
			if at != 5010 {
				t.Errorf("something came late at %d ms, and not at the heal", at)
			}
		}
		if ending := result.Ending; ending != history.EndingComplete {
			t.Errorf("ending %s", ending)
		}
	})
}

// TestALinkDelayIsExact: what is due while it lasts comes to the clients of other nodes exactly that much later, and to those of its own
// at once; at its end nothing overtakes.
func TestALinkDelayIsExact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := between("single-channel", run.BusMemory, scenarios.NodeFault{Kind: scenarios.LinkDelay, By: scenarios.Exactly(float64(30 * time.Millisecond))})
		all, result, _ := onFrailNodes(t, p)
		sent, late := map[wire.EventID]history.Observation{}, 0
		for _, o := range all {
			if o.Kind == history.Sent {
				sent[o.Event] = o
			}
		}
		for _, o := range all {
			if o.Kind != history.Delivered {
				continue
			}
			command, want := sent[o.Event], int64(0)
			if since := command.At - result.Barrier; command.Node != o.Node && since >= 2010e6 && since < 5010e6 {
				want = 30e6
				late++
			}
			if got := o.At - command.At; got != want {
				t.Fatalf("%v came %v after it was sent %v after the barrier, want %v", o.Event, time.Duration(got), time.Duration(command.At-result.Barrier), time.Duration(want))
			}
		}
		if f := result.Faults[0]; late != 60*4 || f.Decisions != 60*2 { // 60 events, each to the four clients of its room on two other nodes
			t.Errorf("%d deliveries were late, of %d messages", late, f.Decisions)
		}
	})
}

// TestWhatComesTwice: over a bus without an order the clients of other nodes hear twice, over one with an order everybody does.
func TestWhatComesTwice(t *testing.T) {
	t.Parallel()
	for bus, want := range map[string]int{run.BusMemory: 60 * 4, run.BusJetStream: 60 * 6} {
		synctest.Test(t, func(t *testing.T) {
			p := between("hologram", bus, scenarios.NodeFault{Kind: scenarios.BusDuplicate, Share: 1})
			p.Knobs.Echo = target.EchoStream
			all, result, _ := onFrailNodes(t, p)
			seen, twice := map[key]int{}, 0
			for _, o := range all {
				if o.Kind == history.Delivered {
					k := key{event: o.Event, client: o.Client}
					if seen[k]++; seen[k] == 2 {
						twice++
					}
				}
			}
			if twice != want || len(seen) != 160*6 || result.Faults[0].Kind != "bus_duplicate" {
				t.Errorf("%s: %d of %d came twice, want %d", bus, twice, len(seen), want)
			}
		})
	}
}

// TestAKilledNodeIsStartedAgain: the run goes on, the node is there again at its address, and clients whose node it is come back to it
// or to another.
func TestAKilledNodeIsStartedAgain(t *testing.T) {
	t.Parallel()
	for _, nodes := range []int{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			p := between("single-channel", run.BusMemory, scenarios.NodeFault{Kind: scenarios.KillNode, Node: nodes, Restart: true})
			p.Nodes = nodes
			p.Loads[0].Stages[0].For = 15 * time.Second
			all, result, told := onFrailNodes(t, p)
			pid := 10*nodes + 1
			n := result.Nodes[nodes-1]
			if result.Ending != history.EndingComplete || n.Exit != "" || n.EndedBy != "" || n.PID != pid+1 || !slices.Equal(n.PIDsBefore, []int{pid}) {
				t.Errorf("%d nodes: ending %s, node %+v", nodes, result.Ending, n)
			}
			if !slices.Equal(told, []string{fmt.Sprintf("kill %d", pid)}) {
				t.Errorf("%d nodes: told %q", nodes, told)
			}
			back, dispatched := 0, map[bool]int{}
			for _, o := range all {
				switch {
				case o.Kind == history.Subscribed && o.At > result.Barrier:
					back++
				case o.Kind == history.Dispatched && int(o.Node) == nodes:
					dispatched[o.At > result.Barrier+5010e6]++
				default:
				}
			}
			if back != 12/nodes || dispatched[false] == 0 || nodes == 1 && dispatched[true] == 0 {
				t.Errorf("%d nodes: %d clients came back; the journals have %v", nodes, back, dispatched)
			}
		})
	}
}

// TestANodeMayBeKilledForGood: that a fault did it is no death of the target.
func TestANodeMayBeKilledForGood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := between("single-channel", run.BusMemory, scenarios.NodeFault{Kind: scenarios.KillNode, Node: 3})
		p.Faults = append(p.Faults, scenarios.Fault{Name: "still", At: time.Second, For: 2 * time.Second, Effect: scenarios.NodeFault{Kind: scenarios.PauseNode, Node: 3}})
		_, result, told := onFrailNodes(t, p)
		if result.Ending != history.EndingComplete || result.Nodes[2].EndedBy != "cut" || result.Nodes[2].Exit != "" {
			t.Errorf("ending %s, nodes %+v", result.Ending, result.Nodes)
		}
		if !slices.Equal(told, []string{"pause 31", "kill 31"}) {
			t.Errorf("told %q", told)
		}
	})
}

// TestInterruptedFaultsEnd: when the run is interrupted in the middle of them, nothing stays broken.
func TestInterruptedFaultsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := between("single-channel", run.BusMemory, scenarios.NodeFault{Kind: scenarios.PauseNode, Node: 2})
		p.Faults[0].For = 4 * time.Second
		p.Loads[0].Flow = nil
		p.Faults = append(p.Faults, scenarios.Fault{
			Name: "gap", At: time.Second, For: 6 * time.Second, Effect: scenarios.NodeFault{Kind: scenarios.Isolate, Node: 1},
		})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		network := memnet.New(nil)
		log := new(toldLog)
		bus := target.NewMemoryBus(target.MemoryBusOptions{})
		defer bus.Close()
		start := startJoined(network.Listen, "target:0", bus)
		_, err := run.Run(ctx, p, run.Options{
			Names: new(history.Names), Record: &memoryRecord{closed: make(chan struct{})}, Dial: network.DialContext, SaveRun: func(history.Run) error { return nil },
			StartNode: func(ctx context.Context, o run.NodeOptions) (run.Node, error) {
				n, err := start(ctx, o)
				return &frailNode{localNode: n.(*localNode), bus: target.NewFaultyBus(bus.Node(o.Number+10), o.Number, target.MemoryCounters()), pid: o.Number, log: log}, err
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(log.told, "; "); !strings.Contains(got, "resume 2") || !strings.Contains(got, "1: gap false") || !strings.Contains(got, "3: gap false") {
			t.Errorf("told %s", got)
		}
	})
}

func TestFaultsOfNodesNeedABackend(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := between("single-channel", run.BusMemory, scenarios.NodeFault{Kind: scenarios.PauseNode, Node: 2})
		network, bus := memnet.New(nil), target.NewMemoryBus(target.MemoryBusOptions{})
		defer bus.Close()
		_, err := run.Run(t.Context(), p, run.Options{
			Names: new(history.Names), Record: &memoryRecord{closed: make(chan struct{})}, Dial: network.DialContext, SaveRun: func(history.Run) error { return nil },
			StartNode: startJoined(network.Listen, "target:0", bus),
		})
		if want := `carry out the fault "cut": node 2 of the target: no backend can put faults on it, which runs in no process of its own`; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	})
	for want, change := range map[string]func(p *run.Plan){
		`check the plan: the fault "cut" hits node 4 of 3`:                                func(p *run.Plan) { p.Faults[0].Effect = scenarios.NodeFault{Kind: scenarios.KillNode, Node: 4} },
		`check the plan: the fault "cut" hits node 0 of 3`:                                func(p *run.Plan) { p.Faults[0].Effect = scenarios.NodeFault{Kind: scenarios.Partition} },
		`check the plan: the fault "cut" (link_delay) needs a bus, and there is one node`: func(p *run.Plan) { p.Nodes, p.Faults[0].Effect = 1, scenarios.NodeFault{Kind: scenarios.LinkDelay} },
	} {
		p := between("single-channel", run.BusMemory, scenarios.NodeFault{})
		change(&p)
		if _, err := run.Run(t.Context(), p, run.Options{}); err == nil || err.Error() != want || errors.Unwrap(err) != nil {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
