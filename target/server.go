// Package target is a realtime server to measure against, in every design that the field argues about, on one node or
// several.
//
// It speaks the plain JSON wire of package wire over HTTP/1.1: clients hold a stream of server-sent events open and post
// commands, each of which becomes one event for all subscribers of a channel. How it gets there is the design:
//
//	hologram          dispatches race; the sender is told by its reply, everybody else by SSE
//	single-channel    one order a channel; everybody is told by SSE, the sender too
//
// What a design promises is in Design.Promises; what is not promised there may happen to hold.
//
// # What a stream is owed
//
// A stream is subscribed before its head is written, so that a client which has read the head misses nothing. Each
// subscriber has a bounded outbox. One that does not keep up, or whose connection takes no bytes for a while, is cut and
// counted by its reason; it never holds up another, and nothing is left out of a stream that goes on. A second stream of
// the same instance supersedes the first, which is ended cleanly.
//
// # What is counted
//
// Counters are exact: a delivery is written when the connection has accepted the last byte of its event. They live in a
// mapped file, so that a generator can lay them beside what its clients saw even when the server was killed.
//
// A server costs about 8 KiB of memory a stream, because it takes the connections of streams over from net/http.
package target

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"holobench/wire"
)

// Server is one node. Use New, then Serve.
type Server struct {
	options   Options
	design    dispatcher
	counters  *Counters
	journal   *journal
	log       *slog.Logger
	registry  *registry
	heartbeat *frame
	scratch   scratch
	started   time.Time
	serving   atomic.Bool
	streams   sync.WaitGroup // the goroutines of streams

	requests sync.RWMutex // held for reading by each request, so that Serve can wait for the last one
	stopped  bool
}

// New returns a server that does not serve yet. The error names the option that is wrong.
func New(options Options) (*Server, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("making the target: %w", err)
	}
	design, err := options.Design.dispatcher()
	if err != nil {
		return nil, fmt.Errorf("making the target: %w", err)
	}
	return &Server{
		options:   options,
		design:    design,
		counters:  options.Counters,
		journal:   newJournal(options),
		log:       options.Logger,
		registry:  newRegistry(),
		heartbeat: newHeartbeat(),
		started:   time.Now(),
	}, nil
}

// Counters returns what the server counts into.
func (s *Server) Counters() *Counters { return s.counters }

// uptime is a clock that is never set back.
func (s *Server) uptime() time.Duration { return time.Since(s.started) }

// ServeHTTP answers one request. It is exported for tests and for embedding behind another http.Server; Serve also
// drains and ends the streams, which an http.Server cannot.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests.RLock()
	defer s.requests.RUnlock()
	if s.stopped {
		refuse(http.StatusServiceUnavailable, "%v", errDraining).write(w)
		return
	}
	switch r.URL.Path {
	case wire.CommandPath:
		s.serveCommand(w, r)
	case wire.EventsPath:
		s.serveEvents(w, r)
	case wire.HealthPath:
		s.serveHealth(w, r)
	default:
		refuse(http.StatusNotFound, "there are %s, %s and %s here", wire.CommandPath, wire.EventsPath, wire.HealthPath).write(w)
	}
}

// serveHealth says that the node answers, and which it is.
func (s *Server) serveHealth(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		refuseMethod(w, r, "GET, HEAD")
		return
	}
	body, err := json.Marshal(struct {
		Status string `json:"status"`
		Node   int    `json:"node"`
		Design Design `json:"design"`
	}{"ok", s.options.Node, s.options.Design})
	if err != nil {
		refuse(http.StatusInternalServerError, "%v", err).write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(append(body, '\n')) // whoever asked has gone if this fails
}
