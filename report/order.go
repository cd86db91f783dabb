package report

import (
	"fmt"
	"slices"
	"time"

	"holobench/ordering"
)

// The limits of figures about order; docs/results.md gives the grounds of each.
const (
	MinAtRisk   = 1000                  // pairs without which a budget on order is not held, whatever was seen
	MaxOrderLag = 20 * time.Millisecond // generator_lag p(99) above which the order between two sockets is unknown
)

// classes are the tag values of a pair's class, with where its counts are.
func classes(c *ordering.Classes) []classPairs {
	return []classPairs{
		{ordering.OriginatorObserver.String(), &c.OriginatorObserver},
		{ordering.ObserverObserver.String(), &c.ObserverObserver},
	}
}

type classPairs struct {
	name  string
	pairs *ordering.Pairs
}

// order lists what was found about order, in each window, and behind it by class.
func (l *lister) order() {
	type pairs = ordering.Pairs
	l.classes(func(p *pairs, tags []Tag, _ float64) {
		l.add(share(OrderDivergence, Rate, tags, int64(p.Divergent), int64(p.AtRisk)))
	})
	l.classes(func(p *pairs, tags []Tag, seconds float64) {
		l.add(counter(DivergentPairs, tags, int64(p.Divergent), int64(p.AtRisk), seconds))
	})
	l.classes(func(p *pairs, tags []Tag, seconds float64) {
		l.add(counter(AtRiskPairs, tags, int64(p.AtRisk), 1, seconds))
	})
	l.classes(func(p *pairs, tags []Tag, seconds float64) {
		l.add(counter(Ties, tags, int64(p.Tied), int64(p.AtRisk+p.Tied), seconds))
	})
	l.orders(func(f *ordering.Figures, tags []Tag, seconds float64) {
		l.add(counter(OrderInversions, tags, int64(f.Inversions), int64(f.All.AtRisk), seconds))
	})
	l.orders(func(f *ordering.Figures, tags []Tag, seconds float64) {
		l.add(counter(EventsTouched, tags, int64(f.Touched), int64(f.Events), seconds))
	})
	l.orders(func(f *ordering.Figures, tags []Tag, seconds float64) {
		l.add(counter(FIFOViolations, tags, int64(f.FIFO.Violations), int64(f.FIFO.Pairs), seconds))
	})
	l.orders(func(f *ordering.Figures, tags []Tag, seconds float64) {
		l.add(counter(FIFOConcurrent, tags, int64(f.FIFO.Concurrent), int64(f.FIFO.InFlight), seconds))
	})
}

// orders calls visit for the whole run and for each window.
func (l *lister) orders(visit func(f *ordering.Figures, tags []Tag, seconds float64)) {
	i := 0
	l.windows(func(_ *tally, tags []Tag, seconds float64) {
		figures := &l.found.Overall
		if i > 0 {
			figures = &l.found.Windows[i-1].Figures // in the order of the run's windows, as the tallies are
		}
		visit(figures, tags, seconds)
		i++
	})
}

// classes calls visit for all pairs of the whole run and of each window, and behind them for each class.
func (l *lister) classes(visit func(p *ordering.Pairs, tags []Tag, seconds float64)) {
	l.orders(func(f *ordering.Figures, tags []Tag, seconds float64) {
		visit(&f.All, tags, seconds)
		for _, class := range classes(&f.Classes) {
			visit(class.pairs, append(slices.Clone(tags), Tag{"class", class.name}), seconds)
		}
	})
}

// orderOf returns the figures of a window; "" = of the whole run.
func (r *Report) orderOf(window string) *ordering.Figures { return orderIn(&r.Order, window) }

// orderBehind returns the figures that a metric is one of: those of its window, at its group.
func (r *Report) orderBehind(m *Metric) *ordering.Figures {
	for _, g := range r.groups {
		if g.Name == m.Tag("group") && g.found != nil {
			return orderIn(g.found, m.Tag("window"))
		}
	}
	return r.orderOf(m.Tag("window"))
}

