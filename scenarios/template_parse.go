package scenarios

import (
	"strconv"
	"strings"
)

// parseParts reads the parts of a template. A name is known by the place only, so that any is taken here.
func parseParts(text string) ([]part, error) {
	var parts []part
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			parts = append(parts, part{literal: literal.String()})
			literal.Reset()
		}
	}
	for rest := text; rest != ""; {
		at := strings.Index(rest, "${")
		if at < 0 {
			literal.WriteString(rest)
			break
		}
		if at > 0 && rest[at-1] == '$' {
			literal.WriteString(rest[:at-1] + "${")
			rest = rest[at+2:]
			continue
		}
		literal.WriteString(rest[:at])
		p, size, err := parsePart(rest[at:])
		if err != nil {
			return nil, err
		}
		flush()
		parts = append(parts, p)
		rest = rest[at+size:]
	}
	flush()
	if len(parts) > maxParts {
		return nil, problem("the text has more than "+strconv.Itoa(maxParts)+" ${...}", "")
	}
	return parts, nil
}

// parsePart reads the ${name|filter|filter} at the beginning of text, and says how many bytes it has.
func parsePart(text string) (part, int, error) {
	end := partEnd(text)
	if end < 0 {
		return part{}, 0, problem(quote(text)+" does not end in }", `write ${name}, and $${ for the two characters themselves`)
	}
	written := text[:end+1]
	fields := splitFilters(text[2:end])
	p := part{name: strings.TrimSpace(fields[0])}
	if !isReference(p.name) {
		return part{}, 0, problem(quote(written)+" has no name", "write ${name} or ${name|filter}, and $${ for the two characters themselves")
	}
	for _, base := range []struct{ prefix, of string }{{"reply.json.", "reply.body"}, {"event.json.", "event.text"}} {
		path, ok := strings.CutPrefix(p.name, base.prefix)
		if !ok {
			continue
		}
		var err error
		if p.path, err = parseJSONPath(path); err != nil {
			return part{}, 0, err
		}
		p.name = base.of
	}
	for _, field := range fields[1:] {
		f, err := parseFilter(field)
		if err != nil {
			return part{}, 0, err
		}
		p.filters = append(p.filters, f)
	}
	return p, end + 1, nil
}

// partEnd is where the } of the ${ at the beginning of text stands, outside of quotes; -1 when it stands nowhere.
func partEnd(text string) int {
	quoted := false
	for i := 2; i < len(text); i++ {
		switch {
		case text[i] == '\'':
			quoted = !quoted
		case text[i] == '}' && !quoted:
			return i
		}
	}
	return -1
}

// splitFilters cuts at each | outside of quotes.
func splitFilters(text string) []string {
	var fields []string
	quoted, from := false, 0
	for i := range len(text) {
		switch {
		case text[i] == '\'':
			quoted = !quoted
		case text[i] == '|' && !quoted:
			fields = append(fields, text[from:i])
			from = i + 1
		}
	}
	return append(fields, text[from:])
}

// parseFilter reads "name", or "default:text" with or without quotes around the text.
func parseFilter(written string) (filter, error) {
	name, argument, has := strings.Cut(written, ":")
	f := filter{name: strings.TrimSpace(name)}
	known := false
	for _, name := range filterNames() {
		known = known || name == f.name
	}
	switch {
	case !known:
		return filter{}, problem("unknown filter "+quote(f.name)+suggest(f.name, filterNames()), "the filters are "+strings.Join(filterNames(), ", "))
	case f.name != filterDefault && has:
		return filter{}, problem("the filter "+f.name+" takes nothing behind a colon", "write |"+f.name)
	case f.name == filterDefault && !has:
		return filter{}, problem("the filter default does not say what to take instead", "write |default:none, or |default:'' for nothing at all")
	}
	argument = strings.TrimSpace(argument)
	if len(argument) >= 2 && argument[0] == '\'' && argument[len(argument)-1] == '\'' {
		argument = strings.ReplaceAll(argument[1:len(argument)-1], "''", "'")
	}
	f.text = argument
	return f, nil
}

// isReference tells whether a text can be a name in a template: letters, digits and . _ - [ ], beginning with a letter.
func isReference(name string) bool {
	if name == "" || len(name) > maxReference || !isLetter(rune(name[0])) && name[0] != '_' {
		return false
	}
	for _, r := range name {
		if !isLetter(r) && (r < '0' || r > '9') && !strings.ContainsRune("._-[]", r) {
			return false
		}
	}
	return true
}
