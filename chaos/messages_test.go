package chaos_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/chaos"
	"holobench/internal/draw"
	"holobench/wire"
	"holobench/wire/http1"
	"holobench/wire/sse"
)

// eventOf is the n-th event as the plain wire brings it, some with an id, some with CRLF.
func eventOf(n int) []byte {
	marker := wire.AppendMarker(nil, wire.Marker{Run: 1, Event: wire.EventID{Publisher: uint32(n % 3), Seq: uint32(n)}, Due: int64(n)})
	text := sse.AppendEvent(nil, fmt.Sprint(n), "", fmt.Appendf(nil, "%s ä€ %d", marker, n))
	if n%4 == 0 {
		text = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
	}
	return text
}

// stream is a response with some events and a comment before each fifth, chunked or not.
func stream(events int, chunked bool) []byte {
	head := "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
	if chunked {
		head += "Transfer-Encoding: chunked\r\n"
	}
	all := []byte(head + "\r\n")
	write := func(b []byte) {
		if chunked {
			b = fmt.Appendf(nil, "%x\r\n%s\r\n", len(b), b)
		}
		all = append(all, b...)
	}
	for n := 1; n <= events; n++ {
		if n%5 == 0 {
			write([]byte(": heartbeat\n\n"))
		}
		write(eventOf(n))
	}
	if chunked {
		all = append(all, "0\r\n\r\n"...)
	}
	return all
}

// heard is what a client makes of a stream.
type heard struct {
	t        *testing.T
	response http1.Parser
	parser   sse.Parser
	events   []wire.EventID
	texts    []string
	comments int
	whole    bool
}

func (h *heard) OnHead(head *http1.Head) error {
	if head.Status != 200 {
		h.t.Errorf("status %d", head.Status)
	}
	return nil
}

func (h *heard) OnBody(b []byte) error { return h.parser.Feed(b, h) }

func (h *heard) OnEnd() error {
	h.whole = true
	return nil
}

func (h *heard) OnEvent(e *sse.Event) {
	h.texts = append(h.texts, string(e.Data))
	m, _, ok := wire.FindMarker(e.Data)
	if !ok {
		m.Event = wire.EventID{}
	}
	h.events = append(h.events, m.Event)
}

func (h *heard) OnComment([]byte) { h.comments++ }

func (h *heard) OnRetry(time.Duration) {}

// hear reads a stream to its end.
func (r *rig) hear(conn net.Conn) *heard {
	h := &heard{t: r.t}
	for _, g := range r.readAll(conn) {
		if g.err != nil {
			if err := h.response.Close(h); err != nil && !errors.Is(err, io.EOF) {
				r.t.Errorf("the stream ended badly: %v", err)
			}
			break
		}
		if _, err := h.response.Feed([]byte(g.text), h); err != nil {
			r.t.Errorf("what came is no stream: %v", err)
			break
		}
	}
	return h
}

// through sends a stream of events through faults, cut into writes at random, a millisecond apart, and returns what came.
func through(r *rig, seed uint64, events int, chunked bool) *heard {
	near, far := r.connect(7, chaos.Stream)
	go func() {
		rng := rand.New(rand.NewPCG(seed, 2))
		for b := stream(events, chunked); len(b) > 0; {
			n := 1 + rng.IntN(min(len(b), 90))
			far.Write(b[:n])
			b = b[n:]
			<-time.After(ms)
		}
		far.Close()
	}()
	return r.hear(near)
}

func ids(events int) []wire.EventID {
	var all []wire.EventID
	for n := 1; n <= events; n++ {
		all = append(all, wire.EventID{Publisher: uint32(n % 3), Seq: uint32(n)})
	}
	return all
}

// decided returns the events that a fault says it touched, as the ledger has them.
func (r *rig) decided() []wire.EventID {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []wire.EventID
	for _, d := range r.decisions {
		all = append(all, d.Event)
	}
	return all
}

