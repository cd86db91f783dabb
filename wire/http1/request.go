package http1

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Request is a request as it goes out.
type Request struct {
	Method string  // "GET", "POST", ...
	Target string  // the path with its query, for example "/events?channel=room-3"
	Host   string  // for the Host field, with the port when it is not the scheme's own
	Header []Field // goes out in this order, behind Host; it must not name Host, Content-Length or Transfer-Encoding
	Body   []byte  // nil = none
}

// Field is one header field.
type Field struct{ Name, Value string }

// AppendRequest appends r to dst as it stands on the wire. Content-Length goes out when there is a body, and with every
// POST. It checks nothing: what comes from a user must have passed Request.Check, once, before the first request.
func AppendRequest(dst []byte, r Request) []byte {
	dst = append(dst, r.Method...)
	dst = append(dst, ' ')
	dst = append(dst, r.Target...)
	dst = append(dst, " HTTP/1.1\r\n"...)
	dst = appendField(dst, Field{"Host", r.Host})
	for _, field := range r.Header {
		dst = appendField(dst, field)
	}
	if len(r.Body) > 0 || r.Method == "POST" {
		dst = append(dst, "Content-Length: "...)
		dst = strconv.AppendInt(dst, int64(len(r.Body)), 10)
		dst = append(dst, "\r\n"...)
	}
	dst = append(dst, "\r\n"...)
	return append(dst, r.Body...)
}

func appendField(dst []byte, f Field) []byte {
	dst = append(dst, f.Name...)
	dst = append(dst, ": "...)
	dst = append(dst, f.Value...)
	return append(dst, "\r\n"...)
}

// Check refuses a request that would not be read as the one that it is: parts that hold a space or a control character,
// fields that CheckField refuses, and fields that AppendRequest writes itself.
func (r Request) Check() error {
	if !token(r.Method) {
		return fmt.Errorf("checking a request: the method %q is not a word", r.Method)
	}
	if r.Target == "" || strings.ContainsFunc(r.Target, splits) {
		return fmt.Errorf("checking a request: the target %q is empty or holds a space or a control character; encode it as %%20", r.Target)
	}
	if r.Host == "" || strings.ContainsFunc(r.Host, splits) {
		return fmt.Errorf("checking a request: the host %q is empty or holds a space or a control character", r.Host)
	}
	for _, field := range r.Header {
		if err := CheckField(field); err != nil {
			return err
		}
		if name := []byte(field.Name); is(name, "host") || is(name, "content-length") || is(name, "transfer-encoding") {
			return fmt.Errorf("checking a request: the header field %s is written by holobench itself; leave it out", field.Name)
		}
	}
	return nil
}

// splits reports whether r ends a part of the request line.
func splits(r rune) bool { return r <= ' ' || r == 0x7f }

// CheckField refuses a field that would inject another one, or that servers refuse: a name that is no token, and a value
// with CR, LF, NUL or another control character but the tab. The error does not show the value, which may be a secret.
func CheckField(f Field) error {
	if f.Name == "" {
		return errors.New("checking a header field: its name is empty")
	}
	if !token(f.Name) {
		return fmt.Errorf("checking a header field: the name %q must consist of letters, digits and -", f.Name)
	}
	if strings.ContainsFunc(f.Value, forbidden) {
		return fmt.Errorf("checking a header field: the value of %s holds a line end or another control character", f.Name)
	}
	return nil
}
