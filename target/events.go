package target

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// subscription is what a stream asks for.
type subscription struct {
	instance string
	channels []string   // at least one, none twice, in the order of the request
	from     resumption // where it goes on in each of them; nil = with what comes from now on
}

// serveEvents answers a GET of the events path: it admits the stream, takes its connection over from net/http (whose
// goroutine, stack and buffers would cost 18 KiB a stream, and do over HTTP/2), subscribes it, and sets it going. The head is the first thing
// in its outbox: an event that is dispatched from now on comes behind it.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		refuseMethod(w, r, http.MethodGet)
		return
	}
	sub, refused := s.readSubscription(r)
	if refused == nil {
		spelling := formatPlain
		if len(sub.channels) > 1 {
			spelling = formatPlainAny
		}
		refused = s.openStream(w, r, sub, spelling, func(plain http1Writer) streamWriter { return &plain })
	}
	if refused != nil {
		s.counters.Add(StreamsRefused, 1)
		refused.write(w)
	}
}

// openStream opens a stream of server-sent events; carry returns what writes frames of that format to its connection.
func (s *Server) openStream(
	w http.ResponseWriter, r *http.Request, sub subscription, spelling format, carry func(plain http1Writer) streamWriter,
) *refusal {
	kept, refused := s.keep(sub.channels)
	if refused != nil {
		return refused
	}
	defer s.letGo(kept)
	address, refused := s.admit(r)
	if refused != nil {
		return refused
	}
	conn, head, err := takeOver(w, r)
	if err != nil {
		s.dismiss(address)
		return refuse(http.StatusInternalServerError, "this connection cannot carry a stream")
	}
	chunked := r.ProtoMajor == 1 && r.ProtoMinor >= 1
	writer := carry(http1Writer{conn: conn, chunked: chunked, scratch: &s.scratch})
	if multiplexed, ok := conn.(*http2Conn); ok {
		writer = &http2Writer{streamWriter: writer, conn: multiplexed}
	}
	st := newStream(s, sub.instance, spelling, writer, head)
	st.address = address
	st.joined = make([]membership, 0, len(sub.channels))
	s.open(st, func() { s.subscribe(st, sub.channels, kept, sub.from) })
	return nil
}

// open adds st, on a reserved place, lets subscribe subscribe it, and sets it going.
func (s *Server) open(st *stream, subscribe func()) {
	superseded, tooLate := s.registry.add(st)
	subscribe()
	s.counters.Add(StreamsOpened, 1)
	if superseded != nil {
		s.counters.Add(StreamsSuperseded, 1)
	}
	st.start()
	if tooLate {
		st.end()
	}
}

// keep acquires the logs of channels, where this node keeps any; letGo gives them back.
func (s *Server) keep(channels []string) ([]*channelLog, *refusal) {
	if !s.keeps {
		return nil, nil
	}
	kept := make([]*channelLog, 0, len(channels))
	for _, name := range channels {
		l := s.logs.acquire(name)
		if l == nil {
			s.letGo(kept)
			return nil, refuse(http.StatusServiceUnavailable, "%v", errManyLogs)
		}
		kept = append(kept, l)
	}
	return kept, nil
}

func (s *Server) letGo(kept []*channelLog) {
	for _, l := range kept {
		s.logs.release(l)
	}
}

// readSubscription checks the request. What it returns shares no memory with r, which must not live as long as the stream.
func (s *Server) readSubscription(r *http.Request) (subscription, *refusal) {
	if r.ContentLength != 0 {
		return subscription{}, refuse(http.StatusBadRequest, "a request for events has no body")
	}
	return s.parseSubscription(r.URL.RawQuery, r.Header.Get("Last-Event-ID"))
}

// parseSubscription reads instance=ID&channel=A[&channel=B][&from=N][&from=M] and, where events are kept, the id of the last
// event that the client has. A channel that is named twice counts once; what it does not know it ignores.
func (s *Server) parseSubscription(rawQuery, lastEventID string) (subscription, *refusal) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return subscription{}, refuse(http.StatusBadRequest, "reading the query: %v", err)
	}
	if len(query["instance"]) > 1 {
		return subscription{}, refuse(http.StatusBadRequest, "instance is given %d times", len(query["instance"]))
	}
	sub := subscription{instance: strings.Clone(query.Get("instance"))}
	if refused := s.checkName("instance", sub.instance); refused != nil {
		return subscription{}, refused
	}
	var refused *refusal
	if sub.channels, refused = s.parseChannels(query["channel"]); refused != nil {
		return subscription{}, refused
	}
	switch from := query["from"]; {
	case s.ids:
		sub.from, refused = parseResumption(lastEventID, from, len(sub.channels))
		return sub, refused
	case len(from) > 0: // to begin elsewhere than asked would be a lie; a browser sends Last-Event-ID without being asked
		return subscription{}, refuse(http.StatusBadRequest, "this node keeps no events: it cannot begin at number %q", from[0])
	}
	return sub, nil
}

// parseChannels checks the names of channels, and leaves out what is there already.
func (s *Server) parseChannels(names []string) (channels []string, refused *refusal) {
	switch {
	case len(names) == 0:
		return nil, refuse(http.StatusBadRequest, "channel is missing")
	case len(names) > s.options.MaxChannels:
		return nil, refuse(http.StatusBadRequest, "channel is given %d times; at most %d are allowed", len(names), s.options.MaxChannels)
	}
	for _, name := range names {
		if refused := s.checkName("channel", name); refused != nil {
			return nil, refused
		}
		if !slices.Contains(channels, name) {
			channels = append(channels, strings.Clone(name))
		}
	}
	return channels, nil
}
