package run

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/scenarios"
)

// TestFlowCountsAndLooksAtEvents holds that an expect waits for as many events as it says, or until one has what it asks for, and
// that captures and templates look at the one that it found.
func TestFlowCountsAndLooksAtEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		several := await("news", time.Second)
		several.Count = 3
		done := await(scenarios.Others, time.Second)
		done.Until = &scenarios.Match{By: scenarios.Selector{Regex: "END (\\w+) "}, Is: "two"}
		never := await(scenarios.Others, 100*time.Millisecond)
		never.Until = &scenarios.Match{By: scenarios.Selector{Regex: "NOTHING"}}
		p := stage("single-channel", 1, []scenarios.Step{
			several, &scenarios.Log{Place: at("log"), Text: template("third ${event.name} in ${event.channel}")},
			done, &scenarios.Capture{Place: at("capture"), Name: "word", From: scenarios.FromEvent, By: scenarios.Selector{JSON: "payload", Regex: "END (\\w+) "}},
			&scenarios.Log{Place: at("log"), Text: template("${word}")}, never,
		})
		tell := func(text string) []scenarios.Step {
			return []scenarios.Step{rest(20 * time.Millisecond), say("news", text)}
		}
		p.Groups = append(p.Groups, Group{Name: "speakers", Count: 1, Channel: func(int) string { return "room" }})
		p.Loads = append(p.Loads, Load{Name: "tell", Group: 1, Only: 1, Flow: slices.Concat(tell("1"), tell("2"), tell("END one "), tell("END two "), tell("5"))})
		rehearse(t, p, func(r *rehearsal) {
			go r.act(r.ctx, act{load: 1, due: r.now()})
			r.acts(0)
			r.expectTold([]string{ // each takes 10 ms to be replied to, 20 to be thought about, and 10 to arrive
				"0-90 c0 of c1.3", "90-120 c0 of c1.4", "120-220 c0: expect others: not within 100ms",
			}, history.Expectation)
			if want := []string{"90ms c0 log third news in room", "120ms c0 log two"}; !slices.Equal(r.lines, want) {
				t.Errorf("logged %q, want %q", r.lines, want)
			}
		})
	})
}

// TestFlowFillsInData holds that cells of feeds and values are those of the act, and that a command goes to all whom a To names.
func TestFlowFillsInData(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "users.csv")
	if err := os.WriteFile(path, []byte("name,city\nann,Oslo\nbob,\"Rome, IT\"\ncid,Bern\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		all := say("hello", "")
		all.To = &scenarios.To{Clients: "others", Which: scenarios.All}
		p := stage("single-channel", 2, []scenarios.Step{
			&scenarios.Log{Place: at("log"), Text: template("${users.name} of ${users.city}, ${no|default:'nobody'}, ${lot} ${lot}")}, all,
		})
		p.Loads[0].Only = 2
		p.Groups = append(p.Groups, Group{Name: "others", Count: 3, Channel: func(i int) string { return []string{"x", "y", "x"}[i] }})
		p.Feeds = []scenarios.Feed{{Name: "users", Path: path, Columns: []string{"name", "city"}, Take: scenarios.TakePerClient, Rows: 3}}
		p.Values = []scenarios.Value{{Name: "lot", Per: scenarios.PerUse, Kind: scenarios.IntValue, From: 1, To: 1_000_000}}
		rehearse(t, p, func(r *rehearsal) {
			closeData, err := r.openData()
			if err != nil {
				t.Fatal(err)
			}
			defer closeData()
			r.acts(0)
			slices.Sort(r.lines)
			for i, want := range []string{"0s c0 log ann of Oslo, nobody, ", "0s c1 log bob of Rome, IT, nobody, "} {
				rest, ok := strings.CutPrefix(r.lines[i], want)
				if values := strings.Fields(rest); !ok || len(values) != 2 || values[0] == values[1] {
					t.Errorf("logged %q, want %q and two different numbers", r.lines[i], want)
				}
			}
			sent := r.told(history.Sent)
			if len(sent) != 4 { // one a channel: one event reaches all who hear it
				t.Errorf("sent %q", sent)
			}
		})
	})
}
