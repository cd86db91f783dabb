package http1

import (
	"bytes"
	"fmt"
)

// Head is what a client needs to know of the head of a response.
type Head struct {
	Status          int    // 200 to 999, or 101 when Parser.Switch asked for it
	ContentType     string // as it was sent; "" when it was not
	ContentEncoding string // such as "gzip"; "" when it was not sent. A body that has one is no plain event stream
	Location        string // where a redirect leads to; "" when it was not sent
	RetryAfter      string // seconds or a date, as it was sent; "" when it was not
	ContentLength   int64  // length of the body in bytes, 0 when the status allows none; -1 when only its end will tell
	Chunked         bool   // the body comes in chunks
	KeepAlive       bool   // the connection may carry another request when this response is complete
}

// readStatus reads the status line.
func (head *Head) readStatus(line []byte, f *framing) error {
	version, rest, _ := bytes.Cut(line, []byte(" "))
	switch string(version) {
	case "HTTP/1.1":
	case "HTTP/1.0":
		f.old = true
	default:
		return fmt.Errorf("reading an HTTP response: it begins with %q, not with HTTP/1.1 or HTTP/1.0; is there an HTTP server?", shorten(line))
	}
	code, _, _ := bytes.Cut(rest, []byte(" "))
	if len(code) != 3 || !digits(code) || code[0] == '0' {
		return fmt.Errorf("reading an HTTP response: the status line %q has no status of three digits", shorten(line))
	}
	head.Status = int(code[0]-'0')*100 + int(code[1]-'0')*10 + int(code[2]-'0')
	return nil
}

// readField reads one header field.
func (head *Head) readField(line []byte, f *framing) error {
	if line[0] == ' ' || line[0] == '\t' {
		return fmt.Errorf("reading an HTTP response: a folded header line, %q", shorten(line))
	}
	name, value, found := bytes.Cut(line, []byte(":"))
	if !found || !token(name) {
		return fmt.Errorf("reading an HTTP response: %q is no header field", shorten(line))
	}
	value = bytes.Trim(value, " \t")
	if i := bytes.IndexFunc(value, forbidden); i >= 0 {
		return fmt.Errorf("reading an HTTP response: the header field %s holds the control byte %#x", shorten(name), value[i])
	}
	switch {
	case is(name, "content-length"):
		return f.readLength(value)
	case is(name, "transfer-encoding"):
		return f.readCoding(value)
	case is(name, "connection"):
		f.readConnection(value)
	case is(name, "content-type"):
		f.set(&head.ContentType, value, seenContentType)
	case is(name, "content-encoding"):
		f.set(&head.ContentEncoding, value, seenContentEncoding)
	case is(name, "location"):
		f.set(&head.Location, value, seenLocation)
	case is(name, "retry-after"):
		f.set(&head.RetryAfter, value, seenRetryAfter)
	}
	return nil
}

// frame draws the conclusions when all fields have been read.
func (head *Head) frame(f framing) {
	f.forget(&head.ContentType, seenContentType)
	f.forget(&head.ContentEncoding, seenContentEncoding)
	f.forget(&head.Location, seenLocation)
	f.forget(&head.RetryAfter, seenRetryAfter)
	// A response with both a length and chunks, or with chunks under HTTP/1.0, is read by its chunks; but it went through
	// something that does not understand them, so that nothing behind it can be trusted (RFC 9112, 6.1 and 6.3).
	doubtful := f.chunked && (f.old || f.length >= 0)
	head.Chunked, head.ContentLength = f.chunked, f.length
	switch {
	case head.Status == 101 || head.Status == 204 || head.Status == 304:
		head.Chunked, head.ContentLength = false, 0
	case f.chunked:
		head.ContentLength = -1
	}
	delimited := head.Chunked || head.ContentLength >= 0
	head.KeepAlive = head.Status != 101 && delimited && !doubtful && !f.close && (!f.old || f.keepAlive)
}
