package http1

import (
	"bytes"
	"errors"
	"fmt"
	"math"
)

// framing is what the fields of a head, as far as it has been read, say about the end of the body and of the connection.
type framing struct {
	length    int64 // Content-Length; -1 = none
	chunked   bool
	close     bool // Connection: close
	keepAlive bool // Connection: keep-alive
	old       bool // HTTP/1.0
	seen      seen
}

// seen is the set of the fields that a head had so far, of those that are kept as text.
type seen uint8

const (
	seenContentType seen = 1 << iota
	seenContentEncoding
	seenLocation
	seenRetryAfter
)

// set keeps the first value of a field. The text of the head before, on the same connection, is usually the same: then
// nothing is allocated.
func (f *framing) set(text *string, value []byte, field seen) {
	if f.seen&field == 0 && *text != string(value) {
		*text = string(value)
	}
	f.seen |= field
}

// forget empties the text of a field that this head did not have.
func (f *framing) forget(text *string, field seen) {
	if f.seen&field == 0 {
		*text = ""
	}
}

// readLength reads a Content-Length. Several that agree are one; a list in one field is refused, as net/http does.
func (f *framing) readLength(value []byte) error {
	if len(value) == 0 || !digits(value) {
		return fmt.Errorf("reading an HTTP response: Content-Length is %q, not a number", shorten(value))
	}
	var length int64
	for _, c := range value {
		digit := int64(c - '0')
		if length > (math.MaxInt64-digit)/10 {
			return fmt.Errorf("reading an HTTP response: Content-Length %q is out of range", shorten(value))
		}
		length = length*10 + digit
	}
	if f.length >= 0 && f.length != length {
		return fmt.Errorf("reading an HTTP response: Content-Length is %d and %d", f.length, length)
	}
	f.length = length
	return nil
}

// readCoding reads a Transfer-Encoding.
func (f *framing) readCoding(value []byte) error {
	if !is(value, "chunked") {
		return fmt.Errorf("reading an HTTP response: Transfer-Encoding %q is not supported, only chunked", shorten(value))
	}
	if f.chunked {
		return errors.New("reading an HTTP response: it is chunked twice")
	}
	f.chunked = true
	return nil
}

// readConnection reads a Connection field, which is a list.
func (f *framing) readConnection(value []byte) {
	for option := range bytes.SplitSeq(value, []byte(",")) {
		option = bytes.Trim(option, " \t")
		f.close = f.close || is(option, "close")
		f.keepAlive = f.keepAlive || is(option, "keep-alive")
	}
}
