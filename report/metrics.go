package report

import (
	"maps"
	"slices"

	"holobench/history"
	"holobench/ordering"
)

// The names of the metrics, as budgets spell them. docs/results.md says what each means and how it misleads.
const (
	FanoutLatency     = "fanout_latency"
	OtherLatency      = "other_latency"
	OwnLatency        = "own_latency"
	FanoutSpread      = "fanout_spread"
	HTTPReqDuration   = "http_req_duration"
	HTTPReqFailed     = "http_req_failed"
	HTTPReqs          = "http_reqs"
	DroppedIterations = "dropped_iterations"
	PublishDelay      = "publish_delay"
	QueueDelay        = "queue_delay"
	ConnectionWait    = "connection_wait"
	GeneratorLag      = "generator_lag"
	Reach             = "reach"
	EventsLost        = "events_lost"
	EventsDuplicated  = "events_duplicated"
	Indeterminate     = "indeterminate"
	EventsMissedAway  = "events_missed_away"
	EventsCaughtUp    = "events_caught_up"
	OrderDivergence   = "order_divergence"
	DivergentPairs    = "divergent_pairs"
	AtRiskPairs       = "at_risk_pairs"
	Ties              = "ties"
	OrderInversions   = "order_inversions"
	EventsTouched     = "events_touched"
	FIFOViolations    = "fifo_violations"
	FIFOConcurrent    = "fifo_concurrent"
	SSEEvents         = "sse_events"
	SSEConnecting     = "sse_connecting"
	SSEReconnects     = "sse_reconnects"
	Clients           = "clients"
	Capacity          = "capacity"
	Expectations      = "expectations"
	ExpectationWait   = "expectation_wait"
	Converged         = "converged"
	RecoveryTime      = "recovery_time"

	SeenElsewhereFirst    = "seen_elsewhere_first"
	SeenElsewhereLead     = "seen_elsewhere_lead"
	ResequenceHold        = "resequence_hold"
	ResequenceDepth       = "resequence_depth"
	ResequenceGaps        = "resequence_gaps"
	ResequencedLatency    = "resequenced_latency"
	ResequencedDivergence = "resequenced_divergence"
	OptimisticConfirmed   = "optimistic_confirmed"
	OptimisticWrong       = "optimistic_wrong"
	OptimisticRebases     = "optimistic_rebases"
	OptimisticRollbacks   = "optimistic_rollbacks"
)

// metrics lists every figure in a fixed order: metric by metric, the whole run first, then its windows; behind each of
// these its parts by path or by flood. A part that holds nothing is left out, a whole never is.
func (f *Figures) metrics(order *ordering.Divergence) []Metric {
	l := lister{figures: f, found: order}
	l.audiences(FanoutLatency, everyone)
	l.audiences(OtherLatency, other)
	l.audiences(OwnLatency, own)
	l.trends(FanoutSpread, func(t *tally) *Histogram { return &t.spread })
	l.commands(func(c *commands, tags []Tag, _ float64) {
		l.trend(HTTPReqDuration, tags, &c.duration, nil)
	})
	l.commands(func(c *commands, tags []Tag, _ float64) {
		l.add(share(HTTPReqFailed, Rate, tags, c.failed(), c.outcomes()))
	})
	l.commands(func(c *commands, tags []Tag, seconds float64) {
		l.add(counter(HTTPReqs, tags, c.outcomes(), c.due(), seconds))
	})
	l.windows(func(t *tally, tags []Tag, seconds float64) {
		l.add(counter(DroppedIterations, tags, t.clients.dropped, t.clients.due(), seconds))
	})
	l.trends(PublishDelay, func(t *tally) *Histogram { return &t.publish })
	l.trends(QueueDelay, func(t *tally) *Histogram { return &t.queue })
	l.trends(ConnectionWait, func(t *tally) *Histogram { return &t.wait })
	l.trends(GeneratorLag, func(t *tally) *Histogram { return &t.lag })
	l.windows(func(t *tally, tags []Tag, _ float64) {
		l.add(share(Reach, Gauge, tags, t.standing.reached, t.standing.expected))
	})
	l.counts(EventsLost, func(s *standings) int64 { return s.lost })
	l.counts(EventsDuplicated, func(s *standings) int64 { return s.duplicated })
	l.counts(Indeterminate, func(s *standings) int64 { return s.indeterminate })
	l.counts(EventsMissedAway, func(s *standings) int64 { return s.missedAway })
	l.counts(EventsCaughtUp, func(s *standings) int64 { return s.caughtUp })
	l.order()
	if f.cures != nil {
		f.cures.metrics(&l)
	}
	l.windows(func(t *tally, tags []Tag, seconds float64) {
		l.add(counter(SSEEvents, tags, t.streamed, 1, seconds))
	})
	l.trends(SSEConnecting, func(t *tally) *Histogram { return &t.connecting })
	l.windows(func(t *tally, tags []Tag, seconds float64) {
		l.add(counter(SSEReconnects, tags, t.reconnects, 1, seconds))
	})
	l.expectations()
	l.list = append(l.list, f.recovery.metrics()...)
	clients := share(Clients, Gauge, nil, int64(len(f.streams)), 1)
	clients.Unit = "count"
	return append(l.list, clients)
}

