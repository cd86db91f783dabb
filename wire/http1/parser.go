// Package http1 reads HTTP/1.1 responses and plain requests, and writes requests, without any I/O.
//
// The rules are those of RFC 9112, read strictly, because a client that measures must not guess:
//
//   - Lines end in CRLF; a bare LF is accepted, a bare CR is not. Folded header lines are refused.
//   - Interim responses (1xx) are skipped. 101 is an error, unless the caller asked to switch protocols (Parser.Switch).
//   - 204 and 304 have no body. Else "Transfer-Encoding: chunked" delimits it, else Content-Length, else the end of the
//     connection. Any other transfer coding, and Content-Lengths that contradict each other, are refused.
//   - Chunk extensions and trailers are skipped.
//
// A head (or the trailers) may be at most MaxHead long, the line that opens a chunk at most MaxChunkLine; a body has no
// limit, because an event stream has none.
package http1

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

const (
	// MaxHead is the longest head of a response, in bytes, the heads of the interim responses before it counted in. The
	// trailers behind a chunked body may be as long again.
	MaxHead = 64 << 10
	// MaxChunkLine is the longest line that opens a chunk, in bytes, its extensions and its end counted in.
	MaxChunkLine = 4 << 10
)

// Handler is told what a response says, in its order: OnHead once, OnBody for each piece of the body, OnEnd once. An error
// that it returns ends the parsing and is returned by Feed as it is.
type Handler interface {
	// OnHead is called when the head has been read. It is valid until Reset.
	OnHead(head *Head) error
	// OnBody is called with the next bytes of the body, at least one. They alias the fed bytes.
	OnBody(b []byte) error
	// OnEnd is called when the response is complete, its trailers included.
	OnEnd() error
}

// Parser reads one response as it is pushed to it by Feed. The zero value is ready for the response to any request but
// HEAD. It is not safe for concurrent use. It holds no buffer but that of a line whose end has not been fed.
type Parser struct {
	Switch *Switch                  // takes up a 101 Switching Protocols; nil = that is an error
	Field  func(name, value []byte) // is told of each field of the final head, which aliases the fed bytes; nil = nobody asks

	head   Head
	framed framing

	line   []byte // the beginning of a line whose end has not been fed
	remain int64  // bytes of the body, or of the chunk, still to come
	used   int    // bytes of the head, or of the trailers, so far

	err   error
	state state
}

// state is what the next byte belongs to.
type state uint8

const (
	atStart state = iota
	inHead
	inLength
	inChunkSize
	inChunk
	inChunkEnd
	inTrailers
	inRest
	atEnd
)

// String names the state as an error about a cut response does.
func (s state) String() string {
	switch s {
	case atStart, inHead:
		return "head"
	case inLength, inRest:
		return "body"
	case inChunkSize, inChunk, inChunkEnd:
		return "chunked body"
	case inTrailers:
		return "trailer section"
	case atEnd:
		return "end"
	}
	return "nothing"
}

// keptLineBytes is the largest empty line buffer that a Parser keeps: enough for the line of a chunk, so that a stream
// whose chunk lines are cut now and then does not allocate each time.
const keptLineBytes = 32

// Feed reads the next bytes of the connection and calls h for all that they say; where they were cut does not matter. It
// stops behind the end of the response (then Done is true): n is how many bytes of b belong to it. A fault of the
// response, or an error of h, ends the parsing: every further Feed returns it again, until Reset.
func (p *Parser) Feed(b []byte, h Handler) (n int, err error) {
	for p.err == nil && n < len(b) && p.state != atEnd {
		var used int
		switch p.state {
		case inLength, inChunk, inRest:
			used, p.err = p.body(b[n:], h)
		case inChunkSize, inChunkEnd:
			if used = p.betweenChunks(b[n:]); used > 0 {
				break
			}
			fallthrough
		default:
			used, p.err = p.readLine(b[n:], h)
		}
		n += used
	}
	return n, p.err
}

// Close says that the peer ended the connection. A body that has no other end is complete then. It returns io.EOF when
// no byte of a response had come, an error that wraps io.ErrUnexpectedEOF when the response is cut off, what Feed or
// OnEnd returned, and else nil.
func (p *Parser) Close(h Handler) error {
	switch {
	case p.err != nil || p.state == atEnd:
		return p.err
	case !p.Begun():
		return io.EOF
	case p.state == inRest:
		p.err = p.end(h)
	default:
		p.err = fmt.Errorf("reading an HTTP response: the connection ended within its %s: %w", p.state, io.ErrUnexpectedEOF)
	}
	return p.err
}

// Done reports whether the response is complete.
func (p *Parser) Done() bool { return p.state == atEnd && p.err == nil }

// Begun reports whether a byte of the response has come; interim responses count.
func (p *Parser) Begun() bool { return p.state != atStart || p.used > 0 || len(p.line) > 0 }

// Reset makes the parser ready for the next response, of a connection that was kept alive or of a new one. Switch stays,
// without its fields, and so does Field.
func (p *Parser) Reset() {
	// The old head stays until the new one overwrites it: a field that repeats its value then costs no allocation.
	*p = Parser{Switch: p.Switch, Field: p.Field, head: p.head, line: p.line[:0]}
	p.Switch.forget()
}

