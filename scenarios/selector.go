package scenarios

import "regexp"

// Selector picks a part of a text. The zero Selector picks all of it.
type Selector struct {
	JSON   string // a path such as "document.version" or "items[0].id"; "" = none
	Regex  string // its first group, or all that it matches; "" = none
	Header string // the text is that of this header field; "" = the text is the body

	compiled *compiledSelector // nil = a literal of Go that is compiled each time
}

type compiledSelector struct {
	path    jsonPath       // nil = none
	pattern *regexp.Regexp // nil = none
}

// Compile reads the path and the expression once and for all; a selector of a File is compiled.
func (s Selector) Compile() (Selector, error) {
	c := new(compiledSelector)
	var err error
	if s.JSON != "" {
		if c.path, err = parseJSONPath(s.JSON); err != nil {
			return s, err
		}
	}
	if s.Regex != "" {
		if err = checkRegex(s.Regex); err != nil {
			return s, err
		}
		c.pattern = regexp.MustCompile(s.Regex)
	}
	s.compiled = c
	return s, nil
}

// Find picks the part out of what a server sent, any bytes at all; ok is false when there is none. Of JSON it takes a string as the text
// that it stands for, anything else as it is spelled. Header finds a header field, "" when there is none; it may be nil.
func (s *Selector) Find(body []byte, header func(name string) string) (part string, ok bool) {
	if s.Header != "" {
		if header == nil {
			return "", false
		}
		value := header(s.Header)
		if value == "" {
			return "", false
		}
		body = []byte(value)
	}
	c := s.compiled
	if c == nil {
		compiled, err := s.Compile()
		if err != nil {
			return "", false
		}
		c = compiled.compiled
	}
	if c.path != nil {
		found, ok := c.path.find(nil, body)
		if !ok || c.pattern == nil {
			return string(found), ok
		}
		body = found
	}
	if c.pattern == nil {
		return string(body), true
	}
	groups := c.pattern.FindSubmatch(body)
	switch {
	case groups == nil:
		return "", false
	case len(groups) > 1:
		return string(groups[1]), groups[1] != nil
	default:
		return string(groups[0]), true
	}
}

// Met tells whether the text of an event has what the match asks for.
func (m *Match) Met(text []byte) bool {
	part, ok := m.By.Find(text, nil)
	return ok && (m.Is == "" || part == m.Is)
}
