package tidy

import (
	"path"
	"slices"
	"strings"
)

// doors is the rule that each library is imported by the few files that the table of libraries in ARCHITECTURE.md names,
// so that it can be replaced, and its traps be tamed, in one place. A row that nothing uses is reported too.
func doors(m *module) []finding {
	var found []finding
	table := doorTable(m)
	used := make([]bool, len(table))
	for _, file := range m.files {
		for _, imp := range file.imports() {
			first, _, _ := strings.Cut(imp.path, "/")
			if _, ours := m.room(imp.path); ours || !strings.Contains(first, ".") {
				continue // ours, or the standard library
			}
			i := slices.IndexFunc(table, func(d door) bool {
				return imp.path == d.library || strings.HasPrefix(imp.path, d.library+"/")
			})
			if i < 0 {
				found = append(found, finding{
					file.path, m.line(imp.pos), "imports " + imp.path + ", which has no door",
					"do without it, or add a row to the table of libraries in " + architecture + " and a decision to docs/adr",
				})
				continue
			}
			used[i] = true
			if !slices.ContainsFunc(table[i].files, func(pattern string) bool { return matches(pattern, file.path) }) {
				found = append(found, finding{
					file.path, m.line(imp.pos), "imports " + imp.path + ", whose door is " + strings.Join(table[i].files, ", "),
					"use it through that file, which speaks our types on its other side",
				})
			}
		}
	}
	for i, d := range table {
		if !used[i] {
			found = append(found, finding{architecture, d.line, "nothing imports " + d.library, "take its row out"})
		}
	}
	return found
}

// matches is path.Match; a malformed pattern matches nothing, so that it is reported where it was meant to help.
func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}
