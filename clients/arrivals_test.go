package clients

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// all lists the due times of a schedule.
func all(t *testing.T, from, to float64, length time.Duration, rng *rand.Rand) []time.Duration {
	t.Helper()
	var a Arrivals
	if err := a.Add(from, to, length, rng); err != nil {
		t.Fatal(err)
	}
	return drain(&a)
}

func drain(a *Arrivals) []time.Duration {
	var dues []time.Duration
	for due, ok := a.Next(); ok; due, ok = a.Next() {
		dues = append(dues, due)
	}
	return dues
}

func TestConstantArrivalsAreEven(t *testing.T) {
	t.Parallel()
	dues := all(t, 200, 200, 10*time.Second, nil)
	if len(dues) != 2000 {
		t.Fatalf("%d commands in 10 s at 200/s", len(dues))
	}
	for i := 1; i < len(dues); i++ {
		if gap := dues[i] - dues[i-1]; gap != 5*time.Millisecond {
			t.Fatalf("gap %d is %v, want 5ms", i, gap)
		}
	}
}

func TestConstantRatesAreExact(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rate   float64
		length time.Duration
		want   int
	}{{1.0 / 3600, 2 * time.Hour, 2}, {10.0 / 3600, 10 * time.Hour, 100}, {1.0 / 60, 10 * time.Minute, 10}, {300000.3, time.Second, 300000}, {0, time.Hour, 0}} {
		dues := all(t, c.rate, c.rate, c.length, nil)
		if len(dues) < c.want-1 || len(dues) > c.want {
			t.Errorf("%v/s for %v: %d commands, want %d", c.rate, c.length, len(dues), c.want)
		}
		for i, due := range dues {
			if want := float64(i+1) / c.rate; math.Abs(due.Seconds()-want) > 1e-6 {
				t.Fatalf("%v/s: command %d is due at %v, want %v s", c.rate, i+1, due, want)
			}
		}
	}
}

func TestRampFollowsItsArea(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to float64
		length   time.Duration
	}{{0, 100, 10 * time.Second}, {50, 400, 30 * time.Second}, {100, 0, 10 * time.Second}, {0.5, 2, time.Minute}} {
		slope := (c.to - c.from) / c.length.Seconds()
		for i, due := range all(t, c.from, c.to, c.length, nil) {
			s := due.Seconds()
			if area := c.from*s + slope*s*s/2; math.Abs(area-float64(i+1)) > 1e-3 {
				t.Fatalf("%v -> %v: hit %d is due at %v, where the area is %v", c.from, c.to, i+1, due, area)
			}
		}
		if got, want := float64(len(all(t, c.from, c.to, c.length, nil))), (c.from+c.to)/2*c.length.Seconds(); math.Abs(got-want) > 1 {
			t.Errorf("%v -> %v: %v commands, want %v", c.from, c.to, got, want)
		}
	}
}

func TestPoissonArrivals(t *testing.T) {
	t.Parallel()
	const seed = 42
	rng := func() *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }
	dues := all(t, 200, 200, 500*time.Second, rng())
	if n := float64(len(dues)); math.Abs(n-1e5) > 4*math.Sqrt(1e5) {
		t.Errorf("seed %d: %v commands, want 100000 +- 1265", seed, n)
	}
	var gaps []float64
	for i := 1; i < len(dues); i++ {
		gaps = append(gaps, (dues[i]-dues[i-1]).Seconds()*200)
	}
	slices.Sort(gaps)
	worst := 0.0 // Kolmogorov-Smirnov distance of the gaps from Exp(1)
	for i, g := range gaps {
		worst = max(worst, math.Abs(1-math.Exp(-g)-float64(i)/float64(len(gaps))))
	}
	if limit := 1.95 / math.Sqrt(float64(len(gaps))); worst > limit { // p = 0.001
		t.Errorf("seed %d: the gaps are %v away from an exponential law, limit %v", seed, worst, limit)
	}
	if !slices.Equal(dues, all(t, 200, 200, 500*time.Second, rng())) {
		t.Error("the same seed gave another schedule")
	}
	if ramp := all(t, 0, 200, 500*time.Second, rng()); math.Abs(float64(len(ramp))-5e4) > 4*math.Sqrt(5e4) {
		t.Errorf("seed %d: a ramp to 200/s gave %d commands, want 50000", seed, len(ramp))
	}
}

