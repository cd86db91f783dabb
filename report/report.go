package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"holobench/history"
	"holobench/ordering"
)

// Report is what a run comes to: plain data, the same for the same history.
type Report struct {
	Run      history.Run
	Metrics  []Metric    // see Figures for the order
	Budgets  []Judgement // in the order of the scenario
	Order    ordering.Divergence
	Demands  []Guarantee // that the scenario makes, in its order
	Promises []Promise   // what the server promises of order, and what was seen of it
	Checks   []Check
	Troubles []Trouble   // what went wrong, by kind and reason
	Health   []Condition // of the generator
	Timeline []Moment
	Warnings []string // what its reader must know before any number
	Notes    []string // what helps to read the numbers right

	Rows       int64 // Observations
	Deliveries int64 // of them
	Events     int64 // commands that became events
	Channels   int   // in which events were seen
	Stray      int64 // deliveries at clients that were not subscribed

	Foreign       int64 // deliveries of events that no command is known to have caused
	ForeignEvents int64

	StealShare float64
	ClockSteps int
	Damaged    int // segments of the history

	names  *history.Names
	cures  *cures
	groups []*group // nil when there is one
}

// Trouble counts one way in which something went wrong.
type Trouble struct {
	Kind   string // of the Observation
	Reason string // foreign text, as it was observed
	Count  int64
}

// New computes the report of a history, in one pass over it. It fails when the history cannot be read at all; what is
// damaged in it becomes a warning and makes every budget unknown.
func New(h *history.History) (*Report, error) {
	f := NewFigures(&h.Run, h.Names)
	var members membership
	var order ordering.Analysis
	order.Window = time.Duration(h.Run.PairWindow)
	f.cures = newCures(&h.Run, h.Names)
	channels := make(map[uint32]struct{})
	groups := groupsOf(&h.Run, h.Names)
	err := h.Scan(func(batch []history.Observation) error {
		f.Add(batch)
		for _, g := range groups {
			g.add(batch)
		}
		members.add(batch)
		order.Add(batch)
		f.cures.add(batch)
		for i := range batch {
			if batch[i].Kind.BringsEvent() {
				channels[batch[i].Channel] = struct{}{}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("report run %q: %w", h.Run.Name, err)
	}
	if err := compareGroups(h, groups); err != nil {
		return nil, err
	}
	samples, err := h.Samples()
	if err != nil {
		return nil, fmt.Errorf("report run %q: %w", h.Run.Name, err)
	}
	members.close(h.Run, f)
	f.Close()
	f.cures.close(&h.Run)
	r := &Report{
		Run: h.Run, Checks: f.checks(&h.Run), Troubles: f.troubles(), Health: conditions(&h.Run, samples), Timeline: f.timeline.moments(),
		Rows: f.rows, Deliveries: f.deliveries, Events: f.tallies[whole].standing.events, Channels: len(channels),
		Stray: f.tallies[whole].standing.stray, ClockSteps: len(f.steps), Damaged: len(h.Damaged), Order: order.Close(h.Run), names: h.Names, cures: f.cures,
	}
	r.Metrics = append(append(f.metrics(&r.Order), capacity(&h.Run)...), converged(&h.Run)...)
	r.Metrics, r.groups = append(r.Metrics, groupMetrics(groups)...), groups
	r.StealShare = stealShare(r.Health)
	for _, b := range h.Run.Budgets {
		r.Budgets = append(r.Budgets, r.judge(r.asJudged(b)))
	}
	for _, g := range h.Run.Guarantees {
		r.Demands = append(r.Demands, r.demand(g))
	}
	r.Promises = r.promises(f)
	r.warn(h)
	r.Foreign, r.ForeignEvents = f.foreign, f.foreignEvents
	r.note()
	if n := f.tallies[whole].clients.abandoned; n == 1 {
		r.Notes = append(r.Notes, "1 command was on its way when the target died; http_req_failed leaves it out")
	} else if n > 1 {
		r.Notes = append(r.Notes, fmt.Sprintf("%s commands were on their way when the target died; http_req_failed leaves them out", thousands(n)))
	}
	return r, nil
}

// troubles lists what went wrong, the most frequent first.
func (f *Figures) troubles() []Trouble {
	var list []Trouble
	for t, n := range f.trouble {
		kind := t.kind.String()
		if t.kind == history.Heartbeat {
			kind = "stream"
		}
		list = append(list, Trouble{Kind: kind, Reason: f.names.Name(uint32(t.err)), Count: n})
	}
	slices.SortFunc(list, func(a, b Trouble) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Reason, b.Reason))
	})
	return list
}

