package run

import (
	"fmt"
	"slices"

	"holobench/clients"
	"holobench/history"
	"holobench/scenarios"
	"holobench/target"
	"holobench/wire/http1"
)

// FromFile makes the plan of a checked scenario. The machine on which it will be run is for the warnings.
func FromFile(f *scenarios.File, m history.Machine) (Plan, error) {
	b := &f.Server.Bundled
	p := Plan{
		Name: f.Name, Seed: f.Seed, Scenario: scenarioOf(f),
		Design: b.Design, Wire: b.Wire, Transport: target.Transport(b.Transport), Knobs: knobsFrom(&b.Knobs), Outbox: b.Outbox, Heartbeat: b.Heartbeat,
		Nodes: b.Nodes, Bus: Bus{Kind: b.Bus.Kind, URL: b.Bus.URL, Delay: b.Bus.Delay}, Spread: b.Spread,
		Drain: f.Drain, PairWindow: f.PairWindow,
	}
	if p.Server = serverOf(f); p.Server != nil {
		p.Design, p.Wire, p.Nodes, p.Breaker = "", p.Server.Protocol.Wire, 0, p.Server.Breaker
	}
	for _, h := range f.Server.Headers {
		p.Header = append(p.Header, http1.Field{Name: h.Name, Value: h.Value})
	}
	_, p.Expected = f.Estimates()
	p.Values, p.Feeds, p.AtEnd, p.Faults = f.Values, f.Feeds, f.AtEnd, f.Faults
	for _, c := range f.Clients {
		p.Groups = append(p.Groups, Group{
			Name: c.Name, Count: c.Count, Channel: c.ChannelOf, NoStream: !c.Streams, ChannelNumber: c.ChannelNumber, JoinOver: c.JoinOver, ReadRate: c.ReadRate,
			MaxHold: c.MaxHold, Optimistic: c.Optimistic,
			Network: c.Network, Engine: clients.Engine(c.Engine), HTTP: c.HTTP, Connections: c.Connections,
		})
	}
	limits := Limits(m)
	limits.Looped = func(group int) bool {
		engine, _ := p.EngineOf(group, m)
		return engine == clients.EngineEpoll
	}
	p.Warnings, p.Shortages, p.Sources = f.Warnings(limits), f.Shortages(limits), f.Sources(limits)
	for i := range f.Load {
		load, err := loadFrom(f, &f.Load[i])
		if err != nil {
			return Plan{}, err
		}
		p.Loads = append(p.Loads, load)
	}
	for _, w := range f.Windows {
		p.Windows = append(p.Windows, history.Window{Name: w.Name, From: int64(w.From), To: int64(w.To)})
	}
	for _, b := range f.Budgets {
		p.Budgets = append(p.Budgets, history.Budget{
			Metric: b.Selector, Threshold: b.Threshold.Expression, AbortOnFail: b.AbortOnFail, AbortDelay: int64(b.AbortDelay),
		})
	}
	for _, g := range f.Guarantees {
		p.Guarantees = append(p.Guarantees, history.Guarantee{Name: g.Name, Among: g.Among, AtRisk: g.AtRisk})
	}
	return p, nil
}

// knobsFrom says in the target's words what a scenario says in its own. There 0 events are none, here they are the design's
// own number.
func knobsFrom(k *scenarios.Knobs) target.Knobs {
	replay := k.Replay
	if replay == 0 {
		replay = -1
	}
	return target.Knobs{
		Dispatch: target.Dispatch(k.Dispatch), Stamp: target.Stamp(k.Stamp), Echo: target.Echo(k.Echo),
		Registry: target.Registry(k.Registry), WhenFull: target.WhenFull(k.WhenFull), FanoutOrder: target.FanoutOrder(k.FanoutOrder),
		Replay: replay, ServerTriggered: k.ServerTriggered,
	}
}

func loadFrom(f *scenarios.File, l *scenarios.Load) (Load, error) {
	load := Load{
		Name: l.Name, Start: l.Start, After: l.After, InFlight: l.InFlight, Only: l.Only, Flood: l.Flood, Workers: l.Workers,
		Stages: l.Stages, Arrivals: l.Arrivals, Closed: l.Closed, Burst: l.Burst, Reaction: l.Reaction, Capacity: l.Capacity,
		Message: clients.Message{Channel: l.Channel, Name: l.Send}, Payload: l.Payload, To: l.To, Flow: l.Flow,
	}
	text, literal := l.Payload.Text.Constant()
	if load.Message.Text = text; l.Payload.Size.Constant() {
		load.Message.Size = l.Payload.Bytes(0.5, len(text))
	}
	if l.Flood {
		if !literal || !l.Payload.Size.Constant() {
			return Load{}, fmt.Errorf("load %q: the payload of a flood is the same for all of its commands", l.Name)
		}
		return load, nil
	}
	load.Group = slices.IndexFunc(f.Clients, func(c scenarios.Clients) bool { return c.Name == l.By })
	if load.Group < 0 {
		return Load{}, fmt.Errorf("load %q is sent by %q, and there are no such clients", l.Name, l.By)
	}
	if by := &f.Clients[load.Group]; l.Channel != "" {
		load.Channel = func(sender int) string { return l.ChannelOf(by, sender) }
	}
	if l.Flow == nil && !literal { // what differs from command to command is worked out where flows are
		load.Flow = []scenarios.Step{&scenarios.Send{Name: l.Send, Payload: l.Payload, To: l.To}}
	}
	if l.Replay == nil {
		return load, nil
	}
	before, err := history.Open(l.Replay.Run)
	if err != nil {
		return Load{}, fmt.Errorf("load %q: %w", l.Name, err)
	}
	if load.Replay, err = ReadReplay(before, l.Replay.Load, l.Replay.Speed, l.Replay.For); err != nil {
		return Load{}, fmt.Errorf("load %q: %w", l.Name, err)
	}
	return load, nil
}
