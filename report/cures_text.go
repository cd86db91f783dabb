package report

import (
	"fmt"
	"strings"
	"time"

	"holobench/history"
	"holobench/ordering"
)

// cureDoubts are the reasons for which a figure of cures must not be judged. Behind a hold-back queue numbers decide, and no stamp.
func (r *Report) cureDoubts(m *Metric) []string {
	window := m.Tag("window")
	switch m.Name {
	case SeenElsewhereFirst, SeenElsewhereLead:
		doubts := r.stampDoubts(window)
		if t := r.cures.of(window); t.knower[ordering.NobodyFirst] > t.knower[ordering.OthersFirst]+t.knower[ordering.SenderFirst] {
			doubts = append(doubts, plural(t.knower[ordering.NobodyFirst], "command")+" tied, more than have an order: the stamps say too little")
		}
		return doubts
	case ResequencedDivergence:
		return tooTied(ordering.Pairs{AtRisk: int(m.Count), Tied: r.appPairs(window).Tied})
	}
	return nil
}

// of is what was found of a window; "" = of the whole run.
func (c *cures) of(window string) *cured {
	for i := range c.tallies {
		if c.windows.name(i) == window {
			return &c.tallies[i]
		}
	}
	return new(cured)
}

// appPairs are all pairs of a window, as apps saw them.
func (r *Report) appPairs(window string) ordering.Pairs {
	app := &r.cures.resequenced.App
	for i := range app.Windows {
		if app.Windows[i].Name == window {
			return app.Windows[i].All
		}
	}
	return app.Overall.All
}

// knownFacts say who knew of events first, and what clients missed that were away: they stand with the figures of order.
func (r *Report) knownFacts() []pageFact {
	var facts []pageFact
	t := r.cures.of("")
	others, sender := t.knower[ordering.OthersFirst], t.knower[ordering.SenderFirst]
	if t.knower != [len(t.knower)]int64{} {
		text := fmt.Sprintf("%s of %s had reached another client before their sender knew the outcome", thousands(others), plural(others+sender, "command"))
		if others > 0 {
			text += ", by " + spreadOf(&t.lead)
		}
		text += fmt.Sprintf("; %s without an order", thousands(t.knower[ordering.NobodyFirst]))
		if n := t.knower[ordering.SenderNeverKnew]; n > 0 {
			text += "; of " + thousands(n) + " their sender never knew"
		}
		facts = append(facts, pageFact{"seen elsewhere first", text})
	}
	if missed, caught := r.total(EventsMissedAway), r.total(EventsCaughtUp); missed+caught > 0 {
		text := fmt.Sprintf("%s that came back later missed %s and caught up %s", plural(int64(len(r.cures.absences)), "client"), plural(missed, "delivery"), thousands(caught))
		if most := r.cures.absences[0]; most.Missed > 0 {
			text += fmt.Sprintf("; client %d missed most, %s", most.Client, thousands(int64(most.Missed)))
		}
		facts = append(facts, pageFact{"while away", text})
	}
	if c := r.Order.Copies; c != (ordering.Copies{}) {
		facts = append(facts, pageFact{"copies", fmt.Sprintf("%s on one connection, %s by another stream (a reconnect), %s by reply and stream",
			thousands(int64(c.OneSocket)), thousands(int64(c.Reconnect)), thousands(int64(c.TwoWays)))})
	}
	return facts
}

// spreadOf prints the middle and the end of durations.
func spreadOf(h *Histogram) string {
	at := func(p float64) string { return formatMS(ms(float64(h.Percentile(p)))) }
	return fmt.Sprintf("p50 %s, p99 %s, max %s", at(50), at(99), formatMS(ms(float64(h.Max()))))
}

// cureFacts say what clients did themselves against an order that differs; none when nobody did.
func (r *Report) cureFacts() []pageFact {
	c, t := r.cures, r.cures.of("")
	var facts []pageFact
	if c.resequencer != nil {
		found := &c.resequenced
		facts = append(facts,
			pageFact{"resequencer", fmt.Sprintf("%s held %s of %s back (%s); held for %s; at most %s at a time", plural(int64(found.Clients), "client"),
				thousands(int64(found.Held)), plural(int64(found.Events), "delivery"), percent(found.Held, found.Events), spreadOf(&t.hold), thousands(t.depth.Max()/oneDepth))},
			pageFact{"gave up", fmt.Sprintf("%s; %s came late and out of order; %s without a number", plural(t.gaps, "number"),
				plural(int64(found.Late), "delivery"), thousands(int64(found.Unnumbered)))},
			pageFact{"order as it arrived", orderFact(&r.Order, found.InversionsArrived)},
			pageFact{"order as apps saw it", orderFact(&found.App, found.InversionsHanded)})
	}
	if c.optimistic != nil {
		facts = append(facts,
			pageFact{"optimistic", fmt.Sprintf("%s: confirmed after %s; %s rolled back (%s), %s of them by a conflict", plural(t.changes, "change"), spreadOf(&t.confirmed),
				thousands(t.rolledBack), percent(int(t.rolledBack), int(t.changes)), thousands(t.conflicts))},
			pageFact{"rebases", fmt.Sprintf("%s, below %s; a sender saw what no server had for %s", thousands(t.rebases), plural(t.redone, "change"), spreadOf(&t.wrong))})
	}
	return facts
}

