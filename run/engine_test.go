package run_test

import (
	"testing"

	"holobench/clients"
	"holobench/history"
	"holobench/run"
	"holobench/scenarios"
	"holobench/target"
)

const noReference = "the reference engine reads server-sent events that are asked for by GET, over HTTP/1.1"

func TestEngineOf(t *testing.T) {
	t.Parallel()
	epoll, none := clients.EngineEpoll, ""
	if !clients.HasLoops() {
		epoll, none = clients.EngineGoroutine, "this system has no epoll"
	}
	link := func(where scenarios.Where) []scenarios.Fault {
		return []scenarios.Fault{{Name: "bad", Where: where, Effect: scenarios.LinkFault{Kind: "stall"}}}
	}
	for name, c := range map[string]struct {
		plan    run.Plan
		group   run.Group
		machine history.Machine
		engine  clients.Engine
		why     string
	}{
		"as it is":       {engine: epoll, why: none},
		"asked for":      {group: run.Group{Engine: clients.EngineEpoll}, engine: epoll, why: none},
		"not wanted":     {group: run.Group{Engine: clients.EngineGoroutine}, engine: clients.EngineGoroutine},
		"no stream":      {group: run.Group{NoStream: true}},
		"user stamps":    {machine: history.Machine{Stamps: "user"}, engine: clients.EngineGoroutine, why: "the kernel does not stamp what arrives"},
		"reference":      {group: run.Group{Engine: clients.EngineReference}, engine: clients.EngineReference},
		"no reference":   {plan: run.Plan{Wire: "hologram"}, group: run.Group{Engine: clients.EngineReference}, engine: clients.EngineGoroutine, why: noReference + ", on the wire json"},
		"over HTTP/2":    {plan: run.Plan{Transport: target.H2C}, group: run.Group{Engine: clients.EngineReference}, engine: clients.EngineGoroutine, why: noReference},
		"slow":           {group: run.Group{ReadRate: -1}, engine: clients.EngineGoroutine, why: "they read slowly"},
		"network":        {group: run.Group{Network: "wifi"}, engine: clients.EngineGoroutine, why: "their links are those of a network of the kind wifi"},
		"HTTP/2":         {plan: run.Plan{Transport: target.H2C}, engine: clients.EngineGoroutine, why: "over HTTP/2 a stream shares its connection"},
		"beside HTTP/2":  {plan: run.Plan{Transport: target.H2C}, group: run.Group{HTTP: 1}, engine: epoll, why: none},
		"of their own":   {plan: run.Plan{Server: new(scenarios.Server)}, group: run.Group{HTTP: 2}, engine: clients.EngineGoroutine, why: "over HTTP/2 a stream shares its connection"},
		"TLS":            {plan: run.Plan{Transport: target.TLS}, engine: clients.EngineGoroutine, why: "their connections are encrypted"},
		"channels":       {plan: run.Plan{Wire: "channels"}, engine: clients.EngineGoroutine, why: "clients have heartbeats or polls to send on the wire channels"},
		"all links":      {plan: run.Plan{Faults: link(scenarios.Where{Share: 1})}, engine: clients.EngineGoroutine, why: `the fault "bad" concerns their links`},
		"others' links":  {plan: run.Plan{Faults: link(scenarios.Where{Clients: "others", Share: 1})}, engine: epoll, why: none},
		"command links":  {plan: run.Plan{Faults: link(scenarios.Where{Path: scenarios.PathCommand, Share: 1})}, engine: epoll, why: none},
		"links of a few": {plan: run.Plan{Faults: link(scenarios.Where{Share: 0.1})}, engine: epoll, why: `a goroutine each for those whose links the fault "bad" concerns`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !clients.HasLoops() && c.engine != "" && c.group.Engine != clients.EngineGoroutine && c.group.Engine != clients.EngineReference {
				c.engine, c.why = epoll, none
			}
			p := c.plan
			if p.Design == "" {
				p.Design = string(target.SingleChannel)
			}
			c.group.Name, c.group.Count, c.group.Channel = "members", 3, func(int) string { return "room" }
			p.Groups = []run.Group{c.group}
			if engine, why := p.EngineOf(0, c.machine); engine != c.engine || why != c.why {
				t.Errorf("%q, %q, want %q, %q", engine, why, c.engine, c.why)
			}
		})
	}
}
