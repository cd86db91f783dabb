package tidy

import (
	"go/ast"
	"go/token"
	"strings"
)

// docs is the rule that every exported name of a production file has a comment that ends as a sentence does. The names of
// a group of constants or variables may share the comment of the group, or have one each at the end of the line.
func docs(m *module) []finding {
	var found []finding
	for _, file := range m.files {
		if file.test || file.tree.Name.Name == "main" {
			continue
		}
		for _, decl := range file.tree.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				if decl.Name.IsExported() && receiverIsExported(decl) {
					found = append(found, undocumented(m, file, decl.Name, decl.Doc)...)
				}
			case *ast.GenDecl:
				found = append(found, undocumentedIn(m, file, decl)...)
			}
		}
	}
	return found
}

// undocumentedIn checks the types, constants and variables of one declaration.
func undocumentedIn(m *module, file *source, group *ast.GenDecl) []finding {
	var found []finding
	for _, spec := range group.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			comment := spec.Doc
			if comment == nil && !group.Lparen.IsValid() {
				comment = group.Doc
			}
			if spec.Name.IsExported() {
				found = append(found, undocumented(m, file, spec.Name, comment)...)
			}
		case *ast.ValueSpec:
			if group.Doc == nil && spec.Doc == nil && spec.Comment != nil {
				continue // the comment at the end of the line is a phrase, not a sentence
			}
			comment := spec.Doc
			if comment == nil {
				comment = group.Doc
			}
			for _, name := range spec.Names {
				if name.IsExported() && (group.Tok == token.CONST || group.Tok == token.VAR) {
					found = append(found, undocumented(m, file, name, comment)...)
				}
			}
		}
	}
	return found
}

// undocumented reports a name whose comment is missing or breaks off.
func undocumented(m *module, file *source, name *ast.Ident, comment *ast.CommentGroup) []finding {
	text := ""
	if comment != nil {
		text = strings.TrimRight(comment.Text(), "\n")
	}
	if text == "" {
		return []finding{{
			file.path, m.line(name.Pos()), name.Name + " has no comment",
			"say what it is, its units, its edges and its errors; or do not export it",
		}}
	}
	last := text[strings.LastIndexByte(text, '\n')+1:]
	if strings.HasPrefix(last, "\t") || strings.HasPrefix(last, "  ") {
		return nil // an example or a list ends it
	}
	if strings.HasSuffix(strings.TrimRight(last, ")\"'”"), ".") || strings.HasSuffix(last, "?") || strings.HasSuffix(last, "!") {
		return nil
	}
	return []finding{{
		file.path, m.line(name.Pos()), "the comment of " + name.Name + " does not end as a sentence: …" + last,
		"end it with a full stop",
	}}
}

// receiverIsExported says whether a function is no method, or one of an exported type.
func receiverIsExported(f *ast.FuncDecl) bool {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return true
	}
	return ast.IsExported(receiver(f.Recv.List[0].Type))
}

// receiver returns the name of the type of a receiver, without pointer and type parameters.
func receiver(expr ast.Expr) string {
	for {
		switch at := expr.(type) {
		case *ast.StarExpr:
			expr = at.X
		case *ast.IndexExpr:
			expr = at.X
		case *ast.IndexListExpr:
			expr = at.X
		case *ast.Ident:
			return at.Name
		default:
			return ""
		}
	}
}
