package draw

import (
	"cmp"
	"math"
	"slices"
)

// Distance is that of Kolmogorov and Smirnov: the largest difference between the share of samples that are at most x and the
// share that cdf, which never falls, says. Where cdf jumps, the samples must jump with it. See DistanceChance for how far apart chance alone
// sets them. It is 0 without samples, and sorts a copy.
func Distance(samples []float64, cdf func(x float64) float64) float64 {
	sorted := slices.Clone(samples)
	slices.SortFunc(sorted, cmp.Compare[float64])
	n := float64(len(sorted))
	var most float64
	for i := 0; i < len(sorted); {
		j := i
		for j < len(sorted) && sorted[j] == sorted[i] {
			j++
		}
		before := math.Abs(cdf(math.Nextafter(sorted[i], math.Inf(-1))) - float64(i)/n)
		at := math.Abs(cdf(sorted[i]) - float64(j)/n)
		most = max(most, before, at)
		i = j
	}
	return most
}

// maxDurbin is the largest n*distance for which the exact probability is computed: its cost grows with the third power.
const maxDurbin = 128

// DistanceChance is the probability that n draws of a law without jumps are at least that distance away from it. For a law
// with jumps it is less. Up to n*distance = 128 it is exact, by the matrix of Durbin as Marsaglia, Tsang and Wang evaluate
// it (Evaluating Kolmogorov's Distribution, Journal of Statistical Software 8(18), 2003); beyond, it is Kolmogorov's limit
// with the correction of Stephens, which is then good to some percent of itself.
func DistanceChance(n int, distance float64) float64 {
	x := float64(n) * distance
	switch {
	case n < 1 || x <= 0.5:
		return 1
	case distance >= 1:
		return 0
	case x > maxDurbin:
		return limitChance(n, distance)
	}
	k := int(x) + 1
	q := durbin(k, float64(k)-x).power(n)
	s := scaled{q.m[(k-1)*q.size+k-1], q.exponent}
	for i := 1; i <= n; i++ {
		s.v *= float64(i) / float64(n)
		s.normalize()
	}
	return min(max(1-s.v*math.Pow(10, float64(s.exponent)), 0), 1)
}

// limitChance is the limit of DistanceChance for many draws.
func limitChance(n int, distance float64) float64 {
	root := math.Sqrt(float64(n))
	lambda := distance * (root + 0.12 + 0.11/root)
	var sum float64
	for j := 1; j <= 100; j++ {
		term := 2 * math.Exp(-2*lambda*lambda*float64(j*j))
		if j%2 == 0 {
			term = -term
		}
		sum += term
	}
	return min(max(sum, 0), 1)
}

// scaled is v * 10^exponent.
type scaled struct {
	v        float64
	exponent int
}

func (s *scaled) normalize() {
	if s.v != 0 && s.v < 1e-140 {
		s.v *= 1e140
		s.exponent -= 140
	}
}

// square is a square matrix, times 10^exponent.
type square struct {
	size     int
	m        []float64
	exponent int
}

// durbin is the matrix H of the paper, for the distance (k-h)/n.
func durbin(k int, h float64) square {
	size := 2*k - 1
	a := square{size: size, m: make([]float64, size*size)}
	for i := range size {
		for j := range min(i+2, size) {
			a.m[i*size+j] = 1
		}
	}
	for i := range size {
		a.m[i*size] -= math.Pow(h, float64(i+1))
		a.m[(size-1)*size+i] -= math.Pow(h, float64(size-i))
	}
	if 2*h-1 > 0 {
		a.m[(size-1)*size] += math.Pow(2*h-1, float64(size))
	}
	for i := range size {
		for j := range min(i+2, size) {
			for g := 1; g <= i-j+1; g++ {
				a.m[i*size+j] /= float64(g)
			}
		}
	}
	return a
}

// power is a^n, by squaring.
func (a square) power(n int) square {
	if n == 1 {
		return a
	}
	half := a.power(n / 2)
	whole := half.times(half)
	if n%2 == 1 {
		whole = whole.times(a)
	}
	if middle := whole.m[(whole.size/2)*whole.size+whole.size/2]; middle > 1e140 {
		for i := range whole.m {
			whole.m[i] *= 1e-140
		}
		whole.exponent += 140
	}
	return whole
}

func (a square) times(b square) square {
	c := square{size: a.size, m: make([]float64, len(a.m)), exponent: a.exponent + b.exponent}
	for i := range a.size {
		row := c.m[i*a.size : (i+1)*a.size]
		for k := range a.size {
			v := a.m[i*a.size+k]
			if v == 0 {
				continue
			}
			for j, w := range b.m[k*a.size : (k+1)*a.size] {
				row[j] += v * w
			}
		}
	}
	return c
}