func orderIn(found *ordering.Divergence, window string) *ordering.Figures {
	for i := range found.Windows {
		if found.Windows[i].Name == window {
			return &found.Windows[i].Figures
		}
	}
	return &found.Overall
}

// hasSection says whether a metric stands in the sections about order and cures, so that it need not stand among the totals, too.
func hasSection(name string) bool {
	return isOrder(name) || isCure(name) || name == AtRiskPairs || name == Ties
}

// isOrder says whether a metric speaks of what clients saw in which order.
func isOrder(name string) bool {
	switch name {
	case OrderDivergence, DivergentPairs, OrderInversions, EventsTouched, FIFOViolations, FIFOConcurrent:
		return true
	}
	return false
}

// orderDoubts are the reasons for which a figure of order must not be judged at all.
func (r *Report) orderDoubts(m *Metric) []string {
	if !isOrder(m.Name) {
		return r.cureDoubts(m)
	}
	window, class := m.Tag("window"), m.Tag("class")
	pairs := r.orderBehind(m).All
	for _, c := range classes(&r.orderBehind(m).Classes) {
		if c.name == class {
			pairs = *c.pairs
		}
	}
	return append(tooTied(pairs), r.socketDoubts(window, class == ordering.ObserverObserver.String())...)
}

// tooTied says so when more pairs have no order than have one.
func tooTied(p ordering.Pairs) []string {
	if p.Tied <= p.AtRisk {
		return nil
	}
	return []string{fmt.Sprintf("%s are tied, more than the %s at risk: in most of what was looked at the stamps give no order",
		plural(int64(p.Tied), "pair"), thousands(int64(p.AtRisk)))}
}

// socketDoubts are the reasons not to believe an order between two sockets of one client. On one socket the bytes decide,
// and nothing can spoil that: observers that kept their stream are beyond all doubt, and so is a run in which every client
// got everything on one socket.
func (r *Report) socketDoubts(window string, observersOnly bool) []string {
	if r.Order.Mixed == 0 || observersOnly && r.total(SSEReconnects) == 0 {
		return nil
	}
	return r.stampDoubts(window)
}

// stampDoubts are the reasons not to believe what the stamps of two sockets say of their order.
func (r *Report) stampDoubts(window string) []string {
	var doubts []string
	if r.Run.Noise == nil {
		doubts = append(doubts, "the self-test of the harness was not made, so that nothing is known of the order between two sockets")
	}
	if r.ClockSteps > 0 {
		doubts = append(doubts, "the clock of the machine jumped "+plural(int64(r.ClockSteps), "time")+", and stamps order what came on two sockets")
	}
	tags := map[string]string{}
	if window != "" {
		tags["window"] = window
	}
	if m := r.find(GeneratorLag, tags); m != nil && m.Count > 0 {
		if late := m.percentile("p(99)", 99); late.Value > ms(float64(MaxOrderLag)) {
			doubts = append(doubts, fmt.Sprintf("the generator was saturated: its %s p(99) is %s, more than %s, and clients that read late can themselves turn "+
				"round what comes on two sockets", GeneratorLag, formatValue(late.Value, "ms"), formatDuration(MaxOrderLag)))
		}
	}
	return doubts
}

// exposure says why a budget on order is not held although its bound was kept: too little could have broken it.
func (r *Report) exposure(m *Metric) string {
	if !isOrder(m.Name) && m.Name != ResequencedDivergence {
		return ""
	}
	f := r.orderBehind(m)
	chances := m.Count
	switch m.Name {
	case EventsTouched:
		chances = int64(f.All.AtRisk)
	case FIFOConcurrent:
		return "" // it is no violation: a bound on it asks for no evidence
	}
	if chances >= MinAtRisk {
		return ""
	}
	return fmt.Sprintf("only %s could have broken it, and %s are needed", plural(chances, "pair"), thousands(MinAtRisk))
}
