package target

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"holobench/wire"
)

// discardWriter is a client that takes everything at once.
type discardWriter struct {
	gone chan struct{}
	http1Writer
}

func (w *discardWriter) write(frames []*frame, _ time.Duration) (written, error) {
	n := 0
	for _, f := range frames {
		n += len(f.bytes(true))
	}
	return w.count(frames, n), nil
}

func (w *discardWriter) end(time.Duration) error { return nil }
func (w *discardWriter) abort()                  { close(w.gone) }
func (w *discardWriter) waitGone()               { <-w.gone }

// crowd makes a server with so many subscribers of one channel that take everything, and returns a function that publishes one
// event and waits until all have it.
func crowd(tb testing.TB, design Design, subscribers int) (publish func()) {
	tb.Helper()
	s, err := New(Options{Design: design})
	if err != nil {
		tb.Fatal(err)
	}
	for i := range subscribers {
		if err := s.registry.reserve(subscribers, func() { s.streams.Add(2) }); err != nil {
			tb.Fatal(err)
		}
		w := &discardWriter{gone: make(chan struct{}), http1Writer: http1Writer{chunked: true}}
		st := newStream(s, fmt.Sprintf("c%d", i), formatPlain, w, http1Head(true, time.Now()))
		s.open(st, func() { s.registry.join(st, "room") })
	}
	tb.Cleanup(func() {
		for _, st := range s.registry.all() {
			st.end()
		}
		s.streams.Wait()
	})
	p := publication{event: wire.Event{Channel: "room", Name: "message", Payload: strings.Repeat("x", 200)}, key: "key"}
	sent := uint64(0)
	return func() {
		if _, refused := s.publish(tb.Context(), p); refused != nil {
			tb.Fatal(refused.text)
		}
		sent++
		for s.counters.Get(DeliveriesWrittenSSE) < sent*uint64(subscribers) {
			runtime.Gosched()
		}
	}
}

// TestDeliveryCost: an event costs a few allocations, a delivery none. It is not parallel, because allocations are counted for
// the whole process.
func TestDeliveryCost(t *testing.T) {
	for _, design := range Designs() {
		const subscribers = 300
		publish := crowd(t, design, subscribers)
		publish()
		if got := testing.AllocsPerRun(50, publish); got > subscribers/10 {
			t.Errorf("%s: %v allocations an event with %d subscribers", design, got, subscribers)
		}
	}
}

// BenchmarkFanOut hands one event at a time to 1,000 subscribers that take everything, and waits until all have it. The
// allocations are those of the event (message, frame, what is kept), not of its deliveries.
func BenchmarkFanOut(b *testing.B) {
	const subscribers = 1000
	for _, design := range Designs() {
		b.Run(string(design), func(b *testing.B) {
			publish := crowd(b, design, subscribers)
			b.ReportAllocs()
			events := 0
			for b.Loop() {
				publish()
				events++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events*subscribers), "ns/delivery")
		})
	}
}
