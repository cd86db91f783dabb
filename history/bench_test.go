package history

import (
	"context"
	"math/rand/v2"
	"os"
	"testing"

	"holobench/wire"
)

// deliveries are rows as a run with 100 subscribers a channel makes them.
func deliveries(rows int, names *Names) []Observation {
	random := rand.New(rand.NewPCG(1, 2))
	channels := make([]uint32, 20)
	for i := range channels {
		channels[i] = names.Number("room-" + string(rune('a'+i)))
	}
	out := make([]Observation, rows)
	for i := range out {
		event := i / 100
		due := int64(event) * 5_000_000
		at := due + 2_000_000 + random.Int64N(3_000_000)
		out[i] = Observation{
			Due: due, NotBefore: at - random.Int64N(2)*20_000, At: at, Handled: at + 10_000 + random.Int64N(50_000),
			Client: uint32(event%20*100 + random.IntN(100)), Conn: 2, Event: wire.EventID{Publisher: uint32(event % 40), Seq: uint32(event/40 + 1)},
			Channel: channels[event%20], Kind: Delivered, Path: SSE,
		}
	}
	return out
}

// BenchmarkObserve is what one delivery costs its observer: alone, and in batches as a read of a socket makes them.
func BenchmarkObserve(b *testing.B) {
	for _, size := range []int{1, 16} {
		b.Run(map[int]string{1: "one", 16: "sixteen"}[size], func(b *testing.B) {
			w := NewWriter(testRun(b), nil, Options{})
			batch := deliveries(size, new(Names))
			b.ReportAllocs()
			rows := 0
			for b.Loop() {
				w.Observe(batch)
				if rows += size; rows%(1<<14) == 0 { // what Run does, without the disk
					for chunk := w.take(true); chunk != nil; chunk = w.take(true) {
						w.giveBack(chunk, len(chunk))
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/row")
		})
	}
}

// BenchmarkWrite is what a delivery costs Run, to a closed segment.
func BenchmarkWrite(b *testing.B) {
	names := new(Names)
	rows := deliveries(1<<20, names)
	s := newSegmentWriter(names)
	dir := testRun(b)
	path := dir.File("segments/000001.parquet")
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if err := s.begin(path); err != nil {
			b.Fatal(err)
		}
		if err := s.write(rows); err != nil {
			b.Fatal(err)
		}
		if err := s.end(); err != nil {
			b.Fatal(err)
		}
		n += len(rows)
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/float64(len(rows)), "B/row")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/row")
}

// BenchmarkScan is what a delivery costs a reader, from the disk's cache.
func BenchmarkScan(b *testing.B) {
	names := new(Names)
	rows := deliveries(1<<20, names)
	dir := testRun(b)
	record(b, dir, names, Options{}, rows)
	h := openRun(b, dir)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if err := h.Scan(func(batch []Observation) error { n += len(batch); return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/row")
}

// TestAllocations holds what the figures of a run depend on: an observer never pays for memory of its own. It is not
// parallel, because AllocsPerRun counts the whole process.
func TestAllocations(t *testing.T) {
	w := NewWriter(testRun(t), nil, Options{ChunkRows: 1_000})
	batch := make([]Observation, 16)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cycle := func() {
		for range 1_000 {
			w.Observe(batch)
			for chunk := w.take(false); chunk != nil; chunk = w.take(false) {
				w.giveBack(chunk, len(chunk))
			}
		}
	}
	cycle()
	if got := testing.AllocsPerRun(10, cycle); got > 1 {
		t.Errorf("16,000 observed rows allocate %v times, want at most once", got)
	}
	names := new(Names)
	rows := deliveries(200_000, names)
	dir := testRun(t)
	record(t, dir, names, Options{}, rows)
	h := openRun(t, dir)
	scan := func() {
		if err := h.Scan(func([]Observation) error { return nil }); err != nil {
			t.Error(err)
		}
	}
	if got := testing.AllocsPerRun(2, scan); got > 5_000 {
		t.Errorf("a scan of 200,000 rows allocates %v times, want at most 5,000: once a page, never once a row", got)
	}
	if err := w.Run(ctx); err != nil {
		t.Error(err)
	}
}
