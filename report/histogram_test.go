package report

import (
	"math/rand/v2"
	"slices"
	"testing"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

func TestHistogramEqualsItsDefinition(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	var h Histogram
	values := make([]int64, 20_000)
	sum := int64(0)
	for i := range values {
		values[i] = int64(rng.ExpFloat64() * 5e6)
		h.Record(values[i])
		sum += values[i]
	}
	slices.Sort(values)
	if h.Count() != 20_000 || h.Min() != values[0] || h.Max() != values[len(values)-1] || h.Mean() != float64(sum)/20_000 {
		t.Errorf("count %d, min %d, max %d, mean %f", h.Count(), h.Min(), h.Max(), h.Mean())
	}
	for _, p := range []float64{0, 1, 50, 90, 99, 99.9, 99.99, 100} {
		rank := max(1, int(p/100*20_000+0.5))
		want, got := values[rank-1], h.Percentile(p)
		if diff := float64(got - want); diff > 0.001*float64(want)+1 || -diff > 0.001*float64(want)+1 {
			t.Errorf("p(%g) = %d, want %d to 0.1 %%", p, got, want)
		}
	}
	for _, at := range []int{0, 10_000, 19_990, 19_999} {
		want := int64(20_000 - at)
		if got := h.AtLeast(values[at]); got < want || got > want+want/50+10 { // its bucket may hold some that are smaller
			t.Errorf("AtLeast(the value of rank %d) = %d, want %d", at+1, got, want)
		}
	}
}

func TestHistogramsOfPartsMergeToTheWhole(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	var all, a, b, empty Histogram
	for range 5000 {
		v := int64(rng.ExpFloat64()*1e7) - 1000
		all.Record(v)
		if rng.IntN(3) == 0 {
			a.Record(v)
		} else {
			b.Record(v)
		}
	}
	var merged Histogram
	for _, part := range []*Histogram{&empty, &a, &b} {
		merged.Merge(part)
	}
	if merged.sum != all.sum || merged.Min() != all.Min() || merged.Max() != all.Max() || merged.Negative() != all.Negative() {
		t.Errorf("merged %+v, want %+v", merged, all)
	}
	got, err := merged.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want, err := all.Encode()
	if err != nil || got != want {
		t.Errorf("the counts differ after the merge (%v)", err)
	}
	decoded, err := hdr.Decode([]byte(got))
	if err != nil || !decoded.Equals(all.counts) {
		t.Errorf("what summary.json carries is not what was counted (%v)", err)
	}
}

func TestHistogramHidesNothing(t *testing.T) {
	t.Parallel()
	var h Histogram
	if h.Count() != 0 || h.Percentile(99) != 0 || h.Mean() != 0 || h.AtLeast(0) != 0 {
		t.Error("an empty histogram must have no values")
	}
	for _, v := range []int64{-5, 0, 7, histogramHighest, histogramHighest + 1, 1 << 62} {
		h.Record(v)
	}
	if h.Count() != 6 || h.Negative() != 1 || h.Beyond() != 2 || h.Min() != -5 || h.Max() != 1<<62 {
		t.Errorf("count %d, negative %d, beyond %d, min %d, max %d", h.Count(), h.Negative(), h.Beyond(), h.Min(), h.Max())
	}
	if got := h.Percentile(50); got != 7 {
		t.Errorf("the median is %d, want 7", got)
	}
	if got := h.AtLeast(8); got != 3 {
		t.Errorf("AtLeast(8) = %d, want 3", got)
	}
}