// What was injected is found again at the client, exactly, and nothing else is changed: 20 seeds, chunked and not, however
// the bytes are cut.
func TestInjectedEventsAreFoundAgain(t *testing.T) {
	t.Parallel()
	const events = 200
	for _, c := range []struct {
		effect chaos.Effect
		want   func(sent, touched []wire.EventID) []wire.EventID
	}{
		{chaos.Drop{Pick: chaos.Pick{Share: 0.1}}, func(sent, touched []wire.EventID) []wire.EventID {
			return slices.DeleteFunc(sent, func(e wire.EventID) bool { return slices.Contains(touched, e) })
		}},
		{chaos.Duplicate{Pick: chaos.Pick{Share: 0.1}}, func(sent, touched []wire.EventID) (all []wire.EventID) {
			for _, e := range sent {
				if all = append(all, e); slices.Contains(touched, e) {
					all = append(all, e)
				}
			}
			return all
		}},
		{chaos.Reorder{Pick: chaos.Pick{Nth: 7}, Distance: 3}, func(sent, touched []wire.EventID) []wire.EventID {
			for _, e := range touched { // seven apart, so that three places on there is none that waits too
				i := slices.Index(sent, e)
				to := min(i+3, len(sent)-1)
				sent = slices.Insert(slices.Delete(sent, i, i+1), to, e)
			}
			return sent
		}},
	} {
		for seed := range uint64(20) {
			t.Run(fmt.Sprintf("%s, seed %d", c.effect.Kind(), seed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, seed, chaos.Fault{Name: "it", Where: chaos.Where{Path: chaos.Stream}, Effect: c.effect})
					h := through(r, seed, events, seed%2 == 0)
					touched := r.decided()
					if len(touched) < 8 || len(touched) > 40 {
						t.Errorf("%d events of %d were touched", len(touched), events)
					}
					if want := c.want(ids(events), touched); !slices.Equal(h.events, want) {
						t.Errorf("touched %v\nheard %v\nwant  %v", touched, h.events, want)
					}
					if h.comments != events/5 || seed%2 == 0 && !h.whole {
						t.Errorf("%d comments, want %d; whole: %v", h.comments, events/5, h.whole)
					}
				})
			})
		}
	}
}

// Reordered by k makes k inversions for each event that was.
func TestReorderMakesAsManyInversions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, chaos.Fault{Name: "it", Effect: chaos.Reorder{Pick: chaos.Pick{Nth: 10}, Distance: 4}})
		h := through(r, 1, 205, true)
		var inversions int
		for i := range h.events {
			for j := range i {
				if h.events[j].Seq > h.events[i].Seq {
					inversions++
				}
			}
		}
		if want := 4 * len(r.decided()); inversions != want || len(h.events) != 205 {
			t.Errorf("%d inversions, want %d; %d events", inversions, want, len(h.events))
		}
	})
}

// An event that is held back for others that do not come goes on with the stream's end, before the last chunk.
func TestReorderEndsWithItsStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, chaos.Fault{Name: "it", Effect: chaos.Reorder{Pick: chaos.Pick{Nth: 10}, Distance: 4}})
		h := through(r, 1, 21, true)
		want := ids(21)
		want[19], want[20] = want[20], want[19]
		if !h.whole || !slices.Equal(h.events[19:], want[19:]) || len(h.events) != 21 {
			t.Errorf("whole: %v, heard %v", h.whole, h.events)
		}
	})
}

// An event that is held back goes on when the window ends, though nothing comes.
func TestReorderEndsWithItsWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, chaos.Fault{Name: "it", Window: chaos.Window{For: 3 * s}, Effect: chaos.Reorder{Distance: 5}})
		near, far := r.connect(7, chaos.Stream)
		go func() {
			all := stream(2, false)
			far.Write(all)
			r.until(10 * s)
			far.Close()
		}()
		all := r.readAll(near)
		if last := all[len(all)-2]; last.at != 3*s || last.read != 3*s || !strings.Contains(last.text, "s1.") || !strings.Contains(last.text, "s2.") {
			t.Errorf("what was held came at %v: %q", last.at, last.text)
		}
	})
}

