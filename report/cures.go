package report

import (
	"math"
	"slices"
	"strings"
	"time"

	"holobench/history"
	"holobench/ordering"
	"holobench/wire"
)

// cures are what clients do themselves against an order that differs from client to client, and what that costs: worked out from
// the history, for the groups that the run says are such clients.
type cures struct {
	windows windows
	names   *history.Names

	resequencer *ordering.Resequencer // nil = there is none
	resequenced ordering.Resequenced
	optimistic  *ordering.Optimistic // nil = nobody is
	elsewhere   ordering.Elsewhere
	floods      map[uint32]string
	absences    []ordering.Absence // of what clients missed that were away, which is what all these cures are no cure for

	tallies []cured // by window, whole first
	worst   map[wire.EventID]*handed
}

// cured is what one window holds. The zero value is empty.
type cured struct {
	hold, shown, depth    Histogram // of each event at each resequencer; depth counts a million for each event
	worstHold, worstShown Histogram // of each event at the one where it was highest
	given, gaps           int64     // events handed on, numbers given up

	confirmed, wrong               Histogram // of each change of an optimistic client
	changes, rolledBack, conflicts int64     // that have an outcome
	rebases, redone                int64     // changes of others below one of its own; changes below which any came

	knower [ordering.SenderNeverKnew + 1]int64
	lead   Histogram // of others, where they were first
}

// handed is how late one event came to apps at last.
type handed struct{ due, hold, shown int64 }

// conflictText is how a refusal reads because the key had changed.
const conflictText = "http 409"

// oneDepth stands for one event in a histogram of depths, whose buckets are those of durations in ms.
const oneDepth = int64(time.Millisecond)

func newCures(run *history.Run, names *history.Names) *cures {
	w := windowsOf(run)
	c := &cures{windows: w, names: names, tallies: make([]cured, w.count()), worst: make(map[wire.EventID]*handed), floods: floodClients(run)}
	hold, optimistic := make([]time.Duration, 0), make([]bool, 0) // by client
	for _, g := range run.Groups {
		for range g.Count {
			hold, optimistic = append(hold, time.Duration(g.MaxHold)), append(optimistic, g.Optimistic)
		}
	}
	if slices.ContainsFunc(run.Groups, func(g history.Group) bool { return g.MaxHold > 0 }) {
		c.resequencer = &ordering.Resequencer{
			MaxHold: func(client uint32) time.Duration { return at(hold, client) },
			Window:  time.Duration(run.PairWindow), Handed: c.handed, GaveUp: c.gaveUp,
		}
	}
	if slices.ContainsFunc(run.Groups, func(g history.Group) bool { return g.Optimistic }) {
		c.optimistic = &ordering.Optimistic{Is: func(client uint32) bool { return at(optimistic, client) }}
	}
	return c
}

// at is what a list says of a client; the zero value where it has no word.
func at[T any](list []T, client uint32) (value T) {
	if int64(client) < int64(len(list)) {
		return list[client]
	}
	return value
}

func (c *cures) add(batch []history.Observation) {
	c.elsewhere.Add(batch)
	if c.resequencer != nil {
		c.resequencer.Add(batch)
	}
	if c.optimistic != nil {
		c.optimistic.Add(batch)
	}
}

// in calls visit for the windows to which a moment belongs.
func (c *cures) in(moment int64, visit func(t *cured)) {
	for i := range c.tallies {
		if c.windows.has(i, moment) {
			visit(&c.tallies[i])
		}
	}
}

func (c *cures) close(run *history.Run) {
	c.elsewhere.Close(*run, func(h ordering.Headway) {
		if _, flood := c.floods[h.Event.Publisher]; flood {
			return // it holds no stream, and is no user that waits
		}
		c.in(h.Due, func(t *cured) {
			t.knower[h.First]++
			if h.First == ordering.OthersFirst {
				t.lead.Record(h.Lead)
			}
		})
	})
	if c.optimistic != nil {
		c.optimistic.Close(c.changed)
	}
	if c.resequencer == nil {
		return
	}
	c.resequenced = c.resequencer.Close(*run)
	for id, h := range c.worst {
		c.in(h.due, func(t *cured) {
			t.worstHold.Record(h.hold)
			if !id.Foreign() {
				t.worstShown.Record(h.shown)
			}
		})
	}
	c.worst = nil
}

