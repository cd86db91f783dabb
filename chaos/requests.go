package chaos

import (
	"bytes"
	"strconv"
)

// maxRequestHead bounds the head of a request, in bytes: what is longer is no request of ours.
const maxRequestHead = 64 << 10

// requests finds the beginnings and ends of the requests that go up, HTTP/1.1 with Content-Length or without a body, however they
// are cut. What else goes up (chunks, frames of a WebSocket) is opaque from there on.
type requests struct {
	opaque bool
	head   []byte // of the request at hand, until it is whole
	within bool   // its head was read
	body   int64  // bytes of it to come
	number int64  // of the request at hand, from 0
	method string
}

// next returns how many bytes of b belong to the request at hand, and whether they end it. While its head is not whole it
// says so, and keeps a copy.
func (r *requests) next(b []byte) (n int, whole, over bool) {
	if r.opaque {
		return len(b), true, false
	}
	if r.within {
		return r.rest(b)
	}
	before := len(r.head)
	r.head = append(r.head, b...)
	end := bytes.Index(r.head, []byte("\r\n\r\n"))
	if end < 0 {
		r.opaque = len(r.head) > maxRequestHead
		return len(b), r.opaque, false
	}
	end += 4
	method, _, _ := bytes.Cut(r.head[:end], []byte(" "))
	r.method, r.within = string(method), true
	var ok bool
	if r.body, ok = bodyLength(r.head[:end]); !ok {
		r.opaque = true
		return len(b), true, false
	}
	r.head = r.head[:end]
	used := end - before
	n, _, over = r.rest(b[used:])
	return used + n, true, over
}

// rest is next within the body.
func (r *requests) rest(b []byte) (n int, whole, over bool) {
	n = int(min(int64(len(b)), r.body))
	r.body -= int64(n)
	return n, true, r.body == 0
}

// done goes on to the next request.
func (r *requests) done() {
	r.number++
	r.head, r.within, r.method = r.head[:0], false, ""
}

// bodyLength is how long the body behind a head is; false = that cannot be said.
func bodyLength(head []byte) (n int64, ok bool) {
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found {
			continue
		}
		switch {
		case bytes.EqualFold(name, []byte("Transfer-Encoding")), bytes.EqualFold(name, []byte("Upgrade")):
			return 0, false
		case bytes.EqualFold(name, []byte("Content-Length")):
			length, err := strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64)
			if err != nil || length < 0 {
				return 0, false
			}
			n = length
		}
	}
	return n, true
}
