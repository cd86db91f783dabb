package hologram

import (
	"fmt"
	"strings"
)

// cursor reads src once, from left to right. The first fault sticks: whatever is read behind it is the zero value, and
// every loop asks next, which is false then.
type cursor struct {
	src   []byte
	at    int
	depth int
	terms int
	texts strings.Builder // holds the decoded texts, one behind the other: many texts, one allocation
	err   error
}

// chunkBytes is how much room the texts of a long input get at a time.
const chunkBytes = 4 << 10

// fail notes the first fault; at is the byte in src at which it was noticed.
func (c *cursor) fail(at int, format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("at byte %d: %s", at, fmt.Sprintf(format, args...))
	}
}

// here says what stands at the cursor: one character at most, because what is foreign may be a secret.
func (c *cursor) here() string {
	if c.at >= len(c.src) {
		return "the end"
	}
	return fmt.Sprintf("%q", c.src[c.at])
}

// space skips white space. JavaScript knows more of it, which no encoder writes.
func (c *cursor) space() {
	for c.at < len(c.src) {
		switch c.src[c.at] {
		case ' ', '\t', '\r', '\n':
			c.at++
		default:
			return
		}
	}
}

// take skips white space, and then b if it comes next.
func (c *cursor) take(b byte) bool {
	c.space()
	if c.err != nil || c.at >= len(c.src) || c.src[c.at] != b {
		return false
	}
	c.at++
	return true
}

// expect is take for what must come.
func (c *cursor) expect(b byte) {
	if !c.take(b) {
		c.fail(c.at, "found %s where %q must stand", c.here(), b)
	}
}

// next reports whether another element follows in a list of something, behind its opening bracket, and takes the comma
// before it, or the closing bracket.
func (c *cursor) next(first bool) bool {
	if c.err != nil || c.take(']') {
		return false
	}
	if !first {
		c.expect(',')
	}
	return c.err == nil
}

// end fails when anything but white space is left.
func (c *cursor) end() {
	c.space()
	if c.at < len(c.src) {
		c.fail(c.at, "found %s behind the end", c.here())
	}
}

// begin counts a term that begins here.
func (c *cursor) begin() {
	if c.terms++; c.terms > MaxTerms {
		c.fail(c.at, "there are more than %d terms", MaxTerms)
	}
}

// down goes into a list, a tuple or a map, and up leaves it.
func (c *cursor) down() {
	if c.depth++; c.depth > MaxDepth {
		c.fail(c.at, "lists, tuples and maps stand more than %d deep within each other", MaxDepth)
	}
}

func (c *cursor) up() { c.depth-- }

// room makes texts take n more bytes without moving what it holds, and returns where they begin.
func (c *cursor) room(n int) (start int) {
	if c.texts.Cap()-c.texts.Len() < n {
		c.texts.Reset() // the texts so far live on in the strings that were cut from it
		c.texts.Grow(max(n, min(len(c.src), chunkBytes)))
	}
	return c.texts.Len()
}

// text is what was written into texts since room returned start.
func (c *cursor) text(start int) string { return c.texts.String()[start:] }

// keep copies b into texts.
func (c *cursor) keep(b []byte) string {
	start := c.room(len(b))
	_, _ = c.texts.Write(b) // never fails
	return c.text(start)
}

// item adds an element to those of a list, a tuple or a map. Most have few, so that the first allocation is the last.
func item(items []Term, t Term) []Term {
	if items == nil {
		items = make([]Term, 0, 4)
	}
	return append(items, t)
}
