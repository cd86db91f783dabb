package draw_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"holobench/internal/draw"
)

// laws are some of each family, with and without a base and a cap. The last value says whether the law jumps.
func laws() []struct {
	name  string
	law   draw.Law
	jumps bool
} {
	return []struct {
		name  string
		law   draw.Law
		jumps bool
	}{
		{"constant", draw.Law{A: 50}, true},
		{"zero", draw.Law{}, true},
		{"uniform", draw.Law{Kind: draw.KindUniform, A: 10, B: 30}, false},
		{"normal", draw.Law{Kind: draw.KindNormal, A: 50, B: 10}, false},
		{"normal cut at 0", draw.Law{Kind: draw.KindNormal, A: 5, B: 10}, true},
		{"lognormal", draw.Law{Kind: draw.KindLognormal, A: 40, B: 200}, false},
		{"lognormal with base and cap", draw.Law{Kind: draw.KindLognormal, A: 40, B: 200, Base: 7, Cap: 100}, true},
		{"exponential", draw.Law{Kind: draw.KindExponential, A: 20}, false},
		{"exponential with base", draw.Law{Kind: draw.KindExponential, A: 20, Base: 30}, false},
		{"pareto", draw.Law{Kind: draw.KindPareto, A: 10, B: 3}, false},
		{"pareto with a cap", draw.Law{Kind: draw.KindPareto, A: 10, B: 1, Cap: 1000}, true},
		{"heavy pareto with a cap", draw.Law{Kind: draw.KindPareto, A: 10, B: 0.5, Cap: 1000, Base: 1}, true},
		{"empirical", draw.Law{Kind: draw.KindEmpirical, Samples: []float64{1, 2, 2, 5, 80}}, true},
		{"empirical with base and cap", draw.Law{Kind: draw.KindEmpirical, Samples: []float64{1, 2, 2, 5, 80}, Base: 1, Cap: 50}, true},
	}
}

