package scenarios

import (
	"encoding/base64"
	"unicode/utf8"
)

// filter changes what a name stands for.
type filter struct {
	name string
	text string // of default
}

// The filters.
const (
	filterJSON    = "json"
	filterInJSON  = "in_json"
	filterURL     = "url"
	filterBase64  = "base64"
	filterUpper   = "upper"
	filterLower   = "lower"
	filterDefault = "default"
)

// filterNames lists them in the order of the manual.
func filterNames() []string {
	return []string{filterJSON, filterInJSON, filterURL, filterBase64, filterUpper, filterLower, filterDefault}
}

// apply changes dst[from:], in which nothing stands when it is not ok.
func (f *filter) apply(dst []byte, from int, ok bool) ([]byte, bool) {
	to := len(dst)
	switch f.name {
	case filterDefault:
		if !ok {
			return append(dst, f.text...), true
		}
		return dst, true
	case filterUpper, filterLower:
		changeCase(dst[from:], f.name == filterUpper)
		return dst, ok
	case filterJSON:
		dst = append(dst, '"')
		dst = append(appendEscaped(dst, dst[from:to]), '"')
	case filterInJSON:
		dst = appendEscaped(dst, dst[from:to])
	case filterURL:
		dst = appendPercent(dst, dst[from:to])
	case filterBase64:
		dst = base64.StdEncoding.AppendEncode(dst, dst[from:to])
	}
	return moveBack(dst, from, to), ok
}

// changeCase changes the letters of ASCII: what other letters become may be longer, and no name of a protocol has them.
func changeCase(text []byte, upper bool) {
	low, high := byte('A'), byte('Z')
	if upper {
		low, high = 'a', 'z'
	}
	for i, c := range text {
		if c >= low && c <= high {
			text[i] = c ^ ('a' - 'A')
		}
	}
}

const hexDigits = "0123456789abcdef"

// appendEscaped appends text as it stands between the quotes of a JSON string; bytes that are no UTF-8 become U+FFFD.
func appendEscaped(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			i++
			switch {
			case c == '"' || c == '\\':
				dst = append(dst, '\\', c)
			case c == '\n':
				dst = append(dst, `\n`...)
			case c < ' ' || c == 0x7f:
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			default:
				dst = append(dst, c)
			}
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		dst = utf8.AppendRune(dst, r)
		i += size
	}
	return dst
}

// appendPercent appends text as one part of a path or a query: all but the unreserved characters of RFC 3986 as %XX.
func appendPercent(dst, text []byte) []byte {
	const upperHex = "0123456789ABCDEF"
	for _, c := range text {
		if isLetter(rune(c)) || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~' {
			dst = append(dst, c)
			continue
		}
		dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
	}
	return dst
}
