package http1

import (
	"bytes"
	"strings"
)

// PlainRequest is the head of a request of HTTP/1.1 that is a head and nothing more: no body follows it, and it asks nothing of
// its connection but to stay. Its bytes alias what it was read from.
type PlainRequest struct {
	Method, Target []byte

	fields []byte // the lines behind the first one
}

// ReadPlainRequest reads the plain request at the beginning of p, and returns its length; 0 = there is none. It is for a server
// that answers one kind of request very often, and has another reader for all others: what is not there as a whole, is not
// plain, or may not be right is not told apart, because that other reader has to judge it. What is taken for a plain request is
// one to net/http too, and the same one. It costs no allocation.
func ReadPlainRequest(p []byte) (r PlainRequest, n int) {
	line, rest, ok := cutLine(p)
	if !ok || !r.readLine(line) {
		return PlainRequest{}, 0
	}
	hosts := 0
	for fields := rest; ; {
		if line, rest, ok = cutLine(rest); !ok {
			return PlainRequest{}, 0
		}
		if len(line) == 0 {
			n = len(p) - len(rest)
			r.fields = fields[:len(fields)-len(rest)-len("\r\n")]
			break
		}
		name, value, ok := cutField(line)
		if !ok || !plain(name, value) {
			return PlainRequest{}, 0
		}
		if is(name, "host") {
			hosts++
		}
	}
	if hosts != 1 {
		return PlainRequest{}, 0
	}
	return r, n
}

// readLine reads the first line.
func (r *PlainRequest) readLine(line []byte) bool {
	method, rest, found := bytes.Cut(line, []byte(" "))
	target, version, _ := bytes.Cut(rest, []byte(" "))
	if !found || !token(method) || string(version) != "HTTP/1.1" || len(target) == 0 || target[0] != '/' {
		return false
	}
	for _, c := range target {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	r.Method, r.Target = method, target
	return true
}

// Field returns the value of the first field of that name, which is given in lower case; empty = there is none, or it has none.
func (r PlainRequest) Field(lower string) []byte {
	for rest := r.fields; len(rest) > 0; {
		var line []byte
		line, rest, _ = cutLine(rest)
		if name, value, ok := cutField(line); ok && is(name, lower) {
			return value
		}
	}
	return nil
}

// cutLine returns the first line of p without its end, which must be CRLF, and what is behind it.
func cutLine(p []byte) (line, rest []byte, ok bool) {
	end := bytes.IndexByte(p, '\n')
	if end < 1 || p[end-1] != '\r' {
		return nil, nil, false
	}
	return p[:end-1], p[end+1:], true
}

// cutField tells the parts of a field apart.
func cutField(line []byte) (name, value []byte, ok bool) {
	colon := bytes.IndexByte(line, ':')
	if colon < 1 {
		return nil, nil, false
	}
	return line[:colon], bytes.Trim(line[colon+1:], " \t"), true
}

// notOfHost says what stands in no usual name or address of a host, with its port.
func notOfHost(c rune) bool {
	return (c < 'a' || c > 'z') && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && !strings.ContainsRune(".-:[]", c)
}

// plain says whether a field is right, and changes nothing about the body or the connection.
func plain(name, value []byte) bool {
	if !token(name) {
		return false
	}
	for _, c := range value {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	switch {
	case is(name, "connection"):
		return is(value, "keep-alive")
	case is(name, "host"):
		return len(value) > 0 && !bytes.ContainsFunc(value, notOfHost)
	}
	return !is(name, "content-length") && !is(name, "transfer-encoding") && !is(name, "expect") && !is(name, "upgrade") && !is(name, "trailer")
}
