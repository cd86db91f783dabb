package target

import (
	"strconv"

	"holobench/wire/sse"
)

// frame is what one or many streams are to be told, encoded once and shared: nobody changes it. On a stream over HTTP/1.1 its
// bytes are those of a chunk; the body within them serves the streams that end with their connection. On another wire they
// are whatever that wire puts around a message.
type frame struct {
	chunk    []byte
	from, to int // chunk[from:to] is the body
	kind     frameKind
	raw      bool // it is what is left of another one, and goes out as it is in any writer
	value
}

type frameKind uint8

const (
	headFrame frameKind = iota
	eventFrame
	heartbeatFrame
	controlFrame // what is neither: a snapshot, a gap, a reply on a socket
	echoFrame    // a reply on a socket that brings its reader the event of its own command
	idFrame      // the id of the event behind it, on the streams whose ids are their own
)

// chunkRoom is the room for the size in front of a chunk: up to 8 hex digits and CRLF.
const chunkRoom = 10

// newFrame makes a chunk of room, whose first chunkRoom bytes are free and whose rest is the body.
func newFrame(kind frameKind, room []byte) *frame {
	var digits [16]byte
	size := strconv.AppendUint(digits[:0], uint64(len(room)-chunkRoom), 16)
	start := chunkRoom - len("\r\n") - len(size)
	copy(room[start:], size)
	copy(room[chunkRoom-2:], "\r\n")
	return &frame{
		chunk: append(room, "\r\n"...)[start:],
		from:  chunkRoom - start,
		to:    len(room) - start,
		kind:  kind,
	}
}

// bytes is what to write.
func (f *frame) bytes(chunked bool) []byte {
	if chunked {
		return f.chunk
	}
	return f.chunk[f.from:f.to]
}

// visible is after how many of those bytes the client has the whole message: the line end behind a chunk is not needed
// for that, and a client that parses as it reads does not wait for it.
func (f *frame) visible(chunked bool) int {
	if chunked {
		return f.to
	}
	return f.to - f.from
}

// rest returns what is left of f when a part of it was written: bytes, of which the first visible ones make the message whole.
// When it is whole already, which was counted, they are of no message.
func (f *frame) rest(bytes []byte, visible int) *frame {
	if visible <= 0 {
		return &frame{chunk: bytes, to: len(bytes), kind: headFrame, raw: true, value: f.value}
	}
	return &frame{chunk: bytes, to: visible, kind: f.kind, raw: true, value: f.value}
}

// newHeartbeat makes the comment that keeps silent streams alive.
func newHeartbeat() *frame {
	return newFrame(heartbeatFrame, sse.AppendComment(make([]byte, chunkRoom, 32), "heartbeat"))
}
