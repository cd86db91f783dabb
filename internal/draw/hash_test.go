package draw_test

import (
	"math"
	"math/bits"
	"testing"

	"holobench/internal/draw"
)

// What is recorded as injected must be found again by a later version: the draws of a seed never change.
func TestDrawsNeverChange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ got, want uint64 }{
		{draw.Hash(0), 0xe220a8397b1dcdaf},
		{draw.Hash(42, 1, 2, 3), 0x87c56ddb4395015f},
		{draw.Name(""), 0xc3817c016ba4ff30},
		{draw.Name("lag"), 0xa0531ad07b2e47e5},
	} {
		if c.got != c.want {
			t.Errorf("%#x, want %#x", c.got, c.want)
		}
	}
}

func TestKeysAndTheirOrderMatter(t *testing.T) {
	t.Parallel()
	seen := make(map[uint64][]uint64)
	for seed := range uint64(8) {
		for a := range uint64(40) {
			for b := range uint64(40) {
				h := draw.Hash(seed, a, b)
				if was, twice := seen[h]; twice {
					t.Fatalf("seed %d, keys %d %d: the hash of %v", seed, a, b, was)
				}
				seen[h] = []uint64{seed, a, b}
			}
		}
		if draw.Hash(seed) == draw.Hash(seed, 0) || draw.Hash(seed, 0) == draw.Hash(seed, 0, 0) {
			t.Errorf("seed %d: a key of 0 is no key", seed)
		}
	}
}

// One changed bit of any key moves half of the bits of the hash.
func TestAvalanche(t *testing.T) {
	t.Parallel()
	const trials = 500
	for place := range 3 {
		for bit := range 64 {
			var moved int
			for i := range uint64(trials) {
				keys := [3]uint64{7, i, 9}
				was := draw.Hash(keys[0], keys[1], keys[2])
				keys[place] ^= 1 << bit
				moved += bits.OnesCount64(was ^ draw.Hash(keys[0], keys[1], keys[2]))
			}
			// 64*trials coins: five standard deviations
			if mean, five := 32.0*trials, 5*math.Sqrt(64*trials)/2; math.Abs(float64(moved)-mean) > five {
				t.Errorf("bit %d of key %d moves %.2f bits", bit, place, float64(moved)/trials)
			}
		}
	}
}

// Draws of neighbouring keys know nothing of each other: neither in pairs on a grid, nor by their correlation.
func TestNeighboursAreIndependent(t *testing.T) {
	t.Parallel()
	const n, side = 40_000, 10
	for name, pair := range map[string]func(i uint64) (float64, float64){
		"next in the last key":  func(i uint64) (float64, float64) { return draw.Unit(1, 5, i), draw.Unit(1, 5, i+1) },
		"next in the first key": func(i uint64) (float64, float64) { return draw.Unit(1, i, 5), draw.Unit(1, i+1, 5) },
		"next seed":             func(i uint64) (float64, float64) { return draw.Unit(i, 5), draw.Unit(i+1, 5) },
		"keys swapped":          func(i uint64) (float64, float64) { return draw.Unit(1, i, i+1), draw.Unit(1, i+1, i) },
		"one bit apart":         func(i uint64) (float64, float64) { return draw.Unit(1, i), draw.Unit(1, i|1<<40) },
	} {
		var cells [side * side]float64
		var sum float64
		for i := range uint64(n) {
			a, b := pair(i)
			cells[int(a*side)*side+int(b*side)]++
			sum += (a - 0.5) * (b - 0.5)
		}
		var chi2 float64
		for _, count := range cells {
			const want = float64(n) / side / side
			chi2 += (count - want) * (count - want) / want
		}
		// Pairs that share a draw make the cells a little dependent; the law of chi-squared is near enough for 5 sigma.
		if most := 99 + 5*math.Sqrt(2*99); chi2 > most {
			t.Errorf("%s: chi-squared of the pairs is %.1f, above %.1f", name, chi2, most)
		}
		if r := sum / n * 12; math.Abs(r) > 5/math.Sqrt(n) {
			t.Errorf("%s: correlation %.4f", name, r)
		}
	}
}

