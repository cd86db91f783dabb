package chaos_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/chaos"
	"holobench/internal/draw"
)

// everything is faults of all kinds that decide something.
func everything() []chaos.Fault {
	law := draw.Law{Kind: draw.KindLognormal, A: 40e6, B: 200e6}
	effects := []chaos.Effect{
		chaos.Delay{Law: law, Jitter: draw.Law{Kind: draw.KindExponential, A: 1e6}, Hold: 100 * ms},
		chaos.Loss{Rate: 0.1},
		chaos.SlowClose{Law: law},
		chaos.Reset{Within: s},
		chaos.Close{Within: s},
		chaos.Refuse{Share: 0.5},
		chaos.AcceptDelay{Law: law},
		chaos.HTTPAbort{Status: 503, Share: 0.1},
		chaos.HTTPDelay{Law: law, Share: 0.5},
		chaos.Drop{Pick: chaos.Pick{Share: 0.1}},
		chaos.Duplicate{Pick: chaos.Pick{Nth: 7}},
		chaos.Corrupt{Pick: chaos.Pick{Share: 0.1}},
		chaos.Truncate{Pick: chaos.Pick{Share: 0.1}},
		chaos.Reorder{Pick: chaos.Pick{Share: 0.1}, Distance: 2},
	}
	var all []chaos.Fault
	for _, e := range effects {
		all = append(all, chaos.Fault{Name: e.Kind(), Window: chaos.Window{At: s, For: 5 * s}, Where: chaos.Where{Share: 0.5}, Effect: e})
	}
	return all
}

// The table of decisions has one digest for a seed, however many workers made it, and another for another seed.
func TestTableOfASeed(t *testing.T) {
	t.Parallel()
	table := func(seed uint64, workers int) chaos.Ledger {
		c, err := chaos.New(chaos.Options{Seed: seed, Clients: 60, Faults: everything()})
		if err != nil {
			t.Fatal(err)
		}
		return c.Table(chaos.Planned{Events: ids(100), Messages: 100, Slots: 50, Workers: workers})
	}
	first := table(1, 1)
	for _, workers := range []int{1, 2, 8} {
		if got := table(1, workers); !equal(got, first) {
			t.Errorf("%d workers: %+v\nwant %+v", workers, got, first)
		}
	}
	other := table(2, 1)
	for i, tally := range first.Faults {
		if tally.Decisions == 0 || tally.Clients != 30 || tally.Backend == "" {
			t.Errorf("%+v", tally)
		}
		if tally.Digest == other.Faults[i].Digest {
			t.Errorf("%s: another seed decides alike", tally.Fault)
		}
	}
	if first.Digest == other.Digest {
		t.Error("another seed has the same digest")
	}
	// What a seed means must not change without anybody's noticing. (Amounts may differ in their last bit between processors,
	// so that this looks at a fault that has none.)
	if got, want := first.Faults[9], "848e26b31460dd5666cbc815e6044884"; got.Digest != want {
		t.Errorf("the digest of %s is %s, it was %s", got.Fault, got.Digest, want)
	}
}

func equal(a, b chaos.Ledger) bool { return a.Digest == b.Digest && slices.Equal(a.Faults, b.Faults) }

// What links carry out in a bubble is what the ledger of another run of that seed says, whatever the scheduler did: here the order in
// which the clients are served, and how their bytes are cut, is another in each run. And it is what the table says, of those events.
func TestLedgerOfASeed(t *testing.T) {
	t.Parallel()
	const clients, events = 16, 40
	faults := []chaos.Fault{
		{Name: "lag", Effect: chaos.Delay{Law: draw.Law{Kind: draw.KindExponential, A: 5e6}, Hold: 10 * ms}},
		{Name: "lost", Effect: chaos.Loss{Rate: 0.05, Timeout: ms}},
		{Name: "gone", Effect: chaos.Drop{Pick: chaos.Pick{Share: 0.1}}},
		{Name: "twice", Effect: chaos.Duplicate{Pick: chaos.Pick{Share: 0.1}}},
	}
	run := func(t *testing.T, shuffle uint64) (ledger, table chaos.Ledger) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, 9, faults...)
			rng := rand.New(rand.NewPCG(shuffle, 1))
			type ends struct{ near, far net.Conn }
			conns := make([]ends, clients)
			for _, client := range rng.Perm(clients) {
				conns[client].near, conns[client].far = r.connect(uint32(client), chaos.Stream)
			}
			var done sync.WaitGroup
			for _, client := range rng.Perm(clients) {
				cut := 1 + rng.IntN(400)
				done.Go(func() { r.hear(conns[client].near) })
				done.Go(func() {
					for i, b := 0, stream(events, true); len(b) > 0; i++ {
						n := min(len(b), cut)
						conns[client].far.Write(b[:n])
						b = b[n:]
						r.until(time.Duration(i) * 10 * ms / 8)
					}
					r.until(s) // so that all slots are met
					conns[client].far.Close()
				})
			}
			done.Wait()
			ledger = r.chaos.Ledger()
			table = r.chaos.Table(chaos.Planned{Events: ids(events)})
		})
		return ledger, table
	}
	first, table := run(t, 1)
	for shuffle := range uint64(4) {
		again, _ := run(t, shuffle+2)
		for i, tally := range again.Faults {
			// Which slots of time are met depends on how the bytes were cut, here; all that is judged by events does not.
			if tally.Decisions == 0 || i > 1 && tally != first.Faults[i] {
				t.Errorf("run %d: %+v, want %+v", shuffle, tally, first.Faults[i])
			}
		}
	}
	for i, tally := range first.Faults[2:] {
		want := table.Faults[i+2]
		if tally.Decisions >= want.Decisions { // of the table's 100 clients, 16 were there
			t.Errorf("%+v, and in the table %+v", tally, want)
		}
	}
}

