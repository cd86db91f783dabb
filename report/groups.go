package report

import (
	"fmt"
	"slices"
	"time"

	"holobench/history"
	"holobench/ordering"
)

// group is what the clients of one group of a run did and saw, as if they had been alone in it: pairs of events are compared at them
// only, so that a group that speaks another HTTP than the next can be laid beside it.
type group struct {
	history.Group

	figures *Figures
	order   ordering.Analysis
	found   *ordering.Divergence // nil = they heard nothing, or nobody else did
	part    []history.Observation
	heard   bool
}

// groupsOf are the groups of a run but for its floods; nil when there is one, which is the whole run.
func groupsOf(run *history.Run, names *history.Names) []*group {
	floods := floodClients(run)
	var all []*group
	for _, g := range run.Groups {
		if _, flood := floods[g.First]; !flood {
			all = append(all, &group{Group: g, figures: NewFigures(run, names)})
		}
	}
	if len(all) < 2 {
		return nil
	}
	return all
}

// has says whether a client is one of the group.
func (g *group) has(client uint32) bool { return client >= g.First && client-g.First < g.Count }

// add takes what is of the group.
func (g *group) add(batch []history.Observation) {
	g.part = g.part[:0]
	for i := range batch {
		if o := &batch[i]; g.has(o.Client) {
			g.part = append(g.part, *o)
			g.heard = g.heard || o.Kind.BringsEvent()
		}
	}
	g.figures.Add(g.part)
}

// addOrder takes what the group saw, and what is known of the events, whosever they are.
func (g *group) addOrder(batch []history.Observation) {
	g.part = g.part[:0]
	for i := range batch {
		if o := &batch[i]; g.has(o.Client) || !o.Kind.BringsEvent() {
			g.part = append(g.part, *o)
		}
	}
	g.order.Add(g.part)
}

// compareGroups reads the history once more, where several groups heard something, for the order that each saw.
func compareGroups(h *history.History, groups []*group) error {
	hearing := slices.DeleteFunc(slices.Clone(groups), func(g *group) bool { return !g.heard })
	if len(hearing) < 2 {
		return nil
	}
	for _, g := range hearing {
		g.order.Window = time.Duration(h.Run.PairWindow)
	}
	err := h.Scan(func(batch []history.Observation) error {
		for _, g := range hearing {
			g.addOrder(batch)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("report run %q: %w", h.Run.Name, err)
	}
	for _, g := range hearing {
		found := g.order.Close(h.Run)
		g.found, g.order = &found, ordering.Analysis{}
	}
	return nil
}

// byGroup says whether a figure is listed for each group, too.
func byGroup(metric string) bool {
	switch metric {
	case FanoutLatency, OwnLatency, OtherLatency, HTTPReqDuration, QueueDelay, ConnectionWait, OrderDivergence, DivergentPairs, AtRiskPairs, Ties:
		return true
	}
	return false
}

// groupMetrics lists the figures of each group.
func groupMetrics(groups []*group) []Metric {
	var all []Metric
	for _, g := range groups {
		all = append(all, g.metrics()...)
	}
	return all
}

// metrics lists the figures of the group that hold something.
func (g *group) metrics() []Metric {
	g.figures.Close()
	order := g.found
	if order == nil {
		order = &ordering.Divergence{Windows: make([]ordering.WindowFigures, len(g.figures.windows.named))}
	}
	var list []Metric
	for _, m := range g.figures.metrics(order) {
		if !byGroup(m.Name) || m.Count == 0 || hasSection(m.Name) && g.found == nil {
			continue
		}
		m.Tags = append(slices.Clone(m.Tags), Tag{"group", g.Name})
		list = append(list, m)
	}
	return list
}
