package clients

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/sse"
)

// What an event costs to receive, and what a held stream costs to hold: each engine, with the whole path to disk and with parsing
// alone, beside a bare loop and beside r3labs/sse, on the same bytes. The bare loop makes the same calls of recvmsg(2) with the same
// stamps under the same kind of poller, and divides. Every measurement is a process of its own, so that one engine's heap is not
// the next one's head start, and the engines take turns, so that a noisy minute falls on all of them. Who writes is a process of its
// own, too: one process may not have descriptors enough for both ends. Each of the two has a processor to itself. Where they share
// two, who runs beside whom decides how many events a wake-up finds, and with it the cost of an event: a build differs from itself
// by up to a sixth then, and by a twentieth so.

const (
	benchRun  = wire.RunID(0xbe9c4)
	idleTime  = 2 * time.Second
	floodTurn = 64 << 10 // bytes that a stream gets at once while all are saturated
)

// benchLoad is what is done with so many streams.
type benchLoad struct {
	streams int
	paced   int           // events that each gets, one at a time
	spacing time.Duration // between two of them, far enough that no two events of a stream meet in a socket
	flood   int           // events that each gets as fast as they can be read
	rounds  int
}

// The engines.
const (
	engineBare      = "bare"
	engineAgain     = "bare-again" // a build against itself: what it departs from 1 is noise
	engineSmall     = "bare-4k"    // as bare, but with room for 4 KiB a read, as is common, in place of 64
	engineGoroutine = "goroutine"
	engineEpoll     = "epoll"
	engineParse     = "epoll-parse" // as epoll, but what was parsed is thrown away
	engineReference = "r3labs"
)

// measured is what a receiving process reports.
type measured struct {
	Paced, Flood time.Duration // of CPU
	RSS          int64         // bytes that the streams added, idle for a while: four fifths of them, and as much again for the rest
}

func TestBenchReceive(t *testing.T) {
	if !*verify {
		t.Skip("a long proof: make bench-receive")
	}
	for _, load := range []benchLoad{
		// Ten seconds of single events: a run closes its history once, and that is no cost of an event. And a flood that no socket can hold:
		// what fits is there before anybody reads.
		{streams: 1000, paced: 200, spacing: 50 * time.Millisecond, flood: 1600, rounds: 5},
		{streams: 10000, paced: 25, spacing: 400 * time.Millisecond, flood: 800, rounds: 5},
	} {
		benchReceive(t, load)
	}
}

