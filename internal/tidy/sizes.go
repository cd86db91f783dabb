package tidy

import (
	"fmt"
	"go/ast"
)

// The longest function and file, in lines. A function fits one screen, a file holds one subject. Tests may be longer: a
// table of cases has no parts worth a name of their own.
const (
	maxFunc     = 70
	maxFile     = 400
	maxTestFunc = 120
	maxTestFile = 600
)

// sizes is the rule about the lengths of functions and files. Comments inside count: a screen does not skip them.
func sizes(m *module) []finding {
	var found []finding
	for _, file := range m.files {
		funcLimit, fileLimit := maxFunc, maxFile
		if file.test {
			funcLimit, fileLimit = maxTestFunc, maxTestFile
		}
		if n := m.fset.File(file.tree.Pos()).LineCount(); n > fileLimit {
			found = append(found, finding{
				file.path, fileLimit + 1, fmt.Sprintf("the file has %d lines, more than %d", n, fileLimit),
				"it holds two subjects: give the second a file of its own",
			})
		}
		for _, decl := range file.tree.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := m.line(f.End()) - m.line(f.Pos()) + 1; n > funcLimit {
				found = append(found, finding{
					file.path, m.line(f.Pos()), fmt.Sprintf("%s has %d lines, more than %d", f.Name.Name, n, funcLimit),
					"name one of its parts and make it a function",
				})
			}
		}
	}
	return found
}