// body passes on what b holds of the body.
func (p *Parser) body(b []byte, h Handler) (n int, err error) {
	if p.state == inRest {
		return len(b), h.OnBody(b)
	}
	n = int(min(int64(len(b)), p.remain))
	p.remain -= int64(n)
	if err := h.OnBody(b[:n]); err != nil || p.remain > 0 {
		return n, err
	}
	if p.state == inLength {
		return n, p.end(h)
	}
	p.state = inChunkEnd
	return n, nil
}

// betweenChunks takes what stands between two chunks, when it is what nearly all servers write and lies whole in b: a CRLF, or a size of
// few digits and a CRLF. What it does not take, 0 bytes then, is for readLine to judge.
func (p *Parser) betweenChunks(b []byte) (n int) {
	if len(p.line) > 0 {
		return 0
	}
	if p.state == inChunkEnd {
		if len(b) < 2 || b[0] != '\r' || b[1] != '\n' {
			return 0
		}
		p.state = inChunkSize
		return 2
	}
	size := int64(0)
	for ; n < len(b)-2 && n < 8; n++ {
		digit := hexDigit(b[n])
		if digit < 0 {
			break
		}
		size = size<<4 | digit
	}
	if size == 0 || b[n] != '\r' || b[n+1] != '\n' {
		return 0
	}
	p.state, p.remain = inChunk, size
	return n + 2
}

// end ends the response.
func (p *Parser) end(h Handler) error {
	p.state = atEnd
	return h.OnEnd()
}

// readLine takes one line from b, or its beginning, and reads it when it is whole.
func (p *Parser) readLine(b []byte, h Handler) (n int, err error) {
	room := p.room()
	end := bytes.IndexByte(b, '\n')
	n = end + 1
	if end < 0 {
		n = len(b)
	}
	if len(p.line)+n > room {
		return 0, p.tooLong()
	}
	if end < 0 {
		p.line = append(p.line, b...)
		return n, nil
	}
	line := b[:end]
	if len(p.line) > 0 {
		p.line = append(p.line, line...)
		line = p.line
	}
	if p.state != inChunkSize && p.state != inChunkEnd {
		p.used += len(line) + 1
	}
	err = p.lineRead(bytes.TrimSuffix(line, []byte("\r")), h)
	p.line = p.line[:0]
	if cap(p.line) > keptLineBytes {
		p.line = nil
	}
	return n, err
}

// room is how long the line at hand may be at most, its end counted in.
func (p *Parser) room() int {
	switch p.state {
	case inChunkSize:
		return MaxChunkLine
	case inChunkEnd:
		return len("\r\n")
	default:
		return MaxHead - p.used
	}
}

// tooLong is the fault of a line for which there is no room.
func (p *Parser) tooLong() error {
	switch p.state {
	case inChunkSize:
		return errors.New("reading an HTTP response: the line that opens a chunk is longer than 4 KiB")
	case inChunkEnd:
		return errChunkEnd
	default:
		return fmt.Errorf("reading an HTTP response: its %s is longer than 64 KiB", p.state)
	}
}

// lineRead reads one line, without its end.
func (p *Parser) lineRead(line []byte, h Handler) error {
	if bytes.IndexByte(line, '\r') >= 0 {
		return fmt.Errorf("reading an HTTP response: a bare CR in its %s", p.state)
	}
	switch p.state {
	case atStart:
		p.state = inHead
		p.framed = framing{length: -1}
		if err := p.head.readStatus(line, &p.framed); err != nil {
			return err
		}
		if p.head.Status == 101 && p.Switch == nil {
			return errSwitch
		}
		return nil
	case inHead:
		if len(line) > 0 {
			return p.field(line)
		}
		return p.headRead(h)
	case inChunkSize:
		return p.chunk(line)
	case inChunkEnd:
		if len(line) > 0 {
			return errChunkEnd
		}
		p.state = inChunkSize
		return nil
	case inTrailers:
		if len(line) > 0 {
			return nil
		}
		return p.end(h)
	case inLength, inChunk, inRest, atEnd:
	}
	return nil
}

// field reads one field of the head.
func (p *Parser) field(line []byte) error {
	if err := p.head.readField(line, &p.framed); err != nil {
		return err
	}
	if p.Field != nil && p.head.Status >= 200 {
		name, value, _ := bytes.Cut(line, []byte(":"))
		p.Field(name, bytes.Trim(value, " \t"))
	}
	if p.head.Status == 101 {
		p.Switch.keep(line)
	}
	return nil
}

// headRead decides, at the empty line behind the head, where the body ends.
func (p *Parser) headRead(h Handler) error {
	if status := p.head.Status; status < 200 && status != 101 {
		p.state = atStart // p.used goes on, so that endless interim responses meet the limit of the head
		return nil
	}
	p.head.frame(p.framed)
	if err := h.OnHead(&p.head); err != nil {
		return err
	}
	switch {
	case p.head.ContentLength == 0:
		return p.end(h)
	case p.head.Chunked:
		p.state = inChunkSize
	case p.head.ContentLength > 0:
		p.state, p.remain = inLength, p.head.ContentLength
	default:
		p.state = inRest
	}
	return nil
}

// chunk reads the line that opens a chunk; the last one has size 0, and the trailers follow.
func (p *Parser) chunk(line []byte) error {
	size, err := chunkSize(line)
	if err != nil {
		return err
	}
	p.state, p.remain = inChunk, size
	if size == 0 {
		p.state, p.used = inTrailers, 0
	}
	return nil
}