// handed notes what an event waited for. A foreign one was never due, so that it has no latency.
func (c *cures) handed(h *ordering.Handing) {
	hold, shown := h.Handed-h.At, h.Handed-h.Due
	foreign := h.Event.Foreign()
	c.in(h.Due, func(t *cured) {
		t.given++
		t.hold.Record(hold)
		t.depth.Record(int64(h.Depth) * oneDepth)
		if !foreign {
			t.shown.Record(shown)
		}
	})
	worst := c.worst[h.Event]
	if worst == nil {
		worst = &handed{due: h.Due}
		c.worst[h.Event] = worst
	}
	worst.hold, worst.shown = max(worst.hold, hold), max(worst.shown, shown)
}

// gaveUp counts numbers; a server whose numbers leap could otherwise fill more than a count can hold.
func (c *cures) gaveUp(g *ordering.Gap) {
	c.in(g.At, func(t *cured) {
		if n := g.Last - g.First; n < uint64(math.MaxInt64-t.gaps) {
			t.gaps += int64(n) + 1
			return
		}
		t.gaps = math.MaxInt64
	})
}

func (c *cures) changed(change ordering.Change) {
	c.in(change.Due, func(t *cured) {
		t.rebases += int64(change.Rebases)
		t.redone += int64(min(1, change.Rebases))
		switch change.Outcome {
		case ordering.Open:
			return
		case ordering.Confirmed:
			t.confirmed.Record(change.Settled - change.Due)
		case ordering.RolledBack:
			t.rolledBack++
			if c.names.Name(uint32(change.Err)) == conflictText {
				t.conflicts++
			}
		}
		t.changes++
		t.wrong.Record(change.Wrong)
	})
}

// elsewhereMetrics lists who knew of an event first.
func (c *cures) elsewhereMetrics(l *lister) {
	c.each(l, func(t *cured, tags []Tag, _ float64) {
		first := t.knower[ordering.OthersFirst]
		l.add(share(SeenElsewhereFirst, Rate, tags, first, first+t.knower[ordering.SenderFirst]))
	})
	c.each(l, func(t *cured, tags []Tag, _ float64) { l.trend(SeenElsewhereLead, tags, &t.lead, nil) })
}

// metrics lists the figures of cures that somebody takes.
func (c *cures) metrics(l *lister) {
	c.elsewhereMetrics(l)
	if c.resequencer != nil {
		c.each(l, func(t *cured, tags []Tag, _ float64) { l.trend(ResequenceHold, tags, &t.hold, &t.worstHold) })
		c.each(l, func(t *cured, tags []Tag, _ float64) {
			m := trend(ResequenceDepth, tags, &t.depth, nil)
			m.Unit, m.Contains, m.Events = "count", "default", 0
			l.add(m)
		})
		c.each(l, func(t *cured, tags []Tag, seconds float64) {
			l.add(counter(ResequenceGaps, tags, t.gaps, max(t.given, t.gaps), seconds))
		})
		c.each(l, func(t *cured, tags []Tag, _ float64) { l.trend(ResequencedLatency, tags, &t.shown, &t.worstShown) })
		apps := lister{figures: l.figures, found: &c.resequenced.App, list: l.list}
		apps.classes(func(p *ordering.Pairs, tags []Tag, _ float64) {
			apps.add(share(ResequencedDivergence, Rate, tags, int64(p.Divergent), int64(p.AtRisk)))
		})
		l.list = apps.list
	}
	if c.optimistic != nil {
		c.each(l, func(t *cured, tags []Tag, _ float64) { l.trend(OptimisticConfirmed, tags, &t.confirmed, nil) })
		c.each(l, func(t *cured, tags []Tag, _ float64) { l.trend(OptimisticWrong, tags, &t.wrong, nil) })
		c.each(l, func(t *cured, tags []Tag, seconds float64) {
			l.add(counter(OptimisticRebases, tags, t.rebases, t.changes, seconds))
		})
		c.each(l, func(t *cured, tags []Tag, _ float64) {
			l.add(share(OptimisticRollbacks, Rate, tags, t.rolledBack, t.changes))
		})
	}
}

// each calls visit for the whole run and for each window.
func (c *cures) each(l *lister, visit func(t *cured, tags []Tag, seconds float64)) {
	i := 0
	l.windows(func(_ *tally, tags []Tag, seconds float64) {
		visit(&c.tallies[i], tags, seconds)
		i++
	})
}

// isCure says whether a figure is one of those that cures work out, which takes the whole history.
func isCure(metric string) bool {
	for _, prefix := range []string{"seen_elsewhere_", "resequence", "optimistic_"} {
		if strings.HasPrefix(metric, prefix) {
			return true
		}
	}
	return false
}
