package phoenix

import (
	"fmt"
	"unicode/utf8"
)

// scanner reads JSON from its beginning to its end. It makes no values: it finds where they begin and end, and that they
// are well formed. encoding/json is not used for it, because it neither says where the elements of a list lie without an
// allocation each, nor bounds their depth, nor refuses invalid UTF-8.
type scanner struct {
	data []byte
	at   int
}

// fail is an error at the byte that comes next.
func (s *scanner) fail(format string, args ...any) error {
	return fmt.Errorf("at byte %d: %s", s.at, fmt.Sprintf(format, args...))
}

// next passes over white space and returns the byte that comes next, without taking it; 0 at the end.
func (s *scanner) next() byte {
	for ; s.at < len(s.data); s.at++ {
		switch c := s.data[s.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// take takes c, which must come next.
func (s *scanner) take(c byte) error {
	if s.next() != c || s.at == len(s.data) {
		return s.unexpected(fmt.Sprintf("%q", c))
	}
	s.at++
	return nil
}

// unexpected is the fault of anything but what was wanted.
func (s *scanner) unexpected(wanted string) error {
	if s.at >= len(s.data) {
		return s.fail("it ends where %s was expected", wanted)
	}
	return s.fail("%q where %s was expected", s.data[s.at], wanted)
}

// end checks that nothing but white space follows.
func (s *scanner) end() error {
	if s.next(); s.at < len(s.data) {
		return s.fail("something follows it, %q", s.data[s.at])
	}
	return nil
}

// value takes one value, whatever it is, in which objects and lists lie at most depth deep, and returns its bytes.
func (s *scanner) value(depth int) (raw []byte, err error) {
	c := s.next()
	start := s.at
	switch c {
	case '{':
		err = s.object(depth, nil)
	case '[':
		err = s.list(depth, nil)
	case '"':
		_, err = s.text()
	case 't':
		err = s.literal("true")
	case 'f':
		err = s.literal("false")
	case 'n':
		err = s.literal("null")
	default:
		err = s.number()
	}
	return s.data[start:s.at], err
}

// object takes an object. Member, which takes the value, is called for each of its fields; nil = take any value.
func (s *scanner) object(depth int, member func(key text) error) error {
	if err := s.take('{'); err != nil {
		return err
	}
	if depth == 0 {
		return s.fail("it is nested more than %d deep", MaxDepth)
	}
	if s.next() == '}' {
		s.at++
		return nil
	}
	for {
		key, err := s.text()
		if err != nil {
			return err
		}
		if err := s.take(':'); err != nil {
			return err
		}
		if member != nil {
			err = member(key)
		} else {
			_, err = s.value(depth - 1)
		}
		if err != nil {
			return err
		}
		if more, err := s.more('}'); err != nil || !more {
			return err
		}
	}
}

// list takes a list. Element, which takes the value, is called for each of its elements; nil = take any value.
func (s *scanner) list(depth int, element func() error) error {
	if err := s.take('['); err != nil {
		return err
	}
	if depth == 0 {
		return s.fail("it is nested more than %d deep", MaxDepth)
	}
	if s.next() == ']' {
		s.at++
		return nil
	}
	for {
		var err error
		if element != nil {
			err = element()
		} else {
			_, err = s.value(depth - 1)
		}
		if err != nil {
			return err
		}
		if more, err := s.more(']'); err != nil || !more {
			return err
		}
	}
}

// more takes the comma before another element, or what closes the object or list.
func (s *scanner) more(closing byte) (more bool, err error) {
	switch c := s.next(); {
	case c == ',':
		s.at++
		return true, nil
	case c == closing && s.at < len(s.data):
		s.at++
		return false, nil
	}
	return false, s.unexpected(fmt.Sprintf("',' or %q", closing))
}

// literal takes a word.
func (s *scanner) literal(word string) error {
	if s.next(); len(s.data)-s.at < len(word) || string(s.data[s.at:s.at+len(word)]) != word {
		return s.fail("no %s", word)
	}
	s.at += len(word)
	return nil
}

// number takes a number.
func (s *scanner) number() error {
	start := s.at
	s.accept("-")
	if !s.accept("0") && s.digits() == 0 {
		s.at = start
		return s.unexpected("a value")
	}
	if s.accept(".") && s.digits() == 0 {
		return s.unexpected("a digit")
	}
	if s.accept("eE") {
		s.accept("+-")
		if s.digits() == 0 {
			return s.unexpected("a digit")
		}
	}
	return nil
}

// accept takes the next byte when it is one of set.
func (s *scanner) accept(set string) bool {
	if s.at == len(s.data) {
		return false
	}
	for i := range len(set) {
		if s.data[s.at] == set[i] {
			s.at++
			return true
		}
	}
	return false
}

// digits takes all digits that come next.
func (s *scanner) digits() (n int) {
	for ; s.at < len(s.data) && '0' <= s.data[s.at] && s.data[s.at] <= '9'; s.at++ {
		n++
	}
	return n
}

// text takes a string.
func (s *scanner) text() (t text, err error) {
	if s.next() != '"' {
		return t, s.unexpected("a string")
	}
	s.at++
	start, ascii := s.at, true
	for {
		if s.at = skipPlain(s.data, s.at); s.at == len(s.data) {
			return text{}, s.fail("it ends within a string")
		}
		switch c := s.data[s.at]; {
		case c == '"':
			t.raw = s.data[start:s.at]
			if !ascii && !utf8.Valid(t.raw) {
				s.at = start
				return text{}, s.fail("a string is not UTF-8")
			}
			s.at++
			return t, nil
		case c == '\\':
			t.escaped = true
			if err := s.escape(); err != nil {
				return text{}, err
			}
			continue
		case c < ' ':
			return text{}, s.fail("the control byte %#02x in a string", c)
		default:
			ascii = false
		}
		s.at++
	}
}

// escape takes a backslash and what it escapes.
func (s *scanner) escape() error {
	start := s.at
	s.at++
	switch {
	case s.accept(`"\/bfnrt`):
		return nil
	case s.accept("u") && len(s.data)-s.at >= 4 && hex4(s.data[s.at:]) >= 0:
		s.at += 4
		return nil
	}
	s.at = start
	return s.fail("a backslash that escapes nothing")
}
