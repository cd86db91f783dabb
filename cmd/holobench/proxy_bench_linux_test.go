package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"

	"holobench/chaos"
	"holobench/clients"
	"holobench/internal/draw"
	"holobench/wire"
)

var (
	toxiproxyServer = flag.String("toxiproxy", "", "the server of Toxiproxy (make bench-chaos)")
	benchStreams    = flag.Int("streams", 2000, "how many streams make bench-chaos holds")
	benchSeconds    = flag.Int("seconds", 4, "how long make bench-chaos measures each way of each round")
	benchRounds     = flag.Int("rounds", 5, "how many rounds make bench-chaos makes")
	benchOnly       = flag.String("ways", "", "make bench-chaos measures those ways only whose names match this regular expression, and prints each round")
)

// The load of make bench-chaos: so many events of so many bytes a second and stream, one stream after the other.
const (
	benchRate  = 10
	benchEvent = 200 // bytes, the chunk around it counted in
	benchLate  = 50 * time.Millisecond
)

// benchWay is one way of events from the source to the readers.
type benchWay struct {
	name  string
	late  bool                           // by benchLate
	fault *chaos.Fault                   // of the wrapper
	start func(t *testing.T) *benchProxy // nil = there is none

	proxy *benchProxy

	// Of each round:
	whole, own      []float64 // us of CPU for an event: of all processes, of the proxy's
	p50, p99        []float64 // ms
	resident, inUse []float64 // KB for a connection, beyond what was there before the first
}

// TestBenchChaos prints what the backends of chaos cost, beside a direct connection and beside Toxiproxy.
func TestBenchChaos(t *testing.T) {
	if *toxiproxyServer == "" {
		t.Skip("takes minutes: make bench-chaos")
	}
	lag := func(at time.Duration) *chaos.Fault {
		return &chaos.Fault{Name: "lag", Window: chaos.Window{At: at}, Effect: chaos.Delay{Law: draw.Law{A: float64(benchLate)}}}
	}
	ways := []*benchWay{
		{name: "direct"},
		{name: "direct, again (A/A)"},
		{name: "wrapper, no rule in force", fault: lag(time.Hour)},
		{name: "wrapper, 50 ms", fault: lag(0), late: true},
		{name: "holobench proxy", start: benchHolobench},
		{name: "holobench proxy, 50 ms", start: benchHolobench, late: true},
		{name: "Toxiproxy 2.12", start: benchToxiproxy},
		{name: "Toxiproxy 2.12, 50 ms", start: benchToxiproxy, late: true},
	}
	only, err := regexp.Compile(*benchOnly)
	if err != nil {
		t.Fatal(err)
	}
	for round := range *benchRounds {
		for i := range ways { // one after the other, beginning with another each time
			way := ways[(i+round)%len(ways)]
			if !only.MatchString(way.name) {
				continue
			}
			way.measure(t)
			t.Logf("round %d: %-26s %.1f us for an event, %.1f of them the proxy's, %.1f KB in use, %.1f resident, p50 %.2f ms, p99 %.2f ms",
				round+1, way.name, way.whole[round], way.own[round], way.inUse[round], way.resident[round], way.p50[round], way.p99[round])
		}
	}
	if *benchOnly == "" { // else there is nothing to compare with
		printBench(ways)
	}
}

// printBench prints the medians.
func printBench(ways []*benchWay) {
	direct := ways[0]
	fmt.Printf("\n%d streams, %d events/s each of %d bytes, medians of %d rounds of %d s, %d cores\n\n", *benchStreams, benchRate, benchEvent,
		*benchRounds, *benchSeconds, runtime.NumCPU())
	fmt.Printf("| way | us of CPU for an event | x direct | of them the proxy's | KB in use more a connection | KB resident | added p50 ms | added p99 ms |\n|---|---|---|---|---|---|---|---|\n")
	for _, way := range ways {
		asked := 0.0
		if way.late {
			asked = benchLate.Seconds() * 1000
		}
		inUse, resident := median(way.inUse), fmt.Sprintf("%.1f", median(way.resident))
		if way.start == nil {
			inUse, resident = inUse-median(direct.inUse), "-"
		}
		fmt.Printf("| %s | %.1f | %.2f | %.1f | %.1f | %s | %.2f | %.2f |\n", way.name, median(way.whole), median(ratios(way.whole, direct.whole)),
			median(way.own), inUse, resident,
			median(way.p50)-median(direct.p50)-asked, median(way.p99)-median(direct.p99)-asked)
	}
	fmt.Println()
	for i, what := range []string{"no toxic", "50 ms"} {
		ours, theirs := ways[4+i], ways[6+i]
		fmt.Printf("holobench proxy / Toxiproxy, %s: CPU %.2f, memory in use %.2f, resident %.2f (medians of the rounds' ratios)\n", what,
			median(ratios(ours.own, theirs.own)), median(ratios(ours.inUse, theirs.inUse)), median(ratios(ours.resident, theirs.resident)))
	}
}

// ratios are those of the rounds: what else goes on on the machine differs less within one.
func ratios(over, under []float64) (all []float64) {
	for i := range over {
		all = append(all, over[i]/under[i])
	}
	return all
}

func median(all []float64) float64 { return slices.Sorted(slices.Values(all))[len(all)/2] }