func benchReceive(t *testing.T, load benchLoad) {
	engines := []string{engineBare, engineAgain, engineSmall, engineGoroutine, engineEpoll, engineParse, engineReference}
	got := make(map[string][]measured)
	perEvent := func(d time.Duration, each int) float64 { return d.Seconds() * 1e6 / float64(each*load.streams) }
	held := func(engine string) float64 {
		var all []int64
		for i := range got[engine] {
			all = append(all, got[engine][i].RSS)
		}
		slices.Sort(all)
		return float64(all[len(all)/2]) / float64(load.streams) / 1024
	}
	for round := range load.rounds {
		for _, engine := range engines {
			m := measureReceive(t, engine, &load)
			got[engine] = append(got[engine], m)
			t.Logf("%d streams, round %d  %-11s  %6.3f us/event one at a time, %6.3f saturated, %6.2f KiB RSS/stream", load.streams, round+1, engine,
				perEvent(m.Paced, load.paced), perEvent(m.Flood, load.flood), float64(m.RSS)/float64(load.streams)/1024)
		}
	}
	ratio := func(engine, to string, of func(m *measured) time.Duration) float64 {
		var all []float64
		for i := range got[engine] {
			all = append(all, float64(of(&got[engine][i]))/float64(of(&got[to][i])))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	paced, flood := func(m *measured) time.Duration { return m.Paced }, func(m *measured) time.Duration { return m.Flood }
	t.Logf("%d streams: CPU an event as a multiple of the bare loop's, and RSS of an idle stream, medians of %d rounds:", load.streams, load.rounds)
	for _, engine := range engines {
		t.Logf("  %-11s  one at a time %5.2f   saturated %5.2f, of bare-4k %5.2f   %6.2f KiB", engine, ratio(engine, engineBare, paced),
			ratio(engine, engineBare, flood), ratio(engine, engineSmall, flood), held(engine))
	}
	if r := ratio(engineEpoll, engineBare, paced); r > 1.15 {
		t.Errorf("%d streams, one event at a time: the path to disk costs %.2f times the bare loop, at most 1.15 is allowed", load.streams, r)
	}
	// What parsing is held against reads as much at a time as others do: see docs/adr/0027-what-a-bare-read-is.md.
	if r := ratio(engineParse, engineSmall, flood); r > 1.3 {
		t.Errorf("%d streams, saturated: parsing and markers cost %.2f times the bare loop that reads 4 KiB, at most 1.3 is allowed", load.streams, r)
	}
	if load.streams < 10000 {
		return // where what is there once hides what a stream costs
	}
	// What a stream costs is seen without the writer, whose buffers hold rows and no streams.
	if kib := held(engineParse); kib > 1 {
		t.Errorf("%d streams: an idle one costs %.2f KiB with epoll, at most 1 is allowed", load.streams, kib)
	}
	if kib := held(engineGoroutine); kib > 16 {
		t.Errorf("%d streams: an idle one costs %.1f KiB with a goroutine, at most 16 are allowed", load.streams, kib)
	}
}

// measureReceive runs one emitter and one receiver against each other.
func measureReceive(t *testing.T, engine string, load *benchLoad) measured {
	t.Helper()
	emitter := startRole(t, 0, fmt.Sprintf("emit %d %v %d", load.paced, load.spacing, load.flood))
	addr := emitter.line(t)
	receiver := startRole(t, 1, fmt.Sprintf("%s %s %d %d %d %s", engine, addr, load.streams, load.paced, load.flood, t.TempDir()))
	for range 2 {
		if ready := receiver.line(t); ready != "ready" {
			t.Fatalf("%s said %q", engine, ready)
		}
		fmt.Fprintln(emitter.in, "go")
	}
	var m measured
	if err := json.Unmarshal([]byte(receiver.line(t)), &m); err != nil {
		t.Fatalf("%s: %v", engine, err)
	}
	emitter.in.Close()
	receiver.in.Close()
	return m
}

// role is a process that plays a part.
type role struct {
	in  io.WriteCloser
	out *bufio.Scanner
}

// startRole starts one on that processor.
func startRole(t *testing.T, processor int, what string) *role {
	t.Helper()
	c := exec.Command("taskset", "--cpu-list", strconv.Itoa(processor), os.Args[0])
	c.Env = append(os.Environ(), benchRole+"="+what)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		c.Wait()
	})
	return &role{in: in, out: bufio.NewScanner(out)}
}

func (r *role) line(t *testing.T) string {
	t.Helper()
	if !r.out.Scan() {
		t.Fatalf("a process ended early: %v", r.out.Err())
	}
	return r.out.Text()
}

// benchEvent is one event as it stands on the stream, chunk framing included.
func benchEvent() []byte {
	payload := AppendPayload(nil, wire.Marker{Run: benchRun, Event: wire.EventID{Publisher: 1, Seq: 1}}, &Message{Size: 200})
	data := wire.AppendEventJSON(nil, wire.Event{Channel: "room-1", Name: "message", Payload: string(payload)})
	event := sse.AppendEvent(nil, "", "", data)
	return fmt.Appendf(nil, "%x\r\n%s\r\n", len(event), event)
}

