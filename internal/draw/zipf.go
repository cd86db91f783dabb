package draw

import (
	"fmt"
	"math"
	"sort"
)

// Zipf is the law of popularity: of n things, the one of rank k is chosen in proportion to 1/k^s. It holds a table of n
// numbers, does not change, and may be shared.
type Zipf struct {
	cumulative []float64
}

// maxRanks bounds the table of a Zipf: 128 MiB.
const maxRanks = 1 << 24

// NewZipf makes the law for the ranks 1 to n. With s = 0 all are alike; cities and words have s near 1.
func NewZipf(n int, s float64) (*Zipf, error) {
	if n < 1 || n > maxRanks {
		return nil, fmt.Errorf("a zipf law over %d things: give from 1 to %d", n, maxRanks)
	}
	if !(s >= 0) || math.IsInf(s, 1) {
		return nil, fmt.Errorf("a zipf law with the exponent %g: give one of at least 0", s)
	}
	z := &Zipf{cumulative: make([]float64, n)}
	var sum float64
	for k := range z.cumulative {
		sum += math.Pow(float64(k+1), -s)
		z.cumulative[k] = sum
	}
	for k := range z.cumulative {
		z.cumulative[k] /= sum
	}
	return z, nil
}

// Rank is the draw that u makes, 0 < u < 1: from 1, the most popular, to n.
func (z *Zipf) Rank(u float64) int {
	return min(sort.SearchFloat64s(z.cumulative, u), len(z.cumulative)-1) + 1
}

// Share is how often rank k is drawn, from 0 to 1.
func (z *Zipf) Share(k int) float64 {
	switch {
	case k < 1 || k > len(z.cumulative):
		return 0
	case k == 1:
		return z.cumulative[0]
	}
	return z.cumulative[k-1] - z.cumulative[k-2]
}
