package target

import (
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"

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
// Options.PollWindow ends. When the node shuts down waiting polls are answered as soon as the other requests are, and what still
// waits for a poll is lost.
//
// A poll that waits holds no request of net/http, where it came by HTTP/1.1: see pollConn.
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
		switch session := l.sessions.find(tokenOf(r, query)); {
		case refused != nil:
		case r.Method == http.MethodPost:
			refused = s.servePollPost(w, r, session)
		case r.ContentLength != 0:
			refused = refuse(http.StatusBadRequest, "a poll has no body")
		case session == nil:
			refused = l.open(s, w, r)
		case !s.takePoll(w, r, session):
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

// tokenOf returns the token that a request bears; see pollToken.
func tokenOf(r *http.Request, query url.Values) string {
	if given := query["token"]; len(given) == 1 {
		return given[0]
	}
	return r.Header.Get("X-Phoenix-Longpoll-Token")
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
		gone:     make(chan struct{}),
	}
	st := newStream(s, l.names.next("session", s.options.Node), formatPoll, session, nil)
	st.polls, st.address = session, address
	session.client.stream = st
	l.sessions.add(session)
	s.open(st, func() {})
	session.begin()
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
