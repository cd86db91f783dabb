// Package draw draws amounts by the laws of chance that scenarios and faults name.
//
// A Law is plain data, and one uniform number makes one draw (inverse transform). The uniform number comes from a hash of
// what is drawn for, see Unit: so a draw does not depend on who asked first, on which goroutine, or how often, and the same
// seed gives the same draws on one worker and on eight. Nothing here keeps a state that two goroutines could share.
//
// Amounts have the unit of the caller: a law of delays is in nanoseconds, one of payloads in bytes. For example
//
//	law, err := draw.Lognormal(float64(40*time.Millisecond), float64(200*time.Millisecond))
//	delay := law.Duration(draw.Unit(seed, draw.Name("lag"), client, event))
package draw

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind is a family of laws.
type Kind uint8

// The families. A and B are the fields of Law.
const (
	KindConstant    Kind = iota // always A
	KindUniform                 // anything from A to B alike
	KindNormal                  // mean A, standard deviation B
	KindLognormal               // median A, 99th percentile B
	KindExponential             // mean A
	KindPareto                  // at least A, with the tail (A/x)^B: the smaller B, the heavier
	KindEmpirical               // one of Samples, each as likely
)

// kinds is how many families there are.
const kinds = int(KindEmpirical) + 1

// String is the name of the family, as scenarios spell it.
func (k Kind) String() string {
	switch k {
	case KindConstant:
		return "constant"
	case KindUniform:
		return "uniform"
	case KindNormal:
		return "normal"
	case KindLognormal:
		return "lognormal"
	case KindExponential:
		return "exponential"
	case KindPareto:
		return "pareto"
	case KindEmpirical:
		return "empirical"
	}
	return "kind " + strconv.Itoa(int(k))
}

// Kinds returns all families.
func Kinds() []Kind {
	all := make([]Kind, kinds)
	for i := range all {
		all[i] = Kind(i) //nolint:gosec // there are seven
	}
	return all
}

// ParseKind finds a family by its name.
func ParseKind(name string) (k Kind, ok bool) {
	i := slices.IndexFunc(Kinds(), func(k Kind) bool { return k.String() == name })
	return Kind(max(0, i)), i >= 0 //nolint:gosec // there are seven
}

// Law says how an amount is distributed: Base plus what the family gives, then at most Cap, and never below 0. The zero value
// is the constant 0. Samples are shared, not copied, and must not be changed.
type Law struct {
	Kind    Kind
	A, B    float64   // what they are depends on Kind
	Samples []float64 // of KindEmpirical, in rising order
	Base    float64   // added to every draw
	Cap     float64   // the largest draw; 0 = none
}

// Quantile is the draw that u makes, 0 < u < 1: the share u of all draws is at most as large. It never falls as u rises.
func (l Law) Quantile(u float64) float64 {
	v := l.inverse(min(max(u, 0), 1)) + l.Base
	if l.Cap > 0 {
		v = min(v, l.Cap)
	}
	return max(v, 0)
}

// Duration is Quantile for a law in nanoseconds.
func (l Law) Duration(u float64) time.Duration {
	v := l.Quantile(u)
	if v >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(v)
}

// CDF is the share of draws that are at most x. Where the law is cut (at 0, at Cap), and at each sample, it jumps.
func (l Law) CDF(x float64) float64 {
	switch {
	case x < 0:
		return 0
	case l.Cap > 0 && x >= l.Cap:
		return 1
	}
	return l.cumulative(x - l.Base)
}

// Mean is the mean of all draws, as they are cut at 0 and Cap; it may be infinite (a Pareto law with a shape of at most 1).
func (l Law) Mean() float64 {
	// The mean of what is never negative is the integral of 1 - CDF. Where the family is below -Base, the draw is 0.
	if l.Cap > 0 {
		return l.survival(-l.Base, l.Cap-l.Base)
	}
	return l.survival(-l.Base, math.Inf(1))
}

// Zero says whether every draw is 0.
func (l Law) Zero() bool {
	switch l.Kind {
	case KindConstant:
		return l.A+l.Base <= 0
	case KindUniform:
		return max(l.A, l.B)+l.Base <= 0
	case KindNormal:
		return l.A+l.Base <= 0 && l.B == 0
	case KindEmpirical:
		return len(l.Samples) == 0 || l.Samples[len(l.Samples)-1]+l.Base <= 0
	default:
		return false
	}
}

// String shows the law with bare numbers, such as "normal(mean 50, sd 10) + 5, at most 100".
func (l Law) String() string {
	return l.Text(func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) })
}

// Text is String with amounts as amount writes them.
func (l Law) Text(amount func(float64) string) string {
	var b strings.Builder
	two := func(first, second string) {
		b.WriteString(l.Kind.String() + "(" + first + amount(l.A) + ", " + second)
	}
	switch l.Kind {
	case KindConstant:
		b.WriteString(amount(l.A))
	case KindUniform:
		two("", amount(l.B)+")")
	case KindNormal:
		two("mean ", "sd "+amount(l.B)+")")
	case KindLognormal:
		two("p50 ", "p99 "+amount(l.B)+")")
	case KindPareto:
		two("min ", "shape "+strconv.FormatFloat(l.B, 'g', 6, 64)+")")
	case KindExponential:
		b.WriteString("exponential(mean " + amount(l.A) + ")")
	case KindEmpirical:
		b.WriteString("empirical(" + strconv.Itoa(len(l.Samples)) + " samples)")
	default:
		b.WriteString(l.Kind.String())
	}
	if l.Base != 0 {
		b.WriteString(" + " + amount(l.Base))
	}
	if l.Cap > 0 {
		b.WriteString(", at most " + amount(l.Cap))
	}
	return b.String()
}

// TextDurations is Text for a law in nanoseconds.
func (l Law) TextDurations() string {
	return l.Text(func(v float64) string { return time.Duration(v).String() })
}
