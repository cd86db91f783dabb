package tidy

import (
	"regexp"
	"strings"
)

// makeCommand finds "make NAME" where a command begins.
var makeCommand = regexp.MustCompile(`^\s*(?:\$ )?make(?: -[a-z]+)* ([a-z][a-z0-9-]*)\b`)

// targets is the rule that every make target which a document tells the reader to type is in the Makefile, with its help.
func targets(m *module) []finding {
	known := make(map[string]bool)
	for line := range strings.Lines(m.texts["Makefile"]) {
		if name, rest, ok := strings.Cut(line, ":"); ok && strings.Contains(rest, "## ") && !strings.ContainsAny(name, " \t") {
			known[name] = true
		}
	}
	var found []finding
	for _, name := range documents(m) {
		for line := range lines(m.texts[name]) {
			commands := spans(line.text)
			if line.fenced {
				commands = []string{line.text}
			}
			for _, command := range commands {
				match := makeCommand.FindStringSubmatch(command)
				if match != nil && !known[match[1]] {
					found = append(found, finding{
						name, line.number, "tells the reader to type make " + match[1] + ", which is no target with a help text",
						"mend the name, or write the target as `NAME: ## what it does` into the Makefile",
					})
				}
			}
		}
	}
	return found
}
