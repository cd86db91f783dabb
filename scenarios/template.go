package scenarios

import "strings"

// Template is a text in which ${name} and ${name|filter} stand for what a client knows; $${ stands for ${ itself. The zero
// Template is empty.
//
// Which names there are depends on the place; docs/scenarios.md lists them. Two of them are worked out here, so that whoever
// fills a template in never sees them: ${reply.json.PATH} is a part of reply.body, ${event.json.PATH} one of event.text.
type Template struct {
	Text  string // as it stands in the scenario
	parts []part
}

// part is literal text, or a name with its filters.
type part struct {
	literal string
	name    string // "" = literal
	path    jsonPath
	filters []filter
}

// Names appends to dst what a name stands for, and returns the extended slice. It is not ok when there is nothing yet.
type Names func(dst []byte, name string) (out []byte, ok bool)

// Literal is the template that is always text.
func Literal(text string) Template {
	if text == "" {
		return Template{}
	}
	return Template{Text: strings.ReplaceAll(text, "${", "$${"), parts: []part{{literal: text}}}
}

// ParseTemplate reads a template whose names may be any. The error says what is wrong and how to write it.
func ParseTemplate(text string) (Template, error) {
	parts, err := parseParts(text)
	if err != nil {
		return Template{}, err
	}
	return Template{Text: text, parts: parts}, nil
}

// String is the template as it stands in the scenario: what the environment gave to it is in no message.
func (t Template) String() string { return t.Text }

// GoString hides the same from %#v.
func (t Template) GoString() string { return t.Text }

// Empty says whether there is nothing in it.
func (t *Template) Empty() bool { return t.Text == "" }

// Constant returns the text of a template without names.
func (t *Template) Constant() (text string, ok bool) {
	switch len(t.parts) {
	case 0:
		return "", true
	case 1:
		return t.parts[0].literal, t.parts[0].name == ""
	}
	return "", false
}

// Uses lists the names in it, in their order, each once; of ${reply.json.PATH} it is reply.body, of ${event.json.PATH} event.text.
func (t *Template) Uses() []string {
	var names []string
	seen := map[string]bool{}
	for i := range t.parts {
		if name := t.parts[i].name; name != "" && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

// Append fills the template in and appends it to dst. What a name stands for where names is not ok is nothing, or what its
// filter "default" says; missing is the first such name without a default, "" when there is none. It allocates nothing when dst is large enough
// and names allocates nothing.
func (t *Template) Append(dst []byte, names Names) (out []byte, missing string) {
	for i := range t.parts {
		p := &t.parts[i]
		if p.name == "" {
			dst = append(dst, p.literal...)
			continue
		}
		var ok bool
		if dst, ok = p.append(dst, names); !ok && missing == "" {
			missing = p.name
		}
	}
	return dst, missing
}

// append appends what one name stands for.
func (p *part) append(dst []byte, names Names) (out []byte, ok bool) {
	from := len(dst)
	dst, ok = names(dst, p.name)
	if !ok {
		dst = dst[:from]
	}
	if ok && p.path != nil {
		to := len(dst)
		dst, ok = p.path.find(dst, dst[from:to])
		dst = moveBack(dst, from, to)
	}
	for i := range p.filters {
		dst, ok = p.filters[i].apply(dst, from, ok)
	}
	return dst, ok
}

// moveBack drops dst[from:to].
func moveBack(dst []byte, from, to int) []byte {
	n := copy(dst[from:], dst[to:])
	return dst[:from+n]
}
