// Package http2 reads and writes the client's end of HTTP/2 connections, without any I/O.
//
// A Conn is one connection: bytes that came are pushed into Feed, which tells a Handler what they say, and what has to go out is
// appended to a buffer of the caller's. Frames and header compression are golang.org/x/net's; how they are put together is
// written here, because net/http's transport reads ahead of its caller and so hides when a frame came.
//
// The rules are those of RFC 9113 as a client needs them:
//
//   - A connection begins with the preface and SETTINGS. Push is switched off, and a frame that pushes ends the connection.
//   - SETTINGS and PING are acknowledged. The peer's initial window, its largest frame and the number of streams that it
//     takes are respected: a body that does not fit into a window waits in the Conn, a request beyond the limit is refused.
//   - What is received is allowed again when half of a window is used up, so that a stream never stalls because of its
//     reader.
//   - A stream ends with END_STREAM, with RST_STREAM, or with GOAWAY when its number is beyond the last that the peer says it
//     looked at.
//   - Padding counts into the windows and is never reported. Trailers end a stream like END_STREAM and are not reported.
//   - A frame that breaks the framing, the compression or the order of frames ends the connection: ErrBroken, with what was wrong.
//
// Interim answers (1xx) are swallowed, as package http1 does. Names of fields are in small letters, as they travel.
//
// For example a Conn that is told to Start, then to Request a GET, yields the preface, a SETTINGS, a WINDOW_UPDATE and one HEADERS
// frame; feeding it the server's SETTINGS, HEADERS and DATA calls OnHead and OnData, and leaves an acknowledgement in Output.
package http2

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Limits and settings.
const (
	// MaxHead bounds the fields of one answer, in bytes as HPACK counts them.
	MaxHead = 64 << 10

	// window is what a stream, and the connection, may be ahead of what we have read, in bytes: as much as a browser allows, so
	// that the window is never what a server waits for.
	window = 6 << 20

	maxFrame      = 16 << 10 // of what we receive: the default, which is never raised
	defaultWindow = 64<<10 - 1
	maxHeld       = 1 << 20 // bytes of bodies that wait for a window
	maxKept       = 2 << 10 // of room for what goes out, while nothing does
)

// ErrBroken is wrapped by the errors of a peer that broke the protocol.
var ErrBroken = errors.New("the peer broke HTTP/2")

// ErrFull says that the peer takes no further stream now, or will take no more on this connection.
var ErrFull = errors.New("the peer takes no more streams on this connection")

// Head is the head of an answer.
type Head struct {
	Status int
	Fields []Field // in the order in which they came; valid only during the call
}

// Field is one header field; names are in small letters.
type Field struct{ Name, Value string }

// Get returns the first value of a field; "" when there is none.
func (h *Head) Get(name string) string {
	for _, f := range h.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// Handler is told what the peer says, in its order. Slices are valid only during the call. An error that it returns ends the
// parsing and is returned by Feed as it is.
type Handler interface {
	// OnHead is called with the head of the answer on a stream.
	OnHead(stream uint32, h *Head) error
	// OnData is called with a part of a body: what one Feed had of one frame.
	OnData(stream uint32, b []byte) error
	// OnEnd is called when an answer is complete.
	OnEnd(stream uint32) error
	// OnReset is called when the peer gave a stream up; nothing more comes on it.
	OnReset(stream uint32, code Code) error
}

// Code is the reason of a reset or of the end of a connection, as RFC 9113 numbers it.
type Code uint32

// Refused is the code of a stream that the peer has not looked at.
const Refused = Code(http2.ErrCodeRefusedStream)

// String names the code as the standard does.
func (c Code) String() string { return http2.ErrCode(c).String() }

// Conn is the client's end of one connection. The zero value is ready for Start. It is not safe for concurrent use.
type Conn struct {
	err     error
	greeted bool // the peer's SETTINGS came
	leaving bool // GOAWAY came
	lastID  uint32
	streams map[uint32]*stream

	// What came.
	raw     []byte // the beginning of a frame whose end has not been fed
	frame   http2.FrameHeader
	inData  bool // the frame at hand is DATA, and its payload is passed on as it comes
	payload uint32
	padding uint32 // of the DATA frame at hand: bytes at its end
	padded  bool   // its first byte, the length of the padding, is still to come
	silent  bool   // the frame at hand, or the last one, has told a Handler nothing so far
	block   []byte // header block that is unfinished
	headOf  uint32 // the stream of that block; 0 = none is unfinished
	headEnd bool   // ... and it ends the stream
	decoder *hpack.Decoder
	head    Head
	size    uint32 // of the fields of the head at hand
	reader  bytes.Reader
	framer  *http2.Framer
	unread  uint32 // bytes of all bodies since the last WINDOW_UPDATE of the connection

	// What goes out.
	out        bytes.Buffer
	encoder    *hpack.Encoder
	fields     bytes.Buffer
	maxStreams uint32
	initial    int64 // the peer's initial window of a stream
	largest    uint32
	allowed    int64 // bytes that may still be sent on the connection
	held       int   // bytes of bodies that wait
}

// stream is one request and its answer.
type stream struct {
	allowed  int64  // bytes that may still be sent on it
	waiting  []byte // of the body; nil = all has gone out
	unread   uint32 // bytes of the body since the last WINDOW_UPDATE of the stream
	answered bool   // its final head came
}

// Start begins the connection: what Output returns next goes out first of all.
func (c *Conn) Start() {
	*c = Conn{streams: make(map[uint32]*stream), maxStreams: 100, initial: defaultWindow, allowed: defaultWindow, largest: maxFrame}
	c.framer = http2.NewFramer(&c.out, &c.reader)
	c.framer.SetReuseFrames()
	c.framer.SetMaxReadFrameSize(maxFrame)
	c.encoder = hpack.NewEncoder(&c.fields)
	c.decoder = hpack.NewDecoder(4096, c.field)
	c.out.WriteString(http2.ClientPreface)
	// A buffer takes whatever is written to it: no write of this package can fail.
	c.framer.WriteSettings( //nolint:errcheck // as said
		http2.Setting{ID: http2.SettingEnablePush, Val: 0},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: window},
		http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: MaxHead})
	c.framer.WriteWindowUpdate(0, window-defaultWindow) //nolint:errcheck // as said
}

