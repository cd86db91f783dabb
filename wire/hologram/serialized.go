package hologram

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
)

// version is that of the serializer whose format is written.
const version = 3

// AppendSerialized appends t to dst as the body of a request, in version 3 of the serializer.
func AppendSerialized(dst []byte, t Term) []byte {
	dst = append(dst, '[', '0'+version, ',')
	dst = appendSerialized(dst, t)
	return append(dst, ']')
}

func appendSerialized(dst []byte, t Term) []byte {
	switch t.Kind {
	case KindBitstring:
		dst = append(dst, '"')
		dst = appendHex(dst, t.Text)
		return append(dst, '"')
	case KindInteger:
		dst = append(dst, `"i`...)
		dst = append(dst, t.Text...)
		return append(dst, '"')
	case KindFloat:
		dst = append(dst, `"f`...)
		dst = appendNumber(dst, t.Float)
		return append(dst, '"')
	case KindList, KindTuple:
		dst = append(dst, `{"t":"`...)
		dst = append(dst, spelling{}.letter(t.Kind)...)
		dst = append(dst, `","d":[`...)
		for i, item := range t.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendSerialized(dst, item)
		}
		return append(dst, `]}`...)
	case KindMap:
		dst = append(dst, `{"t":"m","d":[`...)
		for i := 0; i+1 < len(t.Items); i += 2 {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, '[')
			dst = appendSerialized(dst, t.Items[i])
			dst = append(dst, ',')
			dst = appendSerialized(dst, t.Items[i+1])
			dst = append(dst, ']')
		}
		return append(dst, `]}`...)
	default:
		return appendAtom(dst, t.Text)
	}
}

// appendAtom appends an atom with its quotes.
func appendAtom(dst []byte, name string) []byte {
	dst = append(dst, `"a`...)
	return append(appendJSON(dst, name), '"')
}

const hexDigits = "0123456789abcdef"

// appendHex appends a bitstring without its quotes: "b", and for what is not empty the count of bits behind the last
// whole byte, which is none, and two digits a byte.
func appendHex(dst []byte, text string) []byte {
	if text == "" {
		return append(dst, 'b')
	}
	dst = append(dst, "b0"...)
	for i := range len(text) {
		dst = append(dst, hexDigits[text[i]>>4], hexDigits[text[i]&15])
	}
	return dst
}

// appendNumber appends a finite f as JavaScript prints a number: in the fewest digits that give it back, and with an exponent
// from 1e21 up and below 1e-6.
func appendNumber(dst []byte, f float64) []byte {
	if size := math.Abs(f); size != 0 && (size < 1e-6 || size >= 1e21) {
		dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
		// Go writes at least two digits of an exponent, JavaScript as few as it takes.
		if n := len(dst); dst[n-2] == '0' && (dst[n-3] == '-' || dst[n-3] == '+') {
			dst[n-2] = dst[n-1]
			dst = dst[:n-1]
		}
		return dst
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64)
}

// ParseSerialized reads the body of a request: versions 3 and 2 of the serializer, which are one for all terms that are
// read here, and version 1. Integers are read as JavaScript prints them, so that "i007" is an error; the kind of a collection
// must stand before its content, as Hologram's client writes it.
func ParseSerialized(body []byte) (Term, error) {
	c := cursor{src: body}
	spelled := c.version()
	t := c.serialized(spelled)
	c.expect(']')
	c.end()
	if c.err != nil {
		return Term{}, fmt.Errorf("reading a term: %w", c.err)
	}
	return t, nil
}

// spelling is how a version of the serializer writes terms: version 1 has words where the others have letters.
type spelling struct{ old bool }

// letter is how the kind of a collection is written.
func (s spelling) letter(k Kind) string {
	name := k.String()
	if s.old {
		return name
	}
	return name[:1]
}

// keys are those of a collection: of its kind, and of its content.
func (s spelling) keys() (kind, content string) {
	if s.old {
		return "type", "data"
	}
	return "t", "d"
}

// version reads "[<version>,".
func (c *cursor) version() spelling {
	c.expect('[')
	c.space()
	at, digits := c.at, 0
	for c.at < len(c.src) && c.src[c.at] >= '0' && c.src[c.at] <= '9' {
		c.at++
		digits++
	}
	number := c.src[at:c.at]
	c.expect(',')
	switch {
	case digits == 1 && (number[0] == '2' || number[0] == '3'):
		return spelling{}
	case digits == 1 && number[0] == '1':
		return spelling{old: true}
	}
	c.fail(at, "there is no version from 1 to 3 of the serializer; the body begins with [3,")
	return spelling{}
}

// serialized reads one term.
func (c *cursor) serialized(s spelling) Term {
	c.space()
	c.begin()
	if c.at < len(c.src) && c.src[c.at] == '{' {
		return c.collection(s)
	}
	at := c.at
	text := c.jsonString()
	if c.err != nil {
		return Term{}
	}
	if s.old {
		return c.oldScalar(at, text)
	}
	return c.scalar(at, text)
}

