package tidy

import (
	"strings"
	"testing"
)

// TestBansReport breaks every ban once, in a production file and in a test file.
func TestBansReport(t *testing.T) {
	t.Parallel()
	cases := []struct {
		imports string
		use     string
		what    string // "" = allowed
		inTests bool
	}{
		{"os", "os.Exit(1)", "os.Exit", false},
		{"os", "defer os.Exit(1)", "os.Exit", false},
		{"os", "exit := os.Exit; exit(1)", "os.Exit", false},
		{"", "panic(1)", "panic", false},
		{"", "println(1)", "println", true},
		{"fmt", "fmt.Println(1)", "fmt.Println", false},
		{"fmt", "_ = fmt.Sprint(1)", "", false},
		{"os", "_ = os.Stderr", "os.Stderr", false},
		{"os", `_ = os.Getenv("HOME")`, "os.Getenv", false},
		{"time", "time.Sleep(1)", "time.Sleep", true},
		{"time", "_ = time.Now()", "time.Now", false},
		{"time", "_ = time.Second", "", false},
	}
	for _, c := range cases {
		for _, test := range []bool{false, true} {
			name, imports := "wire/x.go", ""
			if test {
				name = "wire/x_test.go"
			}
			if c.imports != "" {
				imports = `import renamed "` + c.imports + `"`
			}
			body := strings.ReplaceAll(c.use, c.imports+".", "renamed.")
			if c.imports == "" {
				body = c.use
			}
			m := parse(t, map[string]string{name: "package wire\n" + imports + "\nfunc f() { " + body + " }\n"})
			var want []string
			if c.what != "" && (!test || c.inTests) {
				want = []string{name + ":3: " + c.what + " is banned here"}
			}
			checkFindings(t, "calls", m, want)
		}
	}
}

// TestBannedImports breaks the bans on whole packages.
func TestBannedImports(t *testing.T) {
	t.Parallel()
	source := func(path string) string { return "package wire\n\nimport _ \"" + path + "\"\n" }
	for path, inTests := range map[string]bool{"log": false, "flag": false, "math/rand": true} {
		checkFindings(t, "calls", parse(t, map[string]string{"wire/x.go": source(path)}), []string{"wire/x.go:3: " + path + " is banned here"})
		var want []string
		if inTests {
			want = []string{"wire/x_test.go:3: " + path + " is banned here"}
		}
		checkFindings(t, "calls", parse(t, map[string]string{"wire/x_test.go": source(path)}), want)
	}
	for _, path := range []string{"log/slog", "math/rand/v2"} {
		checkFindings(t, "calls", parse(t, map[string]string{"wire/x.go": source(path)}), nil)
	}
}

// TestOnlyMain shows where the command itself may do what nobody else may.
func TestOnlyMain(t *testing.T) {
	t.Parallel()
	body := "\n\nimport (\n\t\"fmt\"\n\t\"os\"\n)\n\nfunc f() { fmt.Println(os.Args); os.Exit(1) }\n"
	checkFindings(t, "calls", parse(t, map[string]string{"cmd/holobench/print.go": "package main" + body}), []string{"cmd/holobench/print.go:8: os.Exit is banned here"})
	m := parse(t, map[string]string{"clients/print.go": "package clients" + body})
	checkFindings(t, "calls", m, []string{
		"clients/print.go:8: os.Exit is banned here", "clients/print.go:8: fmt.Println is banned here", "clients/print.go:8: os.Args is banned here",
	})
}

// TestClockIsFreeWhereThingsHappen shows that the clock is banned only where recorded times are computed with.
func TestClockIsFreeWhereThingsHappen(t *testing.T) {
	t.Parallel()
	m := parse(t, map[string]string{"clients/x.go": "package clients\n\nimport \"time\"\n\nfunc f() time.Time { return time.Now() }\n"})
	checkFindings(t, "calls", m, nil)
}

// TestSleepInABubble shows that a test may sleep where the clock is virtual, and only there.
func TestSleepInABubble(t *testing.T) {
	t.Parallel()
	m := parse(t, map[string]string{"wire/x_test.go": "package wire\n\nimport (\n\t\"testing/synctest\"\n\t\"time\"\n)\n\n" +
		"func f() {\n\tsynctest.Test(nil, func() { go func() { time.Sleep(1) }() })\n\ttime.Sleep(1)\n}\n"})
	checkFindings(t, "calls", m, []string{"wire/x_test.go:10: time.Sleep is banned here"})
}
