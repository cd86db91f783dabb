package scenarios

import (
	"strconv"
	"strings"
	"time"
)

// Defaults of a subscription: those of a browser's EventSource as Chrome has it.
const defaultLeast = 3 * time.Second

// maxRequests bounds a list of requests.
const maxRequests = 50

// generic resolves what a protocol file says of the wire generic.
func (a *adapter) generic(form *protocolForm) *Generic {
	a.vars(&form.Vars)
	g := &Generic{Tokens: a.tokensOf(&form.JWT), Cookies: a.oneOf(&form.Cookies, "kept", []string{"kept", "none"}) == "kept"}
	sub := &form.Subscribe
	a.collect(&form.Setup)
	a.collect(&sub.Before)
	a.know(&sub.Request.Capture)
	a.know(&sub.Ready.Capture)
	a.collect(&sub.After)
	for _, e := range form.Events.React.items {
		a.know(&e.Capture)
		a.know(&e.Request.Capture)
	}
	g.Setup = a.requests(&form.Setup)
	a.require(&sub.spot, &form.spot, "subscribe", "say how the stream is asked for: subscribe: {request: {get: /events}}")
	g.Subscribe = a.subscription(sub)
	g.Events = a.events(&form.Events)
	if form.Publish.given() {
		g.Publish = a.publication(&form.Publish, form.Identity.ReplyID.given())
		if form.Identity.Marker.v != MarkerInt53 { // a number needs no quotes
			a.checkJSON(&form.Publish.Request)
		}
	}
	g.Identity = a.identity(&form.Identity, g)
	if g.Subscribe.Framing == FrameRaw {
		a.raw(form, g.Identity.Form)
	}
	return g
}

// vars makes the constants of a protocol file known. One may stand in those behind it.
func (a *adapter) vars(form *named[text]) {
	a.fixed = make(map[string]string)
	for _, e := range form.list {
		a.checkKey(e.key, "vars")
		t := a.template(&e.form)
		value, ok := t.Constant()
		if !ok {
			var filled []byte
			filled, _ = t.Append(nil, func(dst []byte, _ string) ([]byte, bool) { return dst, false })
			value = string(filled)
			if uses := t.Uses(); len(uses) > 0 {
				a.add(e.form.at, e.form.path+": a constant cannot hold "+quote(uses[0])+", which each client has its own of", "write ${env.NAME}, or the name of one above")
			}
		}
		a.fixed[e.name] = value
	}
}

// subscription resolves how a client comes to its stream.
func (a *adapter) subscription(form *subscribeForm) Subscription {
	a.require(&form.Request.spot, &form.spot, "request", "say how the stream is asked for: request: {get: /events}")
	s := Subscription{
		Before: a.requests(&form.Before), Request: a.request(&form.Request, "200"), After: a.requests(&form.After),
		Framing: a.oneOf(&form.Framing, FrameSSE, []string{FrameSSE, FrameNDJSON, FrameLongPoll, FrameRaw}),
		Silence: form.Silence.or(0), Reconnect: a.backoff(&form.Reconnect),
	}
	if len(s.Request.Captures) > 0 {
		a.add(form.Request.Capture.at, form.Request.Capture.path+": the answer to this request is the stream", "capture from the event that comes first: ready: {match: {event: hello}, capture: {...}}")
	}
	if form.Ready.given() {
		a.require(&form.Ready.Match.spot, &form.Ready.spot, "match", "say which event it is: match: {event: hello}")
		s.Ready = &Awaited{Match: a.match(&form.Ready.Match), Captures: a.captures(&form.Ready.Capture)}
	}
	switch {
	case form.Resume.given():
		s.Resume = a.fields(&form.Resume, true)
	case s.Framing == FrameSSE:
		lastID, _ := ParseTemplate("${last_id}")
		s.Resume = []Field{{Name: "Last-Event-ID", Value: lastID}}
	}
	if form.LostIf.given() {
		a.require(&form.LostIf.Header.spot, &form.LostIf.spot, "header", "name the header field of the answer")
		a.require(&form.LostIf.DiffersFrom.spot, &form.LostIf.spot, "differs_from", `say what it must be: differs_from: "${last_id}"`)
		s.LostIf = &LostIf{Header: form.LostIf.Header.or(""), Other: a.template(&form.LostIf.DiffersFrom)}
	}
	s.Node = a.template(&form.Node)
	return s
}

