package scenarios

import (
	"fmt"
	"slices"
)

// Warnings lists what the user wants to know before the run on m, in a fixed order.
func (f *File) Warnings(m Machine) []string {
	warnings := slices.Concat(f.LeftOut, f.machineWarnings(m), f.channelWarnings(), f.loadWarnings(), f.flowWarnings(), f.faultWarnings(), f.serverWarnings(m.Cores), f.cureWarnings())
	for _, h := range f.Server.Headers {
		if h.clear {
			warnings = append(warnings, fmt.Sprintf("server.headers.%s stands in the file in clear: write ${env.NAME} to keep a secret out of it", h.Name))
		}
	}
	return warnings
}

// channelWarnings are those about channels that nobody listens to.
func (f *File) channelWarnings() []string {
	var warnings []string
	listened, anything := f.listened()
	for _, c := range f.Clients {
		nobody := 0
		for _, name := range c.ChannelNames {
			if !listened[name] {
				nobody++
			}
		}
		if c.Streams && nobody > 0 && !anything {
			warnings = append(warnings, fmt.Sprintf("clients.%s: %d clients leave %d of their %d channels without a subscriber", c.Name, c.Count, nobody, len(c.ChannelNames)))
		}
	}
	for i := range f.Load {
		l := &f.Load[i]
		if l.Flood || anything { // a flood is plain POSTs, which nobody need hear
			continue
		}
		names, _ := f.channelsOf(l)
		if at := slices.IndexFunc(names, func(name string) bool { return !listened[name] }); at >= 0 {
			warnings = append(warnings, fmt.Sprintf("load.%s: nobody listens on the channel %q, so that its commands reach nobody", l.Name, names[at]))
		}
	}
	return warnings
}

// listened lists the channels that clients listen to, those that a flow adds included. Where a flow may add any, anything is true.
func (f *File) listened() (channels map[string]bool, anything bool) {
	channels = map[string]bool{}
	for i := range f.Clients {
		for name := range f.Clients[i].listeners(f.Clients[i].Count) {
			channels[name] = true
		}
	}
	for i := range f.Load {
		Walk(f.Load[i].Flow, func(step Step) {
			if s, ok := step.(*Subscribe); ok {
				text, constant := s.Channel.Constant()
				channels[text] = true
				anything = anything || !constant
			}
		})
	}
	return channels, anything
}

// loadWarnings are those about loads that have nothing to do.
func (f *File) loadWarnings() []string {
	var warnings []string
	for i := range f.Load {
		l := &f.Load[i]
		if l.Reaction != nil && !f.sendsName(l.Reaction.Event) {
			warnings = append(warnings, fmt.Sprintf("load.%s: no load sends %q, so that there is nothing to react to", l.Name, l.Reaction.Event))
		}
		if l.Capacity != nil && len(f.Budgets) == 0 {
			warnings = append(warnings, fmt.Sprintf("load.%s: there is no budget that could fail, so that every rate is good: add what must hold", l.Name))
		}
	}
	return warnings
}

// sendsName tells whether some load sends a command of that name.
func (f *File) sendsName(name string) bool {
	for i := range f.Load {
		for _, s := range f.Load[i].sending() {
			if s.Name == name {
				return true
			}
		}
		for _, s := range sends(f.Load[i].Flow) { // those on replies, too
			if s.Name == name {
				return true
			}
		}
	}
	return false
}

// faultWarnings are those about budgets on what faults do by design.
func (f *File) faultWarnings() []string {
	if f.Server.URL != nil || f.Server.Bundled.Knobs.Replay > 0 {
		return nil
	}
	var warnings []string
	for _, b := range f.Budgets {
		if b.Metric != "events_lost" && b.Metric != "reach" {
			continue
		}
		at := slices.IndexFunc(f.Faults, func(fault Fault) bool { return fault.Effect.CutsStreams() && f.touches(&fault, b.Tags[TagWindow]) })
		if at < 0 {
			continue
		}
		warnings = append(warnings, fmt.Sprintf(
			"budgets.%s: the fault %s ends streams, and the design %s sends nothing again: its clients miss by design what is sent meanwhile, and the budget does not see it, "+
				"since nothing is owed to who is away; a design with replay, such as %s, sends it again", b.Selector, f.Faults[at].Name, f.Server.Bundled.Design, SingleChannel))
	}
	return warnings
}

// touches tells whether a fault is at work in a window; "" is the whole run.
func (f *File) touches(fault *Fault, window string) bool {
	at := slices.IndexFunc(f.Windows, func(w Window) bool { return w.Name == window })
	if at < 0 {
		return window == ""
	}
	w := &f.Windows[at]
	for _, begins := range fault.Begins(f.End()) {
		if begins < w.To && begins+fault.For > w.From {
			return true
		}
	}
	return false
}
