package scenarios

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const sized = `version: 1
seed: 5
server: {headers: {X-Plain: s3cr3t-in-base}}
clients:
  members: {count: 40, channel: {pattern: "room-${n}", count: 4}}
  lobby: {count: 9, channel: lobby}
load:
  talk: {by: members, rate: 20/s, for: 20s}
  ramp: {by: {clients: members, only: 10}, stages: [{rate: 10/s, for: 10s}, {rate: 40/s, for: 20s}]}
  hall: {by: lobby, rate: 5/s, for: 5s, payload: 100B}
windows: {early: 0s..15s, late: 22s..30s}
budgets:
  reach{window:early}: value==1
  reach{window:late}: value==1
profiles:
  ci:
    clients: {members: {count: 8}}
    load: {talk: {by: {only: 2}, rate: 2/s}, ramp: null}
    windows: {late: null}
    budgets: {"reach{window:late}": null}
  loud:
    load:
      talk:
        rate: 200/s
  wrong:
    load: {talk: {rate: 5}}
  masked:
    server: {headers: {X-Plain: s3cr3t-in-profile}}
`

// sketch says of a file what sizes change.
func sketch(f *File) string {
	var parts []string
	for _, c := range f.Clients {
		parts = append(parts, fmt.Sprintf("%s %d/%d", c.Name, c.Count, len(c.ChannelNames)))
	}
	for _, l := range f.Load {
		parts = append(parts, fmt.Sprintf("%s %d %v", l.Name, l.Only, l.Stages))
	}
	for _, w := range f.Windows {
		parts = append(parts, fmt.Sprintf("%s %v..%v", w.Name, w.From, w.To))
	}
	for _, b := range f.Budgets {
		parts = append(parts, b.Selector)
	}
	return strings.Join(parts, "; ")
}

func TestSizes(t *testing.T) {
	t.Parallel()
	const windows = "; early 0s..15s; late 22s..30s; reach{window:early}; reach{window:late}"
	const ramp, hall = "; ramp 10 [{0 10 10s} {10 40 20s}]", "; hall 9 [{5 5 5s}]"
	tests := []struct {
		name  string
		sizes Sizes
		want  string
	}{
		{"as it is", Sizes{}, "members 40/4; lobby 9/1; talk 40 [{20 20 20s}]" + ramp + hall + windows},
		{"a profile", Sizes{Profiles: []string{"ci"}}, "members 8/4; lobby 9/1; talk 2 [{2 2 20s}]" + hall + "; early 0s..15s; reach{window:early}"},
		{"two profiles", Sizes{Profiles: []string{"ci", "loud"}}, "members 8/4; lobby 9/1; talk 2 [{200 200 20s}]" + hall + "; early 0s..15s; reach{window:early}"},
		{"values", Sizes{Set: []string{"clients.members.count=50", "load.ramp.stages[2].rate=80/s", " load.talk.by.only = 3"}}, "members 50/4; lobby 9/1; talk 3 [{20 20 20s}]; ramp 10 [{0 10 10s} {10 80 20s}]" + hall + windows},
		{"a value taken away", Sizes{Set: []string{"budgets.reach{window:late}=null", "load.hall=null", "clients.lobby=null"}}, "members 40/4; talk 40 [{20 20 20s}]" + ramp + "; early 0s..15s; late 22s..30s; reach{window:early}"},
		{"a value over a profile", Sizes{Profiles: []string{"ci"}, Set: []string{"load.talk={by: lobby, rate: 1/s, for: 16s}"}}, "members 8/4; lobby 9/1; talk 9 [{1 1 16s}]" + hall + "; early 0s..15s; reach{window:early}"},
		{"half", Sizes{Scale: 0.5}, "members 20/2; lobby 5/1; talk 20 [{10 10 20s}]; ramp 5 [{0 5 10s} {5 20 20s}]; hall 5 [{2.5 2.5 5s}]" + windows},
		{"next to nothing", Sizes{Scale: 0.001}, "members 1/1; lobby 1/1; talk 1 [{0.02 0.02 20s}]; ramp 1 [{0 0.01 10s} {0.01 0.04 20s}]; hall 1 [{0.005 0.005 5s}]" + windows},
		{"double", Sizes{Scale: 2}, "members 80/8; lobby 18/1; talk 80 [{40 40 20s}]; ramp 20 [{0 20 10s} {20 80 20s}]; hall 18 [{10 10 5s}]" + windows},
		{"one load", Sizes{Only: []string{"talk"}}, "members 40/4; talk 40 [{20 20 20s}]; early 0s..15s; reach{window:early}"},
		{"one short load", Sizes{Only: []string{"hall"}}, "lobby 9/1; hall 9 [{5 5 5s}]; early 0s..5s; reach{window:early}"},
		{"two loads, scaled", Sizes{Only: []string{"hall", "talk"}, Scale: 0.1}, "members 4/1; lobby 1/1; talk 4 [{2 2 20s}]; hall 1 [{0.5 0.5 5s}]; early 0s..15s; reach{window:early}"},
	}
	for _, test := range tests {
		f, err := ParseSized("s.yaml", []byte(sized), nil, test.sizes)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if got := sketch(f); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
		}
	}
}

