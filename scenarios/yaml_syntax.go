package scenarios

import (
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/token"
)

// checkSpelling reports what the lexer could make nothing of. The parser would too, but not always there.
func checkSpelling(tokens token.Tokens, f *faults) bool {
	for _, t := range tokens {
		if t.Type == token.InvalidType {
			f.addSyntax(place(t), t.Error)
			return false
		}
	}
	return true
}

// addSyntax notes an error of the library in words that help.
func (f *faults) addSyntax(at *node, message string) {
	message = strings.ReplaceAll(message, "\n", " ")
	for _, known := range []struct{ part, message, remedy string }{
		{"found character '\t'", "a tab stands before the text of this line", "indent with spaces: YAML takes no tabs there"},
		{"is a reserved character", "a text begins with a character that YAML keeps for itself, " + strings.TrimSuffix(message, " is a reserved character"), "put the text in quotes"},
		{"unknown escape character", `\ and ` + message[max(0, len(message)-3):] + " are no escape in double quotes", `write \\ for a backslash, or put the text in single quotes`},
		{"could not find end character of", "the quote that opens here is never closed", "close it where the text ends"},
		{"invalid header option", "a text begins with > or |, which YAML keeps for text on lines of its own", "put the text in quotes"},
		{"unexpected scalar value type", "a text begins with & or !, which YAML keeps for anchors and tags", "put the text in quotes"},
		{"mapping value is not allowed", "a second colon stands in this line", "put text with a colon and a space in quotes"},
		{"value is not allowed in this context", "this line does not fit those above it", "indent a key as the keys beside it, with spaces; a key with a value on its line has no keys below it"},
	} {
		if strings.Contains(message, known.part) {
			f.add(at, known.message, known.remedy)
			return
		}
	}
	f.add(at, "syntax: "+message, "look for an unclosed quote or bracket, a tab, or a wrong indentation, here or above")
}

var inQuotes = regexp.MustCompile(`"(\\.|[^"\\])*"`)

// hideSecrets takes what is quoted out of messages about lines that look as if they had a secret. Where nothing could be read as YAML there is no
// telling what the text of a header is.
func (f *faults) hideSecrets(text string) {
	lines := strings.Split(text, "\n")
	for i := range f.list {
		e := &f.list[i]
		if e.Line <= len(lines) && (sensitive.MatchString(lines[e.Line-1]) || userInfo.MatchString(lines[e.Line-1])) {
			e.Message, e.Remedy = inQuotes.ReplaceAllString(e.Message, `"***"`), inQuotes.ReplaceAllString(e.Remedy, `"***"`)
		}
	}
}