// measure connects all streams, lets events through, and notes what that cost.
func (w *benchWay) measure(t *testing.T) {
	t.Helper()
	source, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	addr := source.Addr().String()
	if w.start != nil {
		w.proxy = w.start(t)
		defer w.proxy.stop() // a process that has served does not give its memory back
		one, err := w.proxy.api.CreateProxy("bench", "127.0.0.1:0", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer one.Delete()
		if w.late {
			if _, err := one.AddToxic("", "latency", "", 1, toxiproxy.Attributes{"latency": benchLate.Milliseconds()}); err != nil {
				t.Fatal(err)
			}
		}
		addr = one.Listen
	}
	far, near := w.connect(t, source, addr)
	seen := &benchSeen{late: make([][]float64, len(near))}
	for i, conn := range near {
		seen.reading.Go(func() { seen.read(i, conn) })
	}
	end := make(chan struct{})
	var sending sync.WaitGroup
	sending.Go(func() { benchSend(far, end) })
	<-time.After(2 * time.Second) // until all is warm
	w.note(t, seen)
	close(end)
	sending.Wait()
	for _, conn := range append(far, near...) {
		conn.Close()
	}
	seen.reading.Wait()
}

// note measures for so long.
func (w *benchWay) note(t *testing.T, seen *benchSeen) {
	runtime.GC()
	here, there := selfCPU(t), w.proxyCPU(t)
	seen.counting.Store(true)
	<-time.After(time.Duration(*benchSeconds) * time.Second)
	seen.counting.Store(false)
	own, used := w.proxyCPU(t)-there, selfCPU(t)-here
	memory := benchMemory{}
	if w.proxy != nil {
		memory = w.proxy.memoryKB(t)
		memory.resident -= w.proxy.before.resident
		memory.inUse -= w.proxy.before.inUse
	} else {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		memory.inUse = float64(m.HeapInuse+m.StackInuse) / 1024
	}
	w.resident = append(w.resident, memory.resident/float64(*benchStreams))
	w.inUse = append(w.inUse, memory.inUse/float64(*benchStreams))
	var all []float64
	seen.mu.Lock()
	for _, one := range seen.late {
		all = append(all, one...)
	}
	seen.mu.Unlock()
	if want := *benchStreams * benchRate * *benchSeconds / 2; len(all) < want {
		t.Fatalf("%s: %d events arrived, fewer than %d: this machine has too much else to do", w.name, len(all), want)
	}
	w.whole = append(w.whole, (own+used)/float64(len(all))*1e6)
	w.own = append(w.own, own/float64(len(all))*1e6)
	slices.Sort(all)
	w.p50, w.p99 = append(w.p50, all[len(all)/2]), append(w.p99, all[len(all)*99/100])
}

// connect opens the streams, each with the head of a response and of a request.
func (w *benchWay) connect(t *testing.T, source net.Listener, addr string) (far, near []net.Conn) {
	t.Helper()
	dial := clients.StampedDial(new(net.Dialer).DialContext, wire.StampKernel)
	if w.fault != nil {
		c, err := chaos.New(chaos.Options{Seed: 1, Clients: *benchStreams, Faults: []chaos.Fault{*w.fault}})
		if err != nil {
			t.Fatal(err)
		}
		c.Begin(time.Now().UnixNano())
		dial = c.Dial(dial, func(context.Context) (uint32, chaos.Path) { return uint32(len(near)), chaos.Stream })
	}
	for range *benchStreams {
		conn, err := dial(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, "GET /events HTTP/1.1\r\nHost: bench\r\n\r\n")
		other, err := source.Accept()
		if err != nil {
			t.Fatal(err)
		}
		other.Read(make([]byte, 4096))
		io.WriteString(other, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
		far, near = append(far, other), append(near, conn)
	}
	return far, near
}

// benchSend writes to one stream after the other, evenly, until end.
func benchSend(far []net.Conn, end <-chan struct{}) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	began, sent := time.Now(), 0
	event := []byte(fmt.Sprintf("c2\r\ndata: %019d %s\n\n\r\n", 0, strings.Repeat("x", benchEvent-6-8-20-2))) // 0xc2 = benchEvent - 6
	for {
		select {
		case <-tick.C:
		case <-end:
			return
		}
		for due := int(time.Since(began).Seconds() * benchRate * float64(len(far))); sent < due; sent++ {
			copy(event[10:], strconv.FormatInt(time.Now().UnixNano(), 10))
			if _, err := far[sent%len(far)].Write(event); err != nil {
				return
			}
		}
	}
}

// benchSeen is what all readers saw.
type benchSeen struct {
	reading  sync.WaitGroup
	counting atomic.Bool
	mu       sync.Mutex
	late     [][]float64 // ms, of each event of each stream
}

type benchRoom [8 << 10]byte

func (r *benchRoom) Bytes() []byte { return r[:] }

// read reads one stream to its end.
func (s *benchSeen) read(i int, conn net.Conn) {
	pool := &sync.Pool{New: func() any { return new(benchRoom) }}
	lender := conn.(wire.Borrower)
	var late []float64
	for {
		b, n, _, _, err := lender.ReadBorrowed(pool)
		if err != nil {
			return
		}
		now := time.Now().UnixNano()
		for rest := string(b.Bytes()[:n]); ; {
			_, after, ok := strings.Cut(rest, "data: ")
			if !ok || len(after) < 19 {
				break
			}
			rest = after[19:]
			if at, err := strconv.ParseInt(after[:19], 10, 64); err == nil && s.counting.Load() {
				late = append(late, float64(now-at)/1e6)
			}
		}
		pool.Put(b)
		s.mu.Lock()
		s.late[i] = late
		s.mu.Unlock()
	}
}
