// Package sse reads and writes text/event-stream, the bytes of Server-Sent Events, without any I/O.
//
// The rules are those of the WHATWG HTML living standard, section 9.2.6 ("Interpreting an event stream"), to the letter:
//
//   - One byte order mark at the very start is dropped.
//   - A line ends in LF, CR or CRLF, in any mixture. A CR ends its line at once; an LF behind it is swallowed, also when
//     it comes in the next Feed.
//   - A line that starts with a colon is a comment. Any other line is a field: the name up to the first colon, then the
//     value, less one leading space. A line without a colon is a field with an empty value.
//   - Names are compared exactly. "data" appends a line to the data, "event" sets the name, "id" sets the id unless the
//     value holds a NUL, "retry" counts when it consists of digits only. Other fields are ignored.
//   - An empty line ends the event. The id is committed then, and stays in force for all events that follow. Without a
//     "data" field there is no event, but the name is forgotten. One empty "data" field is an event with empty data.
//   - What is unfinished at the end of the stream is dropped.
//
// Three things differ from a browser, on purpose. Bytes are passed on as they came: invalid UTF-8 is left to whoever
// decodes. Comments are reported, because they are heartbeats. A stream may be at most MaxEvent long between two events.
//
// For example the stream
//
//	id: 7
//	event: chat
//	data: first
//	data: second
//
// with its closing empty line is one Event{Name: "chat", ID: "7", Data: "first\nsecond"}.
package sse

import (
	"bytes"
	"errors"
	"math"
	"time"
)

// MaxEvent is the longest line, and the longest joined data of one event, that a Parser accepts, in bytes. It bounds
// what a server can make each of thousands of clients hold.
const MaxEvent = 1 << 20

// ErrTooLong is returned by Feed when a line, or the data of one event, is longer than MaxEvent.
var ErrTooLong = errors.New("reading an event stream: a line or an event is longer than 1 MiB")

// Event is one event of a stream. It is valid only during the call of OnEvent: it is the parser's own, and its fields may alias the fed bytes.
type Event struct {
	Name []byte // the "event" field; empty means "message"
	ID   []byte // the last event id in force, which an earlier event may have set; empty when there is none
	Data []byte // the "data" fields, joined by LF
}

// Handler is told what a stream says, in its order. The slices are valid only during the call.
type Handler interface {
	// OnEvent is called for each event, when the empty line behind it has been read.
	OnEvent(event *Event)
	// OnComment is called at the end of a comment line, with what stands behind the colon and one space.
	OnComment(text []byte)
	// OnRetry is called at the end of a valid "retry" line, with the reconnection time that the server asks for.
	OnRetry(wait time.Duration)
}

const byteOrderMark = "\xef\xbb\xbf"

// keptIDBytes is the largest spare id buffer that a Parser keeps; ids are short, and a long one is no reason to hold
// its length twice.
const keptIDBytes = 64

// Parser reads one stream as it is pushed to it by Feed. The zero value is ready. It is not safe for concurrent use.
//
// An event that lies within one Feed and has one data line is neither copied nor does it cost an allocation. An event
// that is split over several Feeds, or has several data lines, is copied into a buffer, which is let go at the end of
// the Feed that finds nothing unfinished: an idle stream holds none but that of its last event id.
type Parser struct {
	event Event // in progress, but for its ID, which is that in force. Data aliases the fed bytes, line or join; Name the first two, until keep copies it

	line []byte // the beginning of a line whose end has not been fed; written only at the start and the end of a Feed
	join []byte // the buffer of data that is joined or survives a Feed
	next []byte // the id that the event in progress sets

	err error

	bom     uint8 // how many bytes of a leading byte order mark were seen; bomDecided when that is over
	hasData bool  // data is there, be it empty
	hasNext bool  // next is there, be it empty
	joined  bool  // data lies in join
	named   bool  // name is a copy of our own
	open    bool  // a field line was read since the last empty line
	skipLF  bool  // the last line ended in CR: an LF now belongs to it
}

const bomDecided = uint8(len(byteOrderMark))

// Feed reads the next bytes of the stream and calls h for all that they complete; where they were cut does not matter.
// It keeps no reference to b. The only error is ErrTooLong; after it the parser is dead and every Feed returns it again,
// until Reset.
func (p *Parser) Feed(b []byte, h Handler) error {
	if p.err != nil {
		return p.err
	}
	if p.bom < bomDecided {
		b = p.skipMark(b)
	}
	if len(p.line) > 0 {
		b = p.finishLine(b, h)
	}
	if p.err == nil {
		b = p.readLines(b, h)
	}
	if p.err == nil {
		p.keep(b)
	}
	if p.err != nil {
		p.line, p.event.Data, p.join, p.event.Name = nil, nil, nil, nil
	}
	return p.err
}

// Pending reports whether bytes of an unfinished line or event are held. Right after a Feed, false means that the last
// event (or comment) which it reported ended with the last byte that was fed, but for line ends behind it.
func (p *Parser) Pending() bool {
	return p.open || len(p.line) > 0 || p.bom == 1 || p.bom == 2
}

// LastEventID returns the id that a reconnect has to send as Last-Event-ID: the one in force at the last empty line.
// It is empty when there is none.
func (p *Parser) LastEventID() string { return string(p.event.ID) }

// Reset makes the parser ready for a new connection: what is unfinished is dropped, the last event id stays in force.
// (The letter of the standard would begin each stream with an empty one; Chromium keeps it, and so do we.)
func (p *Parser) Reset() {
	*p = Parser{event: Event{ID: p.event.ID}}
}

