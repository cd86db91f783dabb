package clients

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
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

// What an event costs to receive, and what a held stream costs to hold: the whole path to disk beside a bare read loop
// and beside r3labs/sse, on the same streams. Every measurement is a process of its own, so that one engine's heap is not
// the next one's head start, and the engines take turns, so that a noisy minute falls on all of them.

var (
	verify  = flag.Bool("verify", false, "run the long proofs (make verify-*, make bench-receive)")
	streams = flag.Int("streams", 1000, "bench-receive: held streams")
	rounds  = flag.Int("rounds", 5, "bench-receive: rounds")
)

const (
	benchRole    = "HOLOBENCH_TEST_ROLE"
	benchRun     = wire.RunID(0xbe9c4)
	eventsEach   = 100 // events a stream gets
	eventSpacing = 50 * time.Millisecond
	idleTime     = 10 * time.Second
)

func TestMain(m *testing.M) {
	switch role, argument, _ := strings.Cut(os.Getenv(benchRole), " "); role {
	case "":
		os.Exit(m.Run())
	case "emit":
		emit()
	default:
		receive(role, argument)
	}
}

// measured is what a receiving process reports.
type measured struct {
	Events   int64         `json:"events"`
	CPU      time.Duration `json:"cpu"`
	RSS      int64         `json:"rss"` // bytes that the streams added, after an idle pause
	PerEvent float64       `json:"-"`   // us
	PerHeld  float64       `json:"-"`   // KiB
}

func TestBenchReceive(t *testing.T) {
	if !*verify {
		t.Skip("a long proof: make bench-receive")
	}
	engines := []string{"bare", "bare-again", "holobench", "r3labs"}
	got := make(map[string][]measured)
	for round := range *rounds {
		for _, engine := range engines {
			m := measureReceive(t, engine, round == 0)
			got[engine] = append(got[engine], m)
			t.Logf("round %d  %-10s  %6.2f us/event  %5.1f KiB/stream", round+1, engine, m.PerEvent, m.PerHeld)
		}
	}
	ratio := func(engine string) float64 {
		var all []float64
		for i, m := range got[engine] {
			all = append(all, m.PerEvent/got["bare"][i].PerEvent)
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	t.Logf("CPU per delivered event as a multiple of the bare loop, median of %d pairs, %d streams:", *rounds, *streams)
	for _, engine := range engines[1:] {
		t.Logf("  %-10s %.2f", engine, ratio(engine))
	}
	held := got["holobench"][0].PerHeld
	t.Logf("RSS per held stream: bare %.1f, holobench %.1f, r3labs %.1f KiB", got["bare"][0].PerHeld, held, got["r3labs"][0].PerHeld)
	if r := ratio("holobench"); r > 1.5 {
		t.Errorf("the path to disk costs %.2f times the bare loop, at most 1.5 is allowed", r)
	}
	if held > 16 {
		t.Errorf("a held stream costs %.1f KiB, at most 16 are allowed", held)
	}
}

// measureReceive runs one emitter and one receiver against each other.
func measureReceive(t *testing.T, engine string, idle bool) measured {
	t.Helper()
	emitter := startRole(t, "emit")
	addr := emitter.line(t)
	receiver := startRole(t, fmt.Sprintf("%s %s %d %v %s", engine, addr, *streams, idle, t.TempDir()))
	if ready := receiver.line(t); ready != "ready" {
		t.Fatalf("%s said %q", engine, ready)
	}
	fmt.Fprintln(emitter.in, "go")
	var m measured
	if err := json.Unmarshal([]byte(receiver.line(t)), &m); err != nil {
		t.Fatalf("%s: %v", engine, err)
	}
	if want := int64(*streams) * eventsEach; m.Events != want {
		t.Fatalf("%s saw %d events, want %d", engine, m.Events, want)
	}
	m.PerEvent = float64(m.CPU.Nanoseconds()) / float64(m.Events) / 1e3
	m.PerHeld = float64(m.RSS) / float64(*streams) / 1024
	emitter.in.Close()
	receiver.in.Close()
	return m
}

// role is a process that plays a part.
type role struct {
	in  io.WriteCloser
	out *bufio.Scanner
}

func startRole(t *testing.T, what string) *role {
	t.Helper()
	c := exec.Command(os.Args[0])
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

// emit accepts streams until it is told to go, then writes one event at a time to each, far enough apart that no two
// events of a stream meet in a socket.
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
				io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
				mu.Lock()
				conns = append(conns, conn)
				mu.Unlock()
			}()
		}
	}()
	fmt.Println(listener.Addr())
	bufio.NewReader(os.Stdin).ReadString('\n')
	event := benchEvent()
	tick := time.NewTicker(eventSpacing)
	for range eventsEach {
		<-tick.C
		mu.Lock()
		for _, conn := range conns {
			conn.Write(event)
		}
		mu.Unlock()
	}
	io.Copy(io.Discard, os.Stdin) // until the test has what it wants
	os.Exit(0)
}

