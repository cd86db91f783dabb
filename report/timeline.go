package report

import (
	"time"

	"holobench/history"
)

// timelineBins bounds the bins of a timeline: when a run outgrows them, they become twice as wide.
const timelineBins = 1200

// timeline counts deliveries and their latency over the time of arrival, since the barrier, in bins of one second; in
// wider ones when the run is longer than timelineBins seconds.
type timeline struct {
	width int64 // of a bin in ns; 0 = a second, nothing was added yet
	bins  []moments
}

func (t *timeline) add(since, latency int64) {
	if since < 0 {
		return // before the barrier nothing is measured
	}
	if t.width == 0 {
		t.width = int64(time.Second)
	}
	for since/t.width >= timelineBins {
		t.widen()
	}
	bin := int(since / t.width)
	for len(t.bins) <= bin {
		t.bins = append(t.bins, moments{})
	}
	t.bins[bin].record(latency)
}

// widen makes one bin of each two.
func (t *timeline) widen() {
	t.width *= 2
	half := (len(t.bins) + 1) / 2
	for i := range half {
		merged := t.bins[2*i]
		if 2*i+1 < len(t.bins) {
			merged.merge(t.bins[2*i+1])
		}
		t.bins[i] = merged
	}
	clear(t.bins[half:])
	t.bins = t.bins[:half]
}

// Moment is one bin of the timeline of a run.
type Moment struct {
	From       time.Duration // since the barrier
	Length     time.Duration // of the bin: one second, more in a run above 20 minutes
	Deliveries int64         // that arrived in it
	PerSecond  float64       // Deliveries by Length
	P50, P99   time.Duration // fanout_latency of these deliveries, to 1 %; 0 when there are none
}

// moments returns the bins from the barrier on, without a gap.
func (t *timeline) moments() []Moment {
	all := make([]Moment, len(t.bins))
	for i := range t.bins {
		all[i] = Moment{
			From: time.Duration(int64(i) * t.width), Length: time.Duration(t.width), Deliveries: t.bins[i].count(),
			PerSecond: float64(t.bins[i].count()) / time.Duration(t.width).Seconds(),
			P50:       time.Duration(t.bins[i].percentile(50)), P99: time.Duration(t.bins[i].percentile(99)),
		}
	}
	return all
}

// floodClients are the numbers under which the floods of a run sent: a flood has a group of its own name.
func floodClients(run *history.Run) map[uint32]string {
	clients := make(map[uint32]string)
	for _, load := range run.Loads {
		for _, group := range run.Groups {
			if load.Flood && group.Name == load.Name {
				clients[group.First] = load.Name
			}
		}
	}
	return clients
}
