package tidy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// fence is three backticks, which a raw string cannot hold.
const fence = "```"

// clean is a module that breaks no rule, in as few lines as that takes.
func clean() map[string]string {
	sections := "\n## Status\n\n## Context\n\n## Decision\n\n## Alternatives\n\n## Consequences\n"
	return map[string]string{
		"go.mod": "module example\n",
		architecture: `# Architecture

| floor | package | its one sentence | may import of ours |
|---|---|---|---|
| 2 | ` + "`cmd/holobench`" + ` | wires it together | all |
| 1 | ` + "`clients`" + ` | simulates the browsers | ` + "`wire`" + ` (codecs) |
| 1 | ` + "`target`" + ` | is a server | ` + "`wire`" + ` |
| 0 | ` + "`wire`" + ` | defines what travels | - |
| 0 | ` + "`wire/sse`" + ` | reads streams | - |
| 0 | ` + "`internal/memnet`" + ` | is a network in memory | - |

| library | its door |
|---|---|
| ` + "`example.org/lib`" + ` | ` + "`clients/door.go`, `clients/door_*.go`" + ` |

| tests of | may also import | because |
|---|---|---|
| ` + "`target`" + ` | ` + "`clients`" + ` | they talk to each other |
`,
		"cmd/holobench/main.go": "// Command holobench speaks to its users.\npackage main\n\nimport (\n\t\"os\"\n\n\t\"example/clients\"\n)\n\nvar version = \"devel\"\n\nfunc main() { os.Exit(clients.Run(version)) }\n",
		"clients/clients.go": "// Package clients simulates the browsers. It has no second sentence that counts.\npackage clients\n\n" +
			"import (\n\t\"embed\"\n\t\"errors\"\n\t\"regexp\"\n\n\t\"example/wire/sse\"\n)\n\n" +
			"var errGone = errors.New(\"gone\")\n\nvar word = regexp.MustCompile(`a`)\n\n//go:embed a.txt\nvar page embed.FS\n\nvar _ error = sse.Err{}\n\n" +
			"// Run runs.\nfunc Run(string) int { return 0 }\n",
		"clients/door.go":                  "package clients\n\nimport _ \"example.org/lib/sub\"\n",
		"clients/door_linux.go":            "package clients\n\nimport \"example.org/lib\"\n\nvar _ = lib.X\n",
		"clients/clients_test.go":          "package clients_test\n\nimport (\n\t_ \"example/clients\"\n\t_ \"example/internal/memnet\"\n\t_ \"example/wire\"\n)\n\nvar golden = 1\n",
		"target/target.go":                 "// Package target is a server.\npackage target\n",
		"target/target_test.go":            "package target\n\nimport _ \"example/clients\"\n",
		"wire/wire.go":                     "// Package wire defines what travels.\npackage wire\n\n// The paths.\nconst (\n\tA = 1\n\tB = 2 // no sentence\n)\n\n// T is a table:\n//\n//\ta  b\ntype T struct{ Due int }\n\ntype hidden int\n\nfunc (hidden) Exported() {}\n",
		"wire/sse/sse.go":                  "// Package sse reads streams.\npackage sse\n\n// Err is an error (really).\ntype Err struct{}\n\n// Error says so!\nfunc (Err) Error() string { return \"\" }\n",
		"internal/memnet/memnet.go":        "// Package memnet is a network in memory.\npackage memnet\n",
		"wire/testdata/src/broken/main.go": "this is no Go\n",
		"Makefile":                         "demo: build ## show it\nbuild: ## build it\nhidden:\n",
		"README.md":                        "# Read me\n\nType `make demo`, see [how](ARCHITECTURE.md#architecture) or [there](https://example.org/x) and [here](#read-me).\n\n" + fence + "\n$ make -s build\n[a](nowhere.md)\n" + fence + "\n",
		glossaryFile:                       "| term | identifier | meaning |\n|---|---|---|\n| due | `wire.T.Due`, `fanout_latency` | when |\n| run | `clients.Run` | it |\n",
		"docs/adr/0001-first.md":           "# 0001. First\n" + sections,
		"docs/adr/0002-second.md":          "# 0002. Second\n" + sections,
		changelogFile:                      "# Changelog\n\n## Unreleased\n\n- All.\n\n## 0.1\n",
	}
}

