package tidy

import (
	"path"
	"strings"
)

// documents returns the Markdown files of the module in order; test data is none.
func documents(m *module) []string {
	var all []string
	for _, name := range sorted(m.texts) {
		if path.Ext(name) == ".md" && !strings.Contains("/"+name, "/testdata/") {
			all = append(all, name)
		}
	}
	return all
}

// lines yields the lines of a Markdown text with their numbers, from 1, and whether they stand in a fenced block.
func lines(text string) func(yield func(markdownLine) bool) {
	return func(yield func(markdownLine) bool) {
		number, fenced := 0, false
		for line := range strings.Lines(text) {
			number++
			fence := strings.HasPrefix(strings.TrimSpace(line), "```")
			if fence {
				fenced = !fenced
			}
			if !fence && !yield(markdownLine{number, strings.TrimRight(line, "\r\n"), fenced}) {
				return
			}
		}
	}
}

type markdownLine struct {
	number int
	text   string
	fenced bool
}

// spans returns what stands between backticks in a line.
func spans(line string) []string {
	var found []string
	for i, part := range strings.Split(line, "`") {
		if i%2 == 1 {
			found = append(found, part)
		}
	}
	return found
}