// warn collects what makes a reader doubt the numbers.
func (r *Report) warn(h *history.History) {
	r.Warnings = append(r.Warnings, r.Run.Warnings...)
	for _, c := range r.Checks {
		if !c.Agree && r.Run.Ending == history.EndingComplete {
			r.Warnings = append(r.Warnings, fmt.Sprintf("the counts of %s differ by %s", c.Name, thousands(c.Difference())))
		}
	}
	for _, damage := range h.Damaged {
		r.Warnings = append(r.Warnings, "the history is damaged: "+damage)
	}
	if h.Torn > 0 {
		r.Warnings = append(r.Warnings, plural(int64(h.Torn), "segment")+" of the history not completed: what was seen last is missing")
	}
	if h.Unrecognised > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%s observations are of kinds that this version does not know", thousands(int64(h.Unrecognised))))
	}
	if r.Stray > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%s deliveries came to clients that were not subscribed", thousands(r.Stray)))
	}
	if dropped := r.total(DroppedIterations); dropped > 0 {
		r.Warnings = append(r.Warnings, plural(dropped, "command")+" dropped: the load was not the one that the scenario asks for")
	}
	if r.ClockSteps > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("the clock of the machine jumped %s: figures of time are unknown", plural(int64(r.ClockSteps), "time")))
	}
	if m := r.find(FanoutLatency, nil); m != nil && m.Negative > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%s deliveries arrived before they were due, by the clock: it was set back", thousands(m.Negative)))
	}
	if n := r.Run.Noise; n != nil && n.Wrong > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("the harness itself turned %d of %d pairs of known order round, by up to %s: what is closer has no order here",
			n.Wrong, n.Pairs, formatDuration(time.Duration(n.Floor))))
	}
	for i := range r.Promises {
		if p := &r.Promises[i]; p.State == Broken {
			r.Warnings = append(r.Warnings, "a promise of the server is broken: "+p.Name+" "+p.Promised+": "+p.Seen)
		}
	}
	for i := range r.Run.Groups {
		if g := &r.Run.Groups[i]; g.Engine == referenceEngine {
			r.Warnings = append(r.Warnings, "clients "+g.Name+" were read by another client (r3labs/sse): no arrival of theirs is stamped, so that their latency is when "+
				"that handed an event on, and on two sockets they give no order; docs/method.md says where it reads differently")
		}
	}
	if r.Run.Machine.Stamps == "user" {
		r.Warnings = append(r.Warnings, "arrivals were stamped by the generator, not by the kernel: its own lag is part of every latency")
	}
}

// note says how much of the latency is the generator's own, where that is more than a reader would guess, whatever the
// budgets allow.
func (r *Report) note() {
	if r.Foreign > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%s of %s that no command of this run is known to have caused, told apart by what the server calls them: "+
			"they are in the figures of order and duplicates, and in no latency", plural(r.Foreign, "delivery"), plural(r.ForeignEvents, "event")))
	}
	tags := map[string]string{}
	if window := r.mainWindow(); window != "" {
		tags["window"] = window
	}
	latency, delay := r.find(FanoutLatency, tags), r.find(PublishDelay, tags)
	if latency == nil || delay == nil || latency.Count == 0 || delay.Count == 0 {
		return
	}
	for _, p := range []float64{50, 99} {
		all, late := latency.percentile("", p), delay.percentile("", p)
		if late.Value > MaxLatenessShare*all.Value {
			r.Notes = append(r.Notes, fmt.Sprintf("the generator's own lateness in sending (publish_delay) has a p%g of %s, and is part of "+
				"fanout_latency, whose p%g is %s: latencies of this size speak of the generator as much as of the server",
				p, late.text("ms"), p, all.text("ms")))
			return
		}
	}
}

// Write computes the report of a history and hands its two files, report.html and summary.json, to put, which is to write
// each as a whole or not at all (history.Dir.WriteFile does).
func Write(h *history.History, put func(name string, data []byte) error) (*Report, error) {
	r, err := New(h)
	if err != nil {
		return nil, err
	}
	page, err := r.HTML()
	if err != nil {
		return nil, err
	}
	summary, err := r.Summary()
	if err != nil {
		return nil, err
	}
	if err := put(SummaryFile, summary); err != nil {
		return nil, err
	}
	return r, put(PageFile, page)
}

// The files of a report in the directory of its run.
const (
	SummaryFile = "summary.json"
	PageFile    = "report.html"
)
