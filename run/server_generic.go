package run

import (
	"net/url"
	"strconv"
	"strings"

	"holobench/clients"
	"holobench/history"
	"holobench/scenarios"
	"holobench/wire"
	"holobench/wire/hologram"
	"holobench/wire/http1"
)

// genericOf says in the clients' words what a protocol file says of the wire generic.
func genericOf(p *scenarios.Protocol, server *url.URL) *clients.Generic {
	g := p.Generic
	sub := &g.Subscribe
	made := &clients.Generic{
		Setup: stepsOf(g.Setup), Before: stepsOf(sub.Before), Request: stepOf(&sub.Request), After: stepsOf(sub.After),
		Framing: clients.Framing(sub.Framing), Resume: namedOf(sub.Resume), Silence: sub.Silence,
		Pause: clients.Pause{
			Least: sub.Reconnect.Least, Most: sub.Reconnect.Most, Factor: sub.Reconnect.Factor, Jitter: sub.Reconnect.Jitter,
			Retry: sub.Reconnect.Retry, Stop: sub.Reconnect.Stop,
		},
		Ignore: rulesOf(g.Events.Ignore), Disconnect: rulesOf(g.Events.Disconnect), Message: ruleOf(&g.Events.Message),
	}
	identify(made, &g.Identity)
	if !sub.Node.Empty() {
		made.Node = textOf(&sub.Node)
	}
	if sub.Ready != nil {
		made.Ready = &clients.Awaited{Rule: ruleOf(&sub.Ready.Match), Captures: capturesOf(sub.Ready.Captures)}
	}
	if sub.LostIf != nil {
		made.Lost = &clients.LostIf{Field: sub.LostIf.Header, Other: textOf(&sub.LostIf.Other)}
	}
	for i := range g.Events.React {
		r := &g.Events.React[i]
		made.React = append(made.React, clients.Reaction{
			Awaited: clients.Awaited{Rule: ruleOf(&r.Match), Captures: capturesOf(r.Captures)}, Step: stepOf(&r.Request),
		})
	}
	if s := &g.Events.Payload; s.JSON != "" || s.Regex != "" {
		made.Payload = pickOf(s)
	}
	if g.Publish != nil {
		made.Publish = publishOf(p, server)
	}
	return made
}

func publishOf(p *scenarios.Protocol, server *url.URL) *clients.Publish {
	from := p.Generic.Publish
	made := &clients.Publish{
		Step: stepOf(&from.Request), Captures: capturesOf(from.Reply.Capture),
		Echo:  p.SelfEcho == scenarios.EchoReply && from.Reply.Framing != scenarios.FrameNone,
		Parts: from.Reply.Framing == scenarios.FrameSSE,
	}
	if len(from.OK.All) > 0 || from.OK.Empty {
		made.OK = ruleOf(&from.OK)
	}
	if to := from.Request.Elsewhere(server); to != nil {
		made.Addr = addressOf(to)
	}
	if answer := from.Reply.Stream; answer != nil {
		made.Answer = &clients.Answered{Find: pickOf(&answer.By), Is: textOf(&answer.Is)}
	}
	if from.Reply.End != nil {
		made.End = ruleOf(from.Reply.End)
	}
	return made
}

func stepsOf(requests []scenarios.Request) []clients.Step {
	var all []clients.Step
	for i := range requests {
		all = append(all, stepOf(&requests[i]))
	}
	return all
}

func stepOf(q *scenarios.Request) clients.Step {
	s := clients.Step{
		Where: q.Path, Method: q.Method, URL: textOf(&q.URL), Fields: namedOf(q.Headers), Form: namedOf(q.Form),
		Captures: capturesOf(q.Captures), Stay: q.Stay,
		Takes: func(status int) bool { return takes(q.Statuses, status) },
	}
	if !q.Body.Empty() {
		s.Body = textOf(&q.Body)
	}
	return s
}

// takes says whether a status is one of those, or of a class of those.
func takes(statuses []string, status int) bool {
	text := strconv.Itoa(status)
	for _, s := range statuses {
		if s == text || strings.HasSuffix(s, "xx") && s[0] == text[0] {
			return true
		}
	}
	return false
}

