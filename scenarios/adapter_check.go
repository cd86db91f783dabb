package scenarios

import "net/url"

// checkOwn refuses what a server of the user's own cannot be asked for by its protocol.
func (r *resolver) checkOwn(f *File) {
	if f.Server.URL == nil {
		return
	}
	p := &f.Server.Protocol
	if p.Wire == GenericWire && p.Generic != nil && p.Generic.Publish == nil && f.commands() {
		at := &r.form.Server.Protocol
		r.add(at.at, at.path+": the file does not say how a command is sent, and there is a load", `write publish: {request: {post: /publish, body: "${payload}"}}; or let clients look on: load: {watch: {by: members, rate: 1/s, for: 60s, flow: [{think: 1s}]}}`)
	}
	if g := p.Generic; g != nil {
		r.checkPlaces(&f.Server, g)
		r.checkAnswered(f, g)
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

// commands says whether anybody sends something: a load whose flows send nothing lets clients look on.
func (f *File) commands() bool {
	for i := range f.Load {
		found := len(f.Load[i].Flow) == 0
		Walk(f.Load[i].Flow, func(s Step) {
			_, sends := s.(*Send)
			found = found || sends
		})
		if found {
			return true
		}
	}
	return false
}

// checkPlaces refuses a stream at another place than the server, and commands that go to another place over TLS.
func (r *resolver) checkPlaces(s *Server, g *Generic) {
	at := &r.form.Server.Protocol
	if to := g.Subscribe.Request.Elsewhere(s.URL); to != nil {
		r.add(at.at, at.path+": the file asks for the stream at "+to.Host+", and the server is at "+s.URL.Host, "let url be where the stream is; commands, a login and the other requests may go elsewhere")
	}
	if g.Publish == nil {
		return
	}
	if to := g.Publish.Request.Elsewhere(s.URL); to != nil && (to.Scheme != "http" || s.URL.Scheme != "http") {
		r.add(at.at, at.path+": the file sends commands to "+to.Host+", and the stream is at "+s.URL.Host+": two places go over plain http only", "let both be at one place, behind a proxy")
	}
}

// checkAnswered refuses commands of clients that could not hear the answer: each would wait for it in vain.
func (r *resolver) checkAnswered(f *File, g *Generic) {
	if g.Publish == nil || g.Publish.Reply.Stream == nil {
		return
	}
	for _, e := range r.form.Load.list {
		by := &e.form.By
		if c, ok := group(f.Clients, by.Clients.or("")); ok && !c.Streams {
			r.add(by.Clients.at, by.path+": the clients "+c.Name+" hold no stream, and by publish.reply.stream that is where a command is answered", "name clients that listen, or leave stream: none out")
		}
	}
}

// Elsewhere is where a request goes when that is another place than the server: a scheme and a host. What a client fills in behind
// them does not change it. Nil = it goes to the server.
func (q *Request) Elsewhere(server *url.URL) *url.URL {
	known, _ := q.URL.Append(nil, func(dst []byte, _ string) ([]byte, bool) { return dst, false })
	to, err := url.Parse(string(known))
	if err != nil || to.Host == "" || to.Host == server.Host && to.Scheme == server.Scheme {
		return nil
	}
	return &url.URL{Scheme: to.Scheme, Host: to.Host}
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
