package clients

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/http1"
	"holobench/wire/phoenix"
	"holobench/wire/sse"
	"holobench/wire/websocket"
)

// receiving is a receiver without a connection: bytes are fed to it by hand.
type receiving struct {
	stream *stream
	head   []byte // what comes before the first event
	event  []byte // what brings one event
	again  func() // makes it ready for the next, where it has to be
}

// receivings are those of all wires, with the client's two channels or its one.
func receivings(channels ...string) map[Wire]*receiving {
	all := make(map[Wire]*receiving)
	for _, w := range []Wire{JSON, Hologram, LongPoll, Channels} {
		crowd := &Crowd{Names: new(history.Names), Run: testRun, Wire: w, Observe: func([]history.Observation) {}}
		c := crowd.NewClient(ClientOptions{ID: 3, Channels: channels})
		s := newStream(c)
		s.reading = new(reading)
		s.hear(channels...)
		s.wire = c.protocol.receiver(s)
		event := wire.Event{Channel: channels[0], Name: "message", Payload: markerOf(7, 1), Seq: 17}
		r := &receiving{stream: s, head: []byte(streamHead), again: func() {}}
		switch wired := s.wire.(type) {
		case *plainReceiver:
			r.event = []byte(chunk(string(sse.AppendEvent(nil, "17", "", wire.AppendEventJSON(nil, event)))))
		case *hologramReceiver:
			r.event = []byte(hologramFrame(17, event))
		case *pollReceiver:
			body := phoenix.AppendPoll(nil, 200, "T", phoenix.AppendBroadcast(nil, channels[0], "message", event.Payload))
			r.event = fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
			r.head, wired.token, wired.joined = nil, "T", make([]bool, len(channels))
			r.again = func() { wired.again() }
		case *socketReceiver:
			wired.key, wired.joined = websocket.Key([16]byte{}), make([]bool, len(channels))
			wired.response.Switch = &wired.upgrade
			r.head = websocket.AppendSwitch(nil, websocket.AcceptKey(wired.key))
			r.event = websocket.AppendFrame(nil, websocket.Frame{
				Opcode: websocket.Text, Payload: phoenix.AppendBroadcast(nil, channels[0], "message", event.Payload),
			})
		}
		all[w] = r
	}
	return all
}

// TestReceiverCost holds that an event costs no allocation on any wire, also where its channel has to be looked for. It is
// not parallel, because allocations are counted for the whole process.
func TestReceiverCost(t *testing.T) {
	for _, channels := range [][]string{{"room"}, {"room", "hall"}} {
		for w, r := range receivings(channels...) {
			r.stream.batch = make([]history.Observation, 0, 64)
			if err := r.stream.wire.feed(r.head); err != nil {
				t.Fatalf("%s: %v", w, err)
			}
			if got := testing.AllocsPerRun(100, func() {
				r.again()
				r.stream.batch, r.stream.last = r.stream.batch[:0], 0
				err := r.stream.wire.feed(r.event)
				r.stream.settleLast(true)
				if err != nil || len(r.stream.batch) != 1 || r.stream.batch[0].Kind != history.Delivered {
					t.Fatalf("%s: %v, %+v", w, err, r.stream.batch)
				}
				if o := r.stream.batch[0]; o.NotBefore != o.At || o.Channel != r.stream.channels[0] {
					t.Fatalf("%s: %+v", w, o)
				}
			}); got != 0 {
				t.Errorf("%s, %d channels: %v allocations an event", w, len(channels), got)
			}
		}
	}
}

// TestAStreamThatWaitsHasNoParsers holds that a stream keeps parsers in the middle of an event only, and goes on with any.
func TestAStreamThatWaitsHasNoParsers(t *testing.T) {
	t.Parallel()
	r := receivings("room")[JSON]
	plain := r.stream.wire.(*plainReceiver)
	feed := func(b []byte, rests bool, told int) {
		t.Helper()
		r.stream.batch, r.stream.last = nil, 0
		if err := plain.feed(b); err != nil {
			t.Fatal(err)
		}
		if plain.noted(); (plain.parsers == nil) != rests || len(r.stream.batch) != told {
			t.Errorf("behind %q: rests %v, told %d; want %v, %d", b, plain.parsers == nil, len(r.stream.batch), rests, told)
		}
	}
	feed(r.head, true, 1)
	feed(r.event, true, 1)
	feed(r.event[:30], false, 0)
	feed(r.event[30:], true, 1)
	if id := plain.lastEventID(); id != "17" {
		t.Errorf("goes on behind %q", id)
	}
}

