package chaos_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"holobench/chaos"
	"holobench/internal/draw"
)

// script is what one side says when, and what the other sees when: both times after the barrier.
type script struct {
	name  string
	fault chaos.Fault
	say   map[time.Duration]string
	end   time.Duration // the FIN
	see   []seen
	only  only
}

// only says that a script is for one direction.
type only int

const (
	down only = iota + 1
	up
)

// seen is what is read at one moment.
type seen struct {
	at   time.Duration
	text string // "EOF" and "RST" are the ends
}

const s = time.Second

// timed returns a window from 1 s to 3 s.
func window() chaos.Window { return chaos.Window{At: s, For: 2 * s} }

// Every fault on bytes is exact in time, in both directions alike.
func TestFaultsOnBytesAreExact(t *testing.T) {
	t.Parallel()
	steady := map[time.Duration]string{500 * ms: "a", 1500 * ms: "b", 2500 * ms: "c", 3500 * ms: "d"}
	for _, c := range []script{
		{
			name: "delay", fault: chaos.Fault{Window: window(), Effect: chaos.Delay{Law: constant(100 * ms)}}, say: steady, end: 4 * s,
			see: []seen{{500 * ms, "a"}, {1600 * ms, "b"}, {2600 * ms, "c"}, {3500 * ms, "d"}, {4 * s, "EOF"}},
		},
		{
			name:  "a delay that is over holds nothing up that is behind it, and lets nothing overtake",
			fault: chaos.Fault{Window: window(), Effect: chaos.Delay{Law: constant(1200 * ms)}}, say: steady, end: 4100 * ms,
			see: []seen{{500 * ms, "a"}, {2700 * ms, "b"}, {3700 * ms, "c"}, {4200 * ms, "dEOF"}},
		},
		{
			name:  "a delay that comes on over 2 s, up to 100 ms",
			fault: chaos.Fault{Window: chaos.Window{At: s, For: 4 * s, Ramp: 2 * s}, Effect: chaos.Delay{Law: constant(100 * ms)}},
			say:   map[time.Duration]string{s: "a", 1500 * ms: "b", 2 * s: "c", 3 * s: "d", 4 * s: "e"}, end: 6 * s,
			see: []seen{{s, "a"}, {1525 * ms, "b"}, {2050 * ms, "c"}, {3100 * ms, "d"}, {4100 * ms, "e"}, {6 * s, "EOF"}},
		},
		{
			name:  "a delay that comes again",
			fault: chaos.Fault{Window: chaos.Window{At: s, For: 200 * ms, Every: s, Times: 2}, Effect: chaos.Delay{Law: constant(100 * ms)}},
			say:   map[time.Duration]string{1100 * ms: "a", 1500 * ms: "b", 2100 * ms: "c", 3100 * ms: "d"}, end: 4 * s,
			see: []seen{{1200 * ms, "a"}, {1500 * ms, "b"}, {2200 * ms, "c"}, {3100 * ms, "d"}, {4 * s, "EOF"}},
		},
		{
			name:  "bandwidth: a byte takes 10 ms, and what is under way when the window ends goes on",
			fault: chaos.Fault{Window: window(), Effect: chaos.Bandwidth{Rate: 100}},
			say:   map[time.Duration]string{500 * ms: "a", 1500 * ms: strings.Repeat("b", 50), 1600 * ms: "c", 2990 * ms: "dd", 3 * s: "e"}, end: 4 * s,
			see: []seen{{500 * ms, "a"}, {2 * s, strings.Repeat("b", 50)}, {2010 * ms, "c"}, {3010 * ms, "dde"}, {4 * s, "EOF"}},
		},
		{
			name:  "bandwidth with a burst of 30 bytes",
			fault: chaos.Fault{Window: window(), Effect: chaos.Bandwidth{Rate: 100, Burst: 30}},
			say:   map[time.Duration]string{1500 * ms: strings.Repeat("b", 50), 2500 * ms: "c"}, end: 4 * s,
			see: []seen{{1700 * ms, strings.Repeat("b", 50)}, {2500 * ms, "c"}, {4 * s, "EOF"}},
		},
		{
			name:  "slices of 3 bytes, 10 ms apart, also within a character",
			fault: chaos.Fault{Window: window(), Effect: chaos.Slice{Size: 3, Gap: 10 * ms}},
			say:   map[time.Duration]string{1500 * ms: "ab", 1600 * ms: "ö€d", 3500 * ms: "e"}, end: 4 * s,
			see: []seen{{1500 * ms, "ab"}, {1600 * ms, "\xc3"}, {1610 * ms, "\xb6\xe2\x82"}, {1620 * ms, "\xacd"}, {3500 * ms, "e"}, {4 * s, "EOF"}},
		},
		{
			name: "stall until the window ends", fault: chaos.Fault{Window: window(), Effect: chaos.Stall{}}, say: steady, end: 4 * s,
			see: []seen{{500 * ms, "a"}, {3 * s, "bc"}, {3500 * ms, "d"}, {4 * s, "EOF"}},
		},
		{
			name:  "stall after 3 bytes, for 400 ms",
			fault: chaos.Fault{Window: window(), Effect: chaos.Stall{After: 3, Hold: 400 * ms}},
			say:   map[time.Duration]string{500 * ms: "aaaa", 1100 * ms: "b", 1500 * ms: "cccc", 1700 * ms: "d", 2100 * ms: "e"}, end: 4 * s,
			see: []seen{{500 * ms, "aaaa"}, {1100 * ms, "b"}, {1500 * ms, "cc"}, {1900 * ms, "ccd"}, {2100 * ms, "e"}, {4 * s, "EOF"}},
		},
		{
			name: "half open: no byte and no end from there on", fault: chaos.Fault{Window: window(), Effect: chaos.HalfOpen{}}, say: steady, end: 4 * s, only: down,
			see: []seen{{500 * ms, "a"}},
		},
		{
			name: "half open, but the socket of a client that closes is gone", fault: chaos.Fault{Window: window(), Effect: chaos.HalfOpen{}}, say: steady, end: 4 * s, only: up,
			see: []seen{{500 * ms, "a"}, {4 * s, "EOF"}},
		},
		{
			name: "every packet is lost nine times, which is the most", fault: chaos.Fault{Window: window(), Effect: chaos.Loss{Rate: 1, Timeout: ms}},
			say: steady, end: 4 * s, only: up, // down a packet is a part of a message, and these are none
			see: []seen{{500 * ms, "a"}, {2011 * ms, "b"}, {3011 * ms, "c"}, {3500 * ms, "d"}, {4 * s, "EOF"}},
		},
		{
			name: "buffer of 3 bytes", fault: chaos.Fault{Window: window(), Effect: chaos.Buffer{Bytes: 3}},
			say: map[time.Duration]string{500 * ms: "a", 1500 * ms: "b", 1600 * ms: "cc", 1700 * ms: "d", 3500 * ms: "e"}, end: 4 * s,
			see: []seen{{500 * ms, "a"}, {1600 * ms, "bcc"}, {3 * s, "d"}, {3500 * ms, "e"}, {4 * s, "EOF"}},
		},
		{
			name: "buffer of 700 ms", fault: chaos.Fault{Window: window(), Effect: chaos.Buffer{For: 700 * ms}},
			say: map[time.Duration]string{500 * ms: "a", 1500 * ms: "b", 1600 * ms: "c", 2300 * ms: "d", 2900 * ms: "e"}, end: 2950 * ms,
			see: []seen{{500 * ms, "a"}, {2200 * ms, "bc"}, {2950 * ms, "deEOF"}},
		},
		{
			name: "slow close", fault: chaos.Fault{Window: window(), Effect: chaos.SlowClose{Law: constant(5 * s)}},
			say: map[time.Duration]string{500 * ms: "a", 2500 * ms: "b"}, end: 2800 * ms,
			see: []seen{{500 * ms, "a"}, {2500 * ms, "b"}, {7800 * ms, "EOF"}},
		},
		{
			name: "limit of data", fault: chaos.Fault{Window: window(), Effect: chaos.LimitData{Bytes: 3}},
			say: map[time.Duration]string{500 * ms: "a", 1500 * ms: "b", 1600 * ms: "ccc", 1700 * ms: "d"}, end: 4 * s,
			see: []seen{{500 * ms, "a"}, {1500 * ms, "b"}, {1600 * ms, "ccEOF"}},
		},
	} {
		for _, dir := range []chaos.Direction{chaos.Down, chaos.Up} {
			if c.only == up && dir == chaos.Down || c.only == down && dir == chaos.Up {
				continue
			}
			t.Run(c.name+", "+dir.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					fault := c.fault
					fault.Name, fault.Where.Direction = "it", dir
					r := newRig(t, 1, fault)
					near, far := r.connect(0, chaos.Stream)
					if dir == chaos.Up {
						near, far = far, near
					}
					said := make(chan struct{})
					go func() {
						defer close(said)
						r.say(far, c.say, c.end)
					}()
					r.expect(near, c.see)
					<-said
				})
			})
		}
	}
}

