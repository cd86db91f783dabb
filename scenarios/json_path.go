package scenarios

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonPath leads to a part of a JSON text. Its steps are keys of objects and numbers in lists.
type jsonPath []jsonStep

// jsonStep is a key, or a number in a list.
type jsonStep struct {
	key   string
	index int // -1 = key
}

// parseJSONPath reads "document.version", "items[0].id" or "[2]". Numbers count from 0, as in JavaScript.
func parseJSONPath(text string) (jsonPath, error) {
	wrong := func() error {
		return problem(quote(text)+" is no path into JSON", "write keys with dots between them, and numbers from 0 in []: document.version, items[0].id")
	}
	var path jsonPath
	for i, name := range strings.Split(text, ".") {
		key, indexes, _ := strings.Cut(name, "[")
		switch {
		case key != "":
			path = append(path, jsonStep{key: key, index: -1})
		case i > 0 || indexes == "":
			return nil, wrong()
		}
		if len(key) == len(name) {
			continue
		}
		for index := range strings.SplitSeq(indexes, "[") {
			digits, closed := strings.CutSuffix(index, "]")
			n, err := strconv.ParseUint(digits, 10, 31)
			if !closed || err != nil {
				return nil, wrong()
			}
			path = append(path, jsonStep{index: int(n)})
		}
	}
	if len(path) > maxDepth {
		return nil, problem("the path "+quote(text)+" is longer than "+strconv.Itoa(maxDepth)+" steps", "")
	}
	return path, nil
}

// find appends the part of text to which the path leads: a string as the text that it stands for, anything else as it is
// spelled. Of two equal keys the first counts. The text may be any bytes: it is walked only as far as the path leads, and what is no JSON
// there has no such part. Text may be a part of dst.
func (p jsonPath) find(dst, text []byte) (out []byte, ok bool) {
	s := jsonScanner{text: text}
	for _, step := range p {
		s.space()
		if step.index < 0 && !s.enterKey(step.key) || step.index >= 0 && !s.enterIndex(step.index) {
			return dst, false
		}
	}
	s.space()
	from := s.at
	if !s.skip() {
		return dst, false
	}
	value := text[from:s.at]
	if value[0] == '"' {
		return appendUnescaped(dst, value[1:len(value)-1]), true
	}
	return append(dst, value...), true
}

// jsonScanner walks over JSON without building anything of it.
type jsonScanner struct {
	text []byte
	at   int
}

// peek is the byte at the scanner, 0 at the end.
func (s *jsonScanner) peek() byte {
	if s.at >= len(s.text) {
		return 0
	}
	return s.text[s.at]
}

func (s *jsonScanner) space() {
	for s.at < len(s.text) && (s.text[s.at] == ' ' || s.text[s.at] == '\t' || s.text[s.at] == '\n' || s.text[s.at] == '\r') {
		s.at++
	}
}

// take steps over c, and the space around it.
func (s *jsonScanner) take(c byte) bool {
	s.space()
	if s.peek() != c {
		return false
	}
	s.at++
	s.space()
	return true
}

// enterKey goes to the value of a key of the object at the scanner.
func (s *jsonScanner) enterKey(key string) bool {
	if !s.take('{') {
		return false
	}
	for s.peek() == '"' {
		from := s.at
		if !s.skipString() {
			return false
		}
		name := s.text[from+1 : s.at-1]
		if !s.take(':') {
			return false
		}
		if sameKey(name, key) {
			return true
		}
		if !s.skip() || !s.take(',') {
			return false
		}
	}
	return false
}

// enterIndex goes to the n-th value of the list at the scanner.
func (s *jsonScanner) enterIndex(n int) bool {
	if !s.take('[') {
		return false
	}
	for range n {
		if !s.skip() || !s.take(',') {
			return false
		}
	}
	return true
}

// skip steps over one value. Brackets of both kinds are only counted: whoever sends "[}" means neither.
func (s *jsonScanner) skip() bool {
	depth := 0
	for {
		switch c := s.peek(); {
		case c == '{' || c == '[':
			s.at++
			depth++
		case (c == '}' || c == ']') && depth > 0:
			s.at++
			depth--
		case c == '"':
			if !s.skipString() {
				return false
			}
		case (c == ',' || c == ':') && depth > 0:
			s.at++
			s.space()
			continue
		default:
			if !s.skipWord() {
				return false
			}
		}
		if depth == 0 {
			return true
		}
		s.space()
	}
}

// skipString steps over a string.
func (s *jsonScanner) skipString() bool {
	for i := s.at + 1; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			i++
		case '"':
			s.at = i + 1
			return true
		}
	}
	return false
}

// skipWord steps over a number, true, false or null.
func (s *jsonScanner) skipWord() bool {
	from := s.at
	for s.at < len(s.text) {
		c := s.text[s.at]
		if !isLetter(rune(c)) && (c < '0' || c > '9') && c != '-' && c != '+' && c != '.' {
			break
		}
		s.at++
	}
	return s.at > from
}

// sameKey tells whether what stands between the quotes of a JSON string is the key.
func sameKey(escaped []byte, key string) bool {
	if bytes.IndexByte(escaped, '\\') < 0 {
		return string(escaped) == key
	}
	return string(appendUnescaped(nil, escaped)) == key
}

// appendUnescaped appends what stands between the quotes of a JSON string as the text that it stands for; what is no UTF-8 and
// no escape there becomes U+FFFD, as encoding/json has it.
func appendUnescaped(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			var size int
			dst, size = appendEscape(dst, text[i:])
			i += size
		case c < utf8.RuneSelf:
			dst = append(dst, c)
			i++
		default:
			r, size := utf8.DecodeRune(text[i:])
			dst = utf8.AppendRune(dst, r)
			i += size
		}
	}
	return dst
}

// appendEscape appends what the escape at the beginning of text stands for, and says how many bytes of text that takes.
func appendEscape(dst, text []byte) (out []byte, size int) {
	switch c := text[1]; c {
	case 'n':
		return append(dst, '\n'), 2
	case 't':
		return append(dst, '\t'), 2
	case 'r':
		return append(dst, '\r'), 2
	case 'b':
		return append(dst, '\b'), 2
	case 'f':
		return append(dst, '\f'), 2
	case 'u':
		r, ok := hexRune(text)
		if !ok {
			return utf8.AppendRune(dst, utf8.RuneError), 2
		}
		if utf16.IsSurrogate(r) {
			if low, ok := hexRune(text[6:]); ok {
				if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
					return utf8.AppendRune(dst, both), 12
				}
			}
			r = utf8.RuneError
		}
		return utf8.AppendRune(dst, r), 6
	default:
		return append(dst, c), 2
	}
}

// hexRune reads a \uXXXX.
func hexRune(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range text[2:6] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case isLetter(rune(c)) && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
