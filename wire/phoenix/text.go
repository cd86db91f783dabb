package phoenix

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// text is a string as it stands between its quotes, known to be well formed.
type text struct {
	raw     []byte
	escaped bool // it holds a backslash
}

// is reports whether the text is word, which needs no escapes. (A name that is spelled with escapes is not recognized:
// nobody writes one.)
func (t text) is(word string) bool { return string(t.raw) == word }

// keep returns the text, which is often the one that the caller has already; that costs no allocation.
func (t text) keep(old string) string {
	switch {
	case t.escaped:
		return string(t.appendTo(nil))
	case string(t.raw) == old:
		return old
	}
	return string(t.raw)
}

// appendTo appends the text without its escapes, which is never longer than with them. Half a surrogate pair becomes
// U+FFFD.
func (t text) appendTo(dst []byte) []byte {
	raw := t.raw
	for t.escaped {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 {
			break
		}
		dst = append(dst, raw[:i]...)
		dst, raw = appendUnescaped(dst, raw[i+1:])
	}
	return append(dst, raw...)
}

// appendUnescaped appends what an escape means, whose backslash has been taken from raw.
func appendUnescaped(dst, raw []byte) (_, rest []byte) {
	c, rest := raw[0], raw[1:]
	switch c {
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		r := hex4(rest)
		rest = rest[4:]
		if utf16.IsSurrogate(r) {
			if r = utf16.DecodeRune(r, nextUnit(rest)); r != utf8.RuneError { // else it is half a pair
				rest = rest[len(`\u0000`):]
			}
		}
		return utf8.AppendRune(dst, r), rest
	}
	return append(dst, c), rest
}

// nextUnit is the UTF-16 unit that p begins with as an escape; 0, which completes no pair, when it does not.
func nextUnit(p []byte) rune {
	if len(p) < 6 || p[0] != '\\' || p[1] != 'u' {
		return 0
	}
	return hex4(p[2:])
}

// hex4 is the value of four hexadecimal digits; -1 when p does not begin with them.
func hex4(p []byte) (r rune) {
	for _, c := range p[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// appendQuoted appends s as a JSON string.
func appendQuoted[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, s)
	return append(dst, '"')
}

// appendEscaped appends s as it stands within a JSON string: only what has to be is escaped, as Phoenix does it. Invalid
// UTF-8 becomes U+FFFD.
func appendEscaped[T string | []byte](dst []byte, s T) []byte {
	done := 0
	for i := 0; i < len(s); {
		if i = skipPlain(s, i); i == len(s) {
			break
		}
		c := s[i]
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))])); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = append(dst, s[done:i]...)
		dst = appendEscape(dst, c)
		i += size
		done = i
	}
	return append(dst, s[done:]...)
}

// skipPlain returns the first place at or behind i at which s has a byte that is not plain: a quote, a backslash, a control
// byte or a part of a longer character; len(s) when there is none. It looks at eight bytes at once, because most of what
// target and clients do with a broadcast is to look for these bytes in it.
func skipPlain[T string | []byte](s T, i int) int {
	const ones = 0x0101010101010101
	for ; len(s)-i >= 8; i += 8 {
		w := word(s, i)
		// In each term the lowest byte that it is about has its top bit set, be it by the borrow of a subtraction. A byte
		// above that one may have it for no reason; then the loop below looks at it.
		control, quote, backslash := w-ones*' ', (w^ones*'"')-ones, (w^ones*'\\')-ones
		if (w|control|quote|backslash)&(ones<<7) != 0 {
			break
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			break
		}
	}
	return i
}

// word is eight bytes of s, the first one lowest. The compiler makes one load of it.
func word[T string | []byte](s T, i int) uint64 {
	return uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
		uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
}

// appendEscape appends a byte that must not stand in a JSON string.
func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	if c >= utf8.RuneSelf {
		return utf8.AppendRune(dst, utf8.RuneError)
	}
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
}
