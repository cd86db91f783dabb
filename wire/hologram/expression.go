package hologram

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// AppendExpression appends t to dst as the JavaScript that makes it. It is always one line, so it stands in one field of an
// event stream. Text goes through as it is, but for escapes; see the package comment for text that is no UTF-8.
func AppendExpression(dst []byte, t Term) []byte {
	dst = append(dst, "Type."...)
	dst = append(dst, t.Kind.String()...)
	dst = append(dst, '(')
	switch t.Kind {
	case KindAtom, KindBitstring:
		dst = appendLiteral(dst, t.Text)
	case KindInteger:
		dst = append(dst, t.Text...)
		dst = append(dst, 'n')
	case KindFloat:
		dst = appendElixirFloat(dst, t.Float)
	case KindList, KindTuple:
		dst = append(dst, '[')
		for i, item := range t.Items {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = AppendExpression(dst, item)
		}
		dst = append(dst, ']')
	case KindMap:
		dst = append(dst, '[')
		for i := 0; i+1 < len(t.Items); i += 2 {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(dst, '[')
			dst = AppendExpression(dst, t.Items[i])
			dst = append(dst, ", "...)
			dst = AppendExpression(dst, t.Items[i+1])
			dst = append(dst, ']')
		}
		dst = append(dst, ']')
	}
	return append(dst, ')')
}

// appendElixirFloat appends a finite f with a fraction, as Elixir prints it. Where Elixir changes over to an exponent is
// not imitated: the number is the same.
func appendElixirFloat(dst []byte, f float64) []byte {
	start := len(dst)
	format := byte('f')
	if size := math.Abs(f); size != 0 && (size < 1e-5 || size >= 1e17) {
		format = 'e'
	}
	dst = strconv.AppendFloat(dst, f, format, -1, 64)
	if bytes.IndexByte(dst[start:], '.') >= 0 {
		return dst
	}
	at := start + bytes.IndexByte(dst[start:], 'e')
	if at < start {
		return append(dst, ".0"...)
	}
	dst = append(dst, "00"...)
	copy(dst[at+2:], dst[at:])
	dst[at], dst[at+1] = '.', '0'
	return dst
}

// ParseExpression reads JavaScript that makes a term, as AppendExpression and Hologram write it. It evaluates nothing: what
// is not of the grammar is an error.
func ParseExpression(source []byte) (Term, error) {
	c := cursor{src: source}
	t := c.expression()
	c.end()
	if c.err != nil {
		return Term{}, fmt.Errorf("reading an expression: %w", c.err)
	}
	return t, nil
}

// expression reads one term.
func (c *cursor) expression() Term {
	c.space()
	c.begin()
	at := c.at
	kind, ok := c.constructor()
	if !ok {
		c.fail(at, "found %s where a term must stand, as Type.atom(\"a\"); functions, pids, ports and references are not read here", c.here())
		return Term{}
	}
	t := Term{Kind: kind}
	c.expect('(')
	c.space()
	switch kind {
	case KindAtom, KindBitstring:
		t.Text = c.literal()
	case KindInteger:
		t = c.bigInt()
	case KindFloat:
		at := c.at
		t = c.float(at, c.digits())
	default:
		t.Items = c.elements(kind == KindMap)
	}
	c.expect(')')
	return t
}

// constructor reads "Type.<kind>".
func (c *cursor) constructor() (Kind, bool) {
	rest, ok := bytes.CutPrefix(c.src[c.at:], []byte("Type."))
	if !ok {
		return 0, false
	}
	for kind := KindAtom; kind <= KindMap; kind++ {
		name := kind.String()
		if len(rest) > len(name) && string(rest[:len(name)]) == name && rest[len(name)] == '(' {
			c.at = len(c.src) - len(rest) + len(name)
			return kind, true
		}
	}
	return 0, false
}

// elements reads what stands in a collection, and its brackets.
func (c *cursor) elements(pairs bool) (items []Term) {
	c.down()
	c.expect('[')
	for first := true; c.next(first); first = false {
		if !pairs {
			items = item(items, c.expression())
			continue
		}
		c.expect('[')
		items = item(items, c.expression())
		c.expect(',')
		items = item(items, c.expression())
		c.expect(']')
	}
	c.up()
	return items
}

// digits reads what a number may consist of.
func (c *cursor) digits() []byte {
	start := c.at
	for c.at < len(c.src) {
		switch b := c.src[c.at]; {
		case b >= '0' && b <= '9', b == '-', b == '+', b == '.', b == 'e', b == 'E':
			c.at++
		default:
			return c.src[start:c.at]
		}
	}
	return c.src[start:]
}

// bigInt reads an integer, which JavaScript ends in n.
func (c *cursor) bigInt() Term {
	at := c.at
	digits := c.digits()
	if c.at >= len(c.src) || c.src[c.at] != 'n' {
		c.fail(c.at, "found %s where the n of an integer must stand", c.here())
		return Term{}
	}
	c.at++
	return c.integer(at, digits)
}

// literal reads a literal of JavaScript in double quotes.
func (c *cursor) literal() string {
	start := c.at + 1
	c.expect('"')
	escaped := false
	for i := start; c.err == nil && i < len(c.src); i++ {
		switch c.src[i] {
		case '"':
			c.at = i + 1
			raw := c.src[start:i]
			switch {
			case !utf8.Valid(raw):
				c.fail(start, "the text is no UTF-8")
				return ""
			case escaped:
				return c.unescape(start, raw, true)
			}
			return c.keep(raw)
		case '\\':
			escaped = true
			i++ // whatever is escaped does not end the text
		case '\r', '\n':
			c.fail(i, "the text holds a line end that is not escaped")
		}
	}
	c.fail(start, "the text has no end")
	return ""
}