// A corrupted event differs in one byte of its data; a truncated one ends within it; the stream goes on.
func TestCorruptAndTruncateEvents(t *testing.T) {
	t.Parallel()
	const events = 100
	for seed := range uint64(6) {
		for _, effect := range []chaos.Effect{chaos.Corrupt{Pick: chaos.Pick{Share: 0.3}}, chaos.Truncate{Pick: chaos.Pick{Share: 0.3}}} {
			t.Run(fmt.Sprintf("%s, seed %d", effect.Kind(), seed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, seed, chaos.Fault{Name: "it", Effect: effect})
					h := through(r, seed, events, seed%2 == 0)
					touched := r.decided()
					var changed int
					for i, text := range h.texts {
						var was sse.Parser
						plain := &heard{t: t}
						was.Feed(eventOf(i+1), plain)
						want, hit := plain.texts[0], slices.Contains(touched, ids(events)[i])
						switch effect.(type) {
						case chaos.Corrupt:
							if got := distance(text, want); hit && got != 1 || !hit && got != 0 {
								t.Errorf("event %d, touched: %v: %q differs from %q in %d bytes", i+1, hit, text, want, got)
							}
						case chaos.Truncate:
							if !strings.HasPrefix(want, text) || hit != (len(text) < len(want)) {
								t.Errorf("event %d, touched: %v: %q of %q", i+1, hit, text, want)
							}
						}
						if text != want {
							changed++
						}
					}
					if len(h.texts) != events || changed != len(touched) || changed < 10 {
						t.Errorf("%d events, %d changed, %d touched", len(h.texts), changed, len(touched))
					}
				})
			})
		}
	}
}

// distance counts the bytes in which two texts differ.
func distance(a, b string) int {
	if len(a) != len(b) {
		return max(len(a), len(b))
	}
	n := 0
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

func TestHeartbeatLoss(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, chaos.Fault{Name: "it", Effect: chaos.HeartbeatLoss{}})
		if h := through(r, 1, 50, true); h.comments != 0 || !slices.Equal(h.events, ids(50)) || len(r.decided()) != 10 {
			t.Errorf("%d comments, events %v, %d decisions", h.comments, h.events, len(r.decided()))
		}
	})
}

// Outside of its window a rewriter hands on at once what it has, also half an event, and says the same.
func TestRewriterWaitsOnlyInTheWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, chaos.Fault{Name: "it", Window: chaos.Window{At: 4 * s}, Effect: chaos.Drop{}})
		near, far := r.connect(7, chaos.Stream)
		half := eventOf(1)[:20]
		go func() {
			io.WriteString(far, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
			r.until(s)
			far.Write(half)
			r.until(5 * s) // the window is open, but the event had begun
			far.Write(eventOf(1)[20:])
			r.until(6 * s)
			far.Write(eventOf(2)[:20])
			r.until(7 * s)
			far.Write(eventOf(2)[20:])
			r.until(8 * s)
			io.WriteString(far, "data: no marker\n\n")
			far.Close()
		}()
		all := r.readAll(near)
		var at []time.Duration
		for _, g := range all[1:] {
			at = append(at, g.at)
		}
		if !slices.Equal(at[:3], []time.Duration{s, 5 * s, 8 * s}) || all[1].text != string(half) || all[3].text != "data: no marker\n\n" {
			t.Errorf("%+v", all[1:])
		}
		if !slices.Equal(r.decided(), ids(2)[1:]) {
			t.Errorf("dropped %v", r.decided())
		}
	})
}

