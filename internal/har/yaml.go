package har

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// page is a YAML file that is being written.
type page struct {
	b      strings.Builder
	checks int
}

func (p *page) line(indent int, format string, args ...any) {
	p.b.WriteString(strings.Repeat(" ", indent))
	fmt.Fprintf(&p.b, format, args...)
	p.b.WriteByte('\n')
}

// comment writes lines that are no longer than a screen is wide.
func (p *page) comment(indent int, text string) {
	const width = 120
	line := "#"
	for w := range strings.FieldsSeq(text) {
		if len(line)+1+len(w) > width-indent && line != "#" {
			p.line(indent, "%s", line)
			line = "#  "
		}
		line += " " + w
	}
	p.line(indent, "%s", line)
}

// check marks a guess.
func (p *page) check(indent int, text string) {
	p.checks++
	p.comment(indent, "CHECK: "+text)
}

// scalar writes a text as YAML: as it is where no reader can take it for something else.
func scalar(s string) string {
	if plain(s) {
		return s
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f || r >= 0x80 && !unicode.IsPrint(r) || r == utf8.RuneError {
			return doubleQuoted(s)
		}
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// plain says whether a text needs no quotes: a word, a path, a name.
func plain(s string) bool {
	switch strings.ToLower(s) {
	case "", "true", "false", "null", "yes", "no", "on", "off", "y", "n":
		return false
	}
	for i := range len(s) {
		k := kindOf(s[i])
		if k == 0 || k == joint && strings.IndexByte("-_./", s[i]) < 0 {
			return false
		}
	}
	k := kindOf(s[0])
	return k == small || k == capital || s[0] == '/' || s[0] == '_' || strings.HasPrefix(s, "./")
}

func doubleQuoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f || r >= 0x80 && r <= 0xffff && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		case r > 0xffff && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// escapedJSON is a text as it stands between the quotes of a JSON string.
func escapedJSON(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// shown is something foreign in a comment: short, and in one line.
func shown(s string) string {
	const most = 60
	s = strings.Map(func(r rune) rune {
		if r != ' ' && !unicode.IsGraphic(r) || r == utf8.RuneError {
			return '?'
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "..."
	}
	return `"` + s + `"`
}

// request writes a step. A list has a dash before its first key.
func (p *page) request(indent int, list bool, s *step) {
	for _, c := range s.checks {
		p.check(indent, c)
	}
	first := true
	key := func(format string, args ...any) {
		if list && first {
			p.line(indent, "- "+format, args...)
		} else if list {
			p.line(indent+2, format, args...)
		} else {
			p.line(indent, format, args...)
		}
		first = false
	}
	inner := indent + 2
	if list {
		inner += 2
	}
	key("%s: %s", s.method, scalar(s.url))
	if len(s.headers) > 0 {
		key("headers:")
		for _, h := range s.headers {
			p.line(inner, "%s: %s", scalar(h.name), scalar(h.value))
		}
	}
	switch s.bodyKey {
	case "form":
		key("form:")
		for _, f := range s.form {
			p.line(inner, "%s: %s", scalar(f.name), scalar(f.value))
		}
	case "json", "body":
		key("%s: %s", s.bodyKey, scalar(s.body))
	}
	if s.stay {
		key("redirects: none")
	}
	if s.status != "" {
		key("status: %s", s.status)
	}
	if len(s.captures) > 0 {
		key("capture:")
		p.captures(inner, s.captures)
	}
}

// captures writes what is kept of an answer or an event.
func (p *page) captures(indent int, all []capture) {
	for _, c := range all {
		if c.check != "" {
			p.check(indent, c.check)
		}
		switch {
		case c.json != "":
			p.line(indent, "%s: {json: %s}", c.name, scalar(c.json))
		case c.header != "" && c.regex != "":
			p.line(indent, "%s: {header: %s, regex: %s}", c.name, scalar(c.header), scalar(c.regex))
		case c.header != "":
			p.line(indent, "%s: {header: %s}", c.name, scalar(c.header))
		default:
			p.line(indent, "%s: {regex: %s}", c.name, scalar(c.regex))
		}
	}
}
