package run

import (
	"context"
	"fmt"
	"math"
	"runtime/metrics"
	"sort"
	"syscall"
	"time"

	"holobench/history"
)

// sampleHealth samples once a second how the generator itself is doing, and what the nodes have counted, until the
// function that it returns is called. A figure that this system cannot give is left out.
func (x *execution) sampleHealth(fail context.CancelCauseFunc) (stop func()) {
	if x.o.SaveSamples == nil {
		return func() {}
	}
	h := newHealth()
	return eachSecond(nil, func() (more bool) {
		if step := h.clockStep(); step > time.Millisecond {
			x.o.Record.Observe([]history.Observation{{Kind: history.ClockStep, At: x.now(), Sequence: uint64(step)}})
		}
		if err := x.o.SaveSamples(append(h.sample(x.now()), x.nodeSamples()...)); err != nil {
			fail(fmt.Errorf("record the health of the generator: %w", err))
			return false
		}
		return true
	})
}

// nodeSamples are the counters of the nodes now.
func (x *execution) nodeSamples() []history.Sample {
	var samples []history.Sample
	for i, node := range x.nodes {
		if bytes := residentOf(node.PID()); bytes > 0 {
			samples = append(samples, history.Sample{At: x.now(), Source: fmt.Sprintf("node-%d", i+1), Name: residentMB, Value: float64(bytes) / 1e6})
		}
		counters, err := node.Counters()
		if err != nil {
			continue // the counters of run.json will say that they could not be read
		}
		names := make([]string, 0, len(counters))
		for name := range counters {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			samples = append(samples, history.Sample{
				At: x.now(), Source: fmt.Sprintf("node-%d", i+1), Name: name, Value: float64(counters[name]),
			})
		}
	}
	return samples
}

// residentMB names what a process holds of the machine's memory, in MB.
const residentMB = "rss_mb"

// health measures the generator process between two samples.
type health struct {
	at        time.Time
	realtime  int64 // CLOCK_REALTIME minus the monotonic clock at the start
	cpu       time.Duration
	steal     float64 // jiffies
	total     float64
	latencies *metrics.Float64Histogram
	pauses    *metrics.Float64Histogram
}

func newHealth() *health {
	h := &health{at: time.Now()}
	h.realtime = h.at.UnixNano()
	h.cpu = cpuTime()
	h.steal, h.total = jiffies()
	h.latencies, h.pauses = histogram("/sched/latencies:seconds"), histogram("/sched/pauses/total/gc:seconds")
	return h
}

// clockStep is by how much CLOCK_REALTIME has moved against the monotonic clock since the last call.
func (h *health) clockStep() time.Duration {
	now := time.Now()
	moved := time.Duration(now.UnixNano()-h.realtime) - now.Sub(h.at)
	h.realtime += int64(moved)
	return moved.Abs()
}

// sample measures what happened since the last sample.
func (h *health) sample(at int64) []history.Sample {
	now := newHealth()
	wall := now.at.Sub(h.at)
	var samples []history.Sample
	add := func(name string, value float64) {
		if !math.IsNaN(value) && !math.IsInf(value, 0) {
			samples = append(samples, history.Sample{At: at, Source: "generator", Name: name, Value: value})
		}
	}
	add("cpu_cores", (now.cpu-h.cpu).Seconds()/wall.Seconds())
	add("steal_share", (now.steal-h.steal)/(now.total-h.total))
	add("sched_lag_p99_ms", 1e3*quantile(h.latencies, now.latencies, 0.99))
	add("gc_pause_max_ms", 1e3*quantile(h.pauses, now.pauses, 1))
	add("goroutines", number("/sched/goroutines:goroutines"))
	add("heap_mb", number("/memory/classes/heap/objects:bytes")/1e6)
	add("memory_mb", number("/memory/classes/total:bytes")/1e6)
	add("open_files", openFiles())
	if bytes := resident(); bytes > 0 {
		add(residentMB, float64(bytes)/1e6)
	}
	*h = *now
	return samples
}

// cpuTime is the CPU time of this process so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// read reads one metric of the Go runtime.
func read(name string) metrics.Value {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	return sample[0].Value
}

func number(name string) float64 {
	if v := read(name); v.Kind() == metrics.KindUint64 {
		return float64(v.Uint64())
	}
	return math.NaN()
}

func histogram(name string) *metrics.Float64Histogram {
	if v := read(name); v.Kind() == metrics.KindFloat64Histogram {
		return v.Float64Histogram()
	}
	return &metrics.Float64Histogram{}
}

// quantile is the q-quantile of what a histogram gained between two readings, as the upper bound of its bucket; NaN when
// it gained nothing.
func quantile(before, after *metrics.Float64Histogram, q float64) float64 {
	gained := uint64(0)
	for i := range after.Counts {
		gained += after.Counts[i] - before.Counts[i]
	}
	if gained == 0 {
		return math.NaN()
	}
	rank, sum := uint64(math.Ceil(q*float64(gained))), uint64(0)
	for i := range after.Counts {
		if sum += after.Counts[i] - before.Counts[i]; sum >= rank {
			upper := after.Buckets[i+1]
			if math.IsInf(upper, 1) {
				upper = after.Buckets[i]
			}
			return upper
		}
	}
	return math.NaN()
}