// backoff resolves subscribe.reconnect.
func (a *adapter) backoff(form *backoffForm) Backoff {
	b := Backoff{
		Least: form.Least.or(defaultLeast), Factor: float64(a.upTo(&form.Factor, 1, 10, "a pause can grow by")),
		Retry: a.oneOf(&form.Retry, "honoured", []string{"honoured", "ignored"}) == "honoured",
		Stop:  a.oneOf(&form.AtEnd, "reconnect", []string{"reconnect", "stop"}) == "stop",
	}
	b.Most = form.Most.or(b.Least)
	if form.Most.given() && b.Most < b.Least {
		a.add(form.Most.at, form.Most.path+": "+b.Most.String()+" is less than the first pause, "+b.Least.String(), "")
	}
	if form.Jitter.usable() {
		percent, err := strconv.ParseFloat(strings.TrimSuffix(form.Jitter.v, "%"), 64)
		if err != nil || percent < 0 || percent > 100 || !strings.HasSuffix(form.Jitter.v, "%") {
			a.add(form.Jitter.at, form.Jitter.path+": "+quote(form.Jitter.v)+" is no part of the pause", "write a percentage: 25%")
		}
		b.Jitter = percent / 100
	}
	return b
}

// match resolves what an event must be.
func (a *adapter) match(form *matchForm) EventMatch {
	m := EventMatch{Event: form.Event.or(""), Empty: form.Empty.or(false)}
	add := func(at *node, path string, by Selector, is string) {
		by, err := by.Compile()
		if err != nil {
			a.addError(at, path, err)
		}
		m.All = append(m.All, Match{By: by, Is: is})
	}
	for _, e := range form.JSON.list {
		add(e.key, form.JSON.path, Selector{JSON: e.name}, e.form.or(""))
	}
	for _, path := range form.Has.items {
		if path.usable() {
			add(path.at, path.path, Selector{JSON: path.v}, "")
		}
	}
	if form.Regex.usable() {
		add(form.Regex.at, form.Regex.path, Selector{Regex: form.Regex.v}, "")
	}
	if form.usable() && m.Event == "" && !m.Empty && len(m.All) == 0 {
		a.add(form.at, form.path+" says nothing of the event", "write event, empty, json, has or regex")
	}
	return m
}

// events resolves what an event is.
func (a *adapter) events(form *eventsForm) EventRules {
	var rules EventRules
	for _, m := range form.Ignore.items {
		rules.Ignore = append(rules.Ignore, a.match(m))
	}
	for _, m := range form.Disconnect.items {
		rules.Disconnect = append(rules.Disconnect, a.match(m))
	}
	for _, e := range form.React.items {
		a.require(&e.Match.spot, &e.spot, "match", "say which event it is: match: {event: ping}")
		a.require(&e.Request.spot, &e.spot, "request", "say what answers it: request: {post: /pong}")
		rules.React = append(rules.React, EventReaction{Match: a.match(&e.Match), Captures: a.captures(&e.Capture), Request: a.request(&e.Request, "2xx")})
	}
	if form.Message.Match.given() {
		rules.Message = a.match(&form.Message.Match)
	}
	if form.Message.Payload.given() {
		rules.Payload = a.selector(&form.Message.Payload, "whole")
	}
	return rules
}

// publication resolves how a command is sent; joined says that its reply tells which event it makes.
func (a *adapter) publication(form *publishForm, joined bool) *Publication {
	a.know(&form.Reply.Capture)
	a.sends = true
	a.require(&form.Request.spot, &form.spot, "request", `say how a command is sent: request: {post: /publish, body: "${payload}"}`)
	p := &Publication{Request: a.request(&form.Request, "2xx")}
	a.sends = false
	if len(p.Request.Captures) > 0 {
		a.add(form.Request.Capture.at, form.Request.Capture.path+": what the answer to a command brings stands in publish.reply", "write reply: {capture: {...}}")
	}
	if form.Request.given() && !joined && !commandBearsMarker(p) {
		a.add(form.Request.at, form.Request.path+" sends neither the payload nor the marker, so that no event could be recognised", `put ${payload} where the app passes it on: json: '{"text": ${payload|json}}'`)
	}
	if form.OK.given() {
		p.OK = a.match(&form.OK)
		if form.OK.Event.given() {
			a.add(form.OK.Event.at, form.OK.Event.path+": an answer is no event, and has no name", "write json, has or regex")
		}
	}
	reply := &form.Reply
	p.Reply = Reply{Framing: a.oneOf(&reply.Framing, "", []string{FrameSSE, FrameNone}), Capture: a.captures(&reply.Capture)}
	if reply.End.given() {
		end := a.match(&reply.End)
		p.Reply.End = &end
		if p.Reply.Framing != FrameSSE {
			a.add(reply.End.at, reply.End.path+": only an answer of events has one that ends it", "write framing: sse, or leave it out")
		}
	}
	p.Reply.Stream = a.answer(reply)
	return p
}

// commandBearsMarker says whether something of a command tells which one it is.
func commandBearsMarker(p *Publication) bool {
	parts := append([]Field{{Value: p.Request.URL}, {Value: p.Request.Body}}, p.Request.Form...)
	for i := range append(parts, p.Request.Headers...) {
		var t *Template
		if i < len(parts) {
			t = &parts[i].Value
		} else {
			t = &p.Request.Headers[i-len(parts)].Value
		}
		for _, name := range t.Uses() {
			if name == "payload" || name == "marker" || strings.HasPrefix(name, "with.") {
				return true
			}
		}
	}
	return false
}
