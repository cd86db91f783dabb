package draw

import (
	"math"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// z99 is the 99th percentile of the standard normal law.
const z99 = 2.3263478740408411008

func (l Law) normal() distuv.Normal { return distuv.Normal{Mu: l.A, Sigma: l.B} }

func (l Law) lognormal() distuv.LogNormal {
	return distuv.LogNormal{Mu: math.Log(l.A), Sigma: math.Log(l.B/l.A) / z99}
}

func (l Law) exponential() distuv.Exponential { return distuv.Exponential{Rate: 1 / l.A} }

func (l Law) pareto() distuv.Pareto { return distuv.Pareto{Xm: l.A, Alpha: l.B} }

// inverse is the quantile of the family alone.
func (l Law) inverse(u float64) float64 {
	if l.point() {
		return l.A
	}
	switch l.Kind {
	case KindUniform:
		return l.A + u*(l.B-l.A)
	case KindNormal:
		return l.normal().Quantile(u)
	case KindLognormal:
		return l.lognormal().Quantile(u)
	case KindExponential:
		return l.exponential().Quantile(u)
	case KindPareto:
		return l.pareto().Quantile(u)
	case KindEmpirical:
		n := len(l.Samples)
		return l.Samples[min(max(int(math.Ceil(u*float64(n)))-1, 0), n-1)]
	default:
		return l.A
	}
}

// cumulative is the CDF of the family alone.
func (l Law) cumulative(x float64) float64 {
	if l.point() {
		if x < l.A {
			return 0
		}
		return 1
	}
	switch l.Kind {
	case KindUniform:
		return min(max((x-l.A)/(l.B-l.A), 0), 1)
	case KindNormal:
		return l.normal().CDF(x)
	case KindLognormal:
		return l.lognormal().CDF(x)
	case KindExponential:
		return max(0, l.exponential().CDF(x))
	case KindPareto:
		return max(0, l.pareto().CDF(x))
	case KindEmpirical:
		above := sort.Search(len(l.Samples), func(i int) bool { return l.Samples[i] > x })
		return float64(above) / float64(len(l.Samples))
	default:
		return 1
	}
}

// point says whether all draws of the family are A: a law without spread has no density, and the libraries divide by it.
func (l Law) point() bool {
	switch l.Kind {
	case KindUniform, KindLognormal:
		return l.A == l.B
	case KindNormal:
		return l.B == 0
	case KindExponential:
		return l.A <= 0
	case KindPareto:
		return l.A <= 0 || l.B <= 0
	case KindEmpirical:
		return len(l.Samples) == 0
	default:
		return true
	}
}

// survival is the integral of 1 - cumulative from lo to hi, which may be infinite; lo is at most 0 where the family begins.
func (l Law) survival(lo, hi float64) float64 {
	if hi <= lo {
		return 0
	}
	if l.Kind == KindPareto && !l.point() {
		return l.survivalPareto(lo, hi)
	}
	return l.excess(lo) - l.excess(hi)
}

// excess is the mean of what a draw of the family is above x, where it is above x.
func (l Law) excess(x float64) float64 {
	switch {
	case math.IsInf(x, 1):
		return 0
	case l.point():
		return max(l.A-x, 0)
	}
	switch l.Kind {
	case KindUniform:
		if x <= l.A {
			return (l.A+l.B)/2 - x
		}
		above := max(l.B-x, 0)
		return above * above / 2 / (l.B - l.A)
	case KindNormal:
		n := l.normal()
		return l.B*l.B*n.Prob(x) + (l.A-x)*n.Survival(x)
	case KindLognormal:
		if x <= 0 {
			return l.lognormal().Mean() - x
		}
		n := l.lognormal()
		z := (n.Mu - math.Log(x)) / n.Sigma
		return n.Mean()*distuv.UnitNormal.CDF(z+n.Sigma) - x*distuv.UnitNormal.CDF(z)
	case KindExponential:
		if x <= 0 {
			return l.A - x
		}
		return l.A * math.Exp(-x/l.A)
	case KindEmpirical:
		var sum float64
		for _, v := range l.Samples {
			sum += max(v-x, 0)
		}
		return sum / float64(len(l.Samples))
	default:
		return 0
	}
}

// survivalPareto has no mean above x to start from when the tail is heavy, but an integral up to any cap.
func (l Law) survivalPareto(lo, hi float64) float64 {
	below := max(min(hi, l.A)-lo, 0)
	from := max(lo, l.A)
	switch {
	case hi <= from:
		return below
	case l.B == 1:
		return below + l.A*math.Log(hi/from)
	}
	// The integral of (A/x)^B is A^B x^(1-B) / (1-B).
	part := func(x float64) float64 { return l.A * math.Pow(x/l.A, 1-l.B) / (1 - l.B) }
	if math.IsInf(hi, 1) {
		if l.B < 1 {
			return math.Inf(1)
		}
		return below - part(from)
	}
	return below + part(hi) - part(from)
}
