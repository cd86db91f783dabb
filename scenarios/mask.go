package scenarios

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// How a mask stands in for a value.
const (
	keepWidth   = true  // as many characters as the value had, so that columns stay right
	keepNothing = false // always three, so that not even its length is told
)

// maskServers returns the text of a scenario without the header values that stand in it in clear, and without a URL that has
// a password. The forms are all that the file says of the server, its profiles included. A value that names a variable of the
// environment stays: it tells nothing, and says where its secret comes from.
func maskServers(source string, forms []*serverForm, width bool) string {
	var values []*node
	for _, form := range forms {
		values = append(append(values, form.secretNodes()...), form.inClear()...)
	}
	return maskValues(source, values, width)
}

// maskValues returns a text without those of its values that stand in it in clear.
func maskValues(source string, values []*node, width bool) string {
	slices.SortStableFunc(values, func(a, b *node) int { return cmp.Or(a.line-b.line, a.column-b.column) })
	lines := strings.SplitAfter(source, "\n")
	var long []string
	// From the last to the first, so that an earlier mask moves no later value of its line.
	done := map[*node]bool{}
	for _, value := range slices.Backward(values) {
		if value.kind != scalarNode || done[value] || environmentOnly(value.text) {
			continue
		}
		done[value] = true
		if value.source == "" && value.line <= len(lines) {
			lines[value.line-1] = maskAt(lines[value.line-1], value, width)
		}
		if len(value.text) >= maxMaskable {
			long = append(long, value.text)
		}
	}
	masked := strings.Join(lines, "")
	for _, secret := range long { // also where a comment repeats it
		masked = strings.ReplaceAll(masked, secret, mask(secret, width))
	}
	return masked
}

// secretNodes lists the values that may be secrets.
func (s *serverForm) secretNodes() []*node {
	var values []*node
	for _, header := range s.Headers.list {
		if header.form.given() {
			values = append(values, header.form.at)
		}
	}
	if bus := &s.Bundled.Bus.URL; bus.given() && strings.Contains(bus.at.text, "@") {
		values = append(values, bus.at)
	}
	return values
}

var (
	references = regexp.MustCompile(`\$\{env\.[A-Za-z_][A-Za-z0-9_]*(\|[a-z0-9_]+)*\}`) // a default would stand in clear
	scheme     = regexp.MustCompile(`^(?i)(basic|bearer|digest|token|negotiate)?$`)
)

// environmentOnly tells whether all that is secret in a value comes from the environment: beside what is filled in there is
// at most the scheme of an authorization.
func environmentOnly(value string) bool {
	rest := references.ReplaceAllString(value, "")
	return rest != value && scheme.MatchString(strings.TrimSpace(rest))
}

// maskAt masks the value in its line; everything behind its beginning when the value is not spelled there as it should be,
// because showing too little is the lesser evil.
func maskAt(line string, value *node, width bool) string {
	at := 0
	for range value.column - 1 {
		_, size := utf8.DecodeRuneInString(line[at:])
		at += size
	}
	end := at + len(value.origin)
	if !strings.HasPrefix(line[at:], value.origin) {
		end = len(strings.TrimRight(line, "\r\n"))
	}
	if end <= at {
		return line
	}
	return line[:at] + mask(line[at:end], width) + line[end:]
}

func mask(secret string, width bool) string {
	if width {
		return strings.Repeat("*", utf8.RuneCountInString(secret))
	}
	return `"***"`
}

// MaskLine masks what looks like a secret in a line that a server wrote: what stands behind the name of one, and the password of a URL.
func MaskLine(line string) string {
	line = userInfo.ReplaceAllString(line, "://***@")
	if at := assigned.FindStringIndex(line); at != nil && at[1] < len(line) {
		return line[:at[1]] + "***"
	}
	return line
}

var (
	assigned  = regexp.MustCompile(`(?i)(authorization|cookie|token|secret|passw[a-z]*|key)["']?\s*[:=]\s*`)
	sensitive = regexp.MustCompile(`(?i)(authorization|cookie|token|secret|password|key)["']?\s*:`)
	userInfo  = regexp.MustCompile(`://[^/\s]*@`)
)

// hideHeaders masks what looks like a secret in a text that is no YAML, so that there is no telling where its headers are.
func hideHeaders(source string) string {
	lines := strings.SplitAfter(source, "\n")
	for i, line := range lines {
		line = userInfo.ReplaceAllStringFunc(line, func(found string) string { return "://" + mask(found[3:len(found)-1], keepWidth) + "@" })
		lines[i] = line
		if at := sensitive.FindStringIndex(line); at != nil {
			rest := strings.TrimRight(line[at[1]:], "\r\n")
			lines[i] = line[:at[1]] + mask(rest, keepWidth) + line[at[1]+len(rest):]
		}
	}
	return strings.Join(lines, "")
}