func TestStagesFollowEachOther(t *testing.T) {
	t.Parallel()
	var a Arrivals
	for _, rate := range []float64{10, 0, 20} {
		if err := a.Add(rate, rate, time.Second, nil); err != nil {
			t.Fatal(err)
		}
	}
	counts := map[int]int{}
	for _, due := range drain(&a) {
		counts[int((due-1)/time.Second)]++ // a command that is due at the end of a stage still belongs to it
	}
	if counts[0] != 10 || counts[1] != 0 || counts[2] != 20 {
		t.Errorf("commands a second: %v, want 10, 0 and 20", counts)
	}
	if err := a.Add(-1, 1, time.Second, nil); err == nil {
		t.Error("a negative rate was taken")
	}
	if err := a.Add(1, 1, 0, nil); err == nil {
		t.Error("an empty stage was taken")
	}
}

// all walks a schedule to its end.
func (a *Arrivals) all() (dues []time.Duration) {
	for due, ok := a.Next(); ok; due, ok = a.Next() {
		dues = append(dues, due)
	}
	return dues
}

func TestArrivalsSwing(t *testing.T) {
	t.Parallel()
	const mean, swing, period = 200.0, 0.5, 10 * time.Second
	a := new(Arrivals)
	for range 2 { // a period and a half, cut where the rate is at its lowest: the second stage goes on from there
		if err := a.AddSine(mean, swing, period, 7500*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	dues := a.all()
	for n, due := range dues {
		// The n-th command is due when the integral of the rate reaches n.
		s := due.Seconds()
		area := mean*s + mean*swing*period.Seconds()/(2*math.Pi)*(1-math.Cos(2*math.Pi*s/period.Seconds()))
		if off := math.Abs(area - float64(n+1)); off > 1 {
			t.Fatalf("command %d is due at %v, where %.3f should have been", n+1, due, area)
		}
	}
	if want := mean*15 + mean*swing*period.Seconds()/math.Pi; math.Abs(float64(len(dues))-want) > 1.5 {
		t.Errorf("%d commands, want %.1f", len(dues), want)
	}
	for name, err := range map[string]error{
		"no swing back": new(Arrivals).AddSine(10, 1, time.Second, time.Second),
		"no rate":       new(Arrivals).AddSine(0, 0.5, time.Second, time.Second),
		"no period":     new(Arrivals).AddSine(10, 0.5, 0, time.Second),
	} {
		if err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
}

func TestArrivalsInBursts(t *testing.T) {
	t.Parallel()
	a := new(Arrivals)
	if err := a.Pulse(2*time.Second, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	for _, length := range []time.Duration{15 * time.Second, 5 * time.Second, 11 * time.Second} { // the second is wholly quiet
		if err := a.Add(20, 20, length, nil); err != nil {
			t.Fatal(err)
		}
	}
	dues := a.all()
	perPeriod := make(map[time.Duration]int)
	for _, due := range dues {
		since := (due - 1) % (10 * time.Second)
		if since >= 2*time.Second {
			t.Fatalf("a command is due at %v, in the quiet time", due)
		}
		perPeriod[(due-1)/(10*time.Second)]++
	}
	for period, want := range map[time.Duration]int{0: 200, 1: 200, 2: 200, 3: 100} {
		if perPeriod[period] != want {
			t.Errorf("period %d has %d commands, want %d", period, perPeriod[period], want)
		}
	}
	if dues[0] != 10*time.Millisecond || dues[199] != 2*time.Second || dues[200] != 10*time.Second+10*time.Millisecond {
		t.Errorf("first at %v, last of the first period at %v, first of the second at %v", dues[0], dues[199], dues[200])
	}
	if err := a.AddSine(1, 0.1, time.Second, time.Second); err == nil {
		t.Error("bursts that swing were taken")
	}
	for _, wrong := range [][2]time.Duration{{0, time.Second}, {2 * time.Second, time.Second}} {
		if err := new(Arrivals).Pulse(wrong[0], wrong[1]); err == nil {
			t.Errorf("%v of each %v was taken", wrong[0], wrong[1])
		}
	}
}