// Requests are answered in the server's place, or late; on a keep-alive connection the others go on.
func TestAbortedAndLateRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 4,
			chaos.Fault{Name: "no", Where: chaos.Where{Path: chaos.Command}, Effect: chaos.HTTPAbort{Status: 503, Method: "POST", Share: 0.5}},
			chaos.Fault{Name: "slow", Where: chaos.Where{Path: chaos.Command}, Effect: chaos.HTTPDelay{Law: draw.Law{A: 100e6}, Method: "POST"}},
		)
		near, far := r.connect(2, chaos.Command)
		go serve(far)
		var parser http1.Parser
		var aborted, answered int
		for i := range 40 {
			method, body := "POST", strings.Repeat("x", i)
			if i%10 == 9 {
				method, body = "GET", ""
			}
			began := time.Now()
			request := fmt.Sprintf("%s /command HTTP/1.1\r\nHost: x\r\ncontent-length: %d\r\n\r\n%s", method, len(body), body)
			cut := len(request) * (i % 4) / 4 // some in two writes
			io.WriteString(near, request[:cut])
			io.WriteString(near, request[cut:])
			reply := &reply{}
			parser.Reset()
			for buf := make([]byte, 4096); !parser.Done(); {
				n, err := near.Read(buf)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := parser.Feed(buf[:n], reply); err != nil {
					t.Fatal(err)
				}
			}
			took := time.Since(began)
			switch {
			case reply.status == 503 && took == 0 && method == "POST":
				aborted++
			case reply.status == 200 && reply.body == body && (method == "POST") == (took == 100*ms):
				answered++
			default:
				t.Errorf("request %d, %s: status %d after %v, body %q", i, method, reply.status, took, reply.body)
			}
		}
		ledger := r.chaos.Ledger()
		if aborted < 8 || aborted > 28 || ledger.Faults[0].Decisions != uint64(aborted) {
			t.Errorf("%d aborted, %d answered, %+v", aborted, answered, ledger)
		}
	})
}

type reply struct {
	status int
	body   string
}

func (r *reply) OnHead(h *http1.Head) error {
	r.status = h.Status
	return nil
}

func (r *reply) OnBody(b []byte) error {
	r.body += string(b)
	return nil
}

func (r *reply) OnEnd() error { return nil }

// serve echoes the bodies of requests.
func serve(conn net.Conn) {
	var pending []byte
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		pending = append(pending, buf[:n]...)
		for {
			head, rest, ok := bytes.Cut(pending, []byte("\r\n\r\n"))
			if !ok {
				break
			}
			var length int
			fmt.Sscanf(string(head[bytes.LastIndexByte(head, ' ')+1:]), "%d", &length)
			if len(rest) < length {
				break
			}
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", length, rest[:length])
			pending = append([]byte(nil), rest[length:]...)
		}
	}
}

// A reply is lost, changed, or cut off with its connection.
func TestFaultsOnReplies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		effect chaos.Effect
		want   func(all []got) bool
	}{
		{chaos.Drop{Pick: chaos.Pick{Nth: 2}}, func(all []got) bool { return len(all) == 3 && all[1].text == echoed("three") }},
		{chaos.Corrupt{}, func(all []got) bool {
			return len(all) == 4 && distance(all[0].text, echoed("one")) == 1 && distance(all[1].text, echoed("two")) == 1
		}},
		{chaos.Truncate{Pick: chaos.Pick{Nth: 2}}, func(all []got) bool {
			return len(all) >= 3 && all[0].text == echoed("one") && strings.HasPrefix(echoed("two"), all[1].text) && len(all[1].text) < len(echoed("two")) && errors.Is(all[2].err, io.EOF)
		}},
	} {
		t.Run(c.effect.Kind(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 1, chaos.Fault{Name: "it", Where: chaos.Where{Path: chaos.Command}, Effect: c.effect})
				near, far := r.connect(2, chaos.Command)
				go func() {
					defer far.Close()
					for _, text := range []string{"one", "two", "three"} {
						if _, err := io.WriteString(far, echoed(text)); err != nil {
							return
						}
						<-time.After(s)
					}
				}()
				if all := r.readAll(near); !c.want(all) {
					t.Errorf("%+v", all)
				}
				r.until(4 * s)
			})
		})
	}
}

func echoed(text string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
}
