package target

import (
	"net/http"
	"time"

	"holobench/wire/phoenix"
)

// pollSession is one session: a stream that has no connection of its own, but is carried by one poll after the other. What comes
// stays in the outbox, where it may be coalesced or left out, until there is a poll to take it: then whoever sees both first
// answers it, a flusher or the goroutine that the poll came by. Without a poll it is owed, and nobody holds a goroutine for it.
//
// An idle session costs no goroutine either: its end is brought about by its timer, or by whoever cuts its stream.
type pollSession struct {
	client   phoenixClient
	sessions *pollSessions
	token    string
	handling chan struct{} // holds an element while messages are handled: one POST after the other
	gone     chan struct{} // closed when the session has ended

	// The mutex of the stream guards these.

	waiting poll          // nil = there is none
	polled  time.Duration // the server's uptime when the last poll came
	timer   *time.Timer
}

// poll is a request that waits for what its session brings.
type poll interface {
	// answer answers it, with batch, the frames for it, or with a status alone. It never waits for the client. When it is not done
	// with a batch on returning, it goes on by itself and calls answered in the end. What was in an answer that could not be
	// written is lost.
	answer(p *pollSession, status int, batch []*frame) (sum written, done bool)
}

// begin begins the life of a session that was opened.
func (p *pollSession) begin() {
	s := p.client.server
	p.client.stream.mu.Lock()
	defer p.client.stream.mu.Unlock()
	p.polled = s.uptime()
	p.timer = time.AfterFunc(s.options.PollWindow, p.tick)
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

// arrive makes q the poll that waits, which ends the one before it. What is owed answers it at once.
func (p *pollSession) arrive(q poll) {
	s, st := p.client.server, p.client.stream
	st.mu.Lock()
	if st.state == streamGone {
		st.mu.Unlock()
		q.answer(p, http.StatusGone, nil)
		return
	}
	older := p.waiting
	p.waiting, p.polled = q, s.uptime()
	due := st.owed
	if due {
		st.owed = false
		s.streams.Add(1)
	}
	st.mu.Unlock()
	if older != nil {
		older.answer(p, http.StatusNoContent, nil)
	}
	if due && p.attempt() {
		s.flushers.add(st)
	}
}

// withdraw takes back the poll q, whose client has gone. It says whether that was in time: else it is being answered.
func (p *pollSession) withdraw(q poll) bool {
	st := p.client.stream
	st.mu.Lock()
	defer st.mu.Unlock()
	if p.waiting != q {
		return false
	}
	p.waiting = nil
	return true
}

// attempt answers the poll that waits with what is in the outbox. It is that of a stream: the caller has made it flushing, and it
// says whether it is to be attempted again. A session that is to end does so here, when nothing of it can be written any more.
func (p *pollSession) attempt() (again bool) {
	st := p.client.stream
	st.mu.Lock()
	if q := p.waiting; q != nil && len(st.box.frames) > 0 {
		batch := st.box.take()
		p.waiting = nil
		st.mu.Unlock()
		sum, done := q.answer(p, http.StatusOK, batch)
		return done && p.answered(sum)
	}
	left, ending := len(st.box.frames) > 0, st.state == streamEnding
	st.flushing = left
	st.owed = left && !ending
	st.mu.Unlock()
	switch {
	case ending && left:
		st.cut(CutShutdown) // no poll is waited for
	case ending:
		st.giveUp(notCut)
	}
	st.server.streams.Done()
	return false
}

// answered goes on after a poll was answered with frames, as sum says. It says whether the session is to be attempted again.
func (p *pollSession) answered(sum written) (again bool) {
	st := p.client.stream
	st.count(sum)
	st.mu.Lock()
	if st.state != streamGone { // else the outbox was emptied by whoever ended it
		st.box.wrote()
	}
	left := len(st.box.frames) > 0
	again = left && p.waiting != nil || st.state == streamEnding
	st.flushing = left || again
	st.owed = left && !again
	st.mu.Unlock()
	if !again {
		st.server.streams.Done()
	}
	return again
}

// tick ends a poll that has waited for its window, and a session that was not polled for too long.
func (p *pollSession) tick() {
	s, st := p.client.server, p.client.stream
	st.mu.Lock()
	if st.state == streamGone {
		st.mu.Unlock()
		return
	}
	s.streams.Add(1) // the session still holds one
	defer s.streams.Done()
	window := s.options.PollWindow
	lifetime := window * 3 / 2
	silent := s.uptime() - p.polled
	var over poll
	if silent >= window {
		over, p.waiting = p.waiting, nil
	}
	writing := st.flushing && !st.owed
	ends := silent >= lifetime && over == nil && !writing
	switch {
	case ends:
	case silent < window: // a poll that comes meanwhile has its end later than this
		p.timer.Reset(window - silent)
	default:
		p.timer.Reset(max(lifetime-silent, time.Millisecond)) // an answer may take longer to write than its poll waited
	}
	st.mu.Unlock()
	if over != nil {
		over.answer(p, http.StatusNoContent, nil)
	}
	if ends && st.giveUp(notCut) {
		s.counters.Add(StreamsIdle, 1)
	}
}

// abort implements streamWriter: it ends the session, whose stream is gone. It may be called within a fan-out.
func (p *pollSession) abort() {
	st := p.client.stream
	st.mu.Lock()
	q := p.waiting
	p.waiting = nil
	if p.timer != nil {
		p.timer.Stop()
	}
	st.mu.Unlock()
	close(p.gone)
	if q != nil {
		q.answer(p, http.StatusGone, nil)
	}
	go func() {
		defer st.server.streams.Done()
		p.sessions.remove(p)
		st.leave()
	}()
}

// appendAnswer appends the body that answers a poll, and counts what is in it.
func (p *pollSession) appendAnswer(dst []byte, status int, batch []*frame) ([]byte, written) {
	token, sum := p.token, written{}
	if status == http.StatusGone {
		token = "" // it is good for nothing any more
	}
	dst = phoenix.AppendPollHead(dst, status, token)
	for i, f := range batch {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, f.chunk...)
		sum.add(f.kind)
	}
	return append(dst, phoenix.PollEnd...), sum
}

// waiting says whether there is anything in the outbox.
func (st *stream) waiting() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return len(st.box.frames) > 0
}

// write implements streamWriter, and is never called: polls take frames, see attempt.
func (*pollSession) write([]*frame, time.Duration) (written, error) { return written{}, nil }

// end implements streamWriter, and is never called.
func (*pollSession) end(time.Duration) error { return nil }

// waitGone implements streamWriter, and is never called: a session ends by abort.
func (*pollSession) waitGone() {}
