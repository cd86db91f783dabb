package hologram

import (
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// escapes says which bytes are escaped: those below one, and two more.
type escapes struct{ below, one, other byte }

func (e escapes) has(b byte) bool { return b < e.below || b == e.one || b == e.other }

// escapeTail escapes dst from start on, in place. So an encoder writes into dst without an eye on what will stand around
// it, and a string within a string costs no second buffer.
func escapeTail(dst []byte, start int, e escapes) []byte {
	more := 0
	for _, b := range dst[start:] {
		if e.has(b) {
			more++
			if shortEscape(b) == 'u' {
				more += 4
			}
		}
	}
	if more == 0 {
		return dst
	}
	from := len(dst)
	dst = slices.Grow(dst, more)[:from+more]
	to := len(dst)
	for from < to { // what is left of it then stands where it should
		from--
		b := dst[from]
		if !e.has(b) {
			to--
			dst[to] = b
			continue
		}
		letter := shortEscape(b)
		if letter == 'u' {
			to -= 6
			copy(dst[to:], `\u00`)
			dst[to+4], dst[to+5] = hexDigits[b>>4], hexDigits[b&15]
			continue
		}
		to -= 2
		dst[to], dst[to+1] = '\\', letter
	}
	return dst
}

// shortEscape is the letter behind the backslash, as JSON and JavaScript agree on it; 'u' = there is none but \u00XX.
func shortEscape(b byte) byte {
	switch b {
	case '"', '\\':
		return b
	case '\b':
		return 'b'
	case '\f':
		return 'f'
	case '\n':
		return 'n'
	case '\r':
		return 'r'
	case '\t':
		return 't'
	}
	return 'u'
}

// appendLiteral appends text as a literal of JavaScript, escaped as Hologram v0.9 does: what Elixir calls not printable is
// escaped, anything else stands as it is, and so is text of [A-Za-z0-9.]. Text that is no UTF-8 is not what arrives: a
// byte of it becomes the character of its number, as with Hologram.
func appendLiteral(dst []byte, text string) []byte {
	dst = append(dst, '"')
	begin := 0 // of what stands as it is
	for i := 0; i < len(text); {
		b := text[i]
		if b >= ' ' && b != '"' && b != '\\' && b < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if printable(r, size) {
			i += size
			continue
		}
		dst = append(dst, text[begin:i]...)
		dst = appendEscape(dst, b, r, size)
		i += size
		begin = i
	}
	dst = append(dst, text[begin:]...)
	return append(dst, '"')
}

// printable reports whether a character, of that many bytes, stands in a literal as it is.
func printable(r rune, size int) bool {
	switch {
	case r == utf8.RuneError && size <= 1:
		return false
	case r == '"' || r == '\\' || r == '\u2028' || r == '\u2029':
		return false
	case r < ' ':
		return r == '\x1b'
	case r >= 0x80 && r < 0xa0:
		return false
	}
	return r != 0xfffe && r != 0xffff
}

// appendEscape appends the escape of a character that begins with the byte b.
func appendEscape(dst []byte, b byte, r rune, size int) []byte {
	switch letter := shortEscape(b); {
	case r == '\v':
		return append(dst, `\v`...)
	case r == '\a':
		return append(dst, `\x07`...)
	case letter != 'u':
		return append(dst, '\\', letter)
	case r == utf8.RuneError && size <= 1:
		const upper = "0123456789ABCDEF"
		return append(dst, '\\', 'x', upper[b>>4], upper[b&15])
	}
	dst = append(dst, `\u{`...)
	start := len(dst)
	dst = strconv.AppendUint(dst, uint64(r), 16)
	for i := start; i < len(dst); i++ {
		if dst[i] >= 'a' {
			dst[i] -= 'a' - 'A'
		}
	}
	return append(dst, '}')
}

// unescape undoes the escapes of a string, which began at at, and keeps what it means. A script knows all escapes of
// JavaScript that have a meaning of their own, JSON only its few. Halves of a surrogate pair join; one that stands alone
// becomes U+FFFD, as it does on its way out of a browser.
func (c *cursor) unescape(at int, raw []byte, script bool) string {
	start := c.room(len(raw)) // no escape is shorter than what it means
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			_ = c.texts.WriteByte(raw[i]) // never fails
			i++
			continue
		}
		r, n := unescapeOne(raw[i:], script)
		if n == 0 {
			c.fail(at+i, "the escape has no meaning here")
			return ""
		}
		i += n
		if utf16.IsSurrogate(r) {
			low, n := unescapeOne(raw[i:], script)
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				i += n
			}
		}
		_, _ = c.texts.WriteRune(r) // never fails
	}
	return c.text(start)
}

// unescapeOne reads the escape at the beginning of raw: what it means, and its length, or 0 when there is none.
func unescapeOne(raw []byte, script bool) (r rune, n int) {
	if len(raw) < 2 || raw[0] != '\\' {
		return 0, 0
	}
	switch b := raw[1]; b {
	case '"', '\\':
		return rune(b), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		if script && len(raw) > 2 && raw[2] == '{' {
			return braced(raw)
		}
		return hexRune(raw, 4)
	case '/':
		if !script {
			return '/', 2
		}
	case '\'':
		if script {
			return '\'', 2
		}
	case 'v':
		if script {
			return '\v', 2
		}
	case 'x':
		if script {
			return hexRune(raw, 2)
		}
	}
	return 0, 0
}

// braced reads \u{X}, with one to six digits.
func braced(raw []byte) (r rune, n int) {
	for i := 3; i < len(raw) && i < 10; i++ {
		if raw[i] == '}' && i > 3 && r <= utf8.MaxRune {
			return r, i + 1
		}
		digit := digitOf(raw[i])
		if digit > 15 {
			return 0, 0
		}
		r = r<<4 | rune(digit)
	}
	return 0, 0
}

// hexRune reads an escape with exactly that many digits behind its letter.
func hexRune(raw []byte, digits int) (r rune, n int) {
	if len(raw) < 2+digits {
		return 0, 0
	}
	for _, b := range raw[2 : 2+digits] {
		digit := digitOf(b)
		if digit > 15 {
			return 0, 0
		}
		r = r<<4 | rune(digit)
	}
	return r, 2 + digits
}

// digitOf is nibble for digits in either case.
func digitOf(b byte) byte {
	if b >= 'A' && b <= 'F' {
		b += 'a' - 'A'
	}
	return nibble(b)
}
