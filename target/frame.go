package target

import (
	"strconv"

	"holobench/wire"
	"holobench/wire/sse"
)

// frame is what one or many streams are to be told, encoded once and shared: nobody changes it. Its bytes are those of an
// HTTP/1.1 chunk; the body within them serves the streams that end with their connection.
type frame struct {
	chunk    []byte
	from, to int // chunk[from:to] is the body
	kind     frameKind
}

type frameKind uint8

const (
	headFrame frameKind = iota
	eventFrame
	heartbeatFrame
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

// encode makes the frame of event: two allocations an event, however many subscribers there are.
func (s *Server) encode(event wire.Event) *frame {
	scratch := s.scratch.get()
	defer s.scratch.put(scratch)
	*scratch = wire.AppendEventJSON((*scratch)[:0], event)
	room := make([]byte, chunkRoom, chunkRoom+len("data: \n\n\r\n")+len(*scratch))
	return newFrame(eventFrame, sse.AppendEvent(room, "", "", *scratch))
}

// newHeartbeat makes the comment that keeps silent streams alive.
func newHeartbeat() *frame {
	return newFrame(heartbeatFrame, sse.AppendComment(make([]byte, chunkRoom, 32), "heartbeat"))
}
