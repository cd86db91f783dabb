package scenarios

import (
	"slices"
	"strings"
	"time"
)

// Bounds of the time for which a resequencer holds an event back.
const (
	defaultMaxHold = 2 * time.Second
	maxMaxHold     = time.Minute
)

// cures resolves what the clients of a group do themselves against an order that differs from client to client.
func (r *resolver) cures(form *clientsForm, c *Clients) {
	if hold := &form.Resequence; hold.usable() {
		c.MaxHold = hold.MaxHold.or(defaultMaxHold)
		switch {
		case !c.Streams:
			r.add(hold.at, hold.path+": clients without a stream have nothing to put into order", "leave it out")
		case hold.MaxHold.usable() && c.MaxHold == 0:
			r.add(hold.MaxHold.at, hold.MaxHold.path+": with 0s nothing is ever waited for", "write how long an event may wait for one before it: max_hold: 2s")
		case c.MaxHold > maxMaxHold:
			r.add(hold.MaxHold.at, hold.MaxHold.path+": "+c.MaxHold.String()+" is more than the limit, "+maxMaxHold.String(), "")
		}
	}
	if c.Optimistic = form.Optimistic.or(false); c.Optimistic && !c.Streams {
		r.add(form.Optimistic.at, form.Optimistic.path+": clients without a stream show nothing", "leave it out")
	}
}

// cureWarnings are those about clients that put events into order which have no numbers, and about budgets on cures that nobody takes.
func (f *File) cureWarnings() []string {
	var warnings []string
	resequencers := slices.ContainsFunc(f.Clients, func(c Clients) bool { return c.MaxHold > 0 })
	optimists := slices.ContainsFunc(f.Clients, func(c Clients) bool { return c.Optimistic })
	for _, budget := range f.Budgets {
		switch {
		case strings.HasPrefix(budget.Metric, "resequence") && !resequencers:
			warnings = append(warnings, "budgets."+budget.Selector+": no clients put events into order, so that the figure has no data: write resequence: {} to some")
		case strings.HasPrefix(budget.Metric, "optimistic_") && !optimists:
			warnings = append(warnings, "budgets."+budget.Selector+": no clients are optimistic, so that the figure has no data: write optimistic: true to some")
		}
	}
	why := f.Server.whyNoNumbers()
	for _, c := range f.Clients {
		if c.MaxHold > 0 && why != "" {
			warnings = append(warnings, "clients."+c.Name+".resequence: "+why)
		}
	}
	return warnings
}

// whyNoNumbers says why clients cannot put the events of a channel into order; "" when they can, or nobody knows.
func (s *Server) whyNoNumbers() string {
	b, g := &s.Bundled, s.Protocol.Generic
	if s.URL != nil {
		if g != nil && !g.Identity.SequenceID && g.Identity.Sequence.whole() {
			return "the protocol file says of no event what number the server gave it, so that there is nothing to put into order: write identity: {server_seq: {json: PATH}} there"
		}
		return ""
	}
	ids := b.Knobs.Replay > 0 && b.Wire == JSONWire
	switch {
	case b.Knobs.Stamp != StampSequence && !ids:
		return "the events of this server bear no numbers, so that there is nothing to put into order: write stamp: sequence"
	case b.Nodes > 1 && b.Bus.Kind != JetStream && b.Spread != Sticky:
		return "over the bus " + b.Bus.Kind + " each node numbers by itself, and numbers of two nodes do not compare: take the bus " + JetStream
	}
	return ""
}