// expect reads all, and compares what was seen when; on stamped connections the stamps must say the same.
func (r *rig) expect(conn net.Conn, want []seen) {
	r.t.Helper()
	var all []seen
	for _, g := range r.readAll(conn) {
		switch {
		case g.err == nil:
		case errors.Is(g.err, io.EOF):
			g.text, g.at = "EOF", g.read
		case errors.Is(g.err, syscall.ECONNRESET):
			g.text, g.at = "RST", g.read
		default:
			g.text = g.err.Error()
		}
		if g.at != g.read {
			r.t.Errorf("%q was read at %v, and its stamp says %v", g.text, g.read, g.at)
		}
		if n := len(all); n > 0 && all[n-1].at == g.at { // at one moment; how many reads that takes does not matter
			all[n-1].text += g.text
			continue
		}
		all = append(all, seen{g.at, g.text})
	}
	if len(all) != len(want) {
		r.t.Errorf("saw %v\nwant %v", all, want)
		return
	}
	for i := range want {
		if all[i] != want[i] {
			r.t.Errorf("saw %v\nwant %v", all, want)
			return
		}
	}
}

// A cut is exact at both ends.
func TestCutsAreExact(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		effect chaos.Effect
		near   []seen
		far    []seen
	}{
		{"reset", chaos.Reset{}, []seen{{500 * ms, "a"}, {s, "RST"}}, []seen{{s, "RST"}}},
		{"close", chaos.Close{}, []seen{{500 * ms, "a"}, {s, "EOF"}}, []seen{{s, "EOF"}}},
		{"reset after 3 bytes", chaos.Reset{After: 3}, []seen{{500 * ms, "a"}, {1500 * ms, "bb"}, {2 * s, "cRST"}}, []seen{{2 * s, "RST"}}},
		{"close after 3 bytes", chaos.Close{After: 3}, []seen{{500 * ms, "a"}, {1500 * ms, "bb"}, {2 * s, "cEOF"}}, []seen{{2 * s, "EOF"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 1, chaos.Fault{Name: "cut", Window: window(), Effect: c.effect})
				near, far := r.connect(0, chaos.Stream)
				go func() {
					for _, one := range []seen{{500 * ms, "a"}, {1500 * ms, "bb"}, {2 * s, "cc"}} {
						r.until(one.at)
						io.WriteString(far, one.text)
					}
				}()
				done := make(chan struct{})
				go func() {
					r.expect(far, c.far)
					close(done)
				}()
				r.expect(near, c.near)
				<-done
				if _, err := near.Write([]byte("x")); err == nil {
					t.Error("a write after the cut went through")
				}
				// Who comes after the beginning is not cut.
				again, _ := r.connect(0, chaos.Stream)
				again.SetReadDeadline(time.Now().Add(10 * s))
				if _, err := again.Read(make([]byte, 1)); !errors.Is(err, errTimeout()) {
					t.Errorf("the next connection: %v", err)
				}
			})
		})
	}
}

