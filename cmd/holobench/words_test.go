package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"holobench/chaos"
	"holobench/clients"
	"holobench/history"
	"holobench/run"
	"holobench/scenarios"
	"holobench/target"
)

// scenarioWith is a scenario whose bundled target has that mapping.
func scenarioWith(bundled string) string {
	return "version: 1\nserver: {bundled: {" + bundled + "}}\nclients: {members: {count: 2, channel: lobby}}\n" +
		"load: {talk: {by: members, rate: 5/s, for: 1s}}\nguarantees: {total: held, fifo: held}\n"
}

func mustParse(t *testing.T, bundled string) *scenarios.File {
	t.Helper()
	f, err := scenarios.Parse("words.yaml", []byte(scenarioWith(bundled)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The language imports neither the target nor the run, so each has a list of the words that all know. Here they are one list.
func TestLanguageAndTargetKnowTheSameWords(t *testing.T) {
	t.Parallel()
	wanted := map[string][]string{
		"design": designNames(), "wire": strings.Split(wireNames(), ", "), "bus": {run.BusNATS, run.BusJetStream},
		"transport": transportNames(),
		"spread":    {run.RoundRobin, run.Sticky, run.Random},
	}
	for _, key := range []string{"dispatch", "stamp", "echo", "registry", "when_full", "fanout_order"} {
		wanted[key] = wordsOfTarget(t, key)
	}
	for key, words := range wanted {
		_, err := scenarios.Parse("words.yaml", []byte(scenarioWith(key+": nonsense")), nil)
		wrong, ok := errors.AsType[scenarios.Error](err)
		if !ok {
			t.Errorf("%s: the language takes nonsense: %v", key, err)
			continue
		}
		if got := strings.Split(strings.TrimPrefix(wrong.Remedy, "write one of "), ", "); !slices.Equal(got, words) {
			t.Errorf("%s: the language knows %q, the others %q: mend scenarios/bundled.go or scenarios/knobs.go", key, got, words)
		}
	}
}

// wordsOfTarget asks the target for a setting that does not exist, and reads from its refusal those that do.
func wordsOfTarget(t *testing.T, key string) []string {
	t.Helper()
	k := target.Knobs{}
	switch key {
	case "dispatch":
		k.Dispatch = "nonsense"
	case "stamp":
		k.Stamp = "nonsense"
	case "echo":
		k.Echo = "nonsense"
	case "registry":
		k.Registry = "nonsense"
	case "when_full":
		k.WhenFull = "nonsense"
	case "fanout_order":
		k.FanoutOrder = "nonsense"
	}
	_, err := target.New(target.Options{Knobs: k})
	found := regexp.MustCompile(`it is one of (.*)$`).FindStringSubmatch(fmt.Sprint(err))
	if found == nil {
		t.Fatalf("%s: the target says %v", key, err)
	}
	return strings.Split(found[1], ", ")
}

// A design means the same to the language and to the target.
func TestDefaultsOfADesignAreTheTargets(t *testing.T) {
	t.Parallel()
	for _, d := range target.Designs() {
		p, err := run.FromFile(mustParse(t, "design: "+string(d)), history.Machine{})
		if err != nil {
			t.Fatal(err)
		}
		got := p.Knobs
		got.Replay = max(got.Replay, 0) // -1 = none, which 0 is not there
		if got != d.Knobs() || target.Wire(p.Wire) != d.Wire() {
			t.Errorf("%s: the language has %+v over %s, the target %+v over %s", d, got, p.Wire, d.Knobs(), d.Wire())
		}
	}
}

// A browser has as many connections to the language as to the clients.
func TestConnectionsOfABrowserAreTheClients(t *testing.T) {
	t.Parallel()
	p, err := run.FromFile(mustParse(t, "design: hologram"), history.Machine{})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Groups[0].Connections; got != clients.BrowserConnections {
		t.Errorf("the language gives a browser %d connections, the clients know of %d", got, clients.BrowserConnections)
	}
}

// What the language takes the target takes, up to the limits of both.
func TestLimitsOfTheLanguageAreTheTargets(t *testing.T) {
	t.Parallel()
	for _, bundled := range []string{
		"design: sequenced, replay: 0", "wire: json, replay: 1048576", "server_triggered: 10/ms", "server_triggered: 0/s", "outbox: 1048576", "heartbeat: 1h",
		"design: state-sync, replay: 1", "design: ephemeral, dispatch: serialized, when_full: cut",
		"design: long-poll, wire: json, replay: 5", "design: channels, wire: long-poll, echo: reply", "wire: hologram", "transport: tls", "design: single-channel, wire: hologram, replay: 0", "design: sequenced, wire: hologram, replay: 0",
	} {
		p, err := run.FromFile(mustParse(t, bundled), history.Machine{})
		if err != nil {
			t.Fatal(err)
		}
		o := target.Options{Design: target.Design(p.Design), Wire: target.Wire(p.Wire), Transport: p.Transport, Knobs: p.Knobs, OutboxFrames: p.Outbox, Heartbeat: p.Heartbeat}
		if _, err := target.New(o); err != nil {
			t.Errorf("%s: the language takes it, the target does not: %v", bundled, err)
		}
	}
	mustParse(t, fmt.Sprintf("nodes: %d", run.MaxNodes))
	if _, err := scenarios.Parse("words.yaml", []byte(scenarioWith(fmt.Sprintf("nodes: %d", run.MaxNodes+1))), nil); err == nil {
		t.Errorf("the language takes more than %d nodes", run.MaxNodes)
	}
}

// A guarantee of order is warned of exactly when the target does not promise it.
func TestWarningsOfOrderFollowThePromises(t *testing.T) {
	t.Parallel()
	knobs := []string{
		"", "dispatch: concurrent", "dispatch: serialized", "echo: reply", "echo: none", "when_full: coalesce", "when_full: drop-oldest",
		"dispatch: serialized, echo: reply", "dispatch: serialized, when_full: coalesce", "wire: json, replay: 7", "dispatch: serialized, echo: stream",
	}
	for _, d := range target.Designs() {
		for _, k := range knobs {
			for _, nodes := range []string{"nodes: 1", "nodes: 2, bus: jetstream", "nodes: 2, bus: nats"} {
				if strings.Contains(nodes, ": nats") && (d == target.Sequenced || d == target.StateSync) {
					continue // refused
				}
				bundled := strings.TrimSuffix("design: "+string(d)+", "+nodes+", "+k, ", ")
				f := mustParse(t, bundled)
				p, err := run.FromFile(f, history.Machine{})
				if err != nil {
					t.Fatal(err)
				}
				promises := p.Promises()
				oneNode := !strings.Contains(nodes, ": nats")
				total := promises["total"] != "" && (oneNode || !strings.HasSuffix(promises["total"], "and node"))
				warnings := strings.Join(f.Warnings(scenarios.Machine{}), "\n")
				if got := !strings.Contains(warnings, "guarantees.total:"); got != total {
					t.Errorf("%s: total promised: %v (%v), warnings:\n%s", bundled, total, promises, warnings)
				}
				if got := !strings.Contains(warnings, "guarantees.fifo:"); got != (promises["fifo"] != "") {
					t.Errorf("%s: fifo promised: %v, warnings:\n%s", bundled, promises, warnings)
				}
			}
		}
	}
}

// The same holds for the kinds of network that clients can have.
func TestLanguageAndChaosKnowTheSameNetworks(t *testing.T) {
	t.Parallel()
	var want []string
	for _, p := range chaos.Profiles() {
		want = append(want, p.Name)
	}
	_, err := scenarios.Parse("words.yaml", []byte("version: 1\nclients: {members: {count: 2, channel: lobby, network: nonsense}}\n"+
		"load: {talk: {by: members, rate: 5/s, for: 1s}}\n"), nil)
	wrong, ok := errors.AsType[scenarios.Error](err)
	if got := strings.Split(strings.TrimPrefix(wrong.Remedy, "write one of "), ", "); !ok || !slices.Equal(got, want) {
		t.Errorf("the language knows the networks %q, and package chaos %q", got, want)
	}
}
