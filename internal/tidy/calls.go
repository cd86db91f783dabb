package tidy

import (
	"go/ast"
	"slices"
	"strings"
)

// cmd is the only place that prints, exits and reads flags.
const cmd = "cmd/holobench"

// ban is a thing of the standard library that may not be used.
type ban struct {
	pkg    string   // import path; "" = a builtin
	names  []string // what of it; nil = all of it
	except []string // directories or files where it is allowed
	only   []string // nil = everywhere, otherwise the directories in which it is banned
	tests  bool     // in test files too
	bubble bool     // but not inside a call of synctest.Test, where the clock is virtual
	remedy string
}

// bans lists them, each with what to do in its place.
func bans() []ban {
	exit := "return an error; only main exits"
	quiet := "return it, write it to an io.Writer that the caller passes in, or log it with the *slog.Logger of the options"
	world := "take it as a parameter: only " + cmd + " looks at the world around the process"
	clock := "take the clock as a parameter, func() int64 or func() time.Time: this package computes from what was recorded"
	return []ban{
		{pkg: "os", names: []string{"Exit"}, except: []string{cmd + "/main.go"}, remedy: exit},
		{pkg: "log", remedy: quiet},
		{names: []string{"panic"}, remedy: "return an error; on what cannot be, return the zero value and say why it cannot"},
		{names: []string{"print", "println"}, tests: true, remedy: quiet},
		{pkg: "fmt", names: []string{"Print", "Printf", "Println"}, except: []string{cmd}, remedy: quiet},
		{pkg: "os", names: []string{"Stdin", "Stdout", "Stderr"}, except: []string{cmd}, remedy: world},
		{pkg: "os", names: []string{"Args", "Getenv", "LookupEnv", "Environ"}, except: []string{cmd}, remedy: world},
		{pkg: "flag", except: []string{cmd}, remedy: world},
		{
			// In a bubble a sleep costs nothing and ends at one exact moment: there it is a statement about time, not a hope.
			pkg: "time", names: []string{"Sleep"}, tests: true, bubble: true,
			remedy: "wait for the thing itself (a channel, a context, a timer in a select); in tests sleep only inside synctest.Test",
		},
		{pkg: "time", names: []string{"Now", "Since", "Until"}, only: []string{"wire", "wire/sse", "wire/http1", "scenarios", "ordering", "report"}, remedy: clock},
		{pkg: "math/rand", tests: true, remedy: "use math/rand/v2 with a seed that the caller passes in"},
	}
}

// calls is the rule about banned functions and packages. Uses count, not only calls: a function value exits as well.
func calls(m *module) []finding {
	var found []finding
	for _, file := range m.files {
		names := make(map[string]string) // the name in this file -> import path
		for _, imp := range file.imports() {
			names[imp.name] = imp.path
		}
		for _, b := range bans() {
			if b.applies(file) {
				found = append(found, b.find(m, file, names)...)
			}
		}
	}
	return found
}

// applies says whether b is banned in this file.
func (b ban) applies(file *source) bool {
	if file.test && !b.tests {
		return false
	}
	if slices.Contains(b.except, file.dir) || slices.Contains(b.except, file.path) {
		return false
	}
	return b.only == nil || slices.Contains(b.only, file.dir)
}

// find reports every use in one file.
func (b ban) find(m *module, file *source, names map[string]string) []finding {
	var found []finding
	say := func(at ast.Node, what string) {
		found = append(found, finding{file.path, m.line(at.Pos()), what + " is banned here", b.remedy})
	}
	ast.Inspect(file.tree, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.ImportSpec:
			if b.names == nil && strings.Trim(node.Path.Value, "`\"") == b.pkg {
				say(node, b.pkg)
			}
		case *ast.SelectorExpr:
			base, ok := node.X.(*ast.Ident)
			if ok && b.pkg != "" && names[base.Name] == b.pkg && slices.Contains(b.names, node.Sel.Name) {
				say(node, b.pkg+"."+node.Sel.Name)
			}
		case *ast.CallExpr:
			if b.bubble && isCall(node, "synctest.Test") {
				return false
			}
			if called, ok := node.Fun.(*ast.Ident); ok && b.pkg == "" && slices.Contains(b.names, called.Name) {
				say(node, called.Name)
			}
		}
		return true
	})
	return found
}
