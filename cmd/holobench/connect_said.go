package main

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"holobench/run"
	"holobench/scenarios"
)

// maxSaid is how many bytes of what a server says are shown.
const maxSaid = 200

// said shows how the answer of a server begins, which is often why it refuses. e may be nil.
func (p *trialText) said(e *run.Exchange) {
	if e == nil {
		return
	}
	// Whole first, and cut then: a part of a secret is not found.
	if text := printable(scenarios.MaskLine(p.hide.Replace(e.Said)), maxSaid); text != "" {
		p.line("", "it says: %s", text)
	}
}

// printable is so much of a text as has at most so many bytes, with a space for each run of what cannot be shown on a line.
func printable(text string, most int) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) || r == utf8.RuneError })
	text = strings.Join(words, " ")
	if len(text) <= most {
		return text
	}
	for !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "..."
}
