package chaos

import (
	"bytes"

	"holobench/wire/http1"
)

// blankLines finds the empty lines that end the messages of an event stream, however it is cut.
type blankLines struct {
	some bool // the message at hand has a line, or the beginning of one
	line bool // ... and this is within a line
	cr   bool // the byte before was a CR, so that an LF belongs to it
}

// next returns how many bytes of b there are up to the end of a message, its empty line included; -1 = it does not end here.
func (s *blankLines) next(b []byte) int {
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '\n' && s.cr:
			s.cr = false
		case c == '\n' || c == '\r':
			s.cr = c == '\r'
			if s.line || !s.some {
				s.line = false
				continue
			}
			s.some = false
			if s.cr && i+1 < len(b) && b[i+1] == '\n' {
				s.cr = false
				i++
			}
			return i + 1
		default:
			s.cr, s.line, s.some = false, true, true
			// Nothing but a line end matters now: look for it with what is quicker than a loop.
			if end := bytes.IndexByte(b[i:], '\n'); end > 0 && bytes.IndexByte(b[i:i+end], '\r') < 0 {
				i += end - 1
			}
		}
	}
	return -1
}

// units numbers the messages of what comes down, and cuts the pieces at their ends: the events and comments of streams
// (with the head of the response before the first), replies, and, of what is no HTTP/1.1, blocks of 1448 bytes. It is
// there for the rules that draw for each message.
type units struct {
	never
	opaque bool // no HTTP: count bytes
	number int64
	begun  bool // the message at hand has bytes
	bytes  int  // of the block at hand

	parser http1.Parser
	stream bool
	lines  blankLines
	fed    []byte
	ends   []int // in fed
}

func (u *units) busy(int64) bool { return false }

func (u *units) pass(p piece, next func(piece)) {
	if p.err != nil {
		p.unit = u.number
		next(p)
		return
	}
	u.see(p.bytes)
	from := 0
	hand := func(end int, over bool) {
		part := p
		part.bytes, part.unit, part.first = p.bytes[from:end], u.number, !u.begun
		next(part)
		from, u.begun = end, !over
		if over {
			u.number++
		}
	}
	for _, end := range u.ends {
		hand(end, true)
	}
	if from < len(p.bytes) {
		hand(len(p.bytes), false)
	}
}

// skip counts what goes round the stages.
func (u *units) skip(b []byte) {
	u.see(b)
	u.number += int64(len(u.ends))
	if n := len(u.ends); n == 0 || u.ends[n-1] < len(b) {
		u.begun = true
	} else {
		u.begun = false
	}
}

// see finds the ends of messages in the next bytes.
func (u *units) see(b []byte) {
	u.fed, u.ends = b, u.ends[:0]
	defer func() { u.fed = nil }()
	for rest := b; len(rest) > 0 && !u.opaque; {
		n, err := u.parser.Feed(rest, u)
		rest = rest[n:]
		if err != nil {
			u.opaque, u.stream = true, false
			u.blocks(rest, len(b)-len(rest))
			return
		}
		if u.parser.Done() {
			if end := len(b) - len(rest); len(u.ends) == 0 || u.ends[len(u.ends)-1] < end {
				u.ends = append(u.ends, end)
			}
			u.parser.Reset()
			u.stream, u.lines = false, blankLines{}
		}
	}
	if u.opaque && len(u.ends) == 0 {
		u.blocks(b, 0)
	}
}

// blocks finds the ends of blocks in b, which begins at that place of what was fed.
func (u *units) blocks(b []byte, at int) {
	for i := segment - u.bytes; i <= len(b); i += segment {
		u.ends = append(u.ends, at+i)
	}
	u.bytes = (u.bytes + len(b)) % segment
}

// OnHead implements http1.Handler.
func (u *units) OnHead(h *http1.Head) error {
	u.stream = isStream(h)
	return nil
}

// OnBody implements http1.Handler.
func (u *units) OnBody(b []byte) error {
	if !u.stream {
		return nil
	}
	at := cap(u.fed) - cap(b) // b is a part of fed, and both share their end of room
	for from := 0; ; {
		n := u.lines.next(b[from:])
		if n < 0 {
			return nil
		}
		from += n
		end := at + from
		if from == len(b) && bytes.HasPrefix(u.fed[end:], []byte("\r\n")) {
			end += 2 // of the chunk: what ends with the message belongs to it
		}
		u.ends = append(u.ends, end)
	}
}

// OnEnd implements http1.Handler.
func (u *units) OnEnd() error { return nil }

// isStream says whether the body is an event stream that can be read.
func isStream(h *http1.Head) bool {
	kind, _, _ := bytes.Cut([]byte(h.ContentType), []byte(";"))
	return h.Status == 200 && h.ContentEncoding == "" && bytes.EqualFold(bytes.TrimSpace(kind), []byte("text/event-stream"))
}
