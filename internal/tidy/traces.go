package tidy

import "strings"

// traceWords are what must never stand in a file: paths and notes of the place where the text was written mean nothing to
// who reads it elsewhere. Each is written in two halves, so that this file does not break its own rule.
func traceWords() []string {
	return []string{
		"/wo" + "rk/", "../sha" + "red", "shared/des" + "ign", "shared/fa" + "cts", "/tmp/" + "brief", "issues " + "show", "/ro" + "ot/",
	}
}

// traces is the rule that no text names the machine, or the place beside the repository, on which it was written.
func traces(m *module) []finding {
	var found []finding
	for _, name := range sorted(m.texts) {
		number := 0
		for line := range strings.Lines(m.texts[name]) {
			number++
			for _, word := range traceWords() {
				if strings.Contains(line, word) {
					found = append(found, finding{
						name, number, "names " + word,
						"say the thing itself, or point at a file of this repository",
					})
				}
			}
		}
	}
	return found
}
