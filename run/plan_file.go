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
		Name: f.Name, Seed: f.Seed, Scenario: history.Scenario{File: f.Path, Text: f.Text, Resized: f.Resized},
		Design: b.Design, Wire: b.Wire, Transport: target.Transport(b.Transport), Knobs: knobsFrom(&b.Knobs), Outbox: b.Outbox, Heartbeat: b.Heartbeat,
		Nodes: b.Nodes, Bus: Bus{Kind: b.Bus.Kind, URL: b.Bus.URL, Delay: b.Bus.Delay}, Spread: b.Spread,
		Drain: f.Drain, PairWindow: f.PairWindow,
		Warnings: f.Warnings(scenarios.Machine{Files: m.MaxFiles, Cores: m.CPUs}),
	}
	for _, h := range f.Server.Headers {
		p.Header = append(p.Header, http1.Field{Name: h.Name, Value: h.Value})
	}
	for _, c := range f.Clients {
		p.Groups = append(p.Groups, Group{Name: c.Name, Count: c.Count, Channel: c.ChannelOf, NoStream: !c.Streams})
	}
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
		p.Budgets = append(p.Budgets, history.Budget{Metric: b.Selector, Threshold: b.Threshold.Expression})
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
		Name: l.Name, Start: l.Start, Stages: l.Stages, Poisson: l.Poisson, Only: l.Only, Flood: l.Flood, Workers: l.Workers,
		Message: clients.Message{Channel: l.Channel, Name: l.Send},
	}
	text, literal := l.Payload.Text.Constant()
	if !literal || !l.Payload.Size.Constant() {
		return Load{}, fmt.Errorf("load %q: its payload differs from command to command, which this holobench does not do yet", l.Name)
	}
	load.Message.Text, load.Message.Size = text, l.Payload.Bytes(0.5, len(text))
	if l.Flood {
		return load, nil
	}
	load.Group = slices.IndexFunc(f.Clients, func(c scenarios.Clients) bool { return c.Name == l.By })
	if load.Group < 0 {
		return Load{}, fmt.Errorf("load %q is sent by %q, and there are no such clients", l.Name, l.By)
	}
	return load, nil
}
