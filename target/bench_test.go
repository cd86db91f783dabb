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

// BenchmarkFanOut hands one event at a time to 1,000 subscribers that take everything, and waits until all have it. The
// allocations are those of the command (frame, reply), not of its deliveries.
func BenchmarkFanOut(b *testing.B) {
	const subscribers = 1000
	for _, design := range Designs() {
		b.Run(string(design), func(b *testing.B) {
			s, err := New(Options{Design: design})
			if err != nil {
				b.Fatal(err)
			}
			for i := range subscribers {
				if err := s.registry.reserve(subscribers, func() { s.streams.Add(2) }); err != nil {
					b.Fatal(err)
				}
				w := &discardWriter{gone: make(chan struct{}), http1Writer: http1Writer{chunked: true}}
				st := newStream(s, fmt.Sprintf("c%d", i), formatPlain, w, http1Head(true, time.Now()))
				s.open(st, func() { s.registry.join(st, "room") })
			}
			p := publication{event: wire.Event{Channel: "room", Name: "message", Payload: strings.Repeat("x", 200)}, key: "key"}
			b.ReportAllocs()
			sent := 0
			for b.Loop() {
				if _, refused := s.publish(b.Context(), p); refused != nil {
					b.Fatal(refused.text)
				}
				sent++
				for s.counters.Get(DeliveriesWrittenSSE) < uint64(sent*subscribers) {
					runtime.Gosched()
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(sent*subscribers), "ns/delivery")
			for _, st := range s.registry.all() {
				st.end()
			}
			s.streams.Wait()
		})
	}
}