func orderFact(d *ordering.Divergence, inversions int) string {
	p := d.Overall.All
	return fmt.Sprintf("%s of %s divergent (%s); %s against the numbers at one client", thousands(int64(p.Divergent)), plural(int64(p.AtRisk), "pair")+" at risk",
		percent(p.Divergent, p.AtRisk), plural(int64(inversions), "pair"))
}

// cureTitle says of whom the facts are.
func (r *Report) cureTitle() string {
	var names []string
	for _, g := range r.Run.Groups {
		if g.MaxHold > 0 || g.Optimistic {
			names = append(names, g.Name)
		}
	}
	return "What the clients (" + strings.Join(names, ", ") + ") did themselves, and what it cost; whole run"
}

func (p *printer) cures(r *Report) {
	facts := r.cureFacts()
	if len(facts) == 0 {
		return
	}
	p.line("")
	p.line("  " + p.paint(bold, "CURES") + "  " + clean(r.cureTitle()))
	p.line("")
	for _, f := range facts {
		p.dotted("", f.Name, f.Value)
	}
}

// pageCures is what the page shows of cures.
type pageCures struct {
	Title string
	Facts []pageFact
	Chart *figure
}

// pageCures is nil when nobody took any.
func (r *Report) pageCures() (*pageCures, error) {
	facts := r.cureFacts()
	if len(facts) == 0 {
		return nil, nil //nolint:nilnil // the template asks for it
	}
	p := &pageCures{Title: r.cureTitle(), Facts: facts}
	if r.cures.resequencer == nil {
		return p, nil
	}
	c := r.percentileChart("What the hold-back queue adds", []percentileLine{
		{FanoutLatency, "due to arrival", hueFirst}, {ResequencedLatency, "due to app", hueSecond}, {ResequenceHold, "held back", hueThird},
	})
	if len(c.curves) == 0 {
		return p, nil
	}
	f, err := c.figure("The first curve is of all clients, the others are of those that put events into order.")
	p.Chart = &f
	return p, err
}

// summaryCures is what summary.json says of cures beyond their metrics.
type summaryCures struct {
	Resequencer *summaryResequencer `json:"resequencer,omitempty"`
	Optimistic  *summaryOptimistic  `json:"optimistic,omitempty"`
}

type summaryResequencer struct {
	Clients           int          `json:"clients"`
	Events            int          `json:"events"` // (event, client)
	Held              int          `json:"held"`
	Late              int          `json:"late"`
	Unnumbered        int          `json:"unnumbered"`
	GivenUp           uint64       `json:"givenUp"` // (number, client)
	InversionsArrived int          `json:"inversionsArrived"`
	InversionsHanded  int          `json:"inversionsHanded"`
	App               summaryPairs `json:"app"`
}

type summaryOptimistic struct {
	Changes    int64 `json:"changes"`
	RolledBack int64 `json:"rolledBack"`
	Conflicts  int64 `json:"conflicts"`
	Rebases    int64 `json:"rebases"`
	Rebased    int64 `json:"rebased"` // changes below which any came
}

// maxAbsences is how many clients summary.json lists that were away.
const maxAbsences = 50

type summaryAbsence struct {
	Client   uint32 `json:"client"`
	Missed   int    `json:"missed"`
	CaughtUp int    `json:"caughtUp"`
}

func (r *Report) summaryAbsences() []summaryAbsence {
	list := []summaryAbsence{}
	for _, a := range r.cures.absences[:min(maxAbsences, len(r.cures.absences))] {
		list = append(list, summaryAbsence(a))
	}
	return list
}

// summaryKnown is who knew of events first.
type summaryKnown struct {
	Others      int64 `json:"others"`
	Sender      int64 `json:"sender"`
	Tied        int64 `json:"tied"`
	SenderNever int64 `json:"senderNever"`
}

func (r *Report) summaryCures() *summaryCures {
	c, t := r.cures, r.cures.of("")
	var s summaryCures
	if c.resequencer != nil {
		f := &c.resequenced
		s.Resequencer = &summaryResequencer{
			f.Clients, f.Events, f.Held, f.Late, f.Unnumbered, f.GivenUp, f.InversionsArrived, f.InversionsHanded, summarisePairs(f.App.Overall.All),
		}
	}
	if c.optimistic != nil {
		s.Optimistic = &summaryOptimistic{t.changes, t.rolledBack, t.conflicts, t.rebases, t.redone}
	}
	if s == (summaryCures{}) {
		return nil
	}
	return &s
}

func (r *Report) summaryKnown() summaryKnown {
	k := r.cures.of("").knower
	return summaryKnown{k[ordering.OthersFirst], k[ordering.SenderFirst], k[ordering.NobodyFirst], k[ordering.SenderNeverKnew]}
}

// AsIf makes the run one whose clients, but for floods, take cures: for a report that asks what they would have cost. With
// neither it leaves the run as it is.
func AsIf(run *history.Run, maxHold time.Duration, optimistic bool) {
	if maxHold > 0 {
		run.Warnings = append(run.Warnings, "this report was asked what a resequencer would have cost that holds events back for "+formatDuration(maxHold)+" at most")
	}
	if optimistic {
		run.Warnings = append(run.Warnings, "this report was asked what optimistic clients would have gone through")
	}
	floods := floodClients(run)
	for i := range run.Groups {
		g := &run.Groups[i]
		if _, flood := floods[g.First]; flood {
			continue
		}
		if maxHold > 0 {
			g.MaxHold = int64(maxHold)
		}
		g.Optimistic = g.Optimistic || optimistic
	}
}
