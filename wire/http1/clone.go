package http1

import "bytes"

// Clone returns a parser in the same state, which shares no buffer with p.
func (p *Parser) Clone() Parser {
	same := *p
	same.line = bytes.Clone(p.line)
	return same
}

// Boundary reports whether somebody who writes bodies anew may begin before the next byte: no byte of a response has come,
// or it is in a body that the end of the connection ends, or between two chunks (then chunked is true).
func (p *Parser) Boundary() (chunked, ok bool) {
	switch {
	case p.err != nil || len(p.line) > 0:
		return false, false
	case p.state == inChunkSize:
		return true, true
	}
	return false, p.state == inRest || !p.Begun()
}

// ResumeChunks puts p between two chunks of a body, where Boundary has said that a parser was: so nothing needs to be kept of one that
// waits there for long. Its head is empty then.
func (p *Parser) ResumeChunks() {
	if chunked, _ := p.Boundary(); chunked && p.head.Status == 0 {
		return // it was put there before, and has come to the end of a chunk: all that it knows is where it stands
	}
	*p = Parser{Switch: p.Switch, Field: p.Field, line: p.line[:0], framed: framing{length: -1, chunked: true}, state: inChunkSize}
}