// Output returns what has to be written to the connection now, and forgets it. The slice is valid until the next call of any
// method.
func (c *Conn) Output() []byte {
	if c.out.Len() == 0 {
		return nil
	}
	b := c.out.Bytes()
	if c.out.Cap() > maxKept {
		c.out = bytes.Buffer{} // an idle connection holds little
	} else {
		c.out.Reset()
	}
	return b
}

// Open is how many streams are at work.
func (c *Conn) Open() int { return len(c.streams) }

// Ready says whether the peer has said how many streams it takes, and takes one more.
func (c *Conn) Ready() bool {
	return c.greeted && c.err == nil && !c.leaving && uint32(len(c.streams)) < c.maxStreams && c.lastID < 1<<31-2
}

// Leaving says that the peer has announced the end of the connection: what it looks at is answered, and nothing more is taken.
func (c *Conn) Leaving() bool { return c.leaving }

// Request is a request as it goes out.
type Request struct {
	Method    string
	Scheme    string // "http" or "https"
	Authority string // host:port
	Path      string // with its query
	Fields    []Field
	Body      []byte // nil = none
}

// Request appends a request to what Output returns, and returns the number of its stream. The body is copied when it has to wait.
// The error is ErrFull, that of a body that is too long to wait, or what Feed returned.
func (c *Conn) Request(r *Request) (id uint32, err error) {
	switch {
	case c.err != nil:
		return 0, c.err
	case c.leaving || uint32(len(c.streams)) >= c.maxStreams || c.lastID >= 1<<31-2:
		return 0, ErrFull
	case c.held+len(r.Body) > maxHeld:
		return 0, fmt.Errorf("sending a request by HTTP/2: %d bytes of bodies wait for the peer already", c.held)
	}
	id = 1
	if c.lastID > 0 {
		id = c.lastID + 2
	}
	c.lastID = id
	c.fields.Reset()
	for _, f := range []Field{{":method", r.Method}, {":scheme", r.Scheme}, {":authority", r.Authority}, {":path", r.Path}} {
		c.encoder.WriteField(hpack.HeaderField{Name: f.Name, Value: f.Value}) //nolint:errcheck // into a buffer, as above
	}
	for _, f := range r.Fields {
		c.encoder.WriteField(hpack.HeaderField{Name: f.Name, Value: f.Value, Sensitive: f.Name == "authorization" || f.Name == "cookie"}) //nolint:errcheck // as above
	}
	c.writeBlock(id, c.fields.Bytes(), len(r.Body) == 0)
	s := &stream{allowed: c.initial}
	c.streams[id] = s
	if len(r.Body) > 0 {
		s.waiting = append([]byte{}, r.Body...)
		c.held += len(r.Body)
		c.send(id, s)
	}
	return id, nil
}

// writeBlock writes a header block in as many frames as it needs.
func (c *Conn) writeBlock(id uint32, block []byte, end bool) {
	part := block[:min(len(block), int(c.largest))]
	block = block[len(part):]
	c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: part, EndStream: end, EndHeaders: len(block) == 0}) //nolint:errcheck // into a buffer
	for len(block) > 0 {
		part = block[:min(len(block), int(c.largest))]
		block = block[len(part):]
		c.framer.WriteContinuation(id, len(block) == 0, part) //nolint:errcheck // into a buffer
	}
}

// send writes what the windows allow of a body.
func (c *Conn) send(id uint32, s *stream) {
	for len(s.waiting) > 0 {
		n := min(int64(len(s.waiting)), s.allowed, c.allowed, int64(c.largest))
		if n <= 0 {
			return
		}
		c.framer.WriteData(id, int64(len(s.waiting)) == n, s.waiting[:n]) //nolint:errcheck // into a buffer
		s.waiting = s.waiting[n:]
		s.allowed -= n
		c.allowed -= n
		c.held -= int(n)
	}
	s.waiting = nil
}

// Cancel gives a stream up: nothing more of it is reported.
func (c *Conn) Cancel(id uint32) {
	if s := c.streams[id]; s != nil {
		c.framer.WriteRSTStream(id, http2.ErrCodeCancel) //nolint:errcheck // into a buffer
		c.forget(id, s)
	}
}

// forget ends a stream.
func (c *Conn) forget(id uint32, s *stream) {
	c.held -= len(s.waiting)
	delete(c.streams, id)
}
