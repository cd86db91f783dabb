package tidy

import (
	"path"
	"strings"
)

// vagueNames are package names that say nothing of what is inside, and so collect everything.
const vagueNames = " util utils common types models config helpers helper lib logger misc shared base "

// names is the rule that no package, and no directory of one, is called by a vague name.
func names(m *module) []finding {
	var found []finding
	seen := make(map[string]bool)
	for _, file := range m.files {
		name := strings.TrimSuffix(file.tree.Name.Name, "_test")
		if seen[file.dir+" "+name] {
			continue
		}
		seen[file.dir+" "+name] = true
		for _, word := range []string{name, path.Base(file.dir)} {
			if strings.Contains(vagueNames, " "+word+" ") {
				found = append(found, finding{
					file.path, m.line(file.tree.Name.Pos()), "a package called " + word,
					"name it after what it holds, or move its parts to the packages that use them",
				})
				break
			}
		}
	}
	return found
}
