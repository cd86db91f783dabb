package main

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"holobench/run"
	"holobench/target"
)

// parseKnobs reads arguments as serve does.
func parseKnobs(t *testing.T, arguments []string) (target.Options, error) {
	t.Helper()
	var k knobFlags
	c := new(cobra.Command)
	k.register(c)
	if err := c.ParseFlags(arguments); err != nil {
		t.Fatalf("%q: %v", arguments, err)
	}
	var o target.Options
	err := k.apply(c, &o)
	return o, err
}

// What run asks of a node, the node is: the arguments that it is started with say all of it.
func TestKnobsReachTheNode(t *testing.T) {
	t.Parallel()
	turned := target.Knobs{
		Dispatch: target.Serialized, Stamp: target.StampSequence, Echo: target.EchoNone, Registry: target.Shared, WhenFull: target.DropOldest,
		FanoutOrder: target.Shuffled, Replay: 7, ServerTriggered: 0.125,
	}
	for _, want := range []run.NodeOptions{
		{},
		{Knobs: target.Knobs{Replay: -1}},
		{Wire: "json", Knobs: turned, Outbox: 64, Heartbeat: 1500 * time.Millisecond, Seed: 1<<64 - 1},
	} {
		got, err := parseKnobs(t, knobArguments(want))
		if err != nil {
			t.Fatal(err)
		}
		if got.Knobs != want.Knobs || string(got.Wire) != want.Wire || got.OutboxFrames != want.Outbox || got.Heartbeat != want.Heartbeat ||
			got.Seed != want.Seed {
			t.Errorf("asked for %+v, got %+v", want, got)
		}
	}
}

func TestKnobsThatServeRefuses(t *testing.T) {
	t.Parallel()
	for arguments, want := range map[string]string{
		"--replay=-3":                            "--replay -3: it must be 0, for none, or more",
		"--server-triggered=5":                   `--server-triggered: "5" is no rate: write a number and its unit of time (ms, s, m, h): 200/s, 30/m`,
		"--dispatch=serialised":                  `dispatch cannot be "serialised"; it is one of concurrent, serialized`,
		"--stamp=seq":                            `stamp cannot be "seq"; it is one of none, sequence`,
		"--echo=off":                             `echo cannot be "off"; it is one of reply, stream, none`,
		"--registry=local":                       `registry cannot be "local"; it is one of node-local, shared`,
		"--when-full=drop":                       `when-full cannot be "drop"; it is one of cut, drop-oldest, coalesce`,
		"--fanout-order=x":                       `fan-out order cannot be "x"; it is one of registration, shuffled`,
		"--wire=soap":                            `there is no wire "soap"; the wires are ` + wireNames(),
		"--outbox=-1":                            "outbox frames -1 is negative; leave it at 0 for the default, 1024",
		"--heartbeat=-1s":                        "heartbeat -1s is negative; leave it at 0 for the default, 15s",
		"--server-triggered=11/ms --replay=5":    "server-triggered rate 11000/s is not in 0..10000",
		"--replay=2000000 --dispatch=serialized": "replay of 2000000 events is too much; at most 1048576 are kept",
	} {
		o, err := parseKnobs(t, strings.Fields(arguments))
		if err == nil {
			_, err = target.New(o)
		}
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", arguments, err, want)
		}
	}
}

func TestHelpNamesTheDefaultsOfTheDesigns(t *testing.T) {
	t.Parallel()
	usage := serveCommand().Flags().FlagUsages()
	for _, want := range []string{
		"(default: serialized in single-channel, sequenced, state-sync, else concurrent)",
		"(default: reply in hologram, none in ephemeral, else stream)",
		"(default: 1024 in single-channel, sequenced, state-sync, else 0)",
		"(default: coalesce in ephemeral, else cut)",
		"(default: node-local)",
	} {
		if !strings.Contains(usage, want) {
			t.Errorf("the help does not say %s:\n%s", want, usage)
		}
	}
}