func namedOf(fields []scenarios.Field) []clients.Named {
	var all []clients.Named
	for i := range fields {
		all = append(all, clients.Named{Name: fields[i].Name, Value: textOf(&fields[i].Value)})
	}
	return all
}

func textOf(t *scenarios.Template) clients.Text {
	return func(dst []byte, names clients.Names) ([]byte, string) { return t.Append(dst, names) }
}

func capturesOf(captures []scenarios.Captured) []clients.Capture {
	var all []clients.Capture
	for i := range captures {
		all = append(all, clients.Capture{Name: captures[i].Name, Find: pickOf(&captures[i].By)})
	}
	return all
}

func pickOf(s *scenarios.Selector) clients.Pick {
	return func(text []byte, fields []http1.Field) ([]byte, bool) {
		part, ok := s.Find(text, func(name string) string {
			for _, f := range fields {
				if strings.EqualFold(f.Name, name) {
					return f.Value
				}
			}
			return ""
		})
		return []byte(part), ok
	}
}

func rulesOf(matches []scenarios.EventMatch) []clients.Rule {
	var all []clients.Rule
	for i := range matches {
		all = append(all, ruleOf(&matches[i]))
	}
	return all
}

func ruleOf(m *scenarios.EventMatch) clients.Rule { return m.Matches }

func tokensOf(g *scenarios.Generic) []clients.Token {
	var all []clients.Token
	for i := range g.Tokens {
		t := &g.Tokens[i]
		made := clients.Token{Name: t.Name, Alg: t.Alg, Key: textOf(&t.Key), Claims: textOf(&t.Claims), TTL: t.TTL}
		if !t.Header.Empty() {
			made.Header = textOf(&t.Header)
		}
		all = append(all, made)
	}
	return all
}

// appOf says in the clients' words what a protocol file says of an app on Hologram.
func appOf(a *scenarios.App) *clients.HologramApp {
	made := &clients.HologramApp{Page: textOf(&a.Page), Module: a.Module, Target: a.Target, Receipts: a.Receipts}
	if !a.Command.Empty() {
		made.Command = textOf(&a.Command)
	}
	kinds := map[string]hologram.Kind{
		scenarios.ParamText: hologram.KindBitstring, scenarios.ParamAtom: hologram.KindAtom,
		scenarios.ParamInteger: hologram.KindInteger, scenarios.ParamFloat: hologram.KindFloat,
	}
	for i := range a.Params {
		p := &a.Params[i]
		made.Params = append(made.Params, clients.HologramParam{Name: p.Name, Kind: kinds[p.Type], Value: textOf(&p.Value)})
	}
	return made
}

// scenarioOf is what run.json says of the files that a run carried out.
func scenarioOf(f *scenarios.File) history.Scenario {
	s := history.Scenario{File: f.Path, Text: f.Text, Resized: f.Resized}
	if p := &f.Server.Protocol; f.Server.URL != nil && p.File != "" {
		s.Protocol = &history.Protocol{File: p.File, Text: p.Text}
	}
	return s
}

// identify says in the clients' words how events get their names.
func identify(made *clients.Generic, id *scenarios.Identity) {
	made.Marker, made.Numbered, made.PerStream = wire.Marking(id.Form), id.SequenceID, id.PerStream
	if id.Check != scenarios.CheckNone {
		made.Succession = clients.Succession(id.Check)
	}
	if s := &id.Sequence; s.JSON != "" || s.Regex != "" {
		made.Sequence = pickOf(s)
	}
	if id.Foreign != nil {
		made.Foreign = id.Foreign.Of
	}
	if id.Reply != nil {
		made.Replies = &clients.Replies{Reply: pickOf(id.Reply), Event: id.Event.Of}
	}
}

// joinReplies lets what the clients see go through what joins replies and events, where there is such a thing.
func (x *execution) joinReplies() {
	if g := x.crowd.Own.Generic; g != nil && g.Replies != nil {
		g.Replies.Take, g.Replies.Now = x.crowd.Observe, x.now
		x.crowd.Observe = g.Replies.Observe
	}
}
