package run

import (
	"fmt"

	"holobench/clients"
	"holobench/history"
	"holobench/scenarios"
	"holobench/target"
)

// EngineOf says which engine holds the streams of the i-th group on that machine, "" when they have none, and why it is another one
// than was asked for, or not the one of all of them; else why is "".
func (p *Plan) EngineOf(i int, m history.Machine) (engine clients.Engine, why string) {
	g := &p.Groups[i]
	if !g.listens() {
		return "", ""
	}
	switch g.Engine {
	case clients.EngineGoroutine:
		return g.Engine, ""
	case clients.EngineReference:
		if why = p.noReference(g); why != "" {
			return clients.EngineGoroutine, why
		}
		return g.Engine, ""
	case clients.EngineEpoll, clients.EngineAuto, "":
	}
	if why = p.noLoops(g, m); why != "" {
		return clients.EngineGoroutine, why
	}
	for f := range p.Faults {
		fault := &p.Faults[f]
		where := &fault.Where
		if _, ok := fault.Effect.(scenarios.LinkFault); !ok || where.Path == scenarios.PathCommand || !where.OnLinksOf(g.Name) {
			continue
		}
		if where.Share > 0 && where.Share < 1 {
			why = fmt.Sprintf("a goroutine each for those whose links the fault %q concerns", fault.Name)
			continue
		}
		return clients.EngineGoroutine, fmt.Sprintf("the fault %q concerns their links", fault.Name)
	}
	return clients.EngineEpoll, why
}

// asked is the engine that the clients of the i-th group are told of: whether a loop takes a stream is seen when it is there.
func (p *Plan) asked(i int) clients.Engine {
	g := &p.Groups[i]
	if g.Engine == clients.EngineReference && p.noReference(g) != "" {
		return clients.EngineGoroutine
	}
	return g.Engine
}

// noReference says why no stream of a group can be read by the reference engine; "" = it can.
func (p *Plan) noReference(g *Group) string {
	const needs = "the reference engine reads server-sent events that are asked for by GET, over HTTP/1.1"
	switch {
	case p.multiplexes(g):
		return needs
	case p.Server == nil && p.wire() != target.JSON:
		return needs + ", on the wire json"
	case p.Server == nil:
		return ""
	case p.Server.Protocol.Generic == nil && p.Server.Protocol.Wire != scenarios.JSONWire:
		return needs + ", on the wire json or by a protocol file"
	case p.Server.Protocol.Generic != nil:
		server := genericOf(&p.Server.Protocol, p.Server.URL)
		if !server.Idles() || server.Framing != clients.FrameSSE || server.Request.Method != "GET" || len(server.After) > 0 {
			return needs + ", and nothing more is to be done on the stream"
		}
	}
	return ""
}

// noLoops says why no stream of a group can be held by a loop; "" = nothing is known against it.
func (p *Plan) noLoops(g *Group, m history.Machine) string {
	switch {
	case !clients.HasLoops():
		return "this system has no epoll"
	case m.Stamps != "" && m.Stamps != "kernel":
		return "the kernel does not stamp what arrives"
	case g.ReadRate != 0:
		return "they read slowly"
	case g.Network != "":
		return "their links are those of a network of the kind " + g.Network
	case p.multiplexes(g):
		return "over HTTP/2 a stream shares its connection"
	case p.clientTLS() != nil, p.Server != nil && p.Server.URL.Scheme == "https":
		return "their connections are encrypted"
	case p.Server != nil && p.Server.Protocol.Generic != nil:
		if !genericOf(&p.Server.Protocol, p.Server.URL).Idles() {
			return "the protocol has something to time, to ask for or to answer on a stream"
		}
	case p.Server != nil:
		return waits(target.Wire(p.Server.Protocol.Wire))
	}
	return waits(p.wire())
}

// waits says why a receiver of that wire needs a goroutine; "" = it does not.
func waits(w target.Wire) string {
	if w == target.ChannelsWire || w == target.LongPollWire {
		return fmt.Sprintf("clients have heartbeats or polls to send on the wire %s", w)
	}
	return ""
}

// wantsLoops says whether a group has streams that loops can hold, and loops are to be had.
func (x *execution) wantsLoops() bool {
	for i := range x.plan.Groups {
		if engine, _ := x.plan.EngineOf(i, x.o.Machine); engine == clients.EngineEpoll {
			return x.o.Loops > 0
		}
	}
	return false
}

// startLoops makes what holds streams without a goroutine each, when a group wants that; what it returns ends it.
func (x *execution) startLoops() (stop func(), err error) {
	if !x.wantsLoops() {
		return func() {}, nil
	}
	if x.crowd.Loops, err = clients.StartLoops(x.o.Loops); err != nil {
		return nil, err
	}
	return x.crowd.Loops.Close, nil
}

// describeEngine fills in which engine holds the streams of a group.
func (x *execution) describeEngine(i int, g *history.Group) {
	engine, why := x.plan.EngineOf(i, x.o.Machine)
	if engine == clients.EngineEpoll && x.o.Loops <= 0 {
		engine, why = clients.EngineGoroutine, ""
	}
	g.Engine, g.EngineWhy = string(engine), why
}
