package target

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"holobench/wire/http1"
	"holobench/wire/phoenix"
)

// pollConn is a connection by which one poll after the other comes. It is taken over from net/http at the first one, whose
// request, buffers and goroutines would cost 30 KiB while it waits, and each poll several times what its answer costs to
// write. What comes that is not the next poll, whole and plain, goes back to net/http together with the connection, which is
// taken over again at the next poll.
//
// One goroutine reads, and holds no buffer while there is nothing to read. What comes before the last poll was answered waits for that,
// unread beyond what was read at once.
type pollConn struct {
	server   *Server
	conn     net.Conn
	direct   *directSocket // nil = the connection has none
	readable func(fd uintptr) bool

	// The reader's own.

	session *pollSession // that of the last poll
	early   []byte       // what was read and is not handled yet
	other   bool         // it is for net/http
	over    bool         // nothing more will come

	state   atomic.Uint32
	dropped atomic.Bool   // the reader is to close it
	free    chan struct{} // tells the reader that the poll was answered; made by it when it first waits for that
	since   atomic.Int64  // the server's uptime when the last poll was answered
}

// The states of a pollConn.
const (
	connIdle    uint32 = iota
	connBusy           // a poll waits, or is being answered
	connAwaited        // ... and the reader waits for the end of that
)

// pollBuffer is how much is read at once.
const pollBuffer = 8 << 10

// takePoll takes the connection of a poll over from net/http, where that can be; it says whether it did.
func (s *Server) takePoll(w http.ResponseWriter, r *http.Request, session *pollSession) bool {
	if r.ProtoMajor != 1 || r.ProtoMinor != 1 || r.Close || !s.polls.isOpen() {
		return false
	}
	conn, buffered, err := hijack(w)
	if err != nil {
		return false
	}
	c := &pollConn{server: s, conn: conn, session: session, direct: newDirectSocket(conn)}
	c.readable = c.read
	if early, err := buffered.Peek(buffered.Reader.Buffered()); err == nil { // a client that did not wait for the answer
		c.early = slices.Clone(early)
	}
	c.since.Store(int64(s.uptime()))
	if err := conn.SetReadDeadline(time.Now().Add(s.options.IdleTimeout)); err != nil || !s.polls.add(c) {
		_ = conn.Close() // the client has gone, or this node goes
		return true
	}
	c.state.Store(connBusy)
	session.arrive(c)
	go c.run()
	return true
}

// run reads until the connection is over, or not for polls any more.
func (c *pollConn) run() {
	defer c.server.streams.Done()
	defer c.server.polls.remove(c)
	var buffer []byte
	if c.direct == nil {
		buffer = make([]byte, pollBuffer/4)
	}
	for {
		for len(c.early) > 0 && !c.other {
			c.await()
			early := c.early
			c.early = nil
			c.handle(early)
		}
		if c.other {
			c.server.polls.returned.give(c.conn, c.early)
			return
		}
		var err error
		if c.direct != nil {
			err = c.direct.raw.Read(c.readable)
		} else {
			var n int
			n, err = c.conn.Read(buffer)
			c.take(buffer[:n], false)
		}
		if c.over || c.dropped.Load() || err != nil && !c.goesOn(err) {
			c.session.withdraw(c)
			_ = c.conn.Close()
			return
		}
	}
}

// goesOn says whether a read that failed is to be repeated: the deadline is that of an idle connection, and is moved only here,
// so that a poll need not.
func (c *pollConn) goesOn(err error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) || c.dropped.Load() {
		return false
	}
	left := c.server.options.IdleTimeout
	if c.state.Load() == connIdle {
		left -= c.server.uptime() - time.Duration(c.since.Load())
	}
	return left > 0 && c.conn.SetReadDeadline(time.Now().Add(left)) == nil && !c.dropped.Load()
}

// drop makes the reader close the connection. To close it here might wait for the reader, and this may be the reader, or hold what
// it waits for.
func (c *pollConn) drop() {
	c.dropped.Store(true)
	_ = c.conn.SetReadDeadline(time.Unix(1, 0)) // it fails when the connection is closed
}

// read reads what has come to the socket, once: a read that does not fill the buffer has emptied it, and what comes then makes
// it readable again. It says whether run has to see to something, or else waits until there is more.
func (c *pollConn) read(fd uintptr) (done bool) {
	scratch := c.server.scratch.get()
	defer c.server.scratch.put(scratch)
	buffer := (*scratch)[:pollBuffer]
	n, err := syscall.Read(int(fd), buffer)
	for errors.Is(err, syscall.EINTR) {
		n, err = syscall.Read(int(fd), buffer)
	}
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return false
	case err != nil || n == 0:
		c.over = true
		return true
	}
	return c.take(buffer[:n], n == len(buffer))
}

