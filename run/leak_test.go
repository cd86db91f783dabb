package run_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"

	"holobench/clients"
	"holobench/history"
	"holobench/run"
	"holobench/scenarios"
	"holobench/target"
	"holobench/wire"
)

// aloneRole makes this test binary a process with nothing else in it, whose goroutines and descriptors can be counted.
const aloneRole = "HOLOBENCH_TEST_ALONE"

// TestNothingIsLeft holds, on real sockets and for each wire and transport, that behind a run in which all connections were reset there
// are as many goroutines and descriptors as before it: those of the generator and, as it runs in this process, of the target.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	if os.Getenv(aloneRole) == "" {
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNothingIsLeft$", "-test.v")
		c.Env = append(os.Environ(), aloneRole+"=1")
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%v:\n%s", err, out)
		}
		return
	}
	transports := map[target.Design][]target.Transport{
		target.SingleChannel: {target.HTTP1, target.TLS, target.H2C, target.TLSH2}, target.Hologram: {target.HTTP1, target.H2C},
		target.LongPoll: {target.HTTP1}, target.Channels: {target.HTTP1, target.TLS},
	}
	alone := runtime.NumGoroutine()
	runOnSockets(t, target.SingleChannel, target.HTTP1, clients.EngineAuto)
	before := settle(t, func(o open) bool { return o.goroutines == alone }) // with the descriptors that the runtime keeps
	for _, design := range target.Designs() {
		for _, transport := range transports[design] {
			runOnSockets(t, design, transport, clients.EngineAuto)
			settle(t, func(o open) bool { return o == before })
			t.Logf("%s over %s: %+v", design, transport, before)
		}
	}
	for _, engine := range []clients.Engine{clients.EngineEpoll, clients.EngineReference} {
		runOnSockets(t, target.SingleChannel, target.HTTP1, engine)
		settle(t, func(o open) bool { return o == before })
		t.Logf("held by %s: %+v", engine, before)
	}
}

// settle waits until what is open is as it should be.
func settle(t *testing.T, is func(open) bool) open {
	t.Helper()
	for began := time.Now(); ; <-time.After(time.Millisecond) {
		now := countWhatIsOpen(t)
		if is(now) {
			return now
		}
		if time.Since(began) > time.Minute {
			var stacks bytes.Buffer
			pprof.Lookup("goroutine").WriteTo(&stacks, 1)
			t.Fatalf("%+v is left:\n%s", now, stacks.String())
		}
	}
}

// open is what a process holds.
type open struct{ goroutines, descriptors int }

func countWhatIsOpen(t *testing.T) open {
	t.Helper()
	o := open{goroutines: runtime.NumGoroutine()}
	if runtime.GOOS == "linux" {
		names, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		o.descriptors = len(names)
	}
	return o
}

// runOnSockets carries out a run in which half of the load goes out behind a reset of all connections, or, as one under a fault of links
// is never held by a loop, with an engine behind a moment in which all lost their network.
func runOnSockets(t *testing.T, design target.Design, transport target.Transport, engine clients.Engine) {
	t.Helper()
	p := rooms(string(design), 40, 100, time.Second)
	p.Transport, p.Join = transport, 20*time.Second
	p.Faults = []scenarios.Fault{{Name: "cut", At: 500 * time.Millisecond, For: 100 * time.Millisecond, Effect: scenarios.LinkFault{Kind: "reset"}}}
	if engine != clients.EngineAuto {
		p.Groups[0].Engine, p.Wire = engine, string(target.JSON)
		p.Faults = []scenarios.Fault{{Name: "storm", At: 500 * time.Millisecond, Where: scenarios.Where{Share: 1}, Effect: scenarios.ReconnectStorm{Away: 100 * time.Millisecond}}}
	}
	network := net.ListenConfig{}
	start := func(ctx context.Context, o run.NodeOptions) (run.Node, error) {
		n := newLocalNode()
		options := target.Options{Design: target.Design(o.Design), Knobs: o.Knobs, Transport: transport, Counters: n.counters, Journal: n.journal}
		listen := func(addr string) (net.Listener, error) { return network.Listen(ctx, "tcp", addr) }
		return n, n.serve(options, listen, "127.0.0.1:0")
	}
	dialer := net.Dialer{ControlContext: clients.ControlDial}
	all, result := carryOutWith(context.WithoutCancel(t.Context()), t, p, run.Options{
		StartNode: start, Dial: clients.StampedDial(dialer.DialContext, wire.StampKernel), Loops: 1,
	})
	if held := result.Groups[0].Engine; engine != clients.EngineAuto && held != string(engine) && clients.HasLoops() {
		t.Errorf("held by %s, want %s", held, engine)
	}
	if seen := kinds(all); seen[history.Delivered] < 900 || seen[history.Opened] < 50 {
		t.Fatalf("%s over %s: %v", design, transport, seen)
	}
}
