package scenarios

// checkOwn refuses what a server of the user's own cannot be asked for by its protocol.
func (r *resolver) checkOwn(f *File) {
	if f.Server.URL == nil {
		return
	}
	p := &f.Server.Protocol
	if p.Wire == GenericWire && p.Generic != nil && p.Generic.Publish == nil && len(f.Load) > 0 {
		at := &r.form.Server.Protocol
		r.add(at.at, at.path+": the file does not say how a command is sent, and there is a load", `write publish: {request: {post: /publish, body: "${payload}"}}`)
	}
	if p.Wire == JSONWire {
		return
	}
	for _, e := range r.form.Load.list {
		if flood := &e.form.Flood; flood.or(false) {
			r.add(flood.at, flood.path+": a flood is plain POSTs in the wire "+JSONWire+", and the server is spoken to by "+p.Wire, "leave it out: then clients send")
		}
	}
}

// ownWarnings lists what the protocol of a server of the user's own makes of the rest of the scenario.
func (f *File) ownWarnings() []string {
	p := &f.Server.Protocol
	var warnings []string
	for _, g := range f.Guarantees {
		if len(p.Promises) > 0 && p.Promises[g.Name] == "" {
			warnings = append(warnings, "guarantees."+g.Name+": the protocol file does not promise it: if that is so, expect to see it violated")
		}
	}
	for _, budget := range f.Budgets {
		if budget.Metric == "own_latency" && p.SelfEcho == EchoNone {
			warnings = append(warnings, "budgets."+budget.Selector+": by the protocol file no sender hears of its own event, so that the figure has no data")
		}
	}
	return warnings
}
