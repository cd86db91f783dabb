package tidy

import (
	"path"
	"regexp"
	"strings"
)

// link finds the target of a Markdown link or picture.
var link = regexp.MustCompile(`\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)`)

// heading finds a Markdown heading.
var heading = regexp.MustCompile(`^#{1,6}\s+(.*?)\s*#*$`)

// notInSlug is what the address of a heading leaves out, by the rule that forges use.
var notInSlug = regexp.MustCompile(`[^\p{L}\p{N} _-]`)

// links is the rule that a relative link in a document points at a file, and at a heading, that is there.
func links(m *module) []finding {
	var found []finding
	for _, name := range documents(m) {
		for line := range lines(m.texts[name]) {
			if line.fenced {
				continue
			}
			for _, match := range link.FindAllStringSubmatch(line.text, -1) {
				if what := broken(m, name, match[1]); what != "" {
					found = append(found, finding{name, line.number, what, "mend the link, or write what it points at"})
				}
			}
		}
	}
	return found
}

// broken says what is wrong with one target of a link in a document; "" when nothing is.
func broken(m *module, document, target string) string {
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return "" // not ours to hold
	}
	file, fragment, _ := strings.Cut(target, "#")
	at := document
	if file != "" {
		at = path.Join(path.Dir(document), file)
	}
	switch {
	case strings.HasPrefix(file, "/") || !m.exists[at]:
		return "the link to " + target + " leads nowhere"
	case fragment != "" && path.Ext(at) == ".md" && !hasHeading(m.texts[at], fragment):
		return "the link to " + target + " names a heading that " + at + " does not have"
	}
	return ""
}

// hasHeading says whether a document has a heading with that address.
func hasHeading(text, fragment string) bool {
	for line := range lines(text) {
		match := heading.FindStringSubmatch(line.text)
		if line.fenced || match == nil {
			continue
		}
		slug := notInSlug.ReplaceAllString(strings.ToLower(match[1]), "")
		if strings.ReplaceAll(slug, " ", "-") == fragment {
			return true
		}
	}
	return false
}
