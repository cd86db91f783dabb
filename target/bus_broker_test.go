package target_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"holobench/target"
)

// newBroker is a NATS server inside the test, without a port: what it returns dials it.
func newBroker(t *testing.T) func(network, addr string) (net.Conn, error) {
	t.Helper()
	s, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the broker did not start")
	}
	return func(string, string) (net.Conn, error) { return s.InProcessConn() }
}

func brokerOptions(t *testing.T, node int, dial func(network, addr string) (net.Conn, error)) target.BrokerOptions {
	return target.BrokerOptions{
		URL: "nats://127.0.0.1:4222", Name: "test", Node: node, Dial: dial, Trouble: func(err error) { t.Errorf("node %d: %v", node, err) },
	}
}

// busLog is what one node heard.
type busLog struct {
	mu       sync.Mutex
	messages []string
	more     chan struct{} // has a token when messages came
}

// listen subscribes a node and notes what it hears as "channel number data".
func listen(t *testing.T, bus target.Bus) *busLog {
	t.Helper()
	l := &busLog{more: make(chan struct{}, 1)}
	stop, err := bus.Subscribe(func(m target.BusMessage) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.messages = append(l.messages, fmt.Sprintf("%s %d %s", m.Channel, m.Sequence, m.Data))
		select {
		case l.more <- struct{}{}:
		default:
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return l
}

// await returns what was heard when it is n messages or more.
func (l *busLog) await(t *testing.T, n int) []string {
	t.Helper()
	timeout := time.NewTimer(20 * time.Second)
	defer timeout.Stop()
	for {
		l.mu.Lock()
		heard := slices.Clone(l.messages)
		l.mu.Unlock()
		if len(heard) >= n {
			return heard
		}
		select {
		case <-l.more:
		case <-timeout.C:
			t.Fatalf("only %d of %d messages came", len(heard), n)
		}
	}
}

func publish(t *testing.T, bus target.Bus, channel, data string) {
	t.Helper()
	if err := bus.Publish(channel, []byte(data)); err != nil {
		t.Error(err)
	}
}

// TestNATSBusKeepsTheOrderOfEachNode: what a node says comes to the others in its order, over all channels, and not to itself.
func TestNATSBusKeepsTheOrderOfEachNode(t *testing.T) {
	t.Parallel()
	dial := newBroker(t)
	var buses []*target.NATSBus
	var logs []*busLog
	for n := range 3 {
		bus, err := target.DialNATS(brokerOptions(t, n+1, dial))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(bus.Close)
		buses, logs = append(buses, bus), append(logs, listen(t, bus))
	}
	const said = 500
	channels := []string{"room.*.>", "zwei Räume", "", "c"}
	var talking sync.WaitGroup
	for n, bus := range buses {
		talking.Go(func() {
			for i := range said {
				publish(t, bus, channels[i%len(channels)], fmt.Sprintf("n%d-%d", n, i))
			}
		})
	}
	talking.Wait()
	for n := range logs {
		heard := logs[n].await(t, 2*said)
		for other := range logs {
			var want, got []string
			for _, m := range heard {
				if strings.Contains(m, fmt.Sprintf(" n%d-", other)) {
					got = append(got, m)
				}
			}
			for i := range said {
				if other != n {
					want = append(want, fmt.Sprintf("%s 0 n%d-%d", channels[i%len(channels)], other, i))
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("node %d heard of node %d %d messages, or not in order", n+1, other+1, len(got))
			}
		}
	}
}

// TestJetStreamBusIsOneOrder: every node, the sender and one that comes late too, hears the same numbers in the same order.
func TestJetStreamBusIsOneOrder(t *testing.T) {
	t.Parallel()
	dial := newBroker(t)
	join := func(node int) (*target.JetStreamBus, *busLog) {
		bus, err := target.DialJetStream(t.Context(), brokerOptions(t, node, dial))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(bus.Close)
		return bus, listen(t, bus)
	}
	first, firstLog := join(1)
	second, secondLog := join(2)
	const said = 300
	var talking sync.WaitGroup
	for n, bus := range []target.Bus{first, second} {
		talking.Go(func() {
			for i := range said {
				publish(t, bus, fmt.Sprintf("room %d", i%2), fmt.Sprintf("n%d-%d", n, i))
			}
			publish(t, bus, "", fmt.Sprintf("question of %d", n))
		})
	}
	talking.Wait()
	numbered := func(heard []string) []string {
		return slices.DeleteFunc(heard, func(m string) bool { return strings.Contains(m, "question") })
	}
	want := numbered(firstLog.await(t, 2*said+1))
	next := map[string]int{}
	for _, m := range want {
		channel := m[:len("room 0")]
		next[channel]++
		if !strings.HasPrefix(m, fmt.Sprintf("%s %d ", channel, next[channel])) {
			t.Fatalf("%q came as number %d of its channel", m, next[channel])
		}
	}
	_, lateLog := join(3)
	for who, heard := range map[string][]string{"second": secondLog.await(t, 2*said+1), "late": lateLog.await(t, 2*said)} {
		if !slices.Equal(numbered(heard), want) {
			t.Errorf("the %s node heard another order", who)
		}
	}
	if heard := firstLog.await(t, 2*said+1); slices.Contains(heard, " 0 question of 0") || !slices.Contains(heard, " 0 question of 1") {
		t.Error("a question came to the node that asked, or to nobody")
	}
}

// TestDelayBusOverABroker: a way is as long as it is said to be, keeps its order when it gets shorter, and ends with its node.
func TestDelayBusOverABroker(t *testing.T) {
	t.Parallel()
	dial := newBroker(t)
	seed := rand.Uint64()
	draw := rand.New(rand.NewPCG(seed, 0))
	const shortest = 3 * time.Millisecond
	delay := func(from, to int) time.Duration {
		if from != 1 || to != 2 {
			t.Errorf("the way from %d to %d was asked for", from, to)
		}
		return shortest + time.Duration(draw.Int64N(int64(10*time.Millisecond)))
	}
	var ends []target.Bus
	for n := range 2 {
		bus, err := target.DialNATS(brokerOptions(t, n+1, dial))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(bus.Close)
		ends = append(ends, bus)
	}
	log := listen(t, target.DelayBus(ends[1], 2, delay))
	const said = 100
	var want []string
	began := time.Now()
	for i := range said {
		envelope := binary.AppendUvarint([]byte{1}, 1) // an event of node 1, as far as the bus looks
		publish(t, ends[0], "room", string(envelope)+fmt.Sprint(i))
		want = append(want, fmt.Sprintf("room 0 %s%d", envelope, i))
	}
	if got := log.await(t, said); !slices.Equal(got, want) {
		t.Errorf("seed %d: the order was not kept", seed)
	}
	if took := time.Since(began); took < shortest {
		t.Errorf("seed %d: everything came after %v, the shortest way takes %v", seed, took, shortest)
	}
}

func TestBrokerOptionsAreChecked(t *testing.T) {
	t.Parallel()
	refused := func(string, string) (net.Conn, error) { return nil, net.ErrClosed }
	for name, c := range map[string]struct {
		options target.BrokerOptions
		want    string
	}{
		"no dial": {target.BrokerOptions{Name: "a"}, "joining the bus: there is no way to dial"},
		"no name": {target.BrokerOptions{Dial: refused}, `joining the bus: the name "" is not of letters, digits, - and _`},
		"wild":    {target.BrokerOptions{Name: "a.>", Dial: refused}, `joining the bus: the name "a.>" is not of letters, digits, - and _`},
		"nobody":  {target.BrokerOptions{Name: "a", Dial: refused, URL: "nats://127.0.0.1:1"}, "joining the bus at nats://127.0.0.1:1: "},
	} {
		if _, err := target.DialNATS(c.options); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