// parse loads the clean module with some files replaced, or taken out by "-".
func parse(t *testing.T, changes map[string]string) *module {
	t.Helper()
	texts := clean()
	maps.Copy(texts, changes)
	fsys := fstest.MapFS{}
	for name, text := range texts {
		if text != "-" {
			fsys[name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	m, err := load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestCleanModuleBreaksNoRule(t *testing.T) {
	t.Parallel()
	m := parse(t, nil)
	for _, r := range rules() {
		for _, f := range r.check(m) {
			t.Errorf("%s: %s", r.name, f)
		}
	}
}

// edit replaces one part of a file of the clean module, which must be there.
func edit(t *testing.T, name, before, after string) map[string]string {
	t.Helper()
	text := clean()[name]
	if !strings.Contains(text, before) {
		t.Fatalf("%s of the clean module does not hold %q", name, before)
	}
	return map[string]string{name: strings.Replace(text, before, after, 1)}
}

func TestRulesReport(t *testing.T) {
	t.Parallel()
	wirePkg := "// Package wire defines what travels.\npackage wire\n"
	long := func(lines int) string { return "func f() {\n" + strings.Repeat("\t_ = 1\n", lines-2) + "}\n" }
	cases := []struct {
		rule  string
		files map[string]string
		want  []string // file:line: what
	}{
		{"tables", map[string]string{architecture: "nothing"}, []string{"ARCHITECTURE.md:0: has no table of packages", "ARCHITECTURE.md:0: has no table of libraries"}},
		{"tables", edit(t, architecture, "| 2 |", "| two |"), []string{"ARCHITECTURE.md:5: the floor of cmd/holobench is no number"}},
		{"tables", map[string]string{"target/target.go": "-", "target/target_test.go": "-"}, []string{"ARCHITECTURE.md:7: target stands in the table but not in the tree"}},
		{"tables", edit(t, architecture, "| is a server | `wire` |", "| is a server | `clients` |"), []string{"ARCHITECTURE.md:7: target may not import clients, which is not on a lower floor"}},

		{"floors", map[string]string{"fleet/fleet.go": "package fleet\n"}, []string{"fleet/fleet.go:1: package fleet has no floor"}},
		{"floors", map[string]string{"wire/up.go": "package wire\n\nimport _ \"example/clients\"\n"}, []string{"wire/up.go:3: wire imports clients, which its row in ARCHITECTURE.md does not allow"}},
		{"floors", map[string]string{"clients/side.go": "package clients\n\nimport _ \"example/target\"\n"}, []string{"clients/side.go:3: clients imports target, which its row in ARCHITECTURE.md does not allow"}},
		{"floors", map[string]string{"clients/side_test.go": "package clients\n\nimport _ \"example/target\"\n"}, []string{"clients/side_test.go:3: clients imports target, which its row in ARCHITECTURE.md does not allow"}},
		{"floors", map[string]string{"cmd/holobench/net.go": "package main\n\nimport _ \"example/internal/memnet\"\n"}, []string{"cmd/holobench/net.go:3: cmd/holobench imports internal/memnet, which its row in ARCHITECTURE.md does not allow"}},
		{"floors", map[string]string{"target/target_test.go": "package target\n"}, []string{"ARCHITECTURE.md:18: no test of target imports clients"}},

		{"doors", map[string]string{"target/x.go": "package target\n\nimport _ \"example.org/other\"\n"}, []string{"target/x.go:3: imports example.org/other, which has no door"}},
		{"doors", map[string]string{"target/x_test.go": "package target\n\nimport _ \"example.org/lib\"\n"}, []string{"target/x_test.go:3: imports example.org/lib, whose door is clients/door.go, clients/door_*.go"}},
		{"doors", map[string]string{"clients/door.go": "package clients\n", "clients/door_linux.go": "package clients\n"}, []string{"ARCHITECTURE.md:14: nothing imports example.org/lib"}},

		{"sizes", map[string]string{"wire/f.go": "package wire\n\n" + long(70) + "\n" + strings.Replace(long(71), "f()", "g()", 1)}, []string{"wire/f.go:74: g has 71 lines, more than 70"}},
		{"sizes", map[string]string{"wire/f.go": "package wire\n" + strings.Repeat("\n", 400)}, []string{"wire/f.go:401: the file has 401 lines, more than 400"}},
		{"sizes", map[string]string{"wire/f_test.go": "package wire\n\n" + long(120) + "\n" + strings.Replace(long(121), "f()", "g()", 1) + strings.Repeat("\n", 400)}, []string{
			"wire/f_test.go:601: the file has 644 lines, more than 600", "wire/f_test.go:124: g has 121 lines, more than 120",
		}},

		{"globals", map[string]string{"wire/g.go": "package wire\n\nvar a, Err = 1, 2\n\nfunc init() {}\n\nvar pool = new(int)\n"}, []string{
			"wire/g.go:3: package variable a", "wire/g.go:3: package variable Err", "wire/g.go:5: init runs before anybody can pass anything in", "wire/g.go:7: package variable pool",
		}},
		{"globals", map[string]string{"wire/g_test.go": "package wire\n\nfunc init() {}\n"}, []string{"wire/g_test.go:3: init runs before anybody can pass anything in"}},
		{"globals", map[string]string{"wire/g.go": "package wire\n\nvar version = 1\n"}, []string{"wire/g.go:3: package variable version"}},

		{"names", map[string]string{"wire/util/x.go": "package util\n"}, []string{"wire/util/x.go:1: a package called util"}},
		{"names", map[string]string{"lib/x.go": "package fine\n"}, []string{"lib/x.go:1: a package called lib"}},

		{"packages", map[string]string{"wire/wire.go": "package wire\n"}, []string{"wire/wire.go:1: package wire has no package comment"}},
		{"packages", map[string]string{"wire/x.go": wirePkg}, []string{"wire/x.go:1: a second package comment: wire/wire.go has one"}},
		{"packages", map[string]string{"wire/wire.go": "// Package wire is more.\npackage wire\n"}, []string{"wire/wire.go:1: the package comment begins with: Package wire is more."}},
		{"packages", edit(t, "cmd/holobench/main.go", "Command holobench", "Holobench"), []string{"cmd/holobench/main.go:1: the package comment begins with: Holobench speaks to its users."}},

		{"docs", map[string]string{"wire/d.go": "package wire\n\nfunc F() {}\n\n// G breaks off,\nfunc G() {}\n\ntype (\n\tH int\n)\n\nvar V int\n\nfunc (*T) M() {}\n"}, []string{
			"wire/d.go:3: F has no comment", "wire/d.go:6: the comment of G does not end as a sentence: …G breaks off,",
			"wire/d.go:9: H has no comment", "wire/d.go:12: V has no comment", "wire/d.go:14: M has no comment",
		}},

		{"traces", map[string]string{"docs/x.md": "a\nsee /wo" + "rk/x\n"}, []string{"docs/x.md:2: names /wo" + "rk/"}},
		{"traces", map[string]string{"wire/testdata/x.txt": "../sha" + "red/x\n"}, []string{"wire/testdata/x.txt:1: names ../sha" + "red"}},

		{"links", map[string]string{"docs/x.md": "[a](../README.md)\n[b](README.md) and ![c](<no.svg> \"t\")\n[d](../README.md#absent) [e](/README.md)\n"}, []string{
			"docs/x.md:2: the link to README.md leads nowhere", "docs/x.md:2: the link to no.svg leads nowhere",
			"docs/x.md:3: the link to ../README.md#absent names a heading that README.md does not have", "docs/x.md:3: the link to /README.md leads nowhere",
		}},

		{"targets", map[string]string{"docs/x.md": "`make hidden` or `make sure`, make believe\n" + fence + "\nmake absent-15\n" + fence + "\n"}, []string{
			"docs/x.md:1: tells the reader to type make hidden, which is no target with a help text",
			"docs/x.md:1: tells the reader to type make sure, which is no target with a help text",
			"docs/x.md:3: tells the reader to type make absent-15, which is no target with a help text",
		}},

		{"glossary", map[string]string{glossaryFile: "-"}, []string{"docs/glossary.md:0: has no table of terms"}},
		{"glossary", edit(t, glossaryFile, "`clients.Run`", "`clients.Gone`, `wire.T.Gone`"), []string{
			"docs/glossary.md:4: names clients.Gone, which nothing declares", "docs/glossary.md:4: names wire.T.Gone, which nothing declares",
		}},
		{"glossary", edit(t, glossaryFile, "| run |", "| Due |"), []string{"docs/glossary.md:4: Due is explained twice"}},

		{"adrs", map[string]string{"docs/adr/0001-first.md": "-", "docs/adr/0002-second.md": "-"}, []string{"docs/adr:0: there is no decision in it"}},
		{"adrs", map[string]string{"docs/adr/0001-first.md": "-"}, []string{"docs/adr/0002-second.md:0: has number 0002, the next is 0001"}},
		{"adrs", map[string]string{"docs/adr/notes.md": "x"}, []string{"docs/adr/notes.md:0: is not named as a decision is"}},
		{"adrs", map[string]string{"docs/adr/0002-second.md": "# Second\n\n## Status\n"}, []string{
			"docs/adr/0002-second.md:1: its title does not begin with its number", "docs/adr/0002-second.md:0: has the sections Status",
		}},

		{"changelog", map[string]string{changelogFile: "# Changelog\n"}, []string{"CHANGELOG.md:0: has no section"}},
		{"changelog", map[string]string{changelogFile: "# Changelog\n\n## 0.1\n\n## Unreleased\n"}, []string{"CHANGELOG.md:3: the first section is 0.1"}},
	}
	tested := map[string]bool{"calls": true} // by TestBansReport
	for i, c := range cases {
		tested[c.rule] = true
		t.Run(fmt.Sprintf("%s %d", c.rule, i), func(t *testing.T) {
			t.Parallel()
			checkFindings(t, c.rule, parse(t, c.files), c.want)
		})
	}
	for _, r := range rules() {
		if !tested[r.name] {
			t.Errorf("no case shows that the rule %s reports anything", r.name)
		}
	}
}

// checkFindings runs one rule and compares what it says, the remedies apart, which only have to be there.
func checkFindings(t *testing.T, name string, m *module, want []string) {
	t.Helper()
	i := slices.IndexFunc(rules(), func(r rule) bool { return r.name == name })
	if i < 0 {
		t.Fatalf("there is no rule %s", name)
	}
	var got []string
	for _, f := range rules()[i].check(m) {
		head, remedy, ok := strings.Cut(f.String(), "\n\tremedy: ")
		if !ok || remedy == "" {
			t.Errorf("without a remedy: %s", f)
		}
		got = append(got, head)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s\n got %q\nwant %q", name, got, want)
	}
}
