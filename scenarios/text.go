package scenarios

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// checkText refuses, before any parser sees it, a text that is too long or is no text.
func checkText(text string, f *faults) bool {
	if len(text) > maxFileBytes {
		f.add(&node{line: 1, column: 1}, "the file is longer than "+strconv.Itoa(maxFileBytes>>10)+" KiB",
			"a scenario says what to do and needs a few lines; is this the right file?")
		return false
	}
	line, column := 1, 1
	for i, r := range text {
		message := ""
		switch {
		case r == '\n':
			line, column = line+1, 0
		case r == '\r' && strings.HasPrefix(text[i:], "\r\n"), r == '\t':
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\ufffd"):
			message = "the file is not UTF-8 text"
		case r < ' ' || r == 0x7f:
			message = "the control character " + quote(string(r)) + " stands in the file"
		}
		if message != "" {
			f.add(&node{line: line, column: column}, message, "save it as UTF-8 text without control characters")
			return false
		}
		column++
	}
	return true
}

// checkVersion refuses a file of another version alone: whatever else looks wrong may be right in that version.
func checkVersion(root *node, f *faults) bool {
	for _, e := range root.entries {
		if e.key.text == "version" && e.value.kind == scalarNode && e.value.text != "1" {
			f.add(e.value, "version "+quote(e.value.text)+" of the language is not known", "this holobench reads version 1: write \"version: 1\"")
			return false
		}
	}
	return true
}
