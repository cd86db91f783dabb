// Package websocket reads and writes the frames of WebSocket, and checks its opening handshake, without any I/O.
//
// The rules are those of RFC 6455, read strictly, because what a peer gets away with here would be a finding elsewhere:
//
//   - Frames from a client must be masked, frames from a server must not.
//   - Reserved bits and reserved opcodes are refused: no extension is ever negotiated.
//   - A length is written in the fewest bytes that hold it.
//   - A message may come in fragments; control frames may stand between them, but are never fragmented themselves and
//     carry at most 125 bytes.
//   - Text, and the reason of a Close, must be UTF-8. It is checked at the end of a message, so that a bad one is refused
//     late, but is never reported.
//   - What follows a Close is discarded.
//
// A message may be at most MaxMessage long, unless Parser.Limit says otherwise; how many fragments it comes in does not
// matter. The answers that the protocol asks for (a Pong to a Ping, a Close to a Close or to a fault) are the caller's to
// send.
//
// For example the bytes 0x81 0x02 'h' 'i' are one whole message from a server, the text "hi".
package websocket

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
)

// MaxMessage is the longest message that a Parser accepts when its Limit is 0, in bytes. It bounds what one side can make
// the other hold for each of thousands of connections.
const MaxMessage = 1 << 20

// Role is a side of a connection.
type Role uint8

// The two sides. What they send differs in one thing: a client masks its frames.
const (
	Client Role = iota // opened the connection; it reads frames without a mask
	Server             // accepted it; it reads frames with a mask
)

// Handler is told what a peer says, in its order. The slices are valid only during the call. An error that it returns ends
// the parsing and is returned by Feed as it is.
type Handler interface {
	// OnText is called with each whole text message, valid UTF-8.
	OnText(text []byte) error
	// OnBinary is called with each whole binary message.
	OnBinary(b []byte) error
	// OnPing is called with what a Ping carries, at most 125 bytes; the Pong that answers it carries the same.
	OnPing(b []byte) error
	// OnPong is called with what a Pong carries, at most 125 bytes.
	OnPong(b []byte) error
	// OnClose is called at most once, and nothing is called behind it. Without a code, code is NoStatus.
	OnClose(code Code, reason []byte) error
}

// FaultError says how the peer broke the protocol.
type FaultError struct {
	Code Code // with which to close the connection
	What string
}

// Error implements error.
func (e *FaultError) Error() string { return "reading a WebSocket: " + e.What }

// Parser reads what one peer sends, as it is pushed to it by Feed. The zero value is ready for what a server sends, after
// the handshake. It is not safe for concurrent use.
//
// A message of one frame that lies within one Feed is neither copied nor does it cost an allocation. A message in
// fragments, or one that is cut between two Feeds, is copied into a buffer, which is let go at the end of the Feed that
// finds nothing unfinished: an idle connection holds none.
type Parser struct {
	Role  Role // of the side that reads: the peer has the other one
	Limit int  // the longest message, in bytes; 0 = MaxMessage

	have, want uint8    // bytes of the head that were read, and that it has as far as is known
	head       [14]byte // of the frame at hand
	opcode     Opcode   // of the frame at hand
	message    Opcode   // Text or Binary, when a message is unfinished
	last       bool     // the frame at hand ends its message
	inPayload  bool
	closed     bool

	buf    []byte // the message so far, and behind it what was fed of the frame at hand
	from   int    // where in buf the frame at hand begins
	seen   int    // bytes of the frame's payload so far
	length int    // of the frame's payload

	err error
}

// Feed reads the next bytes of the connection and calls h for all that they complete; where they were cut does not matter.
// It keeps no reference to b. With the Role Server it takes the mask off in b itself, so that a message costs no copy: b is
// the caller's own read buffer, and what it holds afterwards is not to be relied on. A fault of the peer is a *FaultError;
// after it, or after an error of h, every further Feed returns the same, until Reset.
func (p *Parser) Feed(b []byte, h Handler) error {
	for p.err == nil && !p.closed && len(b) > 0 {
		var n int
		if p.inPayload {
			n, p.err = p.readPayload(b, h)
		} else {
			n, p.err = p.readHead(b, h)
		}
		b = b[n:]
	}
	if p.err != nil || p.closed || p.from == 0 && !p.inPayload {
		p.buf = nil
	}
	return p.err
}

// Pending reports whether part of an unfinished frame or message was read. Right after a Feed, false means that the last
// message which it reported ended with the last byte that was fed.
func (p *Parser) Pending() bool { return !p.closed && (p.have > 0 || p.message != 0) }

// Closed reports whether the peer sent a Close.
func (p *Parser) Closed() bool { return p.closed }

// Reset makes the parser ready for a new connection: what is unfinished is dropped, Role and Limit stay.
func (p *Parser) Reset() { *p = Parser{Role: p.Role, Limit: p.Limit} }

// readHead collects the head of a frame, 2 to 14 bytes, and judges it when it is whole.
func (p *Parser) readHead(b []byte, h Handler) (n int, err error) {
	if p.have < 2 {
		p.want = 2
	}
	n = copy(p.head[p.have:p.want], b)
	p.have += uint8(n)
	if p.have < p.want {
		return n, nil
	}
	if p.want == 2 {
		if err := p.checkHead(); err != nil {
			return n, err
		}
		p.want = p.headLength()
		if p.have < p.want {
			return n, nil
		}
	}
	if err := p.readLength(); err != nil {
		return n, err
	}
	p.inPayload, p.seen, p.from = true, 0, len(p.buf)
	if p.length == 0 {
		return n, p.frameRead(nil, h)
	}
	return n, nil
}

