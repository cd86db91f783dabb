package sse

// Rest is all that a Parser remembers between two events, beside the id in force.
type Rest struct {
	bom     uint8
	afterCR bool
}

// Rest says what Resume needs to make another parser go on here, and appends the id in force to id. It is not ok while an event, a line or
// a byte order mark is unfinished.
func (p *Parser) Rest(id []byte) (rest Rest, last []byte, ok bool) {
	if p.err != nil || p.hasNext || p.Pending() {
		return Rest{}, id, false
	}
	return Rest{bom: p.bom, afterCR: p.skipLF}, append(id, p.event.ID...), true
}

// Resume makes p go on where Rest was asked.
func (p *Parser) Resume(rest Rest, id []byte) {
	if !p.open && !p.hasNext && p.line == nil && p.join == nil && p.err == nil { // it rests, and holds no buffer that may be large
		p.event.ID = append(p.event.ID[:0], id...)
		p.bom, p.skipLF = rest.bom, rest.afterCR
		return
	}
	*p = Parser{event: Event{ID: append(p.event.ID[:0], id...)}, next: p.next[:0], bom: rest.bom, skipLF: rest.afterCR}
}
