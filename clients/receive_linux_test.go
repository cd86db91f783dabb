package clients

import (
	"bufio"
	"bytes"
	"context"
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
// stamps, waits for them in the same way, and divides. Every engine is a process of its own, so that one's heap is not the next one's
// head start, and who writes to it is another: one process may not have descriptors enough for both ends. All are there at once and
// take turns of a second or two, so that what the machine does meanwhile falls on all of them: from one ten seconds to the next it
// differs from itself by a fifth. Those that write have a processor to themselves, and those that read the other. Where they share
// two, who runs beside whom decides how many events a wake-up finds, and with it the cost of an event.

const (
	benchRun  = wire.RunID(0xbe9c4)
	idleTime  = 2 * time.Second
	floodTurn = 64 << 10 // bytes that a stream gets at once while all are saturated
)

// benchLoad is what is done with so many streams.
type benchLoad struct {
	streams int
	paced   int           // events that each gets in a turn, one at a time
	spacing time.Duration // between two of them, far enough that no two events of a stream meet in a socket
	turns   int           // of a round
	flood   int           // events that each gets in a round as fast as they can be read
	rounds  int
}

// The engines.
const (
	engineBare      = "bare"
	engineAgain     = "bare-again" // a build against itself: what it departs from 1 is noise
	engineSmall     = "bare-4k"    // as is common: with room for 4 KiB a read, not 64, and hearing of a socket for as long as something is there
	engineGoroutine = "goroutine"
	engineEpoll     = "epoll"
	engineParse     = "epoll-parse" // as epoll, but what was parsed is thrown away
	engineReference = "r3labs"
)

// measured is what a receiving process reports: what the streams added to its resident set, idle for a while, in KiB a stream, and the
// CPU of each round in us an event.
type measured struct {
	held         float64
	paced, flood []float64
}

func TestBenchReceive(t *testing.T) {
	if !*verify {
		t.Skip("a long proof: make bench-receive")
	}
	for _, load := range []benchLoad{
		// A flood that no socket can hold: what fits is there before anybody reads.
		{streams: 1000, paced: 40, spacing: 50 * time.Millisecond, turns: 5, flood: 1600, rounds: 5},
		{streams: 10000, paced: 5, spacing: 400 * time.Millisecond, turns: 5, flood: 800, rounds: 5},
	} {
		t.Run(strconv.Itoa(load.streams), func(t *testing.T) { benchReceive(t, &load) })
	}
}

func benchReceive(t *testing.T, load *benchLoad) {
	engines := []string{engineBare, engineAgain, engineSmall, engineGoroutine, engineEpoll, engineParse, engineReference}
	pairs, got := make(map[string]*pair), make(map[string]*measured)
	for _, engine := range engines {
		pairs[engine] = startPair(t, engine, load.streams)
		got[engine] = &measured{held: pairs[engine].held(t)}
		t.Logf("%d streams  %-11s  %6.2f KiB RSS/stream", load.streams, engine, got[engine].held)
	}
	for round := range load.rounds {
		for range load.turns {
			for _, engine := range engines {
				pairs[engine].turn(t, load.paced, fmt.Sprintf("paced %d %v", load.paced, load.spacing))
			}
		}
		for _, engine := range engines {
			p, m := pairs[engine], got[engine]
			m.paced = append(m.paced, p.sum(t)/float64(load.turns*load.paced))
			p.turn(t, load.flood, fmt.Sprintf("flood %d", load.flood))
			m.flood = append(m.flood, p.sum(t)/float64(load.flood))
			t.Logf("%d streams, round %d  %-11s  %6.3f us/event one at a time, %6.3f saturated", load.streams, round+1, engine,
				m.paced[round], m.flood[round])
		}
	}
	ratio := func(of func(m *measured) []float64, engine, to string) float64 {
		var all []float64
		for round, cost := range of(got[engine]) {
			all = append(all, cost/of(got[to])[round])
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	paced, flood := func(m *measured) []float64 { return m.paced }, func(m *measured) []float64 { return m.flood }
	t.Logf("%d streams: CPU an event as a multiple of the bare loop's, and RSS of an idle stream, medians of %d rounds:", load.streams, load.rounds)
	for _, engine := range engines {
		t.Logf("  %-11s  one at a time %5.2f   saturated %5.2f, of bare-4k %5.2f   %6.2f KiB", engine, ratio(paced, engine, engineBare),
			ratio(flood, engine, engineBare), ratio(flood, engine, engineSmall), got[engine].held)
	}
	if r := ratio(paced, engineEpoll, engineBare); r > 1.15 {
		t.Errorf("%d streams, one event at a time: the path to disk costs %.2f times the bare loop, at most 1.15 is allowed", load.streams, r)
	}
	// What parsing is held against reads as much at a time as others do: see docs/adr/0027-what-a-bare-read-is.md.
	if r := ratio(flood, engineParse, engineSmall); r > 1.3 {
		t.Errorf("%d streams, saturated: parsing and markers cost %.2f times the bare loop that reads 4 KiB, at most 1.3 is allowed", load.streams, r)
	}
	if load.streams < 10000 {
		return // where what is there once hides what a stream costs
	}
	// What a stream costs is seen without the writer, whose buffers hold rows and no streams.
	if kib := got[engineParse].held; kib > 1 {
		t.Errorf("%d streams: an idle one costs %.2f KiB with epoll, at most 1 is allowed", load.streams, kib)
	}
	if kib := got[engineGoroutine].held; kib > 16 {
		t.Errorf("%d streams: an idle one costs %.1f KiB with a goroutine, at most 16 are allowed", load.streams, kib)
	}
}

// pair is an emitter and a receiver.
type pair struct {
	emitter, receiver *role
	streams           int
}

// startPair starts them, with so many streams between them.
func startPair(t *testing.T, engine string, streams int) *pair {
	t.Helper()
	emitter := startRole(t, 0, "emit")
	receiver := startRole(t, 1, fmt.Sprintf("%s %s %d %s", engine, emitter.line(t), streams, t.TempDir()))
	return &pair{emitter: emitter, receiver: receiver, streams: streams}
}

// held is what an idle stream costs, in KiB.
func (p *pair) held(t *testing.T) float64 {
	t.Helper()
	return p.number(t) / float64(p.streams) / 1024
}

// turn lets the receiver get so many events a stream, emitted in that way.
func (p *pair) turn(t *testing.T, events int, how string) {
	t.Helper()
	fmt.Fprintln(p.receiver.in, "expect", events)
	p.receiver.line(t)
	fmt.Fprintln(p.emitter.in, how)
	p.receiver.line(t)
}

// sum is the CPU time of all turns since the last sum in us of one event of each stream. Each turn closes its history, and makes the
// writer of the next, which a run does more seldom: that is some 1 % too much.
func (p *pair) sum(t *testing.T) float64 {
	t.Helper()
	fmt.Fprintln(p.receiver.in, "sum")
	return p.number(t) / float64(p.streams) / 1e3
}

func (p *pair) number(t *testing.T) float64 {
	t.Helper()
	said := p.receiver.line(t)
	n, err := strconv.ParseInt(said, 10, 64)
	if err != nil {
		t.Fatalf("a receiver said %q", said)
	}
	return float64(n)
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
	if fields[0] == "emit" {
		emit()
		return
	}
	streams, err := strconv.Atoi(fields[2])
	must(err)
	r := &benchReceiver{engine: fields[0], addr: fields[1], dir: fields[3], streams: streams, seen: make(chan struct{}, 2)}
	r.receive()
}

// emit accepts streams, and writes to each what it is told to: one event at a time, or as much as they take.
func emit() {
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
	event := benchEvent()
	each := floodTurn / len(event)
	block := bytes.Repeat(event, each)
	for told := bufio.NewScanner(os.Stdin); told.Scan(); {
		mu.Lock()
		all := slices.Clone(conns)
		mu.Unlock()
		how := strings.Fields(told.Text())
		count, err := strconv.Atoi(how[1])
		must(err)
		if how[0] == "flood" {
			for left := count; left > 0; left -= each {
				for _, conn := range all {
					conn.Write(block[:min(left, each)*len(event)])
				}
			}
			continue
		}
		spacing, err := time.ParseDuration(how[2])
		must(err)
		tick := time.NewTicker(spacing)
		for range count {
			<-tick.C
			for _, conn := range all {
				conn.Write(event)
			}
		}
		tick.Stop()
	}
	os.Exit(0)
}

// benchReceiver holds streams by one of the engines, and counts what comes.
type benchReceiver struct {
	engine, addr, dir string
	streams           int
	names             history.Names

	wanted atomic.Int64 // events until the next measurement is over
	seen   chan struct{}
	ready  sync.WaitGroup
}

func (r *benchReceiver) saw(n int64) {
	if n > 0 && r.wanted.Add(-n) == 0 {
		r.seen <- struct{}{}
	}
}

// receive says what the streams cost while nothing comes, and then what it costs to receive, as it is told.
func (r *benchReceiver) receive() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
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
	fmt.Println((settled() - before) * int64(r.streams) / int64(r.streams-first))
	var sum time.Duration
	for told := bufio.NewScanner(os.Stdin); told.Scan(); {
		events, expected := strings.CutPrefix(told.Text(), "expect ")
		if !expected {
			fmt.Println(int64(sum))
			sum = 0
			continue
		}
		began := cpu()
		each, err := strconv.Atoi(events)
		must(err)
		r.wanted.Store(int64(each * r.streams))
		fmt.Println("ready")
		<-r.seen
		flush() // or what is written while others have their turn would count for nothing
		sum += cpu() - began
		fmt.Println("seen")
	}
	finish()
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
		return r.bare(64<<10, true), nothing, nothing
	case engineSmall:
		return r.bare(4<<10, false), nothing, nothing
	case engineParse:
		return r.hold(ctx, nil), nothing, nothing
	}
	kept := 0
	var writer atomic.Pointer[history.Writer]
	written := make(chan error, 1)
	begin := func() {
		kept++
		dir, err := history.CreateAt(filepath.Join(r.dir, strconv.Itoa(kept)))
		must(err)
		w := history.NewWriter(dir, &r.names, history.Options{})
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
		Addr: r.addr, Run: benchRun, Epoch: time.Now().UnixNano(), Names: &r.names, Dial: new(net.Dialer).DialContext,
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

// bare is the least that receiving can cost: the calls that read, with their stamps, and a division. What comes is reported once, as to our
// own loops, or for as long as it is there, as is common.
func (r *benchReceiver) bare(room int, once bool) (open func(from, to int)) {
	loops := make([]*loop, runtime.GOMAXPROCS(0))
	spare(len(loops))
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
					switch {
					case errno == syscall.EAGAIN && once: // the read before it filled its buffer with all there was
						continue
					case errno != 0 || n <= 0 || l.stamper.stamp() == 0:
						must(fmt.Errorf("a bare read: %d bytes, %w", n, errno))
					case n == room && once:
						l.again(e.Fd)
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
			if l := loops[i%len(loops)]; once {
				must(l.register(int32(fd)))
			} else {
				must(syscall.EpollCtl(l.fd, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}))
			}
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
