package target

import (
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"holobench/wire/phoenix"
)

// longPollWire is long polling as Phoenix does it, version 2 of its JSON. A client opens a session, and then always has one
// request waiting for what the session brings, while it sends its messages by others:
//
//	GET  /socket/longpoll?vsn=2.0.0           {"status":410,"token":T,...}: a session was opened
//	GET  ...&token=T                          {"status":200,"messages":[...]} as soon as there are any, up to about 64 KiB; 204
//	                                          after Options.PollWindow, or when a newer poll takes its place; 410 with a new
//	                                          token when there is no such session (any more), without one when the node stops
//	POST ...&token=T                          {"status":200}: one message, or a batch of them, was handled; 410 no such session;
//	                                          408 those before it took longer than Options.PollWindow
//
// Those are statuses in the body, that of HTTP is 200. Others are HTTP's: 400 another version or no messages, 405, 408, 413,
// 503 too many streams, or the node is shutting down.
//
// What the messages do is told at phoenixClient; their answers come by the polls. A session is a stream like any other, whose
// outbox is written whenever there is a poll. An answer to a poll that is lost on its way is lost, as in Phoenix. A session that is not polled for 1.5 times
// Options.PollWindow ends. When the node shuts down waiting polls are answered at once, and what still waits for a poll is lost.
type longPollWire struct {
	names    *phoenixNames
	sessions *pollSessions
}

// pollSessions are the sessions of a node, by their tokens.
type pollSessions struct {
	mu      sync.Mutex
	byToken map[string]*pollSession
}

func newLongPollWire() longPollWire {
	return longPollWire{names: &phoenixNames{}, sessions: &pollSessions{byToken: make(map[string]*pollSession)}}
}

// pollBytes is how long the body of a POST may be, unless Options.MaxBody, which holds for each message, is more.
const pollBytes = 1 << 20

func (longPollWire) path() string { return "poll" }

func (longPollWire) fifo() string { return "per client" }

func (l longPollWire) routes(s *Server) map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{phoenix.LongPollPath: func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodPost {
			refuseMethod(w, r, "GET, POST")
			return
		}
		query, refused := checkPhoenixVersion(r)
		token := r.Header.Get("X-Phoenix-Longpoll-Token")
		if given := query["token"]; len(given) == 1 {
			token = given[0]
		}
		switch session := l.sessions.find(token); {
		case refused != nil:
		case r.Method == http.MethodPost:
			refused = s.servePollPost(w, r, session)
		case r.ContentLength != 0:
			refused = refuse(http.StatusBadRequest, "a poll has no body")
		case session == nil:
			refused = l.open(s, w, r)
		default:
			session.serve(w, r)
		}
		if refused != nil {
			if r.Method == http.MethodGet {
				s.counters.Add(StreamsRefused, 1)
			}
			refused.write(w)
		}
	}}
}

// open opens a session and answers with its token.
func (l longPollWire) open(s *Server, w http.ResponseWriter, r *http.Request) *refusal {
	address, refused := s.admit(r)
	if refused != nil {
		return refused
	}
	session := &pollSession{
		client:   phoenixClient{server: s},
		sessions: l.sessions,
		token:    rand.Text(), // not of the seed: who knows it hears what the session hears
		handling: make(chan struct{}, 1),
		turn:     make(chan struct{}, 1),
		ready:    make(chan struct{}, 1),
		gone:     make(chan struct{}),
		polled:   s.uptime(),
	}
	st := newStream(s, l.names.next("session", s.options.Node), formatPoll, session, nil)
	st.flushFn, st.address = session.flush, address
	session.client.stream = st
	l.sessions.add(session)
	s.open(st, func() {})
	_ = s.writeReply(w, http.StatusOK, phoenix.AppendPoll(nil, http.StatusGone, session.token)) // without it the session is not polled, and ends
	return nil
}

func (p *pollSessions) find(token string) *pollSession {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byToken[token]
}

func (p *pollSessions) add(session *pollSession) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.byToken[session.token] = session
}

func (p *pollSessions) remove(session *pollSession) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.byToken, session.token)
}

