package target

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"holobench/wire/phoenix"
	"holobench/wire/websocket"
)

// channelsWire is Phoenix Channels, version 2 of their JSON, over WebSocket:
//
//	GET /socket/websocket?vsn=2.0.0   101, then messages in both directions, see phoenixClient; 400, 405, 426 a handshake
//	                                  that is none, or another version; 503 too many streams, or the node is shutting down
//
// The server closes a socket with 1000 when its client says nothing for Options.SocketIdle, 1001 when it shuts down, 1002 and
// 1007 for what is no WebSocket, 1003 for a binary message, 1008 for a text that is no message of Phoenix or does not arrive
// within Options.ReadTimeout, and 1009 for one of more than Options.MaxBody bytes. A client that does not keep up, or lets a
// write wait too long, is cut without a Close, as any stream is: it would not read one.
// The Origin of the page that opens it is not looked at: there are no cookies here that a foreign page could misuse.
type channelsWire struct {
	names   *phoenixNames
	buffers *sync.Pool // of *[]byte: to read a message into
}

func newChannelsWire() channelsWire {
	return channelsWire{names: &phoenixNames{}, buffers: &sync.Pool{New: func() any {
		b := make([]byte, socketBuffer)
		return &b
	}}}
}

func (channelsWire) path() string { return "websocket" }

func (channelsWire) fifo() string { return "per socket" }

func (c channelsWire) routes(s *Server) map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{phoenix.WebSocketPath: func(w http.ResponseWriter, r *http.Request) {
		accept, refused := checkSocket(w, r)
		if refused == nil {
			refused = c.open(s, w, r, accept)
		}
		if refused != nil {
			s.counters.Add(StreamsRefused, 1)
			refused.write(w)
		}
	}}
}

// checkSocket judges a request for a WebSocket, and returns what accepts it.
func checkSocket(w http.ResponseWriter, r *http.Request) (accept string, refused *refusal) {
	accept, err := websocket.CheckRequest(r.Method, r.Header.Values)
	var bad *websocket.HandshakeError
	switch {
	case errors.As(err, &bad):
		switch bad.Status {
		case http.StatusMethodNotAllowed:
			w.Header().Set("Allow", http.MethodGet)
		case http.StatusUpgradeRequired:
			w.Header().Set("Sec-WebSocket-Version", websocket.Version)
		}
		return "", refuse(bad.Status, "%v", bad)
	case err != nil:
		return "", refuse(http.StatusBadRequest, "%v", err)
	case !r.ProtoAtLeast(1, 1) || r.ContentLength != 0:
		return "", refuse(http.StatusBadRequest, "a WebSocket is opened by a request of HTTP/1.1 without a body")
	}
	_, refused = checkPhoenixVersion(r)
	return accept, refused
}

// open takes the connection over from net/http, as that of a stream, and sets the socket going. The answer that accepts it is
// the first thing in its outbox.
func (c channelsWire) open(s *Server, w http.ResponseWriter, r *http.Request, accept string) *refusal {
	address, refused := s.admit(r)
	if refused != nil {
		return refused
	}
	conn, buffered, err := hijack(w)
	if err != nil {
		s.dismiss(address)
		return refuse(http.StatusInternalServerError, "this connection cannot carry a WebSocket")
	}
	socket := &webSocket{
		http1Writer: http1Writer{conn: conn, chunked: true, scratch: &s.scratch},
		client:      phoenixClient{server: s},
		parser:      websocket.Parser{Role: websocket.Server, Limit: s.options.MaxBody},
		buffers:     c.buffers,
		quiet:       make(chan struct{}),
		closed:      make(chan struct{}),
		farewell:    socketEnd{code: websocket.GoingAway, reason: "the server is shutting down"},
	}
	if early, err := buffered.Peek(buffered.Reader.Buffered()); err == nil { // a client that did not wait for the answer
		socket.early = slices.Clone(early)
	}
	head := websocket.AppendSwitch(nil, accept)
	socket.client.stream = newStream(s, c.names.next("socket", s.options.Node), formatSocket, socket,
		&frame{chunk: head, to: len(head), kind: headFrame})
	socket.client.stream.address = address
	s.open(socket.client.stream, func() {})
	return nil
}

const (
	socketBuffer = 4 << 10         // bytes that are read at once: most messages are shorter
	closeGrace   = 1 * time.Second // who was sent a Close answers it within this
)