// take handles what was read, or keeps it when a poll is not answered yet, or when there is more to read. It says whether run has
// to see to something.
func (c *pollConn) take(p []byte, more bool) (done bool) {
	if len(p) == 0 {
		return false
	}
	if more || c.state.Load() != connIdle {
		c.early = slices.Clone(p)
		return true
	}
	c.handle(p)
	return c.other || len(c.early) > 0
}

// handle handles what was read while no poll was waiting: the next poll, and what is behind it, or something else.
func (c *pollConn) handle(p []byte) {
	head, n := http1.ReadPlainRequest(p)
	if n == 0 || string(head.Method) != http.MethodGet || !c.find(head) {
		c.early, c.other = slices.Clone(p), true
		return
	}
	if n < len(p) {
		c.early = slices.Clone(p[n:])
	}
	c.state.Store(connBusy)
	c.session.arrive(c)
}

// find finds the session that is polled, which is the last one nearly always.
func (c *pollConn) find(head http1.PlainRequest) bool {
	token, ok := pollToken(head)
	if ok && string(token) != c.session.token {
		session := c.session.sessions.find(string(token))
		if ok = session != nil; ok {
			c.session = session
		}
	}
	return ok
}

// pollToken returns the token of a plain poll, which is that of checkPhoenixVersion and tokenOf. What is spelled in another way
// than usual is left to them.
func pollToken(head http1.PlainRequest) (token []byte, ok bool) {
	query, found := bytes.CutPrefix(head.Target, []byte(phoenix.LongPollPath+"?"))
	if !found || bytes.ContainsAny(query, "%+;#") {
		return nil, false
	}
	token = head.Field("x-phoenix-longpoll-token")
	versions, tokens := 0, 0
	for len(query) > 0 {
		var pair []byte
		pair, query, _ = bytes.Cut(query, []byte("&"))
		switch key, value, _ := bytes.Cut(pair, []byte("=")); string(key) {
		case "vsn":
			if string(value) != phoenix.Version {
				return nil, false
			}
			versions++
		case "token":
			token = value
			tokens++
		}
	}
	return token, versions == 1 && tokens <= 1
}

// await waits until no poll is unanswered.
func (c *pollConn) await() {
	if c.free == nil {
		c.free = make(chan struct{}, 1)
	}
	if c.state.CompareAndSwap(connBusy, connAwaited) {
		<-c.free
	}
}

// answer implements poll.
func (c *pollConn) answer(p *pollSession, status int, batch []*frame) (sum written, done bool) {
	s := c.server
	scratch := s.scratch.get()
	defer s.scratch.put(scratch)
	var whole []byte
	whole, sum = c.encode(scratch, p, status, batch)
	began := s.uptime()
	n, err := 0, error(nil)
	if c.direct != nil {
		n, err = c.direct.write(whole)
	}
	if err == nil && n < len(whole) {
		s.streams.Add(1) // the session still holds one
		rest := slices.Clone(whole[n:])
		go c.goOn(p, batch, rest, sum, began)
		return written{}, false
	}
	return c.finish(p, batch, sum, began, err), true
}

// goOn writes the rest of an answer that a connection did not take at once.
func (c *pollConn) goOn(p *pollSession, batch []*frame, rest []byte, sum written, began time.Duration) {
	defer c.server.streams.Done()
	err := c.conn.SetWriteDeadline(time.Now().Add(c.server.options.WriteTimeout))
	if err == nil {
		_, err = c.conn.Write(rest)
	}
	sum = c.finish(p, batch, sum, began, err)
	if len(batch) > 0 && p.answered(sum) {
		c.server.flushers.add(p.client.stream)
	}
}

// finish ends an answer that was written, or failed, and returns what counts as written.
func (c *pollConn) finish(p *pollSession, batch []*frame, sum written, began time.Duration, err error) written {
	s := c.server
	now := s.uptime()
	if err != nil {
		sum = written{}
		s.counters.Add(PollsFailed, 1)
		s.counters.Add(RepliesFailed, 1)
		c.drop()
	}
	if len(batch) > 0 {
		s.writes.observe(now - began)
	} else {
		p.client.stream.count(sum)
	}
	c.since.Store(int64(now))
	if c.state.Swap(connIdle) == connAwaited {
		c.free <- struct{}{}
	}
	if s.polls.closing.Load() {
		c.drop()
	}
	return sum
}

// pollHeadRoom is the room for the head of an answer, in bytes.
const pollHeadRoom = 192

// encode makes an answer in scratch, and counts what is in it.
func (c *pollConn) encode(scratch *[]byte, p *pollSession, status int, batch []*frame) (whole []byte, sum written) {
	*scratch, sum = p.appendAnswer((*scratch)[:pollHeadRoom], status, batch)
	var room [pollHeadRoom]byte
	head := c.server.polls.appendHead(room[:0], len(*scratch)-pollHeadRoom)
	start := pollHeadRoom - len(head)
	copy((*scratch)[start:], head)
	whole = (*scratch)[start:]
	sum.bytes = len(whole)
	return whole, sum
}
