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