// Half of the clients are cut within 2 s, each at a moment of its own with all its sockets, again after 5 s.
func TestCutsWithinATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3, chaos.Fault{
			Name: "storm", Window: chaos.Window{At: s, Every: 5 * s, Times: 2}, Where: chaos.Where{Share: 0.5}, Effect: chaos.Reset{Within: 2 * s},
		})
		ends := make([][2]time.Duration, 20)
		ended := make(chan struct{})
		open := func(client int) {
			for i, path := range []chaos.Path{chaos.Stream, chaos.Command} {
				near, _ := r.connect(uint32(client), path)
				go func() {
					for _, g := range r.readAll(near) {
						ends[client][i] = g.read
					}
					ended <- struct{}{}
				}()
			}
		}
		for round := range 2 {
			for client := range ends {
				ends[client] = [2]time.Duration{}
				open(client)
			}
			for range 2 * len(ends) {
				<-ended
			}
			var cut int
			moments := make(map[time.Duration]bool)
			from := s + time.Duration(round)*5*s
			for client, at := range ends {
				switch {
				case at[0] != at[1]:
					t.Errorf("round %d: the sockets of client %d ended at %v and %v", round, client, at[0], at[1])
				case at[0] != 0 && (at[0] < from || at[0] > from+2*s):
					t.Errorf("round %d: client %d was cut at %v", round, client, at[0])
				case at[0] != 0:
					cut++
					moments[at[0]] = true
				}
			}
			if round == 0 && (cut == 0 || len(moments) != cut) {
				t.Errorf("%d of %d clients were cut, at %d moments", cut, len(ends), len(moments))
			}
			if round == 0 {
				break // readAll waits for a minute where nothing comes: the second occurrence is over then
			}
		}
		if n := r.chaos.Ledger().Faults[0]; n.Clients != 50 || n.Decisions == 0 {
			t.Errorf("%+v: half of 100 clients should be hit", n)
		}
		want := []chaos.Mark{
			{Fault: "storm", Kind: "reset", At: r.began.Add(s).UnixNano(), Begins: true},
			{Fault: "storm", Kind: "reset", At: r.began.Add(3 * s).UnixNano()},
			{Fault: "storm", Kind: "reset", Occurrence: 1, At: r.began.Add(6 * s).UnixNano(), Begins: true},
			{Fault: "storm", Kind: "reset", Occurrence: 1, At: r.began.Add(8 * s).UnixNano()},
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.marks) != len(want) {
			t.Fatalf("marks %+v", r.marks)
		}
		for i := range want {
			if r.marks[i] != want[i] {
				t.Errorf("mark %d: %+v, want %+v", i, r.marks[i], want[i])
			}
		}
	})
}

