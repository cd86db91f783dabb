package target

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestLatency holds the steps against their definition: a duration counts below every end that is not shorter than it.
func TestLatency(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	durations := []time.Duration{-1, 0, 1, 1023, 1024, 1025, 2048, 2049, 1 << 34, 1<<34 + 1, time.Hour}
	for range 1000 {
		durations = append(durations, time.Duration(random.Int64N(1<<uint(1+random.IntN(40)))))
	}
	var l latency
	wantSum := time.Duration(0)
	for _, d := range durations {
		l.observe(d)
		wantSum += max(d, 0)
	}
	count, sum, atMost := l.read()
	if count != uint64(len(durations)) || math.Abs(sum-wantSum.Seconds()) > 1e-9*wantSum.Seconds() || len(atMost) != latencySteps-1 {
		t.Errorf("seed %d: %d durations of %v s in %d steps, want %d of %v", seed, count, sum, len(atMost), len(durations), wantSum)
	}
	for end, got := range atMost {
		want := uint64(0)
		for _, d := range durations {
			if d <= time.Duration(math.Round(end*1e9)) {
				want++
			}
		}
		if got != want {
			t.Errorf("seed %d: %d durations of at most %v s, want %d", seed, got, end, want)
		}
	}
}

// TestLatencyCost is not parallel, because allocations are counted for the whole process.
func TestLatencyCost(t *testing.T) {
	var l latency
	if n := testing.AllocsPerRun(100, func() { l.observe(time.Millisecond) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkLatency(b *testing.B) {
	var l latency
	b.RunParallel(func(pb *testing.PB) {
		for d := time.Duration(1); pb.Next(); d++ {
			l.observe(d)
		}
	})
}

// TestEveryCounterHasAFamily: a counter that is new comes up by itself, but should say what it counts.
func TestEveryCounterHasAFamily(t *testing.T) {
	t.Parallel()
	seen := make(map[string]string)
	for c := range counterCount {
		f := familyOf(c.String())
		key := f.name + "{" + f.label + "=" + f.value
		if before, ok := seen[key]; ok {
			t.Errorf("%s and %s are both %s", before, c, key)
		}
		seen[key] = c.String()
		if strings.HasPrefix(f.help, "The counter ") {
			t.Errorf("%s has no help text: give it a line in familyOf", c)
		}
	}
	if got, want := familyOf("new_thing"), (family{name: "new_thing", help: "The counter new_thing of the node's counters file."}); got != want {
		t.Errorf("an unknown counter is %+v, want %+v", got, want)
	}
}
