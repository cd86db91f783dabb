package main

import (
	"testing"
	"time"

	"holobench/history"
)

// slope is the least squares line through samples: the mean of their values, and by how much the line rises in a minute.
func slope(samples []history.Sample) (mean, aMinute float64) {
	n, at := float64(len(samples)), 0.0
	for _, s := range samples {
		mean += s.Value / n
		at += float64(s.At) / n
	}
	var up, along float64
	for _, s := range samples {
		d := float64(s.At) - at
		up += d * (s.Value - mean)
		along += d * d
	}
	return mean, up / along * float64(time.Minute)
}

func TestSlope(t *testing.T) {
	t.Parallel()
	var samples []history.Sample
	for i := range 61 {
		samples = append(samples, history.Sample{At: int64(time.Hour) + int64(i)*int64(time.Second), Value: 100 + float64(i)/30 + float64(i%2)})
	}
	mean, aMinute := slope(samples)
	if mean < 101.4 || mean > 101.6 || aMinute < 1.99 || aMinute > 2.01 {
		t.Errorf("values from 100 to 103 in a minute, up and down by 1 on the way: mean %v, %v a minute, want 101.5 and 2", mean, aMinute)
	}
}

// TestVerifySoak holds that neither the generator nor the target grows under as much as the machine can do: behind the first minute of the
// load, in which buffers and replay fill, the line through their resident memory rises by less than 3 % a minute. A heap goes up and down by
// a quarter between two collections, so that less would be noise; 3 % are one or two bytes for each delivery. The generator never has more
// descriptors open than its streams and senders need: a line through them says nothing, since thousands of streams that were cut wait
// to come back at any time.
func TestVerifySoak(t *testing.T) {
	if !*verify {
		t.Skip("a long proof: make soak")
	}
	h := holobenchHistory(t, "../../scenarios/soak.yaml")
	samples, err := h.Samples()
	if err != nil {
		t.Fatal(err)
	}
	from, to := h.Run.Barrier+int64(time.Minute), h.Run.LoadEnd
	t.Logf("%d commands in %v, to 100 streams each", h.Run.Nodes[0].Counters["commands_accepted"], time.Duration(to-h.Run.Barrier).Round(time.Second))
	later := func(source, name string) (all []history.Sample) {
		for _, s := range samples {
			if s.Source == source && s.Name == name && s.At >= from && s.At <= to {
				all = append(all, s)
			}
		}
		if len(all) < 180 {
			t.Fatalf("%s: %d samples of %s behind the first minute, of the 240 s that there are", source, len(all), name)
		}
		return all
	}
	for _, source := range []string{"generator", "node-1"} {
		all := later(source, "rss_mb")
		mean, aMinute := slope(all)
		t.Logf("%-9s %8.1f MB at the mean, %+.2f a minute, %8.1f at the end", source, mean, aMinute, all[len(all)-1].Value)
		if most := mean * 3 / 100; aMinute > most {
			t.Errorf("%s: resident memory grows by %.2f MB a minute, from %.1f at the mean; 3 %% would be %.2f", source, aMinute, mean, most)
		}
	}
	open := 0.0
	for _, s := range later("generator", "open_files") {
		open = max(open, s.Value)
	}
	const needed = 5000 + 100 + 100 // a stream, a connection of a sender, and what the program itself has open, with room
	if t.Logf("generator %8.0f files open at most", open); open > needed {
		t.Errorf("the generator had %.0f files open; its streams and senders need fewer than %d", open, needed)
	}
}