// The judged draws follow the law that was asked for, and what is realised follows from them to the nanosecond: an event gets off the path
// when its delay is over, and not before what got on in an earlier slot.
func TestJudgedDrawsAndRealisedDelays(t *testing.T) {
	t.Parallel()
	for name, law := range groundTruth() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const clients, events, hold, gap = 40, 100, 50 * ms, 50 * ms
				r := newRig(t, 11, chaos.Fault{Name: "lag", Effect: chaos.Delay{Law: law, Hold: hold}})
				var done sync.WaitGroup
				seen := make([][]arrival, clients)
				for client := range clients {
					near, far := r.connect(uint32(client), chaos.Stream)
					done.Go(func() { seen[client] = numbers(r, near) })
					done.Go(func() {
						for i := range events {
							r.until(time.Duration(i)*gap + time.Duration(client)*ms)
							far.Write([]byte{byte(i), byte(i >> 8)})
						}
						far.Close()
					})
				}
				done.Wait()
				drawn := make(map[[2]int64]time.Duration)
				var draws []float64
				for _, d := range r.decisions {
					drawn[[2]int64{int64(d.Client), d.Number}] = time.Duration(d.Amount)
					draws = append(draws, float64(d.Amount))
				}
				distance := draw.Distance(draws, law.CDF)
				if p := draw.DistanceChance(len(draws), distance); p < 1e-4 || len(draws) != clients*events {
					t.Errorf("%d draws are %.4f away from %s, p = %.2g", len(draws), distance, law.TextDurations(), p)
				}
				for client := range clients {
					for i, a := range seen[client] {
						sent := time.Duration(i)*gap + time.Duration(client)*ms
						slot := int64(sent / hold)
						want := sent + drawn[[2]int64{int64(client), slot}]
						for k := range slot {
							want = max(want, time.Duration(k+1)*hold+drawn[[2]int64{int64(client), k}])
						}
						if a.number != i || a.at != want {
							t.Fatalf("client %d: event %d, sent at %v, came as number %d at %v, want %v", client, i, sent, a.number, a.at, want)
						}
					}
				}
			})
		})
	}
}

// groundTruth is the laws that the proof is made for.
func groundTruth() map[string]draw.Law {
	return map[string]draw.Law{
		"constant 50 ms":       {A: 50e6},
		"normal 50, 10 ms":     {Kind: draw.KindNormal, A: 50e6, B: 10e6},
		"lognormal 40, 200 ms": {Kind: draw.KindLognormal, A: 40e6, B: 200e6},
		"exponential 20 ms":    {Kind: draw.KindExponential, A: 20e6},
	}
}