// oldScalar is scalar for version 1, which writes text as it is.
func (c *cursor) oldScalar(at int, text []byte) Term {
	if rest, ok := bytes.CutPrefix(text, []byte("__atom__:")); ok {
		return Atom(c.keep(rest))
	}
	if rest, ok := bytes.CutPrefix(text, []byte("__binary__:")); ok {
		return Text(c.keep(rest))
	}
	if rest, ok := bytes.CutPrefix(text, []byte("__integer__:")); ok {
		return c.integer(at, rest)
	}
	if rest, ok := bytes.CutPrefix(text, []byte("__float__:")); ok {
		return c.float(at, rest)
	}
	c.fail(at, "it is no atom, binary, integer or float of version 1")
	return Term{}
}

// open reads the beginning of a collection, up to the bracket that opens its content, and leaves close to read its end.
func (c *cursor) open(s spelling) Kind {
	kindKey, contentKey := s.keys()
	c.down()
	c.expect('{')
	c.key(kindKey)
	c.space()
	at := c.at
	name := c.jsonString()
	c.expect(',')
	c.key(contentKey)
	c.expect('[')
	for _, kind := range [...]Kind{KindList, KindTuple, KindMap} {
		if string(name) == s.letter(kind) {
			return kind
		}
	}
	c.fail(at, "it is no list, tuple or map; bitstrings of bits, functions, pids, ports and references are not read here")
	return KindList
}

// close reads what stands behind the content of a collection.
func (c *cursor) close() {
	c.expect('}')
	c.up()
}

// key reads a key of an object and its colon.
func (c *cursor) key(name string) {
	c.space()
	at := c.at
	if got := c.jsonString(); c.err == nil && string(got) != name {
		c.fail(at, "the key %q must stand here", name)
	}
	c.expect(':')
}

// collection reads a list, a tuple or a map.
func (c *cursor) collection(s spelling) Term {
	t := Term{Kind: c.open(s)}
	for first := true; c.next(first); first = false {
		if t.Kind != KindMap {
			t.Items = item(t.Items, c.serialized(s))
			continue
		}
		c.expect('[')
		t.Items = item(t.Items, c.serialized(s))
		c.expect(',')
		t.Items = item(t.Items, c.serialized(s))
		c.expect(']')
	}
	c.close()
	return t
}

// scalar reads a term from the text of its string, which begins behind the quote at at.
func (c *cursor) scalar(at int, text []byte) Term {
	if len(text) == 0 {
		c.fail(at, "a term is empty")
		return Term{}
	}
	switch rest := text[1:]; text[0] {
	case 'a':
		return Atom(c.keep(rest))
	case 'b':
		return Text(c.hex(at, rest))
	case 'i':
		return c.integer(at, rest)
	case 'f':
		return c.float(at, rest)
	}
	c.fail(at, "it is no atom, bitstring, integer or float; functions, pids, ports and references are not read here")
	return Term{}
}

// hex reads what stands behind the "b" of a bitstring.
func (c *cursor) hex(at int, digits []byte) string {
	if len(digits) == 0 {
		return ""
	}
	if digits[0] != '0' {
		c.fail(at, "the bitstring is no whole bytes; text begins with b0")
		return ""
	}
	digits = digits[1:]
	start := c.room(len(digits) / 2)
	for i := 0; i+1 < len(digits); i += 2 {
		high, low := nibble(digits[i]), nibble(digits[i+1])
		if high > 15 || low > 15 {
			c.fail(at, "the bitstring holds what is no hex digit in lower case")
			return ""
		}
		_ = c.texts.WriteByte(high<<4 | low) // never fails
	}
	if len(digits)%2 != 0 {
		c.fail(at, "the bitstring ends within a byte")
	}
	return c.text(start)
}

// nibble is the value of a hex digit, and 16 for any other byte.
func nibble(b byte) byte {
	switch {
	case b >= '0' && b <= '9':
		return b - '0'
	case b >= 'a' && b <= 'f':
		return b - 'a' + 10
	}
	return 16
}

// integer reads a number as JavaScript prints it.
func (c *cursor) integer(at int, digits []byte) Term {
	if !isInteger(digits) {
		c.fail(at, "the integer is no decimal number without a leading zero")
		return Term{}
	}
	return Term{Kind: KindInteger, Text: c.keep(digits)}
}

// isInteger reports whether digits are those of one number, in its only spelling.
func isInteger(digits []byte) bool {
	if len(digits) > 1 && digits[0] == '-' {
		digits = digits[1:]
		if digits[0] == '0' {
			return false // JavaScript's big integers know no -0
		}
	}
	if len(digits) == 0 || len(digits) > 1 && digits[0] == '0' {
		return false
	}
	for _, b := range digits {
		if b < '0' || b > '9' {
			return false
		}
	}
	return true
}

// float reads a decimal number with or without fraction and exponent.
func (c *cursor) float(at int, digits []byte) Term {
	for _, b := range digits {
		// Go reads more than these: hex digits, underscores, inf and nan.
		if (b < '0' || b > '9') && b != '.' && b != '-' && b != '+' && b != 'e' && b != 'E' {
			c.fail(at, "the float is no decimal number")
			return Term{}
		}
	}
	f, err := strconv.ParseFloat(string(digits), 64)
	if err != nil {
		c.fail(at, "the float is no decimal number that 64 bits hold")
		return Term{}
	}
	return Term{Kind: KindFloat, Float: f}
}