// webSocket is one socket. It writes as a stream of HTTP does: what it adds is in the frames already. Its goroutine waits
// for the first byte of what comes next without a buffer, and borrows one to read the rest: an idle socket holds none.
type webSocket struct {
	http1Writer

	client  phoenixClient
	parser  websocket.Parser
	message phoenix.Message // the one before, whose texts often come again
	buffers *sync.Pool
	early   []byte        // what came before the socket was open
	whole   bool          // a message was completed by what was fed last
	ends    bool          // what was fed last is a reason to end
	ending  socketEnd     // ... that one
	quiet   chan struct{} // closed when nothing more is to be expected from the client
	closed  chan struct{} // closed with the connection

	mu       sync.Mutex
	farewell socketEnd // what the Close will say
	closing  bool      // it was sent: the deadline for the answer stands
	aborted  bool
}

// socketEnd is the end of a socket, as it is told to the client. It is an error to end the reading with.
type socketEnd struct {
	code   websocket.Code
	reason string
	byPeer bool // the client began it
	idle   bool
}

func (e *socketEnd) Error() string {
	return fmt.Sprintf("the socket ends with %d: %s", e.code, e.reason)
}

// waitGone reads what the client says and does it, until the client has gone. When there is a reason to end the socket it
// lets what waits be written, and the Close behind it, before it returns.
func (w *webSocket) waitGone() {
	err := w.apart(func() error { return w.feed(w.early) })
	w.early = nil
	for err == nil {
		err = w.receive()
	}
	var end *socketEnd
	if !errors.As(err, &end) { // the connection has ended, from whichever side
		close(w.quiet)
		return
	}
	if end.idle {
		w.client.server.counters.Add(StreamsIdle, 1)
	}
	w.mu.Lock()
	w.farewell = *end
	w.mu.Unlock()
	w.client.stream.end()
	if !end.byPeer {
		w.discard()
	}
	close(w.quiet)
	<-w.closed
}

// apart calls do in a goroutine of its own and waits for it. The stack that a message needs goes with that goroutine, and the
// one that waits for the next message, for hours perhaps, keeps the small one that it began with.
func (*webSocket) apart(do func() error) (err error) {
	var done sync.WaitGroup
	done.Go(func() { err = do() })
	done.Wait()
	return err
}

// receive waits for the next byte, and then lets the rest be read.
func (w *webSocket) receive() error {
	idle := w.client.server.options.SocketIdle
	w.expect(idle)
	if _, err := w.conn.Read(w.inbox[:]); err != nil {
		return w.timedOut(err, socketEnd{code: websocket.Normal, idle: true, reason: fmt.Sprintf("nothing was heard for %v", idle)})
	}
	return w.apart(w.receiveRest)
}

// receiveRest feeds the byte that has come and those behind it, until nothing is unfinished.
func (w *webSocket) receiveRest() error {
	options := &w.client.server.options
	buffer, ok := w.buffers.Get().(*[]byte)
	if !ok {
		return nil // never: the pool holds nothing else
	}
	defer w.buffers.Put(buffer)
	w.expect(options.ReadTimeout)
	(*buffer)[0] = w.inbox[0]
	for have := 1; ; have = 0 { // no frame of a client has less than six bytes: there is more to come
		n, err := w.conn.Read((*buffer)[have:])
		w.whole = false
		if fault := w.feed((*buffer)[:have+n]); fault != nil {
			return fault
		}
		if err != nil {
			return w.timedOut(err, socketEnd{
				code: websocket.PolicyViolated, reason: fmt.Sprintf("a message did not arrive within %v", options.ReadTimeout),
			})
		}
		if !w.parser.Pending() {
			return nil
		}
		if w.whole {
			w.expect(options.ReadTimeout)
		}
	}
}

// feed gives bytes to the parser, which calls the methods below. The error is why the socket has to end.
func (w *webSocket) feed(b []byte) error {
	var fault *websocket.FaultError
	if err := w.parser.Feed(b, w); errors.As(err, &fault) {
		return &socketEnd{code: fault.Code, reason: fault.What}
	}
	if w.ends {
		return &w.ending
	}
	return nil
}

