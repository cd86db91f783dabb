package tidy

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// globals is the rule that a package has no state and does nothing when it is loaded: no init, and no package variable
// but errors, compiled regexps, embedded files, interface assertions (var _ I = T{}), and the version that the linker
// writes into the command.
func globals(m *module) []finding {
	var found []finding
	for _, file := range m.files {
		for _, decl := range file.tree.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				found = append(found, finding{
					file.path, m.line(f.Pos()), "init runs before anybody can pass anything in",
					"make it a function that main or a constructor calls",
				})
			}
			group, ok := decl.(*ast.GenDecl)
			if !ok || group.Tok != token.VAR || file.test {
				continue
			}
			for _, spec := range group.Specs {
				found = append(found, globalsOf(m, file, group, spec.(*ast.ValueSpec))...)
			}
		}
	}
	return found
}

// globalsOf reports the names of one spec that are state.
func globalsOf(m *module, file *source, group *ast.GenDecl, spec *ast.ValueSpec) []finding {
	var found []finding
	for i, name := range spec.Names {
		var value ast.Expr
		if i < len(spec.Values) {
			value = spec.Values[i]
		}
		lower := strings.ToLower(name.Name)
		switch {
		case name.Name == "_":
		case strings.HasPrefix(lower, "err") && isCall(value, "errors.New", "fmt.Errorf"):
		case isCall(value, "regexp.MustCompile"):
		case isEmbedded(group.Doc) || isEmbedded(spec.Doc):
		case name.Name == "version" && file.dir == cmd:
		default:
			found = append(found, finding{
				file.path, m.line(name.Pos()), "package variable " + name.Name,
				"make it a constant, a function that returns it, or a field of what uses it",
			})
		}
	}
	return found
}

// isCall says whether an expression calls one of the functions, written package.Name.
func isCall(value ast.Expr, functions ...string) bool {
	call, ok := value.(*ast.CallExpr)
	if !ok {
		return false
	}
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	base, ok := selector.X.(*ast.Ident)
	if !ok {
		return false
	}
	return slices.Contains(functions, base.Name+"."+selector.Sel.Name)
}

// isEmbedded says whether a comment holds a go:embed directive.
func isEmbedded(doc *ast.CommentGroup) bool {
	if doc == nil {
		return false
	}
	for _, comment := range doc.List {
		if strings.HasPrefix(comment.Text, "//go:embed ") {
			return true
		}
	}
	return false
}