// lister makes metrics of tallies.
type lister struct {
	figures *Figures
	found   *ordering.Divergence
	list    []Metric
}

func (l *lister) add(m Metric) { l.list = append(l.list, m) }

func (l *lister) trend(name string, tags []Tag, all, worst *Histogram) {
	l.add(trend(name, tags, all, worst))
}

// windows calls visit for the whole run and for each window.
func (l *lister) windows(visit func(t *tally, tags []Tag, seconds float64)) {
	f := l.figures
	for i := range f.tallies {
		var tags []Tag
		if i != whole {
			tags = []Tag{{"window", f.windows.name(i)}}
		}
		visit(&f.tallies[i], tags, f.windows.length(i).Seconds())
	}
}

// trends lists one histogram of each window.
func (l *lister) trends(name string, of func(*tally) *Histogram) {
	l.windows(func(t *tally, tags []Tag, _ float64) {
		m := trend(name, tags, of(t), nil)
		if name == GeneratorLag || name == SSEConnecting {
			m.Events = 0 // these are of arrivals and of connections
		}
		l.add(m)
	})
}

// counts lists one count of the standings of each window.
func (l *lister) counts(name string, of func(*standings) int64) {
	l.windows(func(t *tally, tags []Tag, seconds float64) {
		l.add(counter(name, tags, of(&t.standing), t.standing.counted(name), seconds))
	})
}

// audiences lists the latency of a role in each window, and behind it by path when there is more than one.
func (l *lister) audiences(name string, role int) {
	l.windows(func(t *tally, tags []Tag, _ float64) {
		all := audience{role, history.NoPath}
		l.trend(name, tags, t.of(all), t.worstOf(all))
		for path := history.Reply; int(path) < paths; path++ {
			part := audience{role, path}
			latencies := t.of(part)
			if latencies.Count() == 0 {
				continue
			}
			l.trend(name, append(slices.Clone(tags), Tag{"path", path.String()}), latencies, t.worstOf(part))
		}
	})
}

// worstOf is the highest latency of each event; empty, not nil, where there is none.
func (t *tally) worstOf(a audience) *Histogram {
	if h := t.worst[a]; h != nil {
		return h
	}
	return new(Histogram)
}

// commands calls visit for the commands of the clients in each window, and behind it for those of each flood.
func (l *lister) commands(visit func(c *commands, tags []Tag, seconds float64)) {
	l.windows(func(t *tally, tags []Tag, seconds float64) {
		visit(&t.clients, tags, seconds)
		for _, client := range slices.Sorted(maps.Keys(t.floods)) {
			load := Tag{"load", l.figures.floods[client]}
			visit(t.floods[client], append(slices.Clone(tags), load), seconds)
		}
	})
}
