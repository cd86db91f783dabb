package websocket_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"holobench/wire/websocket"
)

// notes writes down what a peer says, with copies of all bytes.
type notes struct {
	lines []string
	fail  error // is returned by every call
}

func (n *notes) add(kind string, b []byte) error {
	n.lines = append(n.lines, kind+" "+string(b))
	return n.fail
}

func (n *notes) OnText(b []byte) error   { return n.add("text", b) }
func (n *notes) OnBinary(b []byte) error { return n.add("binary", b) }
func (n *notes) OnPing(b []byte) error   { return n.add("ping", b) }
func (n *notes) OnPong(b []byte) error   { return n.add("pong", b) }

func (n *notes) OnClose(code websocket.Code, reason []byte) error {
	return n.add(fmt.Sprintf("close %d", code), reason)
}

// said is all that can be observed of a connection.
type said struct {
	lines   []string
	fault   websocket.Code // 0 = none
	pending bool
	closed  bool
}

func (s said) equal(other said) bool {
	return slices.Equal(s.lines, other.lines) && s.fault == other.fault && s.pending == other.pending && s.closed == other.closed
}

// feed feeds input cut at the given places. Each piece is overwritten when it has been fed, so that a reference kept to it
// shows.
func feed(p *websocket.Parser, input []byte, cuts []int) said {
	var n notes
	from := 0
	for _, to := range append(slices.Clone(cuts), len(input)) {
		to = min(max(from, to), len(input))
		piece := slices.Clone(input[from:to])
		from = to
		err := p.Feed(piece, &n)
		for i := range piece {
			piece[i] = 0xff
		}
		if fault, ok := errors.AsType[*websocket.FaultError](err); ok {
			return said{lines: n.lines, fault: fault.Code}
		}
	}
	return said{lines: n.lines, pending: p.Pending(), closed: p.Closed()}
}

func everywhere(input []byte) []int {
	cuts := make([]int, len(input))
	for i := range cuts {
		cuts[i] = i + 1
	}
	return cuts
}

// define is the definition: RFC 6455 read off one frame after the other, with no thought of cost or of where bytes are cut.
func define(role websocket.Role, limit int, input []byte) said {
	var s said
	var message []byte
	kind := ""
	for len(input) > 0 {
		f, rest, fault, whole := defineFrame(role, input)
		control := f.Opcode >= websocket.Close
		switch {
		case fault != 0:
		case len(input) >= 2 && f.Opcode == websocket.Continuation && kind == "",
			len(input) >= 2 && f.Opcode != websocket.Continuation && !control && kind != "":
			fault = websocket.ProtocolError
		case !control && f.length+uint64(len(message)) > uint64(limit):
			fault = websocket.TooBig
		}
		if fault != 0 {
			s.fault = fault
			return s
		}
		if !whole {
			s.pending = true
			return s
		}
		input = rest
		switch f.Opcode {
		case websocket.Ping:
			s.lines = append(s.lines, "ping "+string(f.Payload))
			continue
		case websocket.Pong:
			s.lines = append(s.lines, "pong "+string(f.Payload))
			continue
		case websocket.Close:
			return defineClose(s, f.Payload)
		case websocket.Continuation:
		case websocket.Text:
			kind = "text"
		case websocket.Binary:
			kind = "binary"
		}
		message = append(message, f.Payload...)
		if f.More {
			continue
		}
		if kind == "text" && !utf8.Valid(message) {
			s.fault = websocket.InvalidPayload
			return s
		}
		s.lines = append(s.lines, kind+" "+string(message))
		message, kind = nil, ""
	}
	s.pending = kind != ""
	return s
}

// frame is a frame that may not be whole: length is what it announces.
type frame struct {
	websocket.Frame
	length uint64
}

// defineFrame reads one frame, as far as it is there.
func defineFrame(role websocket.Role, b []byte) (f frame, rest []byte, fault websocket.Code, whole bool) {
	if len(b) < 2 {
		return f, nil, 0, false
	}
	f.Opcode, f.More, f.Masked = websocket.Opcode(b[0]&15), b[0]&128 == 0, b[1]&128 != 0
	short := b[1] & 127
	known := slices.Contains([]websocket.Opcode{0, 1, 2, 8, 9, 10}, f.Opcode)
	if b[0]&0x70 != 0 || !known || f.Masked != (role == websocket.Server) || f.Opcode >= 8 && (f.More || short > 125) {
		return f, nil, websocket.ProtocolError, false
	}
	head, size, least := 2, uint64(short), uint64(0)
	if short == 126 {
		head, least = 4, 126
	}
	if short == 127 {
		head, least = 10, 65536
	}
	key := head
	if f.Masked {
		head += 4
	}
	if len(b) < head {
		return f, nil, 0, false
	}
	if short == 126 {
		size = uint64(binary.BigEndian.Uint16(b[2:]))
	}
	if short == 127 {
		size = binary.BigEndian.Uint64(b[2:])
	}
	f.length = size
	if size < least || size > 1<<63-1 {
		return f, nil, websocket.ProtocolError, false
	}
	if uint64(len(b)-head) < size {
		return f, nil, 0, false
	}
	f.Payload = slices.Clone(b[head : head+int(size)])
	if f.Masked {
		for i := range f.Payload {
			f.Payload[i] ^= b[key+i%4]
		}
	}
	return f, b[head+int(size):], 0, true
}

// defineClose ends a connection with what its Close carries.
func defineClose(s said, payload []byte) said {
	code := 1005
	var reason []byte
	if len(payload) == 1 {
		s.fault = websocket.ProtocolError
		return s
	}
	if len(payload) > 1 {
		code, reason = int(payload[0])<<8|int(payload[1]), payload[2:]
		allowed := code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006 || code >= 3000 && code <= 4999
		switch {
		case !allowed:
			s.fault = websocket.ProtocolError
			return s
		case !utf8.Valid(reason):
			s.fault = websocket.InvalidPayload
			return s
		}
	}
	s.closed = true
	s.lines = append(s.lines, fmt.Sprintf("close %d %s", code, reason))
	return s
}
