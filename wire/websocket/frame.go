package websocket

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// Opcode says what a frame carries.
type Opcode uint8

// The opcodes; all others are reserved.
const (
	Continuation Opcode = 0x0 // the next fragment of a message
	Text         Opcode = 0x1
	Binary       Opcode = 0x2
	Close        Opcode = 0x8
	Ping         Opcode = 0x9
	Pong         Opcode = 0xa
)

// control reports whether the opcode is one of a control frame.
func (o Opcode) control() bool { return o >= Close }

// Code says why a connection is closed.
type Code uint16

// The codes that holobench sends or tells apart. 3000 to 4999 belong to libraries and applications.
const (
	Normal         Code = 1000
	GoingAway      Code = 1001 // a server that shuts down, a page that is left
	ProtocolError  Code = 1002
	NoStatus       Code = 1005 // the Close carried none; it never travels
	InvalidPayload Code = 1007 // such as text that is not UTF-8
	PolicyViolated Code = 1008
	TooBig         Code = 1009
	InternalError  Code = 1011
)

// mayTravel reports whether a Close may carry the code: the ones that are registered, and those of applications.
func (c Code) mayTravel() bool {
	switch {
	case c >= 1000 && c <= 1003, c >= 1007 && c <= 1014, c >= 3000 && c <= 4999:
		return true
	}
	return false
}

// maxControl is the longest payload of a control frame, in bytes.
const maxControl = 125

// Frame is a frame as it goes out. Its zero values are those of a whole message from a server.
type Frame struct {
	Opcode  Opcode
	More    bool    // it is a fragment, and not the last one of its message
	Masked  bool    // it goes to a server
	Key     [4]byte // of the mask, of which the standard asks that nobody can predict it
	Payload []byte  // stays as it is, also when it goes out masked; at most 125 bytes in a control frame
}

// AppendFrame appends f to dst as it stands on the wire. It checks nothing.
func AppendFrame(dst []byte, f Frame) []byte {
	first, flag := byte(f.Opcode), byte(0)
	if !f.More {
		first |= 0x80
	}
	if f.Masked {
		flag = 0x80
	}
	switch n := len(f.Payload); {
	case n <= maxControl:
		dst = append(dst, first, flag|byte(n))
	case n <= math.MaxUint16:
		dst = append(dst, first, flag|126)
		dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	default:
		dst = append(dst, first, flag|127)
		dst = binary.BigEndian.AppendUint64(dst, uint64(n))
	}
	if !f.Masked {
		return append(dst, f.Payload...)
	}
	dst = append(dst, f.Key[:]...)
	start := len(dst)
	dst = append(dst, f.Payload...)
	mask(dst[start:], f.Key, 0)
	return dst
}

// AppendClosePayload appends what a Close carries: code and reason. NoStatus is written as nothing at all. A reason that
// is too long for a control frame is cut, between two characters.
func AppendClosePayload(dst []byte, code Code, reason string) []byte {
	if code == NoStatus {
		return dst
	}
	if end := maxControl - 2; len(reason) > end {
		for end > 0 && !utf8.RuneStart(reason[end]) {
			end--
		}
		reason = reason[:end]
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	return append(dst, reason...)
}

// mask puts the mask on b, or takes it off; b begins at the given place of the payload.
func mask(b []byte, key [4]byte, at int) {
	turned := [4]byte{key[at&3], key[(at+1)&3], key[(at+2)&3], key[(at+3)&3]}
	word := uint64(binary.LittleEndian.Uint32(turned[:]))
	word |= word << 32
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^word)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= turned[i&3]
	}
}
