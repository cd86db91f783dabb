package tidy

import "strings"

// changelogFile tells users what changed.
const changelogFile = "CHANGELOG.md"

// changelog is the rule that the first section of the changelog is Unreleased, so that each change finds the place for its
// line in the same commit.
func changelog(m *module) []finding {
	const remedy = "let the first section be: ## Unreleased"
	for line := range lines(m.texts[changelogFile]) {
		section, ok := strings.CutPrefix(line.text, "## ")
		switch {
		case !ok || line.fenced:
		case strings.Trim(section, "[] ") == "Unreleased":
			return nil
		default:
			return []finding{{changelogFile, line.number, "the first section is " + section, remedy}}
		}
	}
	return []finding{{changelogFile, 0, "has no section", remedy}}
}
