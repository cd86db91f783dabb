package chaos_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"holobench/chaos"
	"holobench/internal/draw"
	"holobench/internal/memnet"
	"holobench/wire"
)

// rig is some faults over a network in memory, with a barrier at its birth.
type rig struct {
	t         *testing.T
	chaos     *chaos.Chaos
	listener  net.Listener
	dial      chaos.DialFunc
	began     time.Time
	mu        sync.Mutex
	decisions []chaos.Decision
	marks     []chaos.Mark
}

type whoKey struct{}

// who is whose socket is dialled in a test.
type who struct {
	client uint32
	path   chaos.Path
}

func newRig(t *testing.T, seed uint64, faults ...chaos.Fault) *rig {
	t.Helper()
	network := memnet.New(nil)
	listener, err := network.Listen("server:1")
	if err != nil {
		t.Fatal(err)
	}
	r := rigOn(t, seed, listener, network.DialContext, faults...)
	r.run(t.Context())
	return r
}

func rigOn(t *testing.T, seed uint64, listener net.Listener, dial chaos.DialFunc, faults ...chaos.Fault) *rig {
	t.Helper()
	r := &rig{t: t, listener: listener, began: time.Now()}
	var err error
	r.chaos, err = chaos.New(chaos.Options{Seed: seed, Clients: 100, Faults: faults, Buffers: true, Record: func(d chaos.Decision) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.decisions = append(r.decisions, d)
	}})
	if err != nil {
		t.Fatal(err)
	}
	r.dial = r.chaos.Dial(dial, func(ctx context.Context) (uint32, chaos.Path) {
		w, _ := ctx.Value(whoKey{}).(who)
		return w.client, w.path
	})
	t.Cleanup(func() { listener.Close() })
	return r
}

// run begins the timeline; the test's end ends it.
func (r *rig) run(ctx context.Context) {
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	r.chaos.Begin(r.began.UnixNano())
	go func() {
		defer close(done)
		err := r.chaos.Run(ctx, func(m chaos.Mark) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.marks = append(r.marks, m)
		})
		if err != nil {
			r.t.Error(err)
		}
	}()
	r.t.Cleanup(func() {
		cancel()
		<-done
		r.chaos.Wait()
	})
}

// connect dials as a client, and returns both ends.
func (r *rig) connect(client uint32, path chaos.Path) (near, far net.Conn) {
	r.t.Helper()
	near, err := r.dial(context.WithValue(context.Background(), whoKey{}, who{client, path}), "tcp", r.listener.Addr().String())
	if err != nil {
		r.t.Fatal(err)
	}
	far, err = r.listener.Accept()
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

// since is how long after the barrier that is.
func (r *rig) since(at int64) time.Duration { return time.Duration(at - r.began.UnixNano()) }

// until waits for a time after the barrier.
func (r *rig) until(at time.Duration) {
	if d := at - time.Since(r.began); d > 0 {
		<-time.After(d)
	}
}

// got is what one read brought.
type got struct {
	text string
	at   time.Duration // its stamp, after the barrier
	read time.Duration // when the read returned
	err  error
}

// readAll reads until an error, or until nothing comes for a minute.
func (r *rig) readAll(conn net.Conn) []got {
	var all []got
	buf := make([]byte, 64<<10)
	stamped, ok := conn.(wire.StampedConn)
	for {
		conn.SetReadDeadline(time.Now().Add(time.Minute))
		var g got
		var n int
		if ok {
			var at int64
			n, _, at, g.err = stamped.ReadStamped(buf)
			g.at = r.since(at)
		} else {
			n, g.err = conn.Read(buf)
			g.at = time.Since(r.began)
		}
		g.text, g.read = string(buf[:n]), time.Since(r.began)
		if errors.Is(g.err, os.ErrDeadlineExceeded) {
			return all
		}
		all = append(all, g)
		if g.err != nil {
			return all
		}
	}
}

// say writes texts at times after the barrier, and then ends the stream.
func (r *rig) say(conn net.Conn, texts map[time.Duration]string, end time.Duration) {
	for at := time.Duration(0); at <= end; at += time.Millisecond {
		if text, ok := texts[at]; ok {
			r.until(at)
			io.WriteString(conn, text)
		}
	}
	r.until(end)
	conn.Close()
}

func constant(d time.Duration) draw.Law { return draw.Law{A: float64(d)} }

const ms = time.Millisecond

func lognormal(t *testing.T, p50, p99 time.Duration) draw.Law {
	t.Helper()
	law, err := draw.Lognormal(float64(p50), float64(p99))
	if err != nil {
		t.Fatal(err)
	}
	return law
}

// arrival is a number of two bytes, and when it came.
type arrival struct {
	number int
	at     time.Duration
}

// numbers reads them until the end.
func numbers(r *rig, conn net.Conn) []arrival {
	var all []arrival
	for _, g := range r.readAll(conn) {
		for b := g.text; len(b) >= 2; b = b[2:] {
			all = append(all, arrival{int(b[0]) | int(b[1])<<8, g.at})
		}
	}
	return all
}

func errTimeout() error { return os.ErrDeadlineExceeded }