// headLength is how long the head is, from its first two bytes.
func (p *Parser) headLength() uint8 {
	n := uint8(2)
	switch p.head[1] & 0x7f {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if p.Role == Server {
		n += 4
	}
	return n
}

// checkHead judges the first two bytes of a frame, so that bytes which are no WebSocket are refused at once.
func (p *Parser) checkHead() error {
	first, second := p.head[0], p.head[1]
	p.last, p.opcode = first&0x80 != 0, Opcode(first&0x0f)
	masked := second&0x80 != 0
	switch {
	case first&0x70 != 0:
		return protocolFault("a reserved bit is set in the frame head %#02x, though no extension was negotiated", first)
	case masked && p.Role == Client:
		return protocolFault("a frame from a server is masked")
	case !masked && p.Role == Server:
		return protocolFault("a frame from a client is not masked")
	}
	switch p.opcode {
	case Text, Binary:
		if p.message != 0 {
			return protocolFault("a new message begins within another one")
		}
	case Continuation:
		if p.message == 0 {
			return protocolFault("a continuation of no message")
		}
	case Close, Ping, Pong:
		if !p.last {
			return protocolFault("a control frame in fragments")
		}
		if second&0x7f > maxControl {
			return protocolFault("a control frame of more than %d bytes", maxControl)
		}
	default:
		return protocolFault("the opcode %#x is reserved", uint8(p.opcode))
	}
	return nil
}

// readLength reads the length of the payload from a whole head.
func (p *Parser) readLength() error {
	length := uint64(p.head[1] & 0x7f)
	fewest := uint64(0)
	switch length {
	case 126:
		length, fewest = uint64(binary.BigEndian.Uint16(p.head[2:])), 126
	case 127:
		length, fewest = binary.BigEndian.Uint64(p.head[2:]), 1<<16
	}
	if length < fewest || length > math.MaxInt64 {
		return protocolFault("the length %d of a frame is not written in the fewest bytes, or in too many", length)
	}
	if p.opcode.control() {
		p.length = int(length)
		return nil
	}
	limit := p.Limit
	if limit == 0 {
		limit = MaxMessage
	}
	if length > uint64(max(0, limit-len(p.buf))) {
		return &FaultError{TooBig, fmt.Sprintf("a message is longer than %d bytes", limit)}
	}
	p.length = int(length)
	return nil
}

// readPayload takes what b holds of the payload of the frame at hand.
func (p *Parser) readPayload(b []byte, h Handler) (n int, err error) {
	n = min(len(b), p.length-p.seen)
	part := b[:n]
	if p.Role == Server {
		mask(part, [4]byte(p.head[p.want-4:p.want]), p.seen)
	}
	p.seen += n
	switch {
	case p.seen == n && n == p.length && (p.opcode.control() || p.last && p.from == 0):
		return n, p.frameRead(part, h) // all of it is here: no need to copy
	case cap(p.buf) == 0:
		// A short message that is cut costs one allocation; a long one must arrive before it is given memory.
		p.buf = make([]byte, 0, max(n, min(p.length, keptAhead)))
	}
	p.buf = append(p.buf, part...)
	if p.seen < p.length {
		return n, nil
	}
	if p.opcode.control() || p.last {
		begin := 0
		if p.opcode.control() {
			begin = p.from
		}
		return n, p.frameRead(p.buf[begin:], h)
	}
	return n, p.frameRead(nil, h)
}

// keptAhead is how much memory a peer is given for a frame that it has only announced, in bytes.
const keptAhead = 1 << 10

// frameRead ends the frame at hand. When it is a control frame, or ends a message, body is what it or the message carries.
func (p *Parser) frameRead(body []byte, h Handler) error {
	p.inPayload, p.have = false, 0
	if p.opcode.control() {
		p.buf = p.buf[:p.from]
		return p.control(body, h)
	}
	kind := p.message
	if p.opcode != Continuation {
		kind = p.opcode
	}
	if !p.last {
		p.message, p.from = kind, len(p.buf)
		return nil
	}
	if body == nil { // an empty frame ends it
		body = p.buf
	}
	p.message, p.from, p.buf = 0, 0, p.buf[:0]
	if kind == Binary {
		return h.OnBinary(body)
	}
	if !utf8.Valid(body) {
		return &FaultError{InvalidPayload, "a text message is not UTF-8"}
	}
	return h.OnText(body)
}

// control passes on what a control frame says.
func (p *Parser) control(body []byte, h Handler) error {
	switch p.opcode {
	case Ping:
		return h.OnPing(body)
	case Pong:
		return h.OnPong(body)
	default:
		return p.close(body, h)
	}
}

// close reads what a Close carries: nothing, or a code and a reason.
func (p *Parser) close(body []byte, h Handler) error {
	code, reason := NoStatus, []byte(nil)
	switch len(body) {
	case 0:
	case 1:
		return protocolFault("a Close with half a code")
	default:
		code, reason = Code(binary.BigEndian.Uint16(body)), body[2:]
		if !code.mayTravel() {
			return protocolFault("a Close with the code %d, which must not be sent", code)
		}
		if !utf8.Valid(reason) {
			return &FaultError{InvalidPayload, "the reason of a Close is not UTF-8"}
		}
	}
	p.closed = true
	return h.OnClose(code, reason)
}

// protocolFault is a fault that is answered with ProtocolError.
func protocolFault(format string, args ...any) error {
	return &FaultError{ProtocolError, fmt.Sprintf(format, args...)}
}
