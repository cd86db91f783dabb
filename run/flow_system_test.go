package run_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/internal/memnet"
	"holobench/run"
	"holobench/scenarios"
)

// TestEditorsConverge is the whole way: a closed load of editors who change one document and resend after a conflict, a fault that
// takes some of them away meanwhile, and at the end the same view for all.
func TestEditorsConverge(t *testing.T) {
	t.Parallel()
	place := func(path string) scenarios.Place { return scenarios.Place{Path: path} }
	template := func(text string) scenarios.Template {
		made, err := scenarios.ParseTemplate(text)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	version := func(path string) []scenarios.Step {
		return []scenarios.Step{&scenarios.Capture{Place: place("capture"), Name: "version", From: scenarios.FromReply, By: scenarios.Selector{JSON: path}}}
	}
	edit := &scenarios.Send{
		Place: place("edit"), Name: "set", Payload: scenarios.Payload{Size: scenarios.Exactly(120), Text: template("${client} ${iteration}")},
		With: []scenarios.Field{{Name: "key", Value: template("title")}, {Name: "base", Value: template("${version|default:0}")}},
		OnReply: []scenarios.OnReply{
			{Status: "409", Flow: append(version("conflict.version"), &scenarios.Resend{Place: place("resend"), Times: 20})},
			{Status: scenarios.OK, Flow: version("version")},
		},
	}
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(nil)
		all, result := carryOut(t.Context(), t, run.Plan{
			Name: "editors", Seed: 7, Design: "state-sync", Nodes: 1, Drain: 10 * time.Second,
			Groups: []run.Group{{Name: "editors", Count: 12, Channel: func(i int) string { return fmt.Sprintf("doc-%d", i%3) }}},
			Loads: []run.Load{{
				Name: "edits", Only: 12, Closed: &scenarios.Closed{Every: scenarios.Exactly(float64(200 * time.Millisecond)), Iterations: 20},
				Flow: []scenarios.Step{edit, &scenarios.Expect{Place: place("expect"), Event: scenarios.Own, Within: 5 * time.Second, Count: 1}},
			}},
			Faults: []scenarios.Fault{{
				Name: "tunnel", At: time.Second, For: time.Second, Where: scenarios.Where{Share: 0.25},
				Effect: scenarios.Disconnection{Away: scenarios.Exactly(float64(time.Second))},
			}},
			AtEnd: scenarios.AtEnd{Settle: time.Second, Converge: &scenarios.Converge{Get: template("/state?channel=${channel}")}},
		}, startLocal(network.Listen, "target:80"), network.DialContext)
		met, unmet := 0, 0
		for _, o := range all {
			switch {
			case o.Kind != history.Expectation:
			case o.Err == 0:
				met++
			default:
				unmet++
			}
		}
		if met != 12*20 || unmet != 0 {
			t.Errorf("%d waits were met and %d not, want 240: each editor hears of each of its changes", met, unmet)
		}
		if c := result.Convergence; c == nil || c.Clients != 12 || c.Alike != 12 || c.Things != 3 || c.Failed != 0 || len(c.Differing) != 0 {
			t.Errorf("found %+v", c)
		}
		for _, d := range result.Documents {
			if d.Clients != 4 || d.Newest != 80 || d.Behind != 0 || d.Views != 1 {
				t.Errorf("replicas of %s: %+v, want 4 that agree on version 80", d.Channel, d)
			}
		}
		if len(result.Documents) != 3 || count(all, history.FaultBegins) != 1 || count(all, history.FaultEnds) != 1 {
			t.Errorf("%d documents, %d faults", len(result.Documents), count(all, history.FaultBegins))
		}
	})
}