// receive holds streams with one of the engines and reports what that cost.
func receive(engine, argument string) {
	fields := strings.Fields(argument)
	addr, dir := fields[0], fields[3]
	count, err := strconv.Atoi(fields[1])
	must(err)
	ctx, cancel := context.WithCancel(context.Background())
	want := int64(count) * eventsEach
	seen, all := new(atomic.Int64), make(chan struct{})
	saw := func(n int64) {
		if n > 0 && seen.Add(n) == want {
			close(all)
		}
	}
	before := rss()
	var ready sync.WaitGroup
	ready.Add(count)
	finish := func() {}
	for i := range count {
		switch engine {
		case "holobench":
			if i == 0 {
				finish = receiveWhole(ctx, addr, dir, count, ready.Done, saw)
			}
		case "r3labs":
			go receiveReference(ctx, addr, ready.Done, saw)
		default:
			go receiveBare(addr, ready.Done, saw)
		}
	}
	ready.Wait()
	debug.FreeOSMemory() // as a run does at its barrier, for every engine alike
	if fields[2] == "true" {
		<-time.After(idleTime)
	}
	m := measured{RSS: rss() - before}
	began := cpu()
	fmt.Println("ready")
	<-all
	finish()
	m.CPU, m.Events = cpu()-began, seen.Load()
	must(json.NewEncoder(os.Stdout).Encode(m))
	io.Copy(io.Discard, os.Stdin)
	cancel()
	os.Exit(0)
}

// receiveBare is the least that receiving can cost: a read, and a division.
func receiveBare(addr string, ready func(), saw func(int64)) {
	conn, err := net.Dial("tcp", addr)
	must(err)
	fmt.Fprintf(conn, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
	size, buf := len(benchEvent()), make([]byte, 4096)
	_, err = conn.Read(buf)
	must(err)
	ready()
	rest := 0
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		rest += n
		saw(int64(rest / size))
		rest %= size
	}
}

// receiveReference reads one stream with r3labs/sse.
func receiveReference(ctx context.Context, addr string, ready func(), saw func(int64)) {
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err == nil {
			ready()
		}
		return conn, err
	}
	must(Reference(ctx, "http://"+addr+"/events", nil, dial, func(_, _, _ []byte) { saw(1) }))
}

// receiveWhole is holobench's own path from the socket to the Parquet files; what it returns completes them.
func receiveWhole(ctx context.Context, addr, path string, count int, ready func(), saw func(int64)) (finish func()) {
	dir, err := history.CreateAt(path)
	must(err)
	names := new(history.Names)
	writer := history.NewWriter(dir, names, history.Options{})
	written := make(chan error, 1)
	go func() { written <- writer.Run(ctx) }()
	crowd := &Crowd{
		Addr: addr, Run: benchRun, Epoch: time.Now().UnixNano(), Names: names, Dial: new(net.Dialer).DialContext,
		Observe: func(batch []history.Observation) {
			writer.Observe(batch)
			delivered := int64(0)
			for i := range batch {
				if batch[i].Kind == history.Delivered {
					delivered++
				}
			}
			saw(delivered)
		},
	}
	for i := range count {
		c := crowd.NewClient(ClientOptions{ID: uint32(i), Instance: "x", Channels: []string{"room-1"}})
		go c.HoldStream(ctx, sync.OnceFunc(ready))
	}
	return func() {
		writer.Close()
		must(<-written)
	}
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
