package ordering

import (
	"cmp"
	"slices"
	"time"

	"holobench/history"
)

// walk carries out one Close: it visits every pair once and enters it where it belongs.
type walk struct {
	found      Divergence
	run        history.Run
	least      int64 // the smallest gap between intervals that proves an order
	forward    bool  // on no socket the stamps run backwards
	nodes      bool  // more than one node brought deliveries
	deliveries []delivery
	candidates []candidate // as deliveries number them
	events     []candidate // by channel, due time and name

	overall sum
	windows []sum
	channel sum
	proofs  [2][]proof // by Class
}

// sum adds up Figures.
type sum struct {
	Figures
	touched bitmap // indexes of events
	byPaths [1 << (lastPath + 1)]int
}

func (w *walk) all() {
	w.windows = make([]sum, len(w.run.Windows))
	from := time.Duration(0)
	for _, edge := range binEdges(w.found.Window) {
		w.found.Bins = append(w.found.Bins, Bin{From: from, To: edge})
		from = edge
	}
	for begin := 0; begin < len(w.events); {
		end := begin + 1
		for end < len(w.events) && w.events[end].channel == w.events[begin].channel {
			end++
		}
		w.walkChannel(begin, end)
		begin = end
	}
	w.found.Overall = w.overall.figures()
	for i := range w.windows {
		w.found.Windows = append(w.found.Windows, WindowFigures{w.run.Windows[i].Name, w.windows[i].figures()})
	}
	for class := range w.proofs {
		w.found.Witnesses = append(w.found.Witnesses, w.witnesses(Class(class))...)
	}
}

// walkChannel visits the pairs of the events of one channel.
func (w *walk) walkChannel(begin, end int) {
	w.channel = sum{}
	w.rank(begin, end)
	for k := begin; k < end; k++ {
		b := &w.events[k]
		sums := w.sumsOf(b.due)
		for _, s := range sums {
			s.Events++
		}
		for i := k - 1; i >= begin && w.close(&w.events[i], b); i-- {
			p := w.compare(&w.events[i], b)
			w.enter(&p, i, k, sums)
		}
	}
	w.walkBeyond(begin, end)
	w.found.Channels = append(w.found.Channels, ChannelFigures{w.events[begin].channel, w.channel.figures()})
}

// close tells whether b is due at most Window after a.
func (w *walk) close(a, b *candidate) bool { return b.due-a.due <= int64(w.found.Window) }

// rank numbers the events of one channel by first sight.
func (w *walk) rank(begin, end int) {
	for rank, k := range w.byFirst(begin, end) {
		w.events[k].rank = rank
	}
}

// byFirst returns the indexes of the events of one channel by first sight; those seen at the same time stand as they do in
// w.events.
func (w *walk) byFirst(begin, end int) []int {
	indexes := make([]int, 0, end-begin)
	for k := begin; k < end; k++ {
		indexes = append(indexes, k)
	}
	slices.SortStableFunc(indexes, func(i, k int) int { return cmp.Compare(w.events[i].first, w.events[k].first) })
	return indexes
}

// sumsOf returns where a pair whose later event was due then, or that event, is counted.
func (w *walk) sumsOf(due int64) []*sum {
	sums := []*sum{&w.overall, &w.channel}
	for i := range w.windows {
		window := &w.run.Windows[i]
		if at := due - w.run.Barrier; at >= window.From && at < window.To {
			sums = append(sums, &w.windows[i])
		}
	}
	return sums
}

// enter counts a pair due within Window; i and k are the indexes of its events.
func (w *walk) enter(p *pair, i, k int, sums []*sum) {
	apart := time.Duration(p.b.due - p.a.due)
	bin, exact := slices.BinarySearchFunc(w.found.Bins, apart, func(b Bin, d time.Duration) int { return cmp.Compare(b.To, d) })
	if exact && bin < len(w.found.Bins)-1 {
		bin++
	}
	p.enter(&w.found.Bins[bin].Classes)
	divergent := p.all.divergent()
	var paths Paths
	if divergent {
		evidence := w.evidence(p)
		class := p.class()
		w.proofs[class] = append(w.proofs[class], proof{margin: evidence.margin(), a: uint32(i), b: uint32(k)})
		paths = evidence.forwardPaths.fewest(evidence.backwardPaths)
	}
	for _, s := range sums {
		p.enter(&s.Classes)
		p.enterNodes(&s.Figures)
		s.FIFO.enter(p)
		s.Inversions += p.inversions()
		if p.all.shared >= 2 {
			s.TiedViews += p.all.shared - p.all.ordered()
		}
		if divergent {
			s.byPaths[paths]++
			s.touched.set(i)
			s.touched.set(k)
		}
	}
}

// walkBeyond looks for what goes wrong between events due further apart than Window. Clients can only disagree on two events
// when one was first seen somewhere before the other was seen by the last: that bounds the search, not Window.
func (w *walk) walkBeyond(begin, end int) {
	order := w.byFirst(begin, end)
	for n, i := range order {
		for _, k := range order[n+1:] {
			if w.events[k].first > w.events[i].last {
				break
			}
			a, b := &w.events[min(i, k)], &w.events[max(i, k)]
			if w.close(a, b) {
				continue
			}
			if p := w.compare(a, b); p.all.divergent() {
				for _, s := range w.sumsOf(b.due) {
					s.Beyond.Divergent++
					if p.class() == ObserverObserver {
						s.Beyond.ObserverObserver++
					}
				}
			}
		}
	}
	w.walkPublishers(begin, end)
}

// walkPublishers looks for FIFO violations between events due further apart than Window, publisher by publisher in the order
// of sending. latest is when the events up to there were seen by the last: before it no violation can begin.
func (w *walk) walkPublishers(begin, end int) {
	order := make([]*candidate, 0, end-begin)
	for k := begin; k < end; k++ {
		if e := &w.events[k]; e.command != nil && e.command.sent {
			order = append(order, e)
		}
	}
	slices.SortStableFunc(order, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(a.part.id.Publisher, b.part.id.Publisher),
			cmp.Compare(a.command.sentAt, b.command.sentAt), cmp.Compare(a.part.id.Seq, b.part.id.Seq))
	})
	latest := make([]int64, len(order))
	for n, b := range order {
		latest[n] = b.last
		if n == 0 || order[n-1].part.id.Publisher != b.part.id.Publisher {
			continue
		}
		for m := n - 1; m >= 0 && order[m].part.id.Publisher == b.part.id.Publisher && b.first <= latest[m]; m-- {
			w.fifoBeyond(order[m], b)
		}
		latest[n] = max(latest[n], latest[n-1])
	}
}

func (w *walk) fifoBeyond(a, b *candidate) {
	if a.due > b.due {
		a, b = b, a
	}
	if w.close(a, b) {
		return
	}
	p := w.compare(a, b)
	if sequential, wrong, ok := p.fifo(); ok && sequential && wrong > 0 {
		for _, s := range w.sumsOf(b.due) {
			s.Beyond.FIFOViolations++
		}
	}
}

// figures completes what was added up.
func (s *sum) figures() Figures {
	f := s.Figures
	f.Touched = s.touched.count()
	for paths, n := range s.byPaths {
		if n > 0 {
			f.ByPaths = append(f.ByPaths, PathCount{Paths(paths), n})
		}
	}
	return f
}