// servePollPost answers a POST: it handles its messages, and says no more than that.
func (s *Server) servePollPost(w http.ResponseWriter, r *http.Request, session *pollSession) *refusal {
	body, refused := s.readPollBody(w, r)
	if refused != nil {
		return refused
	}
	messages, err := phoenix.ParseBatch(r.Header.Get("Content-Type"), body)
	if err != nil {
		return refuse(http.StatusBadRequest, "%v", err)
	}
	for _, m := range messages {
		if len(m.Payload) > s.options.MaxBody {
			return refuse(http.StatusRequestEntityTooLarge, "a payload has at most %d bytes", s.options.MaxBody)
		}
	}
	status := http.StatusGone
	if session != nil {
		status = session.handle(r, messages)
	}
	_ = s.writeReply(w, http.StatusOK, phoenix.AppendStatus(nil, status)) // it is counted, and nothing else can be done about it
	return nil
}

// readPollBody reads a batch. It gets memory as it arrives: it may be much longer than a command.
func (s *Server) readPollBody(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	limit := max(pollBytes, int64(s.options.MaxBody))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	var network net.Error
	switch {
	case err == nil:
		return body, nil
	case errors.As(err, &tooLarge):
		w.Header().Set("Connection", "close") // else net/http would read the rest of it before the next request
		return nil, refuse(http.StatusRequestEntityTooLarge, "the messages of one POST have at most %d bytes", limit)
	case errors.As(err, &network) && network.Timeout():
		return nil, refuse(http.StatusRequestTimeout, "the messages did not arrive within %v", s.options.ReadTimeout)
	default:
		return nil, refuse(http.StatusBadRequest, "the body ended early or is malformed")
	}
}

// pollSession is one session: a stream that has no connection of its own, but is carried by one poll after the other. What comes
// stays in the outbox, where it may be coalesced or left out, until a poll takes it: to flush is only to tell the poll that
// waits, if there is one, and the stream counts as flushing until a poll has found nothing more.
type pollSession struct {
	client   phoenixClient
	sessions *pollSessions
	token    string
	handling chan struct{} // holds an element while messages are handled: one POST after the other
	turn     chan struct{} // ... while a poll waits or is answered
	ready    chan struct{} // an element: a waiting poll may find something in the outbox
	gone     chan struct{} // closed when the session has ended

	mu     sync.Mutex
	newer  chan struct{} // closed when another poll takes the place of the one that has it; nil = there is none
	polled time.Duration // the server's uptime when the last poll came
	ended  bool
}

// handle handles messages in their order, and returns the status to answer with.
func (p *pollSession) handle(r *http.Request, messages []phoenix.Message) int {
	timer := time.NewTimer(p.client.server.options.PollWindow)
	defer timer.Stop()
	select {
	case p.handling <- struct{}{}:
	case <-timer.C:
		return http.StatusRequestTimeout
	case <-r.Context().Done():
		return http.StatusRequestTimeout
	case <-p.gone:
		return http.StatusGone
	}
	defer func() { <-p.handling }()
	for _, m := range messages {
		if !p.client.stream.open() {
			return http.StatusGone
		}
		p.client.handle(r.Context(), m)
	}
	return http.StatusOK
}

// serve answers a poll.
func (p *pollSession) serve(w http.ResponseWriter, r *http.Request) {
	newer := p.begin()
	defer p.finish(newer)
	control := http.NewResponseController(w)
	options := &p.client.server.options
	_ = control.SetWriteDeadline(time.Now().Add(options.PollWindow + options.WriteTimeout)) // that of a request passes while the poll waits
	select {
	case p.turn <- struct{}{}:
	case <-newer:
		p.answer(w, http.StatusNoContent, nil)
		return
	case <-r.Context().Done():
		return
	}
	defer func() { <-p.turn }()
	status, batch := p.wait(r, newer)
	if status == 0 {
		return
	}
	_ = control.SetWriteDeadline(time.Now().Add(options.WriteTimeout))
	p.answer(w, status, batch)
}