// play is what a process does that is a part of the measurement.
func play(role string) {
	fields := strings.Fields(role)
	number := func(i int) int {
		n, err := strconv.Atoi(fields[i])
		must(err)
		return n
	}
	if fields[0] == "emit" {
		spacing, err := time.ParseDuration(fields[2])
		must(err)
		emit(number(1), spacing, number(3))
		return
	}
	r := &benchReceiver{engine: fields[0], addr: fields[1], dir: fields[5], streams: number(2), seen: make(chan struct{}, 2)}
	r.receive(number(3), number(4))
}

// emit accepts streams, and when it is told to go writes one event at a time to each; when it is told again, as many as they take.
func emit(paced int, spacing time.Duration, flood int) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	var mu sync.Mutex
	var conns []net.Conn
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
					return
				}
				mu.Lock()
				conns = append(conns, conn)
				mu.Unlock()
				io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
			}()
		}
	}()
	fmt.Println(listener.Addr())
	told := bufio.NewReader(os.Stdin)
	told.ReadString('\n')
	mu.Lock()
	all := slices.Clone(conns)
	mu.Unlock()
	event := benchEvent()
	tick := time.NewTicker(spacing)
	for range paced {
		<-tick.C
		for _, conn := range all {
			conn.Write(event)
		}
	}
	told.ReadString('\n')
	each := floodTurn / len(event)
	block := bytes.Repeat(event, each)
	for left := flood; left > 0; left -= each {
		for _, conn := range all {
			conn.Write(block[:min(left, each)*len(event)])
		}
	}
	io.Copy(io.Discard, told) // until the test has what it wants
	os.Exit(0)
}

// benchReceiver holds streams by one of the engines, and counts what comes.
type benchReceiver struct {
	engine, addr, dir string
	streams           int

	wanted atomic.Int64 // events until the next measurement is over
	seen   chan struct{}
	ready  sync.WaitGroup
}

func (r *benchReceiver) saw(n int64) {
	if n > 0 && r.wanted.Add(-n) == 0 {
		r.seen <- struct{}{}
	}
}