// expect sets how long the next bytes may take, unless a Close was sent, whose answer has a deadline already.
func (w *webSocket) expect(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closing {
		_ = w.conn.SetReadDeadline(time.Now().Add(d)) // a connection that is broken says so when it is read
	}
}

// timedOut returns end when err is that a deadline has passed, other than that for the answer to a Close.
func (w *webSocket) timedOut(err error, end socketEnd) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if errors.Is(err, os.ErrDeadlineExceeded) && !w.closing {
		return &end
	}
	return err
}

// discard reads until the client has sent its Close or is gone, or the time for that is over. That time begins
// when the Close is written, and a write that takes too long ends the connection: until then there is no deadline.
func (w *webSocket) discard() {
	w.mu.Lock()
	if !w.closing {
		_ = w.conn.SetReadDeadline(time.Time{}) // a connection that is broken says so when it is read
	}
	w.mu.Unlock()
	buffer, ok := w.buffers.Get().(*[]byte)
	if !ok {
		return // never: the pool holds nothing else
	}
	defer w.buffers.Put(buffer)
	for !w.parser.Closed() {
		n, err := w.conn.Read(*buffer)
		if err != nil {
			return
		}
		_ = w.parser.Feed((*buffer)[:n], w) // after a fault nothing is read as frames any more, not even a Close
	}
}

// OnText implements websocket.Handler: a message of Phoenix.
func (w *webSocket) OnText(text []byte) error {
	w.whole = true
	if !w.ends && w.client.stream.open() { // else no answer would reach the client: it is as if the message had come too late
		w.handle(text)
	}
	return nil
}

func (w *webSocket) handle(text []byte) {
	if err := w.message.Parse(text); err != nil {
		w.endBy(socketEnd{code: websocket.PolicyViolated, reason: err.Error()})
		return
	}
	w.client.handle(context.Background(), w.message) // nothing that it waits for takes longer than Options.BusTimeout
	w.message.Payload = nil                          // it is part of a buffer that others use
}

// OnBinary implements websocket.Handler.
func (w *webSocket) OnBinary([]byte) error {
	const unsupported websocket.Code = 1003
	w.endBy(socketEnd{code: unsupported, reason: "binary messages are not read here"})
	return nil
}

// OnPing implements websocket.Handler: the Pong keeps its place among what the client is told.
func (w *webSocket) OnPing(b []byte) error {
	if w.ends {
		return nil
	}
	pong := websocket.AppendFrame(nil, websocket.Frame{Opcode: websocket.Pong, Payload: b})
	w.client.stream.enqueue(&frame{chunk: pong, to: len(pong), kind: controlFrame})
	return nil
}

// OnPong implements websocket.Handler. Nobody asked for one, but it is allowed.
func (*webSocket) OnPong([]byte) error { return nil }

// OnClose implements websocket.Handler: the answer says the same.
func (w *webSocket) OnClose(code websocket.Code, reason []byte) error {
	w.endBy(socketEnd{code: code, reason: string(reason), byPeer: true})
	return nil
}

// endBy notes the first reason to end.
func (w *webSocket) endBy(e socketEnd) {
	if !w.ends {
		w.ends, w.ending = true, e
	}
}

// end sends the Close, waits a little for the client's, so that the connection is not reset under what it has not read yet,
// and closes.
func (w *webSocket) end(timeout time.Duration) error {
	w.mu.Lock()
	last := w.farewell
	w.mu.Unlock()
	if err := w.conn.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return last.excuse(err)
	}
	payload := websocket.AppendClosePayload(nil, last.code, last.reason)
	if _, err := w.conn.Write(websocket.AppendFrame(nil, websocket.Frame{Opcode: websocket.Close, Payload: payload})); err != nil {
		return last.excuse(err)
	}
	w.mu.Lock()
	w.closing = true
	_ = w.conn.SetReadDeadline(time.Now().Add(closeGrace)) // a connection that is broken says so when it is read
	w.mu.Unlock()
	<-w.quiet
	return last.excuse(w.conn.Close())
}

// excuse passes on an error of the last steps, unless the client had said goodbye and need not wait for the answer.
func (e *socketEnd) excuse(err error) error {
	if e.byPeer || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// abort closes the connection at once.
func (w *webSocket) abort() {
	w.mu.Lock()
	first := !w.aborted
	w.aborted = true
	w.mu.Unlock()
	if first {
		close(w.closed)
	}
	w.http1Writer.abort()
}
