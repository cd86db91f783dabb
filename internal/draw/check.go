package draw

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Check says what is wrong with a law, and what to do about it.
func (l Law) Check() error {
	for _, v := range []float64{l.A, l.B, l.Base, l.Cap} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("a %s law with the parameter %g: give a finite number", l.Kind, v)
		}
	}
	switch {
	case int(l.Kind) >= kinds:
		return fmt.Errorf("a law of %s: give one of %v", l.Kind, Kinds())
	case l.Base < 0:
		return fmt.Errorf("a %s law with a base of %g: give one of at least 0", l.Kind, l.Base)
	case l.Cap < 0:
		return fmt.Errorf("a %s law with a cap of %g: give one above 0, or none", l.Kind, l.Cap)
	case l.Cap > 0 && l.Cap < l.Base:
		return fmt.Errorf("a %s law with a base of %g and a cap of %g, so that all draws are the cap: give a cap above the base", l.Kind, l.Base, l.Cap)
	case l.Kind != KindEmpirical && len(l.Samples) > 0:
		return fmt.Errorf("a %s law with samples: leave them out, or make it empirical", l.Kind)
	}
	return l.checkParameters()
}

// checkParameters is Check for what the families differ in.
func (l Law) checkParameters() error {
	switch l.Kind {
	case KindConstant, KindExponential:
		if l.A < 0 || l.A == 0 && l.Kind == KindExponential {
			return fmt.Errorf("the %s law of %g: give an amount above 0", l.Kind, l.A)
		}
	case KindUniform:
		if l.A < 0 || l.B < l.A {
			return fmt.Errorf("a uniform law from %g to %g: begin at 0 or above, and end no lower than that", l.A, l.B)
		}
	case KindNormal:
		if l.A < 0 || l.B < 0 {
			return fmt.Errorf("a normal law with a mean of %g and a standard deviation of %g: give both at least 0", l.A, l.B)
		}
	case KindLognormal:
		if l.A <= 0 || l.B < l.A {
			return fmt.Errorf("a lognormal law with a p50 of %g and a p99 of %g: give a p50 above 0, and a p99 no lower than that", l.A, l.B)
		}
	case KindPareto:
		if l.A <= 0 || l.B <= 0 {
			return fmt.Errorf("a pareto law with a minimum of %g and a shape of %g: give both above 0", l.A, l.B)
		}
	case KindEmpirical:
		return l.checkSamples()
	}
	return nil
}

func (l Law) checkSamples() error {
	if len(l.Samples) == 0 {
		return errors.New("an empirical law without samples: give at least one")
	}
	for i, v := range l.Samples {
		if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
			return fmt.Errorf("an empirical law whose sample %d is %g: leave out what is no amount", i+1, v)
		}
		if i > 0 && v < l.Samples[i-1] {
			return fmt.Errorf("an empirical law whose sample %d is below the one before it: sort them", i+1)
		}
	}
	return nil
}

// Constant is the law by which every draw is v.
func Constant(v float64) (Law, error) { return checked(Law{Kind: KindConstant, A: v}) }

// Uniform is the law by which every amount between from and to is as likely as any other.
func Uniform(from, to float64) (Law, error) { return checked(Law{Kind: KindUniform, A: from, B: to}) }

// Normal is the law of errors. What would fall below 0 is 0.
func Normal(mean, sd float64) (Law, error) { return checked(Law{Kind: KindNormal, A: mean, B: sd}) }

// Lognormal is the law whose logarithm is normal, by what people know of a latency: its median and its 99th percentile.
func Lognormal(p50, p99 float64) (Law, error) {
	return checked(Law{Kind: KindLognormal, A: p50, B: p99})
}

// Exponential is the law of the time between events that do not know of each other.
func Exponential(mean float64) (Law, error) { return checked(Law{Kind: KindExponential, A: mean}) }

// Pareto is the law of heavy tails: never below least, and above x with probability (least/x)^shape.
func Pareto(least, shape float64) (Law, error) {
	return checked(Law{Kind: KindPareto, A: least, B: shape})
}

// Empirical is the law of what was measured: each sample is as likely as any other. It keeps a sorted copy.
func Empirical(samples []float64) (Law, error) {
	sorted := slices.Clone(samples)
	slices.SortFunc(sorted, cmp.Compare[float64])
	return checked(Law{Kind: KindEmpirical, Samples: sorted})
}

// checked returns l, or the zero law with what is wrong with l.
func checked(l Law) (Law, error) {
	if err := l.Check(); err != nil {
		return Law{}, err
	}
	return l, nil
}
