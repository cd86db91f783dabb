package report

import (
	"fmt"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// The geometry of every histogram of a report, in nanoseconds. It is part of summary.json: two histograms of one geometry
// merge exactly.
const (
	histogramLowest  = 1                 // below 2 µs every nanosecond has a bucket of its own, so that 0 stays 0
	histogramHighest = 3_600_000_000_000 // 1 h
	histogramDigits  = 3                 // a value is off by at most 0.1 %
)

// Histogram counts durations from 0 to 1 h to 0.1 %. It takes 260 KB from the first value on and nothing before. Sum, smallest and largest value are kept exactly. A negative duration (a
// clock that was set back) counts as 0 in every percentile, one above 1 h as 1 h, and both are counted apart (Negative,
// Beyond), so that neither can hide. The zero value is empty and ready. Not safe for concurrent use.
type Histogram struct {
	counts   *hdr.Histogram
	sum      int64
	smallest int64
	largest  int64
	negative int64
	beyond   int64
	packed   *hdr.PackedHistogram // the same counts without the empty buckets; nil = somebody must ask first
}

// Record counts one duration, in nanoseconds.
func (h *Histogram) Record(ns int64) {
	first := h.counts == nil
	if first {
		h.counts = hdr.New(histogramLowest, histogramHighest, histogramDigits)
	}
	if first || ns < h.smallest {
		h.smallest = ns
	}
	if first || ns > h.largest {
		h.largest = ns
	}
	h.sum += ns
	h.packed = nil
	switch {
	case ns < 0:
		h.negative++
		ns = 0
	case ns > histogramHighest:
		h.beyond++
		ns = histogramHighest
	}
	// A value inside the range is refused only past 2^63 values.
	_ = h.counts.RecordValue(ns)
}

// Merge adds what other holds. Merging is exact: the result equals the histogram of all values.
func (h *Histogram) Merge(other *Histogram) {
	if other.counts == nil {
		return
	}
	if h.counts == nil {
		h.counts = hdr.New(histogramLowest, histogramHighest, histogramDigits)
		h.smallest, h.largest = other.smallest, other.largest
	}
	h.smallest, h.largest = min(h.smallest, other.smallest), max(h.largest, other.largest)
	h.sum += other.sum
	h.negative += other.negative
	h.beyond += other.beyond
	h.packed = nil
	other.sparse().MergeInto(h.counts)
}

// Count is the number of values.
func (h *Histogram) Count() int64 {
	if h.counts == nil {
		return 0
	}
	return h.counts.TotalCount()
}

// Negative counts the values below 0.
func (h *Histogram) Negative() int64 { return h.negative }

// Beyond counts the values above 1 h.
func (h *Histogram) Beyond() int64 { return h.beyond }

// Min is the smallest value in nanoseconds, exactly; 0 when there is none.
func (h *Histogram) Min() int64 { return h.smallest }

// Max is the largest value in nanoseconds, exactly; 0 when there is none.
func (h *Histogram) Max() int64 { return h.largest }

// Mean is the mean in nanoseconds; 0 when there is no value.
func (h *Histogram) Mean() float64 {
	if h.Count() == 0 {
		return 0
	}
	return float64(h.sum) / float64(h.Count())
}

// Percentile is the smallest recorded value, to the resolution, that at least p percent of the values do not exceed, in
// nanoseconds; 0 when there is no value. It lies between Min and Max.
func (h *Histogram) Percentile(p float64) int64 {
	if h.Count() == 0 {
		return 0
	}
	// The library answers with the upper edge of a bucket, which may lie above every value in it.
	return max(min(h.sparse().ValueAtPercentile(p), h.largest), h.smallest)
}

// AtLeast counts the values that are, to the resolution, not below ns.
func (h *Histogram) AtLeast(ns int64) int64 {
	if h.counts == nil {
		return 0
	}
	var count int64
	h.sparse().ForEachBucket(func(value, n int64) bool {
		if value >= ns || h.counts.ValuesAreEquivalent(value, max(0, min(ns, histogramHighest))) {
			count += n
		}
		return true
	})
	return count
}

// sparse returns the counts without the empty buckets, which are nearly all of them: whoever walks it is fifty times
// faster.
func (h *Histogram) sparse() *hdr.PackedHistogram {
	if h.packed == nil {
		h.packed = hdr.NewPacked(histogramLowest, histogramHighest, histogramDigits)
		h.packed.MergeFrom(h.counts)
	}
	return h.packed
}

// Encode returns the counts in the V2 compressed form of HdrHistogram, as base64, in nanoseconds; "" when there is no
// value. Every HdrHistogram library reads it.
func (h *Histogram) Encode() (string, error) {
	if h.counts == nil {
		return "", nil
	}
	encoded, err := h.sparse().Encode()
	if err != nil {
		return "", fmt.Errorf("encode a histogram: %w", err)
	}
	return string(encoded), nil
}

// moments counts durations as Histogram does, in the memory of the buckets that are really used, and coarser (1 %): one
// stands for each second of a run.
type moments struct {
	counts *hdr.PackedHistogram
}

func (m *moments) record(ns int64) {
	if m.counts == nil {
		m.counts = hdr.NewPacked(histogramLowest, histogramHighest, 2)
	}
	_ = m.counts.RecordValue(max(0, min(ns, histogramHighest))) // in range
}

func (m *moments) merge(other moments) {
	if other.counts == nil {
		return
	}
	if m.counts == nil {
		m.counts = other.counts.Clone()
		return
	}
	m.counts.Merge(other.counts)
}

func (m *moments) count() int64 {
	if m.counts == nil {
		return 0
	}
	return m.counts.TotalCount()
}

func (m *moments) percentile(p float64) int64 {
	if m.counts == nil {
		return 0
	}
	return m.counts.ValueAtPercentile(p)
}
