package chaos_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"net"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"holobench/chaos"
	"holobench/clients"
	"holobench/internal/draw"
	"holobench/wire"
)

var verify = flag.Bool("verify", false, "make the long proofs, too (make verify-chaos)")

// eventBytes is the size of an event of the proofs: its number, and nothing.
const eventBytes = 200

// tap notes when the bytes of a connection arrived, below the faults.
type tap struct {
	wire.Borrower
	mu      sync.Mutex
	bytes   int
	arrived []int64 // of each event that is whole
}

func (a *tap) ReadStamped(p []byte) (n int, notBefore, at int64, err error) {
	n, notBefore, at, err = a.Borrower.ReadStamped(p)
	a.note(n, at)
	return n, notBefore, at, err
}

func (a *tap) ReadBorrowed(pool *sync.Pool) (b wire.Buffer, n int, notBefore, at int64, err error) {
	b, n, notBefore, at, err = a.Borrower.ReadBorrowed(pool)
	a.note(n, at)
	return b, n, notBefore, at, err
}

func (a *tap) note(n int, at int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bytes += n
	for len(a.arrived) < a.bytes/eventBytes {
		a.arrived = append(a.arrived, at)
	}
}

// sight is an event at a client: its stamp, and when the read returned.
type sight struct {
	at, read int64
}

// crowd is many connections over loopback, in links.
type crowd struct {
	chaos *chaos.Chaos
	taps  []*tap
	near  []net.Conn
	far   []net.Conn
	seen  [][]sight
	done  sync.WaitGroup
}

type room [8 << 10]byte

func (r *room) Bytes() []byte { return r[:] }

// gather connects a crowd; tapped asks for arrivals.
func gather(t testing.TB, size int, tapped bool, faults ...chaos.Fault) *crowd {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	c := &crowd{seen: make([][]sight, size)}
	c.chaos, err = chaos.New(chaos.Options{Seed: 1, Clients: size, Faults: faults})
	if err != nil {
		t.Fatal(err)
	}
	stamped := clients.StampedDial(new(net.Dialer).DialContext, wire.StampKernel)
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := stamped(ctx, network, addr)
		if err != nil || !tapped {
			return conn, err
		}
		c.taps = append(c.taps, &tap{Borrower: conn.(wire.Borrower)})
		return c.taps[len(c.taps)-1], nil
	}
	dial = c.chaos.Dial(dial, func(context.Context) (uint32, chaos.Path) { return uint32(len(c.near)), chaos.Stream })
	for range size {
		near, err := dial(t.Context(), "tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		far, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c.near, c.far = append(c.near, near), append(c.far, far)
	}
	return c
}

// read starts a reader for each connection, which calls each for each read.
func (c *crowd) read(each func(client, bytes int, at int64)) {
	pool := &sync.Pool{New: func() any { return new(room) }}
	for client, conn := range c.near {
		c.done.Go(func() {
			lender := conn.(wire.Borrower)
			for {
				b, n, _, at, err := lender.ReadBorrowed(pool)
				if err != nil {
					return
				}
				pool.Put(b)
				each(client, n, at)
			}
		})
	}
}

func (c *crowd) close() {
	for i := range c.near {
		c.near[i].Close()
		c.far[i].Close()
	}
	c.done.Wait()
	c.chaos.Wait()
}

// TestVerifyChaos is make verify-chaos: 1,000 streams of 20 events a second on real sockets, for four laws.
func TestVerifyChaos(t *testing.T) {
	if !*verify {
		t.Skip("a long proof: make verify-chaos")
	}
	laws := groundTruth()
	t.Run("no fault", verifyNothing)
	for _, name := range []string{"constant 50 ms", "normal 50, 10 ms", "lognormal 40, 200 ms", "exponential 20 ms"} {
		t.Run(name, func(t *testing.T) { verifyLaw(t, laws[name]) })
	}
}

// The load of the proof: a stream gets an event each gap.
const streams, gap, hold, span = 1000, 50 * ms, 50 * ms, 10 * s

// verifyNothing is what the machine does to the readers when there is no fault: how late a read returns after the kernel's
// stamp.
func verifyNothing(t *testing.T) {
	c := gather(t, streams, true)
	_, used := verifyLoad(c)
	var lag []float64
	for _, seen := range c.seen {
		for _, one := range seen {
			lag = append(lag, float64(one.read-one.at))
		}
	}
	t.Logf("%s; %v CPU an event, both ends", lateness(lag), used)
}

// lateness says how late reads were; it sorts.
func lateness(lag []float64) string {
	slices.Sort(lag)
	return fmt.Sprintf("reads were late by p50 %.2f ms, p99 %.2f ms, max %.2f ms", lag[len(lag)/2]/1e6, lag[len(lag)*99/100]/1e6, lag[len(lag)-1]/1e6)
}

func verifyLaw(t *testing.T, law draw.Law) {
	c := gather(t, streams, true, chaos.Fault{Name: "lag", Effect: chaos.Delay{Law: law, Hold: hold}})
	zero, used := verifyLoad(c)
	t.Logf("%v CPU an event, both ends", used)
	report(t, c, law, zero)
}

