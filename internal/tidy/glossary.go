package tidy

import (
	"go/ast"
	"path"
	"regexp"
	"strings"
)

// identifier is how the glossary spells a name of the code: package.Name or package.Type.Member.
var identifier = regexp.MustCompile(`^[a-z][a-z0-9]*\.[A-Za-z]\w*(\.[A-Za-z]\w*)?$`)

// glossaryFile maps the terms of the field to names of the code.
const glossaryFile = "docs/glossary.md"

// glossary is the rule that each identifier which the glossary names is declared, so that a term can be followed into the
// code, and that no term stands in it twice.
func glossary(m *module) []finding {
	table := rows(m.texts[glossaryFile], "term", "identifier", "meaning")
	if len(table) == 0 {
		return []finding{{glossaryFile, 0, "has no table of terms", "give it one with the columns term, identifier, meaning"}}
	}
	declared := declarations(m)
	seen := make(map[string]bool)
	var found []finding
	for _, row := range table {
		term := strings.ToLower(row.cell[0])
		if seen[term] {
			found = append(found, finding{glossaryFile, row.line, row.cell[0] + " is explained twice", "keep one"})
		}
		seen[term] = true
		for _, name := range spans(row.cell[1]) {
			if identifier.MatchString(name) && !declared[name] {
				found = append(found, finding{
					glossaryFile, row.line, "names " + name + ", which nothing declares",
					"name what the code calls it now; a metric or a key is written without a dot",
				})
			}
		}
	}
	return found
}

// declarations returns what production files declare, as package.Name, package.Type.Field and package.Type.Method.
func declarations(m *module) map[string]bool {
	all := make(map[string]bool)
	for _, file := range m.files {
		if file.test {
			continue
		}
		pkg := path.Base(file.dir)
		for _, decl := range file.tree.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				name := decl.Name.Name
				if decl.Recv != nil && len(decl.Recv.List) > 0 {
					name = receiver(decl.Recv.List[0].Type) + "." + name
				}
				all[pkg+"."+name] = true
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					for _, name := range declaredBy(spec) {
						all[pkg+"."+name] = true
					}
				}
			}
		}
	}
	return all
}

// declaredBy returns the names of one spec: constants, variables, a type and its fields or methods.
func declaredBy(spec ast.Spec) []string {
	var names []string
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			names = append(names, name.Name)
		}
	case *ast.TypeSpec:
		names = append(names, spec.Name.Name)
		var members *ast.FieldList
		switch shape := spec.Type.(type) {
		case *ast.StructType:
			members = shape.Fields
		case *ast.InterfaceType:
			members = shape.Methods
		default:
			return names
		}
		for _, member := range members.List {
			for _, name := range member.Names {
				names = append(names, spec.Name.Name+"."+name.Name)
			}
		}
	}
	return names
}