func TestUnitStaysInside(t *testing.T) {
	t.Parallel()
	var least, most float64 = 1, 0
	for i := range uint64(200_000) {
		u := draw.Unit(3, i)
		least, most = min(least, u), max(most, u)
	}
	if least <= 0 || most >= 1 || least > 1e-4 || most < 1-1e-4 {
		t.Errorf("from %g to %g", least, most)
	}
}

func TestZipf(t *testing.T) {
	t.Parallel()
	for _, s := range []float64{0, 1, 1.1, 2.5} {
		const n, draws = 20, 20_000
		z, err := draw.NewZipf(n, s)
		if err != nil {
			t.Fatal(err)
		}
		var counts [n + 1]float64
		var harmonic, total float64
		for i := range uint64(draws) {
			counts[z.Rank(draw.Unit(4, i))]++
		}
		for k := 1; k <= n; k++ {
			harmonic += math.Pow(float64(k), -s)
		}
		for k := 1; k <= n; k++ {
			share := math.Pow(float64(k), -s) / harmonic
			total += z.Share(k)
			if math.Abs(z.Share(k)-share) > 1e-12 {
				t.Errorf("s %g: the share of rank %d is %g, want %g", s, k, z.Share(k), share)
			}
			if off := math.Abs(counts[k] - draws*share); off > 5*math.Sqrt(draws*share*(1-share)) {
				t.Errorf("s %g: rank %d was drawn %.0f times of %d, want %.0f", s, k, counts[k], draws, draws*share)
			}
		}
		if math.Abs(total-1) > 1e-12 || z.Share(0) != 0 || z.Share(n+1) != 0 || z.Rank(0) != 1 || z.Rank(1) != n {
			t.Errorf("s %g: the shares sum to %g, the ranks go from %d to %d", s, total, z.Rank(0), z.Rank(1))
		}
	}
	for _, c := range []struct {
		n    int
		s    float64
		want string
	}{
		{0, 1, "a zipf law over 0 things: give from 1 to 16777216"},
		{3, -1, "a zipf law with the exponent -1: give one of at least 0"},
		{3, math.NaN(), "a zipf law with the exponent NaN: give one of at least 0"},
	} {
		if _, err := draw.NewZipf(c.n, c.s); err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

// The values are those that the authors of the method print, and the tables of the exact law.
func TestDistanceChance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n    int
		d    float64
		want float64 // of staying below
		tol  float64
	}{
		{10, 0.274, 0.6284796154565043, 1e-12}, // the example of the paper
		{1, 0.75, 0.5, 1e-12},                  // one draw: 2d-1
		{100, 0.13403, 0.95, 1e-4},             // the 5 % point of the tables
		{10_000, 0.02, limit(2 * (1 + 0.0012)), 1e-3},
	} {
		if got := 1 - draw.DistanceChance(c.n, c.d); math.Abs(got-c.want) > c.tol {
			t.Errorf("n %d, distance %g: %v, want %v", c.n, c.d, got, c.want)
		}
	}
	if draw.DistanceChance(5, 1) != 0 || draw.DistanceChance(5, 0) != 1 || draw.DistanceChance(0, 0.5) != 1 {
		t.Error("the ends of the law are wrong")
	}
}

// limit is Kolmogorov's limit law.
func limit(lambda float64) float64 {
	sum := 1.0
	for j := 1.0; j < 20; j++ {
		sum += 2 * math.Pow(-1, j) * math.Exp(-2*j*j*lambda*lambda)
	}
	return sum
}

func TestDistance(t *testing.T) {
	t.Parallel()
	uniform := func(x float64) float64 { return min(max(x, 0), 1) }
	if d := draw.Distance([]float64{0.9, 0.1, 0.5}, uniform); math.Abs(d-(1.0/3-0.1)) > 1e-12 {
		t.Errorf("the distance is %g, want 1/3 - 0.1", d)
	}
	if d := draw.Distance(nil, uniform); d != 0 {
		t.Errorf("the distance of nothing is %g", d)
	}
}