// BenchmarkReceiver is an event in a read of its own, and many in one where a wire has that.
func BenchmarkReceiver(b *testing.B) {
	for w := range receivings("room") {
		for _, many := range []int{1, 200} {
			if many > 1 && w == LongPoll {
				continue
			}
			b.Run(fmt.Sprintf("%s/batch=%d", w, many), func(b *testing.B) {
				r := receivings("room")[w] // another one each time that the benchmark is repeated
				r.stream.batch = make([]history.Observation, 0, many)
				if err := r.stream.wire.feed(r.head); err != nil {
					b.Fatal(err)
				}
				events := bytes.Repeat(r.event, many)
				b.ReportAllocs()
				for b.Loop() {
					r.again()
					r.stream.batch, r.stream.last = r.stream.batch[:0], 0
					if err := r.stream.wire.feed(events); err != nil || len(r.stream.batch) != many {
						b.Fatal(len(r.stream.batch), err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*many), "ns/event")
			})
		}
	}
}

// FuzzReceiver feeds what any server may send, cut at any place, to the receiver of each wire: none panics, and what they
// note is the same however the bytes were cut.
func FuzzReceiver(f *testing.F) {
	for _, r := range receivings("room", "hall") {
		f.Add(append(append([]byte(nil), r.head...), r.event...), uint16(7))
	}
	f.Add([]byte(streamHead+chunk(control("5,6", wire.SnapshotMessage, []byte(`{"channel":"room","version":5,"entries":[{"key":"k"}]}`))+
		numbered("6,6", wire.Event{Channel: "room", Seq: 6, Key: "k"}))), uint16(40))
	f.Add([]byte(streamHead+chunk(control("", wire.GapMessage, []byte(`{"first":18446744073709551615}`)))), uint16(3))
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"status\":410}"), uint16(20))
	f.Add([]byte("HTTP/1.1 403 Forbidden\r\n\r\n"), uint16(2))
	f.Fuzz(func(t *testing.T, data []byte, size uint16) {
		whole, cut := receivings("room", "hall"), receivings("room", "hall")
		for w, r := range whole {
			want := r.stream.wire.feed(append([]byte(nil), data...)) // a parser may change what is its own
			c := cut[w].stream
			var got error
			for rest := append([]byte(nil), data...); len(rest) > 0 && got == nil; {
				n := min(len(rest), max(1, int(size)))
				got = c.wire.feed(rest[:n])
				rest = rest[n:]
			}
			if (want == nil) != (got == nil) && !over(w, data) {
				t.Fatalf("%s: in one piece %v, in several %v", w, want, got)
			}
			if want == nil && got == nil {
				equal(t, w, r.stream, c)
			}
		}
	})
}

// over says that the bytes hold more than one answer to a poll, which no server sends unasked: when the second is seen
// depends on where they were cut.
func over(w Wire, data []byte) bool {
	if w != LongPoll {
		return false
	}
	var p http1.Parser
	n, err := p.Feed(data, &poster{})
	return err == nil && n < len(data) || err != nil
}

// equal compares what two receivers have noted.
func equal(t *testing.T, w Wire, one, other *stream) {
	t.Helper()
	if len(one.batch) != len(other.batch) {
		t.Fatalf("%s: %d rows in one piece, %d in several", w, len(one.batch), len(other.batch))
	}
	for i := range one.batch {
		if one.batch[i] != other.batch[i] {
			t.Fatalf("%s: row %d is %+v in one piece, and %+v in several", w, i, one.batch[i], other.batch[i])
		}
	}
}

func TestPhoenixPauses(t *testing.T) {
	t.Parallel()
	r := receivings("room")[Channels].stream.wire.(*socketReceiver)
	var told []string
	for range 12 {
		r.over(http.ErrServerClosed)
		told = append(told, r.pause().String())
	}
	if got, want := fmt.Sprint(told), "[10ms 50ms 100ms 150ms 200ms 250ms 500ms 1s 2s 5s 5s 5s]"; got != want {
		t.Errorf("pauses %s, want %s", got, want)
	}
	r.announced = true
	r.over(nil)
	if got := r.pause().String(); got != "10ms" {
		t.Errorf("after a socket that was one: %s, want 10ms", got)
	}
}

// TestPlainSequence: the number behind the first `,"seq":`, whatever else looks like it.
func TestPlainSequence(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]uint64{
		`{"channel":"room","payload":"x","seq":17}`:                        17,
		`{"channel":"q","seq":18446744073709551615,"key":"q"}`:             math.MaxUint64,
		`{"channel":"seq","payload":",\"seq\":5","faq":1,"seq":9}`:         9,
		`{"channel":"room","payload":"q\":","faq":1}`:                      0,
		`{"channel":"room","seq":18446744073709551616}`:                    0,
		`{"channel":"room","seq":null,"seq":3}`:                            0,
		`q":7`:                                                             0,
		`{"channel":"room","payload":"` + strings.Repeat(`q\":`, 9) + `"}`: 0,
	} {
		if got, ok := plainSequence([]byte(data)); got != want || ok != (want > 0) {
			t.Errorf("%s has the number %d, %v; want %d", data, got, ok, want)
		}
	}
}
