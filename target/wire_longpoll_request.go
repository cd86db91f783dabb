package target

import (
	"net/http"
	"time"
)

// pollRequest is a poll that stays a request of net/http while it waits: over HTTP/2, and from clients that do not keep their
// connection.
type pollRequest struct {
	answers chan pollAnswer // takes one
}

// pollAnswer is what a poll is answered with.
type pollAnswer struct {
	status int
	batch  []*frame
}

// answer implements poll: serve writes it.
func (q *pollRequest) answer(_ *pollSession, status int, batch []*frame) (sum written, done bool) {
	q.answers <- pollAnswer{status, batch}
	return written{}, false
}

// serve answers a poll of this session.
func (p *pollSession) serve(w http.ResponseWriter, r *http.Request) {
	s, st := p.client.server, p.client.stream
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Now().Add(s.options.PollWindow + s.options.WriteTimeout)) // that of a request passes while the poll waits
	q := &pollRequest{answers: make(chan pollAnswer, 1)}
	p.arrive(q)
	var a pollAnswer
	select {
	case a = <-q.answers:
	case <-r.Context().Done():
		if p.withdraw(q) {
			return
		}
		a = <-q.answers
	case <-s.draining: // net/http waits for this request, and the session is ended after that
		if p.withdraw(q) {
			a.status = http.StatusGone
		} else {
			a = <-q.answers
		}
	}
	_ = control.SetWriteDeadline(time.Now().Add(s.options.WriteTimeout))
	sum := p.reply(w, a)
	switch {
	case len(a.batch) == 0:
		st.count(sum)
	case p.answered(sum):
		s.flushers.add(st)
	}
}

// reply writes an answer, and returns what of it counts as written.
func (p *pollSession) reply(w http.ResponseWriter, a pollAnswer) (sum written) {
	s := p.client.server
	scratch := s.scratch.get()
	defer s.scratch.put(scratch)
	*scratch, sum = p.appendAnswer(*scratch, a.status, a.batch)
	sum.bytes = len(*scratch)
	began := s.uptime()
	if !s.writeReply(w, http.StatusOK, *scratch) {
		s.counters.Add(PollsFailed, 1)
		return written{}
	}
	if len(a.batch) > 0 {
		s.writes.observe(s.uptime() - began)
	}
	return sum
}
