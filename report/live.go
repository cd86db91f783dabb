package report

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"holobench/history"
)

// Live computes the figures of a run that is going on, by the accumulators of the final report, over the whole run so
// far. Safe for concurrent use.
type Live struct {
	mu      sync.Mutex
	figures *Figures

	ready    map[uint32]int64    // subscriptions of each channel now
	channels map[stream][]uint32 // those of each stream
	expected int64               // deliveries of the commands that were sent

	seen int64 // deliveries at the last Line
	at   time.Duration
}

// NewLive returns a Live that has seen nothing.
func NewLive() *Live {
	figures := NewFigures(&history.Run{}, new(history.Names))
	figures.live = true
	return &Live{figures: figures, ready: make(map[uint32]int64), channels: make(map[stream][]uint32)}
}

// Add takes Observations, of which it keeps nothing.
func (l *Live) Add(batch []history.Observation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.figures.Add(batch)
	for i := range batch {
		l.expect(&batch[i])
	}
}

// expect keeps count of the deliveries that are to come: those to all who are subscribed when a command is sent.
func (l *Live) expect(o *history.Observation) {
	key := stream{o.Client, o.Conn}
	switch o.Kind {
	case history.Sent:
		l.expected += l.ready[o.Channel]
	case history.Subscribed:
		l.ready[o.Channel]++
		l.channels[key] = append(l.channels[key], o.Channel)
	case history.Unsubscribed:
		if at := slices.Index(l.channels[key], o.Channel); at >= 0 {
			l.ready[o.Channel]--
			l.channels[key] = slices.Delete(l.channels[key], at, at+1)
		}
	case history.Ended, history.Closed:
		for _, channel := range l.channels[key] {
			l.ready[channel]--
		}
		delete(l.channels, key)
	default: // changes nothing that is expected
	}
}

// Line sums up what was seen so far, for one line of a terminal. Elapsed is the time of the run; the rate is that of the
// time since the last call. Missing are the deliveries on their way, or lost: only the report can tell.
func (l *Live) Line(elapsed time.Duration) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := &l.figures.tallies[whole]
	rate, heard := 0.0, l.figures.deliveries+l.figures.foreign
	if since := elapsed - l.at; since > 0 {
		rate = max(0, float64(heard-l.seen)/since.Seconds())
	}
	l.seen, l.at = heard, elapsed
	parts := []string{
		plural(t.clients.sent, "command"),
		fmt.Sprintf("%s (%s/s)", plural(heard, "delivery"), significant(rate)),
	}
	if all := t.of(audience{role: everyone}); all.Count() > 0 {
		parts = append(parts, fmt.Sprintf("p50 %s p99 %s",
			formatMS(ms(float64(all.Percentile(50)))), formatMS(ms(float64(all.Percentile(99))))))
	}
	parts = append(parts, thousands(max(0, l.expected-l.figures.deliveries))+" missing")
	if failed := t.clients.failed() + t.clients.dropped; failed > 0 {
		parts = append(parts, thousands(failed)+" failed or dropped")
	}
	return strings.Join(parts, ", ")
}
