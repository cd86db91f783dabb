package report

import (
	"fmt"
	"html/template"

	"holobench/ordering"
)

// pageOrder is what the page shows of order.
type pageOrder struct {
	Title        string
	Classes      []classRow
	Facts        []pageFact
	Chart        *figure
	Bins         []pageBin
	Witnesses    []pageWitness
	Channels     []pageChannel
	MoreChannels string
}

type pageBin struct{ Name, AtRisk, Originator, Observer, Share, Ties string }

type pageWitness struct {
	witness
	Folded       bool // all but the best of each class
	Wide, Narrow template.HTML
}

type pageChannel struct {
	Name   string
	Values []string
}

// maxPageChannels is how many channels the page lists; summary.json has all.
const maxPageChannels = 50

// pageOrder is nil when nobody saw an event.
func (r *Report) pageOrder() (*pageOrder, error) {
	o := &r.Order
	if o.Overall.Events == 0 {
		return nil, nil //nolint:nilnil // the template asks for it
	}
	p := &pageOrder{Title: r.pairsTitle(), Classes: r.classRows(), Facts: r.orderFacts()}
	for i := range o.Bins {
		b := &o.Bins[i]
		p.Bins = append(p.Bins, pageBin{
			Name: binName(b), AtRisk: thousands(int64(b.All.AtRisk)), Originator: thousands(int64(b.OriginatorObserver.Divergent)),
			Observer: thousands(int64(b.ObserverObserver.Divergent)), Share: thinPercent(b.All), Ties: thousands(int64(b.All.Tied)),
		})
	}
	if o.Overall.All.AtRisk > 0 {
		c := r.divergenceChart()
		f, err := c.figure("Of the pairs at risk whose commands were due so far apart, the share that came in two orders. The table below says how " +
			"many pairs stand behind each step.")
		if err != nil {
			return nil, err
		}
		p.Chart = &f
	}
	for _, w := range r.witnesses() {
		p.Witnesses = append(p.Witnesses, pageWitness{witness: w, Folded: w.Rank > 1, Wide: diagram(&w.Witness, wideWidth), Narrow: diagram(&w.Witness, narrowWidth)})
	}
	p.channels(r)
	return p, nil
}

func (p *pageOrder) channels(r *Report) {
	add := func(name string, f *ordering.Figures) {
		row := pageChannel{Name: name}
		for _, n := range []int{
			f.Events, f.All.AtRisk, f.OriginatorObserver.Divergent, f.ObserverObserver.Divergent, f.Inversions, f.All.Tied, f.Touched,
			f.FIFO.Violations, f.FIFO.Concurrent,
		} {
			row.Values = append(row.Values, thousands(int64(n)))
		}
		p.Channels = append(p.Channels, row)
	}
	for i := range r.Order.Windows {
		add(windowTitle(r.Order.Windows[i].Name), &r.Order.Windows[i].Figures)
	}
	for i := range r.Order.Channels {
		if i == maxPageChannels {
			p.MoreChannels = fmt.Sprintf("The first %d of %d channels; all of them are in %s.", maxPageChannels, len(r.Order.Channels), SummaryFile)
			break
		}
		add(r.names.Name(r.Order.Channels[i].Channel), &r.Order.Channels[i].Figures)
	}
}

// binName spells a bin: "below 1 ms", "1 to 2 ms".
func binName(b *ordering.Bin) string {
	if b.From == 0 {
		return "below " + formatDuration(b.To)
	}
	return formatDuration(b.From) + " to " + formatDuration(b.To)
}

// divergenceChart is the share of divergent pairs by the time between the due times of the two.
func (r *Report) divergenceChart() chart {
	bins := r.Order.Bins
	c := chart{title: "Divergence by time between the sends", xLabel: "due less than so many ms apart", yLabel: "divergent, %", xMax: float64(len(bins))}
	c.curves = []curve{{name: ordering.OriginatorObserver.String(), hue: hueSecond}, {name: ordering.ObserverObserver.String(), hue: hueFirst}}
	for i := range bins {
		b := &bins[i]
		c.xTicks = append(c.xTicks, tick{float64(i + 1), significant(ms(float64(b.To)))})
		for n, class := range classes(&b.Classes) {
			share := 0.0
			if class.pairs.AtRisk > 0 {
				share = 100 * float64(class.pairs.Divergent) / float64(class.pairs.AtRisk)
			}
			curve := &c.curves[n]
			curve.points = append(curve.points, point{float64(i), share}, point{float64(i + 1), share})
		}
	}
	return c
}

// thinPercent is the share of divergent pairs, with "~" when few pairs stand behind it.
func thinPercent(p ordering.Pairs) string {
	if p.AtRisk > 0 && p.AtRisk < ThinTail {
		return "~" + percent(p.Divergent, p.AtRisk)
	}
	return percent(p.Divergent, p.AtRisk)
}

func (r *Report) pageGuarantees() []pageCheck {
	var list []pageCheck
	for i := range r.Demands {
		g := &r.Demands[i]
		list = append(list, pageCheck{string(g.Verdict), verdictMark(g.Verdict), g.String(), g.Outcome()})
	}
	return list
}

func (r *Report) pagePromises() []pageCheck {
	var list []pageCheck
	for i := range r.Promises {
		p := &r.Promises[i]
		row := pageCheck{Class: "soft", Mark: "·", Name: p.Text(), Text: p.Seen}
		switch p.State {
		case Kept:
			row.Class, row.Mark = string(Held), verdictMark(Held)
		case Broken:
			row.Class, row.Mark = string(Violated), verdictMark(Violated)
		case Untested:
			row.Class, row.Mark = string(Unknown), verdictMark(Unknown)
		case Observed, Unseen:
		}
		list = append(list, row)
	}
	return list
}
