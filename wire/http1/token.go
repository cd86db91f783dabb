package http1

import "strings"

// token reports whether text is a token of RFC 9110, as the name of a field or a method must be.
func token[T string | []byte](text T) bool {
	for i := range len(text) {
		if !tokenByte(text[i]) {
			return false
		}
	}
	return len(text) > 0
}

func tokenByte(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// forbidden reports whether a field's value must not hold r: control characters, but for the tab.
func forbidden(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// is compares text with a name in lower case, as names of fields and options are compared.
func is(text []byte, lower string) bool {
	if len(text) != len(lower) {
		return false
	}
	for i, c := range text {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// digits reports whether text holds decimal digits only.
func digits(text []byte) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// shorten cuts foreign text to what an error message can bear.
func shorten(text []byte) []byte {
	const longest = 60
	if len(text) > longest {
		return append(text[:longest-3:longest-3], "..."...)
	}
	return text
}