// receive measures what the streams cost while nothing comes, while one event comes at a time, and while as much comes as is read.
func (r *benchReceiver) receive(paced, flood int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r.wanted.Store(int64(paced) * int64(r.streams))
	open, flush, finish := r.begin(ctx)
	settled := func() int64 {
		r.ready.Wait()
		<-time.After(idleTime)
		debug.FreeOSMemory() // as a run does at its barrier, for every engine alike:
		debug.FreeOSMemory() // a sync.Pool lets go of what is in it at the second time only
		return rss()
	}
	first := r.streams / 5
	r.ready.Add(first)
	open(0, first)
	before := settled() // with all that is there once, whatever the number of streams
	r.ready.Add(r.streams - first)
	open(first, r.streams)
	m := measured{RSS: (settled() - before) * int64(r.streams) / int64(r.streams-first)}
	one := func() time.Duration {
		began := cpu()
		fmt.Println("ready")
		<-r.seen
		flush()
		return cpu() - began
	}
	m.Paced = one()
	r.wanted.Store(int64(flood) * int64(r.streams))
	m.Flood = one()
	finish()
	must(json.NewEncoder(os.Stdout).Encode(m))
	io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// begin makes what holds streams. Of what it returns the first opens those with these numbers; the others complete what was seen so far,
// and end all.
func (r *benchReceiver) begin(ctx context.Context) (open func(from, to int), flush, finish func()) {
	nothing := func() {}
	switch r.engine {
	case engineReference:
		return func(from, to int) {
			for range to - from {
				go r.reference(ctx)
			}
		}, nothing, nothing
	case engineBare, engineAgain:
		return r.bare(64 << 10), nothing, nothing
	case engineSmall:
		return r.bare(4 << 10), nothing, nothing
	case engineParse:
		return r.hold(ctx, nil), nothing, nothing
	}
	names, kept := new(history.Names), 0
	var writer atomic.Pointer[history.Writer]
	written := make(chan error, 1)
	begin := func() {
		kept++
		dir, err := history.CreateAt(filepath.Join(r.dir, strconv.Itoa(kept)))
		must(err)
		w := history.NewWriter(dir, names, history.Options{})
		go func() { written <- w.Run(ctx) }()
		writer.Store(w)
	}
	finish = func() {
		writer.Load().Close()
		must(<-written)
	}
	begin()
	return r.hold(ctx, func(batch []history.Observation) { writer.Load().Observe(batch) }), func() {
		finish()
		begin()
	}, finish
}

// hold holds the streams by our own engines.
func (r *benchReceiver) hold(ctx context.Context, observe func([]history.Observation)) (open func(from, to int)) {
	crowd := &Crowd{
		Addr: r.addr, Run: benchRun, Epoch: time.Now().UnixNano(), Names: new(history.Names), Dial: new(net.Dialer).DialContext,
		Observe: func(batch []history.Observation) {
			if observe != nil {
				observe(batch)
			}
			delivered := int64(0)
			for i := range batch {
				if batch[i].Kind == history.Delivered {
					delivered++
				}
			}
			r.saw(delivered)
		},
	}
	if r.engine != engineGoroutine {
		loops, err := StartLoops(runtime.GOMAXPROCS(0))
		must(err)
		crowd.Loops = loops
	}
	ready := r.ready.Done
	return func(from, to int) {
		var all []*Client // made before they connect, as those of a run are
		for i := from; i < to; i++ {
			all = append(all, crowd.NewClient(ClientOptions{ID: uint32(i), Instance: "x", Channels: []string{"room-1"}}))
		}
		for _, c := range all {
			c.Hold(ctx, ready, must) // none is subscribed twice
		}
	}
}

// bare is the least that receiving can cost: the calls that read, with their stamps, and a division.
func (r *benchReceiver) bare(room int) (open func(from, to int)) {
	loops := make([]*loop, runtime.GOMAXPROCS(0))
	rests := make([][]int32, len(loops)) // by descriptor: the bytes of an event that was not whole
	for i := range loops {
		l, err := newLoop()
		must(err)
		loops[i], rests[i] = l, make([]int32, 1<<16)
		go func() {
			size := len(benchEvent())
			for {
				ready, err := l.await()
				must(err)
				for _, e := range ready {
					n, errno := l.stamper.receive(uintptr(e.Fd), l.scratch.buf[:room])
					if errno != 0 || n <= 0 || l.stamper.stamp() == 0 {
						must(fmt.Errorf("a bare read: %d bytes, %w", n, errno))
					}
					rest := int(rests[i][e.Fd]) + n
					r.saw(int64(rest / size))
					rests[i][e.Fd] = int32(rest % size)
				}
			}
		}()
	}
	return func(from, to int) {
		for i := from; i < to; i++ {
			conn, err := net.Dial("tcp", r.addr)
			must(err)
			kernel, err := newKernelConn(conn.(*net.TCPConn))
			must(err)
			fmt.Fprintf(kernel, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
			_, err = kernel.Read(make([]byte, 4096))
			must(err)
			fd, err := duplicate(kernel.raw)
			must(err)
			kernel.Close()
			must(loops[i%len(loops)].register(int32(fd)))
			r.ready.Done()
		}
	}
}

// reference reads one stream with r3labs/sse.
func (r *benchReceiver) reference(ctx context.Context) {
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err == nil {
			r.ready.Done()
		}
		return conn, err
	}
	must(Reference(ctx, "http://"+r.addr+"/events", nil, dial, func(_, _, _ []byte) { r.saw(1) }))
}

func cpu() time.Duration {
	var u syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// rss is the resident set of this process, in bytes.
func rss() int64 {
	data, err := os.ReadFile("/proc/self/statm")
	must(err)
	pages, err := strconv.ParseInt(strings.Fields(string(data))[1], 10, 64)
	must(err)
	return pages * int64(os.Getpagesize())
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "receive:", err)
		os.Exit(1)
	}
}