// begin notes that a poll has come, and ends the one before it.
func (p *pollSession) begin() (newer chan struct{}) {
	newer = make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.newer != nil {
		close(p.newer)
	}
	p.newer, p.polled = newer, p.client.server.uptime()
	return newer
}

// finish notes that the poll is over.
func (p *pollSession) finish(newer chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.newer == newer {
		p.newer = nil
	}
}

// wait waits for frames, which are then to be written. The status 0 is for a client that has gone.
func (p *pollSession) wait(r *http.Request, newer <-chan struct{}) (status int, batch []*frame) {
	st := p.client.stream
	timer := time.NewTimer(p.client.server.options.PollWindow)
	defer timer.Stop()
	for {
		batch, ending := st.take()
		switch {
		case len(batch) > 0:
			return http.StatusOK, batch
		case ending:
			st.giveUp(notCut)
			return http.StatusGone, nil
		}
		status := http.StatusNoContent
		select {
		case <-p.ready:
			continue
		case <-timer.C:
		case <-newer:
		case <-p.client.server.draining:
			status = http.StatusGone
		case <-p.gone:
			status = http.StatusGone
		case <-r.Context().Done():
			return 0, nil
		}
		if batch, _ = st.take(); len(batch) > 0 { // it came at the last moment
			return http.StatusOK, batch
		}
		return status, nil
	}
}

// answer answers a poll, and counts. What was in an answer that could not be written is lost.
func (p *pollSession) answer(w http.ResponseWriter, status int, batch []*frame) {
	st := p.client.stream
	token, sum := p.token, written{}
	if status == http.StatusGone {
		token = "" // it is good for nothing any more
	}
	messages := make([][]byte, len(batch))
	for i, f := range batch {
		messages[i] = f.chunk
		sum.add(f.kind)
	}
	scratch := st.server.scratch.get()
	defer st.server.scratch.put(scratch)
	*scratch = phoenix.AppendPoll(*scratch, status, token, messages...)
	sum.bytes = len(*scratch)
	began := st.server.uptime()
	if !st.server.writeReply(w, http.StatusOK, *scratch) {
		sum = written{}
		st.server.counters.Add(PollsFailed, 1)
	}
	st.count(sum)
	if len(batch) > 0 {
		ended := st.server.uptime()
		st.server.writes.observe(ended - began)
		st.wrote(ended)
	}
}

// flush tells the poll that waits; it is called when there is something to write, or nothing more will come.
func (p *pollSession) flush() {
	defer p.client.server.streams.Done()
	select {
	case p.ready <- struct{}{}:
	default: // it was told already
	}
}

// waitGone returns when the session has not been polled for too long, or the node stops and the last poll was answered.
func (p *pollSession) waitGone() {
	defer p.sessions.remove(p)
	s, st := p.client.server, p.client.stream
	lifetime := s.options.PollWindow * 3 / 2
	timer := time.NewTimer(lifetime)
	defer timer.Stop()
	for {
		select {
		case <-p.gone:
			return
		case <-s.draining:
			p.turn <- struct{}{} // no other poll is answered from here on
			if st.waiting() {
				st.cut(CutShutdown)
			}
			return
		case <-timer.C:
		}
		left, polling := p.left(lifetime)
		if left <= 0 && !polling {
			s.counters.Add(StreamsIdle, 1)
			return
		}
		timer.Reset(max(left, time.Millisecond)) // a poll that is being written may take longer than it waits
	}
}

// left says how long the session has to live without another poll, and whether there is one.
func (p *pollSession) left(lifetime time.Duration) (left time.Duration, polling bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return lifetime - (p.client.server.uptime() - p.polled), p.newer != nil
}

// waiting says whether there is anything in the outbox.
func (st *stream) waiting() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return len(st.box.frames) > 0
}

// write implements streamWriter, and is never called: polls take frames for themselves, see wait.
func (*pollSession) write([]*frame, time.Duration) (written, error) { return written{}, nil }

// end implements streamWriter, and is never called.
func (*pollSession) end(time.Duration) error { return nil }

// abort ends the session.
func (p *pollSession) abort() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		p.ended = true
		close(p.gone)
	}
}
