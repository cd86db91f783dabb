package tidy

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// adrName is how a decision is named: a number of four digits and a slug.
var adrName = regexp.MustCompile(`^(\d{4})-[a-z0-9-]+\.md$`)

// adrDir holds the decisions.
const adrDir = "docs/adr"

// adrSections returns the sections of a decision, in their order.
func adrSections() []string {
	return []string{"Status", "Context", "Decision", "Alternatives", "Consequences"}
}

// adrs is the rule that decisions are numbered from 0001 without a gap, bear their number in their title, and have their
// five sections.
func adrs(m *module) []finding {
	var found []finding
	next := 1
	for _, name := range sorted(m.texts) {
		if path.Dir(name) != adrDir {
			continue
		}
		match := adrName.FindStringSubmatch(path.Base(name))
		if match == nil {
			found = append(found, finding{name, 0, "is not named as a decision is", "name it NNNN-what-was-decided.md"})
			continue
		}
		if want := fmt.Sprintf("%04d", next); match[1] != want {
			found = append(found, finding{name, 0, "has number " + match[1] + ", the next is " + want, "number decisions without gap and without doubles"})
		}
		next++
		text := m.texts[name]
		if !strings.HasPrefix(text, "# "+match[1]+". ") {
			found = append(found, finding{name, 1, "its title does not begin with its number", "begin it with: # " + match[1] + ". What was decided"})
		}
		var sections []string
		for line := range lines(text) {
			if section, ok := strings.CutPrefix(line.text, "## "); ok && !line.fenced {
				sections = append(sections, section)
			}
		}
		if !slices.Equal(sections, adrSections()) {
			found = append(found, finding{
				name, 0, "has the sections " + strings.Join(sections, ", "),
				"give it " + strings.Join(adrSections(), ", ") + ", in this order",
			})
		}
	}
	if next == 1 {
		found = append(found, finding{adrDir, 0, "there is no decision in it", "write the first as 0001-what-was-decided.md"})
	}
	return found
}
