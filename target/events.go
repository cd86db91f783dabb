package target

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// subscription is what a stream asks for.
type subscription struct {
	instance string
	channels []string // at least one, none twice, in the order of the request
}

// serveEvents answers a GET of the events path: it admits the stream, takes its connection over from net/http (whose
// goroutine, stack and buffers would cost 18 KiB a stream), subscribes it, and sets it going. The head is the first thing
// in its outbox: an event that is dispatched from now on comes behind it.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		refuseMethod(w, r, http.MethodGet)
		return
	}
	sub, refused := s.readSubscription(r)
	if refused != nil {
		s.counters.Add(StreamsRefused, 1)
		refused.write(w)
		return
	}
	if err := s.registry.reserve(s.options.MaxStreams, func() { s.streams.Add(2) }); err != nil {
		s.counters.Add(StreamsRefused, 1)
		refuse(http.StatusServiceUnavailable, "%v", err).write(w)
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		s.registry.release()
		s.streams.Add(-2)
		s.counters.Add(StreamsRefused, 1)
		refuse(http.StatusInternalServerError, "this connection cannot carry a stream").write(w)
		return
	}
	chunked := r.ProtoAtLeast(1, 1)
	writer := &http1Writer{conn: conn, chunked: chunked, scratch: &s.scratch}
	s.open(newStream(s, sub.instance, writer, http1Head(chunked, time.Now())), sub.channels)
}

// open subscribes st, on a reserved place, and sets it going.
func (s *Server) open(st *stream, channels []string) {
	superseded, tooLate := s.registry.add(st, channels)
	s.counters.Add(StreamsOpened, 1)
	if superseded != nil {
		s.counters.Add(StreamsSuperseded, 1)
	}
	st.start()
	if tooLate {
		st.end()
	}
}

// readSubscription checks the request. What it returns shares no memory with r, which must not live as long as the stream.
func (s *Server) readSubscription(r *http.Request) (subscription, *refusal) {
	if r.ContentLength != 0 {
		return subscription{}, refuse(http.StatusBadRequest, "a request for events has no body")
	}
	return s.parseSubscription(r.URL.RawQuery)
}

// parseSubscription reads instance=ID&channel=A[&channel=B]. A channel that is named twice counts once; what it does not
// know it ignores.
func (s *Server) parseSubscription(rawQuery string) (subscription, *refusal) {
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
	names := query["channel"]
	switch {
	case len(names) == 0:
		return subscription{}, refuse(http.StatusBadRequest, "channel is missing")
	case len(names) > s.options.MaxChannels:
		return subscription{}, refuse(http.StatusBadRequest, "channel is given %d times; at most %d are allowed",
			len(names), s.options.MaxChannels)
	}
	for _, name := range names {
		if refused := s.checkName("channel", name); refused != nil {
			return subscription{}, refused
		}
		if !slices.Contains(sub.channels, name) {
			sub.channels = append(sub.channels, strings.Clone(name))
		}
	}
	return sub, nil
}