// skipMark drops a byte order mark at the start of the stream. One that turns out to be something else begins a line.
func (p *Parser) skipMark(b []byte) []byte {
	for len(b) > 0 && p.bom < bomDecided {
		if b[0] != byteOrderMark[p.bom] {
			p.line = append(p.line, byteOrderMark[:p.bom]...)
			p.bom = bomDecided
			return b
		}
		p.bom++
		b = b[1:]
	}
	return b
}

// finishLine completes the line that an earlier Feed began, if its end is in b, and returns what follows it.
func (p *Parser) finishLine(b []byte, h Handler) (rest []byte) {
	end := indexFrom(b, 0, '\n')
	end = indexFrom(b[:end], 0, '\r')
	if end == len(b) {
		return b
	}
	if len(p.line)+end > MaxEvent {
		p.err = ErrTooLong
		return nil
	}
	line := append(p.line, b[:end]...)
	p.line = line[:0] // the buffer stays ours: name and data may alias it until keep
	p.skipLF = b[end] == '\r'
	p.readLine(line, h)
	return b[end+1:]
}

// readLines reads all whole lines of b and returns the beginning of the unfinished one. Both line ends are looked for
// apart and remembered, so that a stream which uses only one of them is scanned twice and never more often.
func (p *Parser) readLines(b []byte, h Handler) (rest []byte) {
	start := 0
	lf, cr := indexFrom(b, 0, '\n'), indexFrom(b, 0, '\r')
	for start < len(b) {
		if p.skipLF {
			p.skipLF = false
			if b[start] == '\n' {
				start++
				lf = indexFrom(b, start, '\n')
				continue
			}
		}
		end := min(lf, cr)
		if end == len(b) {
			break
		}
		if end-start > MaxEvent {
			p.err = ErrTooLong
			return nil
		}
		p.readLine(b[start:end], h)
		if p.err != nil {
			return nil
		}
		start = end + 1
		if end == lf {
			if start < len(b) && b[start] == '\n' { // as behind every event
				lf = start
			} else {
				lf = indexFrom(b, start, '\n')
			}
		} else {
			p.skipLF = true
			cr = indexFrom(b, start, '\r')
		}
	}
	return b[start:]
}

// indexFrom is the place of c in b at or behind start; len(b) when there is none.
func indexFrom(b []byte, start int, c byte) int {
	if i := bytes.IndexByte(b[start:], c); i >= 0 {
		return start + i
	}
	return len(b)
}

// keep copies what is unfinished, rest among it, out of the fed bytes; with nothing unfinished it lets the buffers go.
func (p *Parser) keep(rest []byte) {
	if p.hasData && !p.joined {
		p.join = append(p.join[:0], p.event.Data...)
		p.event.Data, p.joined = p.join, true
	}
	if len(p.event.Name) > 0 && !p.named {
		p.event.Name, p.named = bytes.Clone(p.event.Name), true
	}
	if !p.hasData {
		p.join = nil
	}
	switch {
	case len(rest) > 0 && len(p.line)+len(rest) > MaxEvent:
		p.err = ErrTooLong
	case len(rest) > 0:
		p.line = append(p.line, rest...)
	case len(p.line) == 0:
		p.line = nil
	}
}

// dataField begins a line of data as nearly all servers write it.
const dataField = "data: "

// readLine reads one line, without its end.
func (p *Parser) readLine(line []byte, h Handler) {
	if len(line) == 0 {
		p.dispatch(h)
		return
	}
	if len(line) > len(dataField) && string(line[:len(dataField)]) == dataField { // nearly every line
		p.open = true
		p.addData(line[len(dataField):])
		return
	}
	colon := bytes.IndexByte(line, ':')
	var value []byte
	name := line
	if colon >= 0 {
		name, value = line[:colon], line[colon+1:]
		if len(value) > 0 && value[0] == ' ' {
			value = value[1:]
		}
	}
	if colon == 0 {
		h.OnComment(value)
		return
	}
	p.open = true
	switch string(name) { // the compiler compares without allocating
	case "data":
		p.addData(value)
	case "event":
		p.event.Name, p.named = value, false
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			p.next, p.hasNext = append(p.next[:0], value...), true
		}
	case "retry":
		if wait, ok := milliseconds(value); ok {
			h.OnRetry(wait)
		}
	}
}

// addData appends one line to the data of the event.
func (p *Parser) addData(value []byte) {
	if !p.hasData {
		p.event.Data, p.hasData, p.joined = value, true, false
		return
	}
	if len(p.event.Data)+1+len(value) > MaxEvent {
		p.err = ErrTooLong
		return
	}
	if !p.joined {
		p.join, p.joined = append(p.join[:0], p.event.Data...), true
	}
	p.join = append(append(p.join, '\n'), value...)
	p.event.Data = p.join
}

// dispatch ends an event at its empty line.
func (p *Parser) dispatch(h Handler) {
	if p.hasNext {
		p.event.ID, p.next, p.hasNext = p.next, p.event.ID, false
		if cap(p.next) > keptIDBytes {
			p.next = nil
		}
	}
	if p.hasData {
		h.OnEvent(&p.event)
	}
	p.event.Data, p.event.Name = nil, nil
	p.hasData, p.joined, p.named, p.open = false, false, false, false
}

// milliseconds reads a "retry" value; one that does not fit is the longest time there is.
func milliseconds(value []byte) (wait time.Duration, ok bool) {
	const longest = math.MaxInt64 / int64(time.Millisecond)
	var n int64
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = min(min(n, longest/10)*10+int64(c-'0'), longest)
	}
	return time.Duration(n) * time.Millisecond, len(value) > 0
}