// verifyLoad sends the events, and says when the barrier was and how much CPU an event took.
func verifyLoad(c *crowd) (zero int64, used time.Duration) {
	received := make([]int, streams)
	c.read(func(client, n int, at int64) {
		read := time.Now().UnixNano()
		for received[client] += n; len(c.seen[client]) < received[client]/eventBytes; {
			c.seen[client] = append(c.seen[client], sight{at, read})
		}
	})
	begin := time.Now().Add(100 * ms)
	c.chaos.Begin(begin.UnixNano())
	events, began := int(span/gap), cpu()
	event := make([]byte, eventBytes)
	for tick := range events * int(gap/ms) { // each millisecond a fiftieth of the streams
		<-time.After(time.Until(begin.Add(time.Duration(tick) * ms)))
		for client := tick % int(gap/ms); client < streams; client += int(gap / ms) {
			binary.LittleEndian.PutUint32(event, uint32(tick))
			c.far[client].Write(event)
		}
	}
	<-time.After(3 * s) // for what is late
	used = time.Duration(cpu()-began) / time.Duration(events*streams)
	c.close()
	return begin.UnixNano(), used
}

// report compares the judged draws with the law, and what was realised with the law of a queue that lets nothing overtake,
// fed with the same arrivals and draws.
func report(t *testing.T, c *crowd, law draw.Law, zero int64) {
	t.Helper()
	var draws, asked, realised, lag []float64
	var off, events, missing int
	for client := range c.seen {
		slots := c.chaos.Slots("lag", uint32(client), chaos.Down, 400)
		used := make(map[int64]bool)
		missing += len(c.taps[client].arrived) - len(c.seen[client])
		for i, seen := range c.seen[client] {
			at := c.taps[client].arrived[i]
			slot := (at - zero) / int64(hold)
			want := at + int64(slots[slot])
			for k := range slot {
				want = max(want, zero+(k+1)*int64(hold)+int64(slots[k]))
			}
			if want != seen.at {
				off++
			}
			if !used[slot] {
				used[slot] = true
				draws = append(draws, float64(slots[slot]))
			}
			asked = append(asked, float64(slots[slot]))
			realised = append(realised, float64(seen.at-at))
			lag = append(lag, float64(seen.read-seen.at))
			events++
		}
	}
	distance := draw.Distance(draws, law.CDF)
	p := draw.DistanceChance(len(draws), distance)
	t.Logf("%s: %d draws, KS distance %.4f, p = %.2g; mean of the law %.3f ms, of the draws %.3f ms, realised in order %.3f ms (KS %.3f)",
		law.TextDurations(), len(draws), distance, p, law.Mean()/1e6, mean(asked)/1e6, mean(realised)/1e6, draw.Distance(realised, law.CDF))
	t.Logf("%d events, %d whose stamp is not that of the law in order; %s", events, off, lateness(lag))
	if p < 1e-4 {
		t.Errorf("the draws do not follow the law")
	}
	if off > 0 || missing > 0 {
		t.Errorf("%d of %d stamps are off, %d events are missing", off, events, missing)
	}
	if lag[len(lag)*99/100] > 3e6 {
		t.Errorf("the 99th percentile of the timer's error is above 3 ms: is the machine busy with something else? See what it does without a fault")
	}
}

func mean(all []float64) float64 {
	var sum float64
	for _, v := range all {
		sum += v
	}
	return sum / float64(len(all))
}

// BenchmarkWrapper is what a link costs: each round brings an event to every one of 500 connections. What matters is the CPU
// for an event, of both ends, and the memory of a connection, not the time of a round.
func BenchmarkWrapper(b *testing.B) {
	lag := chaos.Fault{Name: "lag", Window: chaos.Window{For: time.Hour}, Effect: chaos.Delay{Law: draw.Law{Kind: draw.KindNormal, A: 5e6, B: 1e6}}}
	later := lag
	later.Window = chaos.Window{At: time.Hour}
	drop := chaos.Fault{Name: "gone", Window: chaos.Window{For: time.Hour}, Effect: chaos.Drop{Pick: chaos.Pick{Share: 0.01}}}
	for _, c := range []struct {
		name   string
		faults []chaos.Fault
	}{
		{"direct", nil},
		{"in no force", []chaos.Fault{later}},
		{"delay", []chaos.Fault{lag}},
		{"drop", []chaos.Fault{drop}},
	} {
		b.Run(c.name, func(b *testing.B) {
			const size = 500
			before := memory()
			crowd := gather(b, size, false, c.faults...)
			crowd.chaos.Begin(time.Now().UnixNano())
			arrived := make(chan struct{}, size)
			left := make([]int, size)
			head := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
			for client := range left {
				left[client] = -len(head)
				crowd.far[client].Write(head)
			}
			crowd.read(func(client, n int, _ int64) {
				for left[client] += n; left[client] >= eventBytes; left[client] -= eventBytes {
					arrived <- struct{}{}
				}
			})
			event := bytes.Repeat([]byte("x"), eventBytes)
			copy(event, "data: ")
			copy(event[eventBytes-2:], "\n\n")
			round := func() {
				for _, far := range crowd.far {
					far.Write(event)
				}
				for range size {
					<-arrived
				}
			}
			round()
			held := memory() - before
			began := cpu()
			for b.Loop() {
				round()
			}
			b.ReportMetric(float64(cpu()-began)/float64(b.N)/size, "cpu-ns/event")
			b.ReportMetric(float64(held)/size, "B/conn")
			crowd.close()
		})
	}
}

// cpu is what this process used, in ns.
func cpu() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// memory is what heap and stacks hold, in bytes.
func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
