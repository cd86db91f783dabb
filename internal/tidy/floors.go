package tidy

import (
	"slices"
	"strings"
)

// memnet is the network in memory that every test may use and no production file.
const memnet = "internal/memnet"

// floors is the rule that imports of ours go down only, and only where the table of ARCHITECTURE.md lets them. Test files
// may import any lower floor, internal/memnet, and what the table "tests of" gives them.
func floors(m *module) []finding {
	byDir := make(map[string]room)
	for _, r := range rooms(m) {
		byDir[r.dir] = r
	}
	var found []finding
	unknown := make(map[string]bool)
	for _, file := range m.files {
		r, ok := byDir[file.dir]
		if !ok {
			if !unknown[file.dir] {
				unknown[file.dir] = true
				found = append(found, finding{file.path, 1, "package " + file.dir + " has no floor", "add a row for it to the table of packages in " + architecture})
			}
			continue
		}
		for _, imp := range file.imports() {
			dir, ours := m.room(imp.path)
			if !ours || mayImport(m, byDir, r, file, dir) {
				continue
			}
			found = append(found, finding{
				file.path, m.line(imp.pos), r.dir + " imports " + dir + ", which its row in " + architecture + " does not allow",
				"pass in what is needed as a function or a standard-library shape, or let the two meet in a package below both",
			})
		}
	}
	return append(found, stale(m)...)
}

// stale reports exceptions that no test makes use of any more.
func stale(m *module) []finding {
	var found []finding
	for _, l := range leaves(m) {
		for _, also := range l.also {
			used := slices.ContainsFunc(m.files, func(file *source) bool {
				return file.test && file.dir == l.dir && slices.ContainsFunc(file.imports(), func(imp imported) bool {
					dir, ours := m.room(imp.path)
					return ours && dir == also
				})
			})
			if !used {
				found = append(found, finding{architecture, l.line, "no test of " + l.dir + " imports " + also, "take the exception out"})
			}
		}
	}
	return found
}

// mayImport says whether a file in r may import our package dir.
func mayImport(m *module, byDir map[string]room, r room, file *source, dir string) bool {
	if slices.Contains(r.may, "all") && dir != memnet {
		return true
	}
	for _, allowed := range r.may {
		// "wire" allows its codecs too: they stand on the same floor and are pure.
		if dir == allowed || strings.HasPrefix(dir, allowed+"/") {
			return true
		}
	}
	if !file.test {
		return false
	}
	if dir == r.dir || dir == memnet { // a package pkg_test imports the package that it tests
		return true
	}
	if target, known := byDir[dir]; known && target.floor < r.floor {
		return true
	}
	return slices.ContainsFunc(leaves(m), func(l leave) bool { return l.dir == r.dir && slices.Contains(l.also, dir) })
}