// Draws by hash must look like independent draws of the law: a p-value below 1e-4 happens to one test in ten thousand, and
// the seed is fixed.
func TestDrawsFollowTheLaw(t *testing.T) {
	t.Parallel()
	for _, c := range laws() {
		if err := c.law.Check(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		const n = 3000
		samples := make([]float64, n)
		for i := range samples {
			samples[i] = c.law.Quantile(draw.Unit(6, draw.Name(c.name), uint64(i)))
		}
		d := draw.Distance(samples, c.law.CDF)
		if p := draw.DistanceChance(n, d); p < 1e-4 {
			t.Errorf("%s: %d draws are %.4f away from the law; chance sets them so far apart with probability %.2g", c.name, n, d, p)
		}
	}
}

// The test above would see a law that is wrong by little.
func TestDistanceSeesAnotherLaw(t *testing.T) {
	t.Parallel()
	const n = 3000
	samples := make([]float64, n)
	asked := draw.Law{Kind: draw.KindNormal, A: 50, B: 10}
	other := draw.Law{Kind: draw.KindNormal, A: 51, B: 10}
	for i := range samples {
		samples[i] = other.Quantile(draw.Unit(6, uint64(i)))
	}
	if p := draw.DistanceChance(n, draw.Distance(samples, asked.CDF)); p > 1e-4 {
		t.Errorf("a tenth of a standard deviation beside the law was taken for it, p = %g", p)
	}
}

// The mean is the integral of the quantile function, which is the definition.
func TestMeanIsTheIntegralOfTheQuantiles(t *testing.T) {
	t.Parallel()
	for _, c := range laws() {
		const steps = 400_000
		var sum float64
		for i := range steps {
			sum += c.law.Quantile((float64(i) + 0.5) / steps)
		}
		want := sum / steps
		if got := c.law.Mean(); math.Abs(got-want) > 2e-3*max(want, 1) {
			t.Errorf("%s: mean %g, the integral is %g", c.name, got, want)
		}
	}
	if heavy := (draw.Law{Kind: draw.KindPareto, A: 10, B: 1}).Mean(); !math.IsInf(heavy, 1) {
		t.Errorf("a Pareto law of shape 1 has the mean %g, want none", heavy)
	}
}

func TestQuantilesRiseAndMeetTheCDF(t *testing.T) {
	t.Parallel()
	for _, c := range laws() {
		last := 0.0
		for i := 1; i < 2000; i++ {
			u := float64(i) / 2000
			v := c.law.Quantile(u)
			if v < last {
				t.Fatalf("%s: the quantile of %g is %g, below that of a smaller share, %g", c.name, u, v, last)
			}
			last = v
			// At most the share u is below v, and at least the share u is not above it.
			if at, below := c.law.CDF(v), c.law.CDF(math.Nextafter(v, -1)); at < u-1e-9 || below > u+1e-9 {
				t.Fatalf("%s: the quantile of %g is %g, where the CDF goes from %g to %g", c.name, u, v, below, at)
			}
		}
		for _, u := range []float64{-1, 0, 1e-300, 1 - 1e-16, 1, 2} {
			if v := c.law.Quantile(u); v < 0 || math.IsNaN(v) || c.law.Cap > 0 && v > c.law.Cap {
				t.Errorf("%s: the quantile of %g is %g", c.name, u, v)
			}
			if d := c.law.Duration(u); d < 0 {
				t.Errorf("%s: as a duration the quantile of %g is %d", c.name, u, d)
			}
		}
	}
}

func TestZero(t *testing.T) {
	t.Parallel()
	for _, c := range laws() {
		if got, want := c.law.Zero(), c.name == "zero"; got != want {
			t.Errorf("%s: all draws are 0: %v", c.name, got)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for law, want := range map[string]string{
		(draw.Law{A: 50}).String():                                                             "50",
		(draw.Law{Kind: draw.KindUniform, A: 10, B: 30}).String():                              "uniform(10, 30)",
		(draw.Law{Kind: draw.KindNormal, A: 5e7, B: 1e7, Base: 5e6, Cap: 1e8}).TextDurations(): "normal(mean 50ms, sd 10ms) + 5ms, at most 100ms",
		(draw.Law{Kind: draw.KindLognormal, A: 4e7, B: 2e8}).TextDurations():                   "lognormal(p50 40ms, p99 200ms)",
		(draw.Law{Kind: draw.KindExponential, A: 2e7}).TextDurations():                         "exponential(mean 20ms)",
		(draw.Law{Kind: draw.KindPareto, A: 1e6, B: 1.5}).TextDurations():                      "pareto(min 1ms, shape 1.5)",
		(draw.Law{Kind: draw.KindEmpirical, Samples: []float64{1, 2}}).String():                "empirical(2 samples)",
		(draw.Law{Kind: 99}).String():                                                          "kind 99",
	} {
		if law != want {
			t.Errorf("%q, want %q", law, want)
		}
	}
	for _, k := range draw.Kinds() {
		if back, ok := draw.ParseKind(k.String()); !ok || back != k {
			t.Errorf("%s is read as %s", k, back)
		}
	}
	if _, ok := draw.ParseKind("gauss"); ok {
		t.Error("there is a family that is called gauss")
	}
}

func TestConstructorsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	law := func(l draw.Law, err error) string {
		if err == nil {
			return l.String()
		}
		if l.String() != "0" {
			t.Errorf("beside the error %v there is the law %v", err, l)
		}
		return err.Error()
	}
	for _, c := range []struct{ got, want string }{
		{law(draw.Constant(3)), "3"},
		{law(draw.Constant(-3)), "the constant law of -3: give an amount above 0"},
		{law(draw.Uniform(3, 1)), "a uniform law from 3 to 1: begin at 0 or above, and end no lower than that"},
		{law(draw.Normal(3, -1)), "a normal law with a mean of 3 and a standard deviation of -1: give both at least 0"},
		{law(draw.Lognormal(40, 20)), "a lognormal law with a p50 of 40 and a p99 of 20: give a p50 above 0, and a p99 no lower than that"},
		{law(draw.Exponential(0)), "the exponential law of 0: give an amount above 0"},
		{law(draw.Pareto(1, 0)), "a pareto law with a minimum of 1 and a shape of 0: give both above 0"},
		{law(draw.Empirical(nil)), "an empirical law without samples: give at least one"},
		{law(draw.Empirical([]float64{2, -1})), "an empirical law whose sample 1 is -1: leave out what is no amount"},
		{law(draw.Empirical([]float64{3, 1, 2})), "empirical(3 samples)"},
		{law(draw.Normal(math.NaN(), 1)), "a normal law with the parameter NaN: give a finite number"},
		{fmt.Sprint((draw.Law{Kind: draw.KindNormal, Base: -1}).Check()), "a normal law with a base of -1: give one of at least 0"},
		{fmt.Sprint((draw.Law{A: 1, Cap: -1}).Check()), "a constant law with a cap of -1: give one above 0, or none"},
		{fmt.Sprint((draw.Law{A: 1, Base: 5, Cap: 4}).Check()), "a constant law with a base of 5 and a cap of 4, so that all draws are the cap: give a cap above the base"},
		{fmt.Sprint((draw.Law{Samples: []float64{1}}).Check()), "a constant law with samples: leave them out, or make it empirical"},
		{fmt.Sprint((draw.Law{Kind: draw.KindEmpirical, Samples: []float64{2, 1}}).Check()), "an empirical law whose sample 2 is below the one before it: sort them"},
		{fmt.Sprint((draw.Law{Kind: 7}).Check()), "a law of kind 7: give one of [constant uniform normal lognormal exponential pareto empirical]"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

// It does not run beside other tests, whose allocations would be counted with its own.
func TestADrawAllocatesNothing(t *testing.T) {
	name := draw.Name("lag")
	for _, c := range laws() {
		law, i := c.law, uint64(0)
		var sum time.Duration
		if n := testing.AllocsPerRun(200, func() {
			i++
			sum += law.Duration(draw.Unit(1, name, 2, i))
		}); n != 0 {
			t.Errorf("%s: %g allocations a draw", c.name, n)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	for _, c := range laws() {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var i uint64
			var sum float64
			for b.Loop() {
				i++
				sum += c.law.Quantile(draw.Unit(1, 2, i))
			}
		})
	}
}
