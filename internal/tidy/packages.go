package tidy

import (
	"go/doc"
	"path"
	"strings"
)

// packages is the rule that every package has one package comment, in one file, and that it begins with the sentence
// which ARCHITECTURE.md gives the package. That of a command speaks to its users, so that only its first words are held.
func packages(m *module) []finding {
	var found []finding
	commented := make(map[string]*source)
	first := make(map[string]*source)
	for _, file := range m.files {
		if file.test {
			continue
		}
		if first[file.dir] == nil {
			first[file.dir] = file
		}
		if file.tree.Doc == nil {
			continue
		}
		if other := commented[file.dir]; other != nil {
			found = append(found, finding{
				file.path, m.line(file.tree.Doc.Pos()), "a second package comment: " + other.path + " has one",
				"join the two in one file",
			})
			continue
		}
		commented[file.dir] = file
	}
	sentences := make(map[string]string)
	for _, r := range rooms(m) {
		sentences[r.dir] = r.sentence
	}
	for _, dir := range sorted(first) {
		file := commented[dir]
		if file == nil {
			found = append(found, finding{
				first[dir].path, m.line(first[dir].tree.Package), "package " + dir + " has no package comment",
				"begin it with: " + opening(dir, first[dir].tree.Name.Name, sentences[dir]),
			})
			continue
		}
		want := opening(dir, file.tree.Name.Name, sentences[dir])
		got := new(doc.Package).Synopsis(file.tree.Doc.Text())
		if file.tree.Name.Name == "main" && strings.HasPrefix(got, "Command "+path.Base(dir)+" ") {
			continue
		}
		if sentences[dir] != "" && got != want {
			found = append(found, finding{
				file.path, m.line(file.tree.Doc.Pos()), "the package comment begins with: " + got,
				"begin it with: " + want + " (or mend the row in " + architecture + ")",
			})
		}
	}
	return found
}

// opening is the first sentence of the comment of the package in dir.
func opening(dir, name, sentence string) string {
	if name == "main" {
		return "Command " + path.Base(dir) + " " + strings.TrimSuffix(sentence, ".") + "."
	}
	return "Package " + name + " " + strings.TrimSuffix(sentence, ".") + "."
}