// An error stands where the wrong value does.
func TestErrorsOfSizes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		sizes Sizes
		want  string
	}{
		{"unknown profile", Sizes{Profiles: []string{"cii"}}, `--profile cii: there is no such profile, did you mean "ci"?`},
		{"in a profile", Sizes{Profiles: []string{"wrong"}}, `s.yaml:26:25: load.talk.rate: "5" is no rate`},
		{"profile takes away what is not there", Sizes{Profiles: []string{"ci", "ci"}}, "s.yaml:18:46: load.ramp has no value, which takes away what stands there, and nothing does\n" +
			"s.yaml:19:15: windows.late has no value, which takes away what stands there, and nothing does\n" +
			"s.yaml:20:15: budgets.reach{window:late} has no value, which takes away what stands there, and nothing does"},
		{"no value", Sizes{Set: []string{"seed"}}, `--set "seed": it must be KEY.KEY=VALUE`},
		{"no key", Sizes{Set: []string{"=4"}}, `--set "": it must be KEY.KEY=VALUE`},
		{"an empty value", Sizes{Set: []string{"seed="}}, `--set seed: there is no value`},
		{"no YAML", Sizes{Set: []string{"seed={"}}, `--set seed: the { here is not closed`},
		{"wrong unit", Sizes{Set: []string{"load.talk.rate=5"}}, `--set load.talk.rate: "5" is no rate`},
		{"unknown key", Sizes{Set: []string{"load.talk.ratee=5/s"}}, `--set load.talk.ratee: unknown key "ratee" in load.talk, did you mean "rate"?`},
		{"unknown key with more in it", Sizes{Set: []string{"lod.talk.rate=5/s"}}, `--set lod.talk.rate: unknown key "lod", did you mean "load"?`},
		{"no item", Sizes{Set: []string{"load.ramp.stages[3].rate=5/s"}}, "--set load.ramp.stages[3].rate: there is no item 3, the list has 2"},
		{"no list", Sizes{Set: []string{"load.talk[1]=5/s"}}, "--set load.talk[1]: there stands a mapping where a list would have items"},
		{"no mapping", Sizes{Set: []string{"load.talk.rate.value=5/s"}}, `--set load.talk.rate.value: there stands a single value, which has no key "value"`},
		{"nothing to take away", Sizes{Set: []string{"drain=null"}}, "--set drain: null takes a key away, and there is none"},
		{"what the file then lacks", Sizes{Set: []string{"load.talk.rate=null"}}, "s.yaml:8:3: load.talk: rate is missing"},
		{"another place", Sizes{Set: []string{"clients.members.count=4"}}, "s.yaml:9:39: load.ramp.by.only: 10 of 4 clients cannot send"},
		{"too much", Sizes{Scale: 100, Set: []string{"clients.members.count=50000"}}, "--set clients.members.count: 5000000 is outside of the limits: there can be from 1 to 100000\n" +
			"s.yaml:9:39: load.ramp.by.only: 1000 of 1 clients cannot send"},
		{"unknown load", Sizes{Only: []string{"talkk"}}, `--only talkk: there is no such load, did you mean "talk"?`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseSized("s.yaml", []byte(sized), nil, test.sizes)
			if got := headlines(t, err); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// What --only leaves out is said.
func TestOnlySaysWhatItLeavesOut(t *testing.T) {
	t.Parallel()
	f, err := ParseSized("s.yaml", []byte(sized), nil, Sizes{Only: []string{"hall"}})
	if err != nil {
		t.Fatal(err)
	}
	want := "--only leaves out clients members, whom none of its loads need\n" +
		"--only leaves out the window late, which begins after the load\n" +
		"--only leaves out 10s of the window early, which are after the load\n" +
		"--only leaves out the budget reach{window:late} value==1: what it is about is left out\n" +
		"server.headers.X-Plain stands in the file in clear: write ${env.NAME} to keep a secret out of it"
	if got := strings.Join(f.Warnings(Machine{}), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := strings.Join(f.Resized, " "); got != "--only hall" {
		t.Errorf("resized by %s", got)
	}
}

// A header in a profile is a secret, whether the profile is asked for or not, and so is one of a flag.
func TestSizesKeepSecrets(t *testing.T) {
	t.Parallel()
	for _, sizes := range []Sizes{{}, {Profiles: []string{"masked"}}, {Set: []string{"server.headers.X-Plain=s3cr3t-of-a-flag"}}} {
		f, err := ParseSized("s.yaml", []byte(sized), nil, sizes)
		if err != nil {
			t.Fatal(err)
		}
		if said := f.Text + strings.Join(f.Resized, " "); strings.Contains(said, "s3cr3t") {
			t.Errorf("%+v: a secret stands in\n%s", sizes, said)
		}
		sizes.Set = append(sizes.Set, "load.talk.rate=x", "server.headers.B={}")
		if _, err = ParseSized("s.yaml", []byte(sized), nil, sizes); err == nil || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%+v: the error is %v", sizes, err)
		}
	}
}

func TestParseScale(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"5%": 0.05, "100%": 1, "0.5%": 0.005, "10000%": 100} {
		if got, err := ParseScale(text); err != nil || got != want {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "5", "0%", "-5%", "0.05", "10001%", "%", "NaN%"} {
		if _, err := ParseScale(text); err == nil || !strings.Contains(err.Error(), "is no scale: write a percentage above 0, at most 10000%: 5%") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Any --set leaves the reader standing, and says where its faults are.
func FuzzSet(f *testing.F) {
	for _, set := range []string{"clients.members.count=5", "load.ramp.stages[1]=null", "a.b[2].c={d: [e]}", "load.talk={<<: {rate: 5}}", "[1]=2", "{.}=.", "seed=*a", "load.=0", "server.headers.A=&a b"} {
		f.Add(set)
	}
	f.Fuzz(func(t *testing.T, set string) {
		parsed, err := ParseSized("f.yaml", []byte(sized), nil, Sizes{Set: []string{set}})
		if err == nil {
			checkFile(t, parsed)
			return
		}
		all, ok := errors.AsType[Errors](err)
		if !ok || len(all) == 0 {
			t.Fatalf("the error is %#v", err)
		}
		for _, e := range all {
			if e.File == "" || e.Message == "" || (e.Line == 0) == (e.File == "f.yaml") {
				t.Errorf("the error is %#v", e)
			}
		}
	})
}
