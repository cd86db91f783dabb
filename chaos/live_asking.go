package chaos

import (
	"bytes"
	"slices"
)

// asking follows what goes up on a live link: it hands on the head of each request as a whole, with another Host where one
// is wanted, and changes the rules on requests between two of them only. What is no HTTP/1.1, and what follows a request whose end it does
// not know (chunks, a WebSocket), it leaves alone.
type asking struct {
	host   string
	rules  []*requestStage // that are set
	now    []*requestStage // that are in force
	bytes  []stage         // what follows them
	head   []byte          // of the request at hand, until it is whole
	body   int64           // bytes of it to come
	number int64           // of the next request
	opaque bool
}

// Write implements net.Conn.
func (k *LiveLink) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		k.mu.Lock()
		if k.asking.between() && !slices.Equal(k.asking.now, k.asking.rules) {
			k.asking.now = k.asking.rules
			for _, r := range k.asking.now {
				r.requests = requests{number: k.asking.number}
			}
			k.up.line = newPipeline(append(k.asking.inForce(), k.asking.bytes...), k.up.queue.push)
		}
		n, out := k.asking.next(rest)
		k.mu.Unlock()
		rest = rest[n:]
		if len(out) == 0 {
			continue
		}
		if _, err := k.link.Write(out); err != nil {
			return len(b) - len(rest), err
		}
	}
	return len(b), nil
}

// inForce returns the rules as stages.
func (a *asking) inForce() []stage {
	var all []stage
	for _, r := range a.now {
		all = append(all, r)
	}
	return all
}

// between says whether the next byte begins a request.
func (a *asking) between() bool { return !a.opaque && len(a.head) == 0 && a.body == 0 }

// next takes n bytes of b, and returns what goes on: never more than one request.
func (a *asking) next(b []byte) (n int, out []byte) {
	if a.opaque {
		return len(b), b
	}
	if a.body > 0 {
		n = int(min(int64(len(b)), a.body))
		a.body -= int64(n)
		return n, b[:n]
	}
	before := len(a.head)
	a.head = append(a.head, b...)
	if !asks(a.head) || len(a.head) > maxRequestHead {
		return len(b), a.giveUp()
	}
	end := bytes.Index(a.head[max(0, before-3):], []byte("\r\n\r\n"))
	if end < 0 {
		return len(b), nil
	}
	end += max(0, before-3) + 4
	head := a.head[:end]
	length, ok := bodyLength(head)
	a.head = nil
	a.body = length
	a.number++
	a.opaque = !ok
	return end - before, rehost(head, a.host)
}

// giveUp leaves everything alone from here on.
func (a *asking) giveUp() []byte {
	a.opaque = true
	out := a.head
	a.head = nil
	return out
}

// maxRequestLine bounds the first line of a request, in bytes: it is looked at anew with each part that comes.
const maxRequestLine = 16 << 10

// asks says whether bytes may be the beginning of an HTTP/1 request, as far as that shows in its first line.
func asks(b []byte) bool {
	line, _, whole := bytes.Cut(b[:min(len(b), maxRequestLine)], []byte("\r\n"))
	if !whole && len(b) > maxRequestLine {
		return false
	}
	method, _, cut := bytes.Cut(line, []byte(" "))
	for _, c := range method {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	if !cut {
		return !whole && len(method) <= 20
	}
	return len(method) > 0 && (!whole || bytes.HasSuffix(line, []byte(" HTTP/1.1")) || bytes.HasSuffix(line, []byte(" HTTP/1.0")))
}

// rehost returns a head whose Host field says host; "" = it stays.
func rehost(head []byte, host string) []byte {
	if host == "" {
		return head
	}
	out := make([]byte, 0, len(head)+len(host))
	for line := range bytes.SplitAfterSeq(head, []byte("\r\n")) {
		if name, _, ok := bytes.Cut(line, []byte(":")); ok && bytes.EqualFold(name, []byte("Host")) {
			line = []byte("Host: " + host + "\r\n")
		}
		out = append(out, line...)
	}
	return out
}
