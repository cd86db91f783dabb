package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"holobench/run"
	"holobench/scenarios"
	"holobench/target"
)

// knobFlags are the flags of serve that turn a knob of the design. What is not given is the design's own.
type knobFlags struct {
	wire, dispatch, stamp, echo, registry, whenFull, fanoutOrder, serverTriggered string

	outbox, replay int
	heartbeat      time.Duration
	seed           uint64
}

// register adds the flags to serve.
func (k *knobFlags) register(c *cobra.Command) {
	text := func(to *string, name, usage string, own func(target.Knobs) string) {
		c.Flags().StringVar(to, name, "", usage+" (default: "+ownSettings(own)+")")
	}
	text(&k.dispatch, "dispatch", "how events of one channel are handed out, concurrent or serialized",
		func(k target.Knobs) string { return string(k.Dispatch) })
	text(&k.stamp, "stamp", "what an event bears, sequence = its number in the channel, or none",
		func(k target.Knobs) string { return string(k.Stamp) })
	text(&k.echo, "echo", "by which way a sender hears of its own event, reply, stream or none",
		func(k target.Knobs) string { return string(k.Echo) })
	text(&k.registry, "registry", "where a node looks for the sender's stream, node-local or shared",
		func(k target.Knobs) string { return string(k.Registry) })
	text(&k.whenFull, "when-full", "what becomes of a subscriber with a full outbox, cut, drop-oldest or coalesce",
		func(k target.Knobs) string { return string(k.WhenFull) })
	text(&k.fanoutOrder, "fanout-order", "in which order an event goes to its subscribers, registration or shuffled",
		func(k target.Knobs) string { return string(k.FanoutOrder) })
	c.Flags().IntVar(&k.replay, "replay", 0, "how many events of a channel are kept for streams that come back, 0 = none (default: "+
		ownSettings(func(k target.Knobs) string { return strconv.Itoa(k.Replay) })+")")
	c.Flags().StringVar(&k.serverTriggered, "server-triggered", "", "rate of events that no client caused, in each channel, such as 5/s (default: none)")
	c.Flags().IntVar(&k.outbox, "outbox", 0, "how many events may wait for one subscriber (default: 1024)")
	c.Flags().DurationVar(&k.heartbeat, "heartbeat", 0, "a stream that was silent for so long gets a comment (default: 15s)")
	c.Flags().Uint64Var(&k.seed, "seed", 0, "of what is drawn at random: --fanout-order shuffled")
	c.Flags().StringVar(&k.wire, "wire", "", "how clients speak to the server, beside json: "+wireNames()+" (default: "+
		groupByDesign(func(d target.Design) string { return string(d.Wire()) })+")")
}

// apply puts the flags into o. What o.Design cannot be asked for, target.New says.
func (k *knobFlags) apply(c *cobra.Command, o *target.Options) error {
	o.Wire, o.OutboxFrames, o.Heartbeat, o.Seed = target.Wire(k.wire), k.outbox, k.heartbeat, k.seed
	o.Knobs = target.Knobs{
		Dispatch: target.Dispatch(k.dispatch), Stamp: target.Stamp(k.stamp), Echo: target.Echo(k.echo), Registry: target.Registry(k.registry),
		WhenFull: target.WhenFull(k.whenFull), FanoutOrder: target.FanoutOrder(k.fanoutOrder), Replay: k.replay,
	}
	if k.replay < 0 {
		return fmt.Errorf("--replay %d: it must be 0, for none, or more", k.replay)
	}
	if c.Flags().Changed("replay") && k.replay == 0 {
		o.Knobs.Replay = -1
	}
	if k.serverTriggered == "" {
		return nil
	}
	rate, err := scenarios.ParseRate(k.serverTriggered)
	if err != nil {
		return fmt.Errorf("--server-triggered: %w", err)
	}
	o.Knobs.ServerTriggered = rate
	return nil
}

// knobArguments are the flags with which serve becomes the node that o asks for.
func knobArguments(o run.NodeOptions) []string {
	var all []string
	add := func(name, value string) {
		if value != "" {
			all = append(all, "--"+name, value)
		}
	}
	k := &o.Knobs
	add("wire", o.Wire)
	add("dispatch", string(k.Dispatch))
	add("stamp", string(k.Stamp))
	add("echo", string(k.Echo))
	add("registry", string(k.Registry))
	add("when-full", string(k.WhenFull))
	add("fanout-order", string(k.FanoutOrder))
	if k.Replay != 0 {
		add("replay", strconv.Itoa(max(k.Replay, 0)))
	}
	if k.ServerTriggered != 0 {
		add("server-triggered", strconv.FormatFloat(k.ServerTriggered, 'f', -1, 64)+"/s")
	}
	if o.Outbox != 0 {
		add("outbox", strconv.Itoa(o.Outbox))
	}
	if o.Heartbeat != 0 {
		add("heartbeat", o.Heartbeat.String())
	}
	if o.Seed != 0 {
		add("seed", strconv.FormatUint(o.Seed, 10))
	}
	return all
}

// ownSettings says what the designs set a knob to: "reply in hologram, none in ephemeral, else stream".
func ownSettings(of func(target.Knobs) string) string {
	return groupByDesign(func(d target.Design) string { return of(d.Knobs()) })
}

// groupByDesign names the settings with their designs, and the one that most designs have last, without them.
func groupByDesign(of func(target.Design) string) string {
	var settings []string
	designs := make(map[string][]string)
	for _, d := range target.Designs() {
		s := of(d)
		if designs[s] == nil {
			settings = append(settings, s)
		}
		designs[s] = append(designs[s], string(d))
	}
	most := settings[0]
	for _, s := range settings {
		if len(designs[s]) > len(designs[most]) {
			most = s
		}
	}
	if len(settings) == 1 {
		return most
	}
	var parts []string
	for _, s := range settings {
		if s != most {
			parts = append(parts, s+" in "+strings.Join(designs[s], ", "))
		}
	}
	return strings.Join(parts, ", ") + ", else " + most
}

func wireNames() string {
	var names []string
	for _, w := range target.Wires() {
		names = append(names, string(w))
	}
	return strings.Join(names, ", ")
}
