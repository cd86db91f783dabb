package target_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"holobench/target"
	"holobench/wire"
)

const (
	fanoutPayload = 200 // bytes
	fanoutWindow  = 64  // events that may be on their way at once when a server is saturated, and wait together for a write
	fanoutKeys    = 1024
	mostAtOnce    = 64 << 10 // bytes that the bare coalescing loop writes at once; as much as the server does
	busyTime      = 300 * time.Millisecond
)

// engine is a server under measurement.
type engine struct {
	publish func(n int)   // hands out the n-th event
	written func() uint64 // deliveries that the connections have accepted, in all
	bytes   func() uint64 // ... and their bytes
	checkUp func() error  // says whether all subscribers are still there
}

// fanoutServe is the process of a server: its arguments are the engine and the number of subscribers. It measures when it is
// told to, and ends with its input.
func fanoutServe(arguments []string) {
	subscribers, err := strconv.Atoi(arguments[1])
	must(err)
	input := bufio.NewScanner(os.Stdin)
	held, written, polled := listenHere(), listenHere(), listenHere()
	e := newEngine(arguments[0], held)
	bare := held
	if polls(arguments[0]) { // whose sockets carry requests, and take no bytes in between
		bare = written
		go written.hold()
		go polled.hold()
	}
	debug.FreeOSMemory()
	before := rss()
	fmt.Println(held.Addr(), written.Addr(), polled.Addr())
	input.Scan() // all are subscribed
	pause(time.Second)
	debug.FreeOSMemory()
	m := fanoutMeasured{KiBEach: float64(rss()-before) / float64(subscribers) / 1024}
	fmt.Println("measured memory")
	input.Scan() // the sockets of the bare loops are there
	f := &fanout{engine: e, subscribers: subscribers, fds: bare.await(subscribers)}
	if polls(arguments[0]) {
		f.polled = polled.await(subscribers)
	}
	f.measure(&m)
	must(e.checkUp())
	debug.FreeOSMemory()
	m.KiBAfter = float64(rss()-before) / float64(subscribers) / 1024
	must(json.NewEncoder(os.Stdout).Encode(m))
	io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

func newEngine(name string, l net.Listener) *engine {
	if name == referenceSSE {
		return newReferenceEngine(l)
	}
	design, err := target.ParseDesign(name)
	must(err)
	const never = time.Hour
	s, err := target.New(target.Options{
		Design: design, Heartbeat: never, SocketIdle: never, PollWindow: 2 * time.Minute,
		OutboxFrames: 64 * fanoutWindow, OutboxBytes: 64 * fanoutWindow * 1024, // the window bounds the mean, not the slowest
	})
	must(err)
	go s.Serve(context.Background(), l)
	payload, keys := strings.Repeat("x", fanoutPayload), make([]string, fanoutKeys)
	for i := range keys {
		keys[i] = fmt.Sprint("k", i)
	}
	sum := func(counters ...target.Counter) func() uint64 {
		return func() (all uint64) {
			for _, c := range counters {
				all += s.Counters().Get(c)
			}
			return all
		}
	}
	return &engine{
		publish: func(n int) {
			event := wire.Event{Channel: "room", Name: "message", Payload: payload}
			must(s.Publish(context.Background(), event, keys[n%len(keys)]))
		},
		written: sum(target.DeliveriesWrittenSSE, target.DeliveriesWrittenPoll, target.DeliveriesWrittenWebSocket),
		bytes:   sum(target.BytesWrittenSSE, target.BytesWrittenPoll, target.BytesWrittenWebSocket),
		checkUp: func() error {
			if s.Counters().Get(target.StreamsClosed)+s.Counters().Get(target.OutboxCoalesced)+s.Counters().Get(target.OutboxDropped) > 0 {
				return fmt.Errorf("not all was delivered: %v", s.Counters().Snapshot())
			}
			return nil
		},
	}
}

// fanout measures an engine beside bare loops over the descriptors of its sockets.
type fanout struct {
	engine      *engine
	subscribers int
	fds         []int  // what the bare loop writes to: the sockets of the engine, or, where it is polled, as many others
	polled      []int  // what the bare loop of polls answers on; nil = nobody polls
	event       []byte // as long as one is on the wire
	events      int    // that were published
}

// cost is what some deliveries took.
type cost struct {
	deliveries int
	wall, cpu  time.Duration
}

func (c cost) perDelivery() float64 {
	return float64(c.cpu.Nanoseconds()) / float64(c.deliveries) / 1e3
}
func (c cost) rate() float64 { return float64(c.deliveries) / c.wall.Seconds() }

func (f *fanout) measure(m *fanoutMeasured) {
	before := f.engine.bytes()
	f.engineIdle(1) // which tells how long an event is, and warms up
	m.EventSize = int(f.engine.bytes()-before) / f.subscribers
	f.event = make([]byte, m.EventSize)
	f.compare(&m.Writes, f.bareIdle, f.bareBusy)
	if f.polled == nil {
		return
	}
	l := newPollLoop(f.polled, m.EventSize)
	for i := range l.fds {
		for !l.read(i) {
			pause(time.Millisecond)
		}
	}
	m.Polls = new(fanoutTurns)
	f.compare(m.Polls, func(events int) cost { return l.idle(f, events) }, func() cost { return l.busy(f) })
}

// compare measures the engine beside a bare loop.
func (f *fanout) compare(t *fanoutTurns, idle func(events int) cost, busy func() cost) {
	idle(1)
	events := 20000/f.subscribers + 2
	for range fanoutRounds {
		bare, engine, again := idle(events), f.engineIdle(events), idle(events)
		t.IdleCPU.add(bare.perDelivery(), engine.perDelivery(), again.perDelivery())
		t.IdleRate.add(bare.rate(), engine.rate(), again.rate())
	}
	busy()
	f.engineBusy()
	for range fanoutRounds {
		bare, engine, again := busy(), f.engineBusy(), busy()
		t.BusyCPU.add(bare.perDelivery(), engine.perDelivery(), again.perDelivery())
		t.BusyRate.add(bare.rate(), engine.rate(), again.rate())
	}
}

func (t *turns) add(bare, engine, again float64) {
	t.Bare, t.Engine, t.Again = append(t.Bare, bare), append(t.Engine, engine), append(t.Again, again)
}

// settle lets the subscribers drain what is in the sockets, so that the next event finds them idle.
func (f *fanout) settle() {
	pause(10*time.Millisecond + time.Duration(f.subscribers)*4*time.Microsecond)
}

// bareIdle writes so many events, one at a time, to each socket.
func (f *fanout) bareIdle(events int) (c cost) {
	began := cpu()
	for range events {
		start := time.Now()
		for _, fd := range f.fds {
			n, err := syscall.Write(fd, f.event)
			must(err)
			if n < len(f.event) {
				must(io.ErrShortWrite)
			}
		}
		c.wall += time.Since(start)
		f.settle()
	}
	c.cpu, c.deliveries = cpu()-began, events*f.subscribers
	return c
}

// engineIdle publishes so many events, each when the one before is written to everybody.
func (f *fanout) engineIdle(events int) (c cost) {
	began := cpu()
	for range events {
		start, want := time.Now(), f.engine.written()+uint64(f.subscribers)
		f.events++
		f.engine.publish(f.events)
		f.await(want)
		c.wall += time.Since(start)
		f.settle()
	}
	c.cpu, c.deliveries = cpu()-began, events*f.subscribers
	return c
}

// await waits until so many deliveries are written; it looks now and then, which costs little beside them.
func (f *fanout) await(written uint64) {
	for f.engine.written() < written {
		pause(500 * time.Microsecond)
	}
}

// bareBusy writes as much as the sockets take for a while: what waits for a subscriber goes in one write, and no subscriber
// gets further ahead of the slowest than the window.
func (f *fanout) bareBusy() (c cost) {
	size := len(f.event)
	ring, at := make([]byte, mostAtOnce), make([]int, len(f.fds)) // bytes that each has got
	began, start := cpu(), time.Now()
	for least, last := 0, -1; last < 0 || least < last; {
		until := least + fanoutWindow*size
		if last >= 0 {
			until = last
		}
		progress := false
		least = until
		for i, fd := range f.fds {
			if waits := min(until-at[i], len(ring)); waits > 0 {
				n, err := syscall.Write(fd, ring[:waits])
				if err != nil && !errors.Is(err, syscall.EAGAIN) {
					must(err)
				}
				at[i] += max(n, 0)
				progress = progress || n > 0
			}
			least = min(least, at[i])
		}
		if last < 0 && time.Since(start) >= busyTime {
			last = until
		}
		if !progress {
			pause(100 * time.Microsecond)
		}
	}
	c.wall, c.cpu = time.Since(start), cpu()-began
	for _, bytes := range at {
		c.deliveries += bytes / size
	}
	f.settleBusy()
	return c
}

// engineBusy publishes as much as the engine takes for a while, from as many goroutines as there are processors.
func (f *fanout) engineBusy() (c cost) {
	base := f.engine.written()
	var published atomic.Int64
	var publishers sync.WaitGroup
	began, start := cpu(), time.Now()
	for range runtime.GOMAXPROCS(0) {
		publishers.Go(func() {
			for time.Since(start) < busyTime {
				n := int(published.Add(1))
				for n > fanoutWindow && int(f.engine.written()-base) < (n-fanoutWindow)*f.subscribers {
					pause(100 * time.Microsecond)
				}
				f.engine.publish(f.events + n)
			}
		})
	}
	publishers.Wait()
	events := int(published.Load())
	f.events += events
	c.deliveries = events * f.subscribers
	f.await(base + uint64(c.deliveries))
	c.wall, c.cpu = time.Since(start), cpu()-began
	f.settleBusy()
	return c
}

func (f *fanout) settleBusy() {
	runtime.GC() // of what it has published; the next turn is not to pay for it
	pause(100 * time.Millisecond)
}

// takingListener keeps the descriptors of what it accepts, which stay open as long as the process.
type takingListener struct {
	net.Listener

	mu  sync.Mutex
	fds []int
}

func listenHere() *takingListener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	return &takingListener{Listener: l}
}

func (l *takingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	raw, err := conn.(*net.TCPConn).SyscallConn()
	must(err)
	must(raw.Control(func(fd uintptr) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.fds = append(l.fds, int(fd))
	}))
	return conn, nil
}

// await returns the first so many descriptors, when there are so many: the last ones may be connected, and not accepted yet.
func (l *takingListener) await(count int) []int {
	for {
		l.mu.Lock()
		fds := l.fds
		l.mu.Unlock()
		if len(fds) >= count {
			return fds[:count]
		}
		pause(time.Millisecond)
	}
}

// hold accepts and does nothing else.
func (l *takingListener) hold() {
	for held := []net.Conn{}; ; { // the garbage collector closes what nobody holds
		conn, err := l.Accept()
		must(err)
		held = append(held, conn)
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