// A share of the clients is exact, the same for a seed, and part of every larger share.
func TestShareOfTheClients(t *testing.T) {
	t.Parallel()
	hit := func(seed uint64, share float64) (all []uint32) {
		c, err := chaos.New(chaos.Options{Seed: seed, Clients: 200, Record: func(chaos.Decision) {}, Faults: []chaos.Fault{{
			Name: "it", Window: chaos.Window{Always: true}, Effect: chaos.Refuse{},
			Where: chaos.Where{Clients: []chaos.Range{{0, 50}, {100, 150}}, Share: share},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		for client := range uint32(200) {
			if c.Hits("it", client) {
				all = append(all, client)
			}
		}
		return all
	}
	small, large := hit(1, 0.25), hit(1, 0.5)
	if len(small) != 25 || len(large) != 50 || !slices.Equal(small, hit(1, 0.25)) || slices.Equal(small, hit(2, 0.25)) {
		t.Errorf("%v, %v", small, large)
	}
	for _, client := range small {
		if !slices.Contains(large, client) || client >= 150 || client >= 50 && client < 100 {
			t.Errorf("client %d is in the small share, not in the large, or was not meant", client)
		}
	}
}

// What is wrong with a fault is said with a remedy.
func TestFaultsThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault chaos.Fault
		want  string
	}{
		{chaos.Fault{Effect: chaos.HalfOpen{}}, `a fault without a name: give it one, since its draws and its windows are called by it`},
		{chaos.Fault{Name: "x"}, `fault "x" does nothing: give it an effect`},
		{chaos.Fault{Effect: chaos.Drop{Pick: chaos.Pick{Share: 2}}}, `fault "it" (drop): give a share from 0 to 1, or each n-th from 1`},
		{chaos.Fault{Effect: chaos.Duplicate{}, Where: chaos.Where{Path: chaos.Command}}, `fault "it" (duplicate): it is for events of streams: leave the path out, or give the stream`},
		{chaos.Fault{Effect: chaos.Drop{}, Where: chaos.Where{Direction: chaos.Up}}, `fault "it" (drop): it works on what comes down only: leave the direction out`},
		{chaos.Fault{Effect: chaos.Reset{}, Where: chaos.Where{Direction: chaos.Up}}, `fault "it" (reset): it concerns a connection as a whole: leave the direction out`},
		{chaos.Fault{Effect: chaos.Delay{}}, `fault "it" (delay): a delay of nothing: give a law, or a jitter`},
		{chaos.Fault{Effect: chaos.Stall{}, Window: chaos.Window{Ramp: s}}, `fault "it" (stall): it cannot come on slowly: leave the ramp out`},
		{chaos.Fault{Effect: chaos.Reset{}, Window: chaos.Window{Always: true}}, `fault "it" (reset): it happens at a moment, so it cannot be in force always: say when`},
		{chaos.Fault{Effect: chaos.HalfOpen{}, Window: chaos.Window{For: 2 * s, Every: s}}, `fault "it" (half_open): it begins again before it ends: give every at least the length of for`},
		{chaos.Fault{Effect: chaos.HalfOpen{}, Where: chaos.Where{Share: 0.5, Clients: []chaos.Range{{500, 600}}}}, `fault "it" hits a share of no clients: say how many there are, and mean some of them`},
		{chaos.Fault{Effect: chaos.SlowReader{Rate: 1, ReceiveBuffer: 1}}, `fault "it" (slow_reader): nobody sets the size of receive buffers here: let the dialer call Chaos.Control, or leave the size out`},
	} {
		if c.fault.Name == "" && c.want[0] == 'f' {
			c.fault.Name = "it"
		}
		if _, err := chaos.New(chaos.Options{Clients: 100, Faults: []chaos.Fault{c.fault}}); err == nil || err.Error() != c.want {
			t.Errorf("%v\nwant %s", err, c.want)
		}
	}
	twice := chaos.Fault{Name: "it", Effect: chaos.HalfOpen{}}
	if _, err := chaos.New(chaos.Options{Faults: []chaos.Fault{twice, twice}}); err == nil || err.Error() != `two faults are called "it": give each a name of its own` {
		t.Error(err)
	}
	readable := chaos.Fault{Name: "it", Effect: chaos.Drop{}}
	if _, err := chaos.New(chaos.Options{Faults: []chaos.Fault{readable}, Opaque: true}); err == nil {
		t.Error("events can be dropped from what cannot be read")
	}
	for from, want := range map[uint32]bool{0: true, 4: false, 9: false, 10: true} { // clients 5 to 9 speak something else
		readable.Where.Clients = []chaos.Range{{From: from, To: from + 2}}
		_, err := chaos.New(chaos.Options{Faults: []chaos.Fault{readable}, OpaqueTo: []chaos.Range{{From: 5, To: 10}}})
		if got := err == nil; got != want {
			t.Errorf("events of the clients from %d on: %v", from, err)
		}
	}
	c, err := chaos.New(chaos.Options{Faults: []chaos.Fault{{Name: "it", Effect: chaos.Stall{}}}})
	if err != nil {
		t.Fatal(err)
	}
	dial := c.Dial(func(context.Context, string, string) (net.Conn, error) {
		near, _ := net.Pipe()
		return near, nil
	}, func(context.Context) (uint32, chaos.Path) { return 3, chaos.Stream })
	want := `a fault concerns the stream socket of client 3, but a *net.pipe does not say when its bytes arrive: wrap it in one that does, below the faults`
	if _, err := dial(t.Context(), "tcp", "x:1"); fmt.Sprint(err) != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}
