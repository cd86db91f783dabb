package target

import (
	"net"
	"time"
)

// streamWriter carries frames to one subscriber, by whatever protocol its stream has. At most one goroutine writes (write,
// end) at a time, one waits in waitGone, and any may abort.
type streamWriter interface {
	// write sends frames in one write, within the timeout, and says how much of them was accepted, also beside an error.
	write(frames []*frame, timeout time.Duration) (written, error)
	// end ends the stream so that the client can tell it from a cut, and closes it.
	end(timeout time.Duration) error
	// abort closes the stream at once and ends write, end and waitGone. It may be called again.
	abort()
	// waitGone returns when the client has gone, or the stream was closed by this side.
	waitGone()
}

// directWriter is a streamWriter that can also write what its connection takes at once.
type directWriter interface {
	// openDirect says whether it can; it is called once, before anything else.
	openDirect() bool
	// try is write, but it never waits for the client: what is not taken is no error.
	try(frames []*frame) (tried, error)
}

// tried is what a write got through that did not wait.
type tried struct {
	written

	whole int    // so many frames
	rest  *frame // what is left of the next one, of which a part was taken; nil = nothing of it was
}

// written is what a write got through.
type written struct {
	bytes, events, heartbeats, controls, echoes int
}

// http1Writer writes to a connection that was taken over from net/http: chunks for HTTP/1.1, and for HTTP/1.0 a body that
// ends with the connection.
type http1Writer struct {
	conn    net.Conn
	chunked bool
	scratch *scratch
	direct  *directSocket // nil = the connection has none
	inbox   [1]byte
}

// unexpectedBytes is how much a client may send on a stream that is not its to write on, before it counts as gone.
const unexpectedBytes = 64

func (w *http1Writer) write(frames []*frame, timeout time.Duration) (written, error) {
	if err := w.conn.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return written{}, err
	}
	if len(frames) == 1 { // the usual case needs no copy
		n, err := w.conn.Write(frames[0].bytes(w.chunked))
		return w.count(frames, n), err
	}
	scratch := w.scratch.get()
	defer w.scratch.put(scratch)
	for _, f := range frames {
		*scratch = append(*scratch, f.bytes(w.chunked)...)
	}
	n, err := w.conn.Write(*scratch)
	return w.count(frames, n), err
}

func (w *http1Writer) openDirect() bool {
	w.direct = newDirectSocket(w.conn)
	return w.direct != nil
}

func (w *http1Writer) try(frames []*frame) (tried, error) {
	if len(frames) == 1 {
		n, err := w.direct.write(frames[0].bytes(w.chunked))
		return w.split(frames, n), err
	}
	scratch := w.scratch.get()
	defer w.scratch.put(scratch)
	for _, f := range frames {
		*scratch = append(*scratch, f.bytes(w.chunked)...)
	}
	n, err := w.direct.write(*scratch)
	return w.split(frames, n), err
}

// split says which of frames lie within the n bytes that were accepted, and what is left of the next one.
func (w *http1Writer) split(frames []*frame, n int) tried {
	sum := tried{written: w.count(frames, n)}
	for _, f := range frames {
		bytes := f.bytes(w.chunked)
		if n < len(bytes) {
			if n > 0 {
				sum.rest = f.rest(bytes[n:], f.visible(w.chunked)-n)
			}
			break
		}
		n -= len(bytes)
		sum.whole++
	}
	return sum
}

// count says which of frames lie within the n bytes that were accepted.
func (w *http1Writer) count(frames []*frame, n int) written {
	sum := written{bytes: n}
	for _, f := range frames {
		if f.visible(w.chunked) > n {
			break
		}
		n -= len(f.bytes(w.chunked))
		sum.add(f.kind)
	}
	return sum
}

// add counts a frame of that kind.
func (sum *written) add(kind frameKind) {
	switch kind {
	case eventFrame:
		sum.events++
	case heartbeatFrame:
		sum.heartbeats++
	case controlFrame:
		sum.controls++
	case echoFrame:
		sum.controls++
		sum.echoes++
	case headFrame, idFrame:
	}
}

func (w *http1Writer) end(timeout time.Duration) error {
	if !w.chunked {
		return w.conn.Close()
	}
	if err := w.conn.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	if _, err := w.conn.Write([]byte("0\r\n\r\n")); err != nil {
		return err
	}
	return w.conn.Close()
}

func (w *http1Writer) abort() {
	_ = w.conn.Close() // it is being given up: that it was closed already, or broken, changes nothing
}

// waitGone reads byte by byte: nothing is expected, and an idle stream must not hold a buffer.
func (w *http1Writer) waitGone() {
	for range unexpectedBytes {
		if _, err := w.conn.Read(w.inbox[:]); err != nil {
			return
		}
	}
}

// http1Head is the head of a stream. The connection is never used again, which the client must know.
func http1Head(chunked bool, now time.Time) *frame {
	head := make([]byte, 0, 256)
	if chunked {
		head = append(head, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"...)
	} else {
		head = append(head, "HTTP/1.0 200 OK\r\n"...)
	}
	head = append(head, "Content-Type: text/event-stream\r\nCache-Control: no-cache\r\nX-Accel-Buffering: no\r\n"+
		"Connection: close\r\nDate: "...)
	head = now.UTC().AppendFormat(head, "Mon, 02 Jan 2006 15:04:05 GMT")
	head = append(head, "\r\n\r\n"...)
	return &frame{chunk: head, to: len(head), kind: headFrame}
}