// A delay with jitter: the first message is late by its own draw, and the ledger has it.
func TestJitterIsDrawnForEachMessage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 5, chaos.Fault{
			Name: "lag", Effect: chaos.Delay{Law: constant(20 * ms), Jitter: draw.Law{Kind: draw.KindUniform, B: 10e6}},
		})
		near, far := r.connect(0, chaos.Stream)
		go func() {
			io.WriteString(far, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
			for i := range 20 {
				r.until(time.Duration(i+1) * s)
				for _, half := range []string{"8\r\ndata: x\n\r\n", "1\r\n\n\r\n"} { // both halves are of one message
					io.WriteString(far, half)
					r.until(time.Duration(i+1)*s + 100*ms)
				}
			}
			far.Close()
		}()
		all := r.readAll(near)
		drawn := make(map[int64]time.Duration)
		r.mu.Lock()
		for _, d := range r.decisions {
			if d.Path == chaos.Stream {
				drawn[d.Number] = time.Duration(d.Amount)
			}
		}
		r.mu.Unlock()
		halves := all[len(all)-41:]
		distinct := make(map[time.Duration]bool)
		for i := range 20 {
			for half := range 2 {
				sent := time.Duration(i+1)*s + time.Duration(half)*100*ms
				late := halves[2*i+half].at - sent - 20*ms
				// The head of the response belongs to the first message.
				if late != drawn[int64(i)] {
					t.Errorf("half %d of message %d: %v late, and %v was drawn", half, i, late, drawn[int64(i)])
				}
				distinct[late] = true
			}
		}
		if len(distinct) != 20 {
			t.Errorf("%d different draws for 20 messages", len(distinct))
		}
	})
}

// What goes up late is held up to a mebibyte; beyond it a write waits, until its deadline at most, and until Close.
func TestWriteWaitsForRoomUntilItsDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, chaos.Fault{Name: "it", Window: chaos.Window{For: 10 * s}, Where: chaos.Where{Direction: chaos.Up}, Effect: chaos.Stall{}})
		near, far := r.connect(0, chaos.Command)
		near.SetWriteDeadline(r.began.Add(3 * s))
		if n, err := near.Write(make([]byte, 1<<20)); n != 1<<20 || err != nil || time.Since(r.began) != 0 {
			t.Errorf("wrote %d bytes after %v, %v", n, time.Since(r.began), err)
		}
		if _, err := near.Write([]byte("x")); !errors.Is(err, errTimeout()) || time.Since(r.began) != 3*s {
			t.Errorf("a write without room ended after %v: %v", time.Since(r.began), err)
		}
		near.SetWriteDeadline(time.Time{})
		go func() {
			r.until(11 * s)
			io.CopyN(io.Discard, far, 1<<20)
			far.Close()
		}()
		if _, err := near.Write([]byte("x")); err != nil || time.Since(r.began) < 10*s {
			t.Errorf("with room again after %v: %v", time.Since(r.began), err)
		}
		r.until(12 * s)
		near.Close()
		if _, err := near.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a write after Close: %v", err)
		}
	})
}
