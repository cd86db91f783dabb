package hologram

import (
	"strings"
	"unicode/utf8"
)

// jsonEscapes are the bytes that a string of JSON cannot hold as they are.
func jsonEscapes() escapes { return escapes{below: ' ', one: '"', other: '\\'} }

// appendJSON appends text as it stands within a string of JSON. What is no UTF-8 in it becomes U+FFFD.
func appendJSON(dst []byte, text string) []byte {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\ufffd")
	}
	start := len(dst)
	return escapeTail(append(dst, text...), start, jsonEscapes())
}

// jsonString reads a string of JSON and its quotes. What it returns aliases src, unless an escape had to be undone.
func (c *cursor) jsonString() []byte {
	start, raw, escaped := c.jsonRaw()
	if escaped {
		return []byte(c.unescape(start, raw, false))
	}
	return raw
}

// field reads a string of JSON and its quotes, and keeps it.
func (c *cursor) field() string {
	start, raw, escaped := c.jsonRaw()
	if escaped {
		return c.unescape(start, raw, false)
	}
	return c.keep(raw)
}

// jsonRaw reads a string of JSON and its quotes: where its text begins, the text as it stands there, and whether there are
// escapes in it.
func (c *cursor) jsonRaw() (start int, raw []byte, escaped bool) {
	c.space()
	start = c.at + 1
	c.expect('"')
	for i := start; c.err == nil && i < len(c.src); i++ {
		switch b := c.src[i]; {
		case b == '"':
			c.at = i + 1
			raw = c.src[start:i]
			if !utf8.Valid(raw) {
				c.fail(start, "the string is no UTF-8")
				return start, nil, false
			}
			return start, raw, escaped
		case b == '\\':
			escaped = true
			i++ // whatever is escaped does not end the string
		case b < ' ':
			c.fail(i, "the string holds a control character that is not escaped")
		}
	}
	c.fail(start, "the string has no end")
	return start, nil, false
}

// object reads the fields of an object: field reads the value of each, or skips it.
func (c *cursor) object(field func(key []byte)) {
	c.expect('{')
	for first := true; c.err == nil && !c.take('}'); first = false {
		if !first {
			c.expect(',')
		}
		key := c.jsonString()
		c.expect(':')
		if c.err == nil {
			field(key)
		}
	}
}

// skip passes over a value. That its brackets match is all that is asked of it.
func (c *cursor) skip() {
	depth := 0
	for c.err == nil {
		c.space()
		if c.at >= len(c.src) {
			break
		}
		switch c.src[c.at] {
		case '"':
			c.jsonString()
		case '{', '[':
			depth++
			c.at++
			continue
		case '}', ']':
			depth--
			c.at++
		case ',', ':':
			c.at++
			continue
		default:
			c.word()
		}
		if depth <= 0 {
			return
		}
	}
	c.fail(c.at, "a value has no end")
}

// word passes over a number, true, false or null.
func (c *cursor) word() {
	for ; c.at < len(c.src); c.at++ {
		switch c.src[c.at] {
		case ' ', '\t', '\r', '\n', ',', ':', '"', '{', '}', '[', ']':
			return
		}
	}
}
