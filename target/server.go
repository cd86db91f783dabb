// Package target is a realtime server to measure against, in every design that the field argues about, on one node or
// several.
//
// It speaks the plain JSON wire of package wire over HTTP: clients hold a stream of server-sent events open and post
// commands, each of which becomes one event for all subscribers of a channel. A design is a preset of knobs (see Knobs) and
// a wire; there is one path by which events go (Server.publish), and it knows the knobs only:
//
//	hologram          dispatches race; the sender is told by its reply, everybody else by SSE
//	single-channel    one order a channel; everybody is told by SSE, the sender too, and again after a reconnect
//	long-poll         dispatches race; everybody is told by one queue of its own
//	channels          dispatches race; replies and events share one socket
//	sequenced         one order a channel, whose numbers are in the reply and in each event
//	state-sync        a document a channel: snapshot, then versioned patches; conflicts and repeated commands are told
//	ephemeral         dispatches race; the latest value of a key takes the place of those that wait
//
// What a server promises is in Options.Promises; what is not promised there may happen to hold.
//
// # What a stream is owed
//
// A stream is subscribed before its head is written, so that a client which has read the head misses nothing. Each
// subscriber has a bounded outbox. One that does not keep up, or whose connection takes no bytes for a while, is cut and
// counted by its reason; it never holds up another, and nothing is left out of a stream that goes on, unless the knob
// WhenFull says so. A second stream of the same instance supersedes the first, which is ended cleanly.
//
// Where events are kept (Knobs.Replay), each message has an id, and a stream that comes back goes on behind the id that it
// names. What is not kept any more is said by a message of the kind "gap", and then what there is follows.
//
// # What is counted
//
// Counters are exact: a delivery is written when the connection has accepted the last byte of its event. They live in a
// mapped file, so that a generator can lay them beside what its clients saw even when the server was killed.
//
// A server costs about 8 KiB of memory a stream, because it takes the connections of streams, and of polls that wait, over from
// net/http. Over HTTP/2 and in TLS
// (Options.Transport) it costs more: the goroutine of the request stays there, or the state of the encryption. Under HTTP/2 an event counts
// as written when net/http has written it; of a write that was cut the last 4 KiB count as not written, though they may have been.
package target

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"holobench/wire"
)

// Server is one node. Use New, then Serve.
type Server struct {
	options   Options
	knobs     Knobs
	answer    answer
	counters  *Counters
	journal   *journal
	log       *slog.Logger
	registry  *registry
	logs      *logs
	slots     *slotLocks
	bus       Bus
	waiting   waiting
	routes    map[string]http.HandlerFunc
	limits    limits
	heartbeat *frame
	scratch   scratch
	slabs     slabs
	started   time.Time
	serving   atomic.Bool
	flushers  *flushers
	polls     pollConns
	streams   sync.WaitGroup // the goroutines of streams
	writes    latency        // of one write to a subscriber
	busLag    latency        // of an event that came over the bus
	addresses addresses
	draining  chan struct{} // closed when the shutdown begins: who makes a request wait for an event ends it

	document bool // channels have documents
	keeps    bool // channels have logs
	ids      bool // ... and what is kept in them can be asked for
	keyed    bool // events say of what they are the new value
	ordered  bool // the bus makes the order

	requests sync.RWMutex // held for reading by each request, so that Serve can wait for the last one
	stopped  bool
}

// New returns a server that does not serve yet. The error names the option that is wrong.
func New(options Options) (*Server, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("making the target: %w", err)
	}
	own, err := options.Design.preset()
	if err != nil {
		return nil, fmt.Errorf("making the target: %w", err)
	}
	k := options.Knobs
	s := &Server{
		options:   options,
		knobs:     k,
		answer:    own.answer,
		counters:  options.Counters,
		journal:   newJournal(options),
		log:       options.Logger,
		registry:  newRegistry(),
		slots:     newSlotLocks(k.WhenFull == Coalesce),
		bus:       options.Bus,
		limits:    limits{frames: options.OutboxFrames, bytes: options.OutboxBytes, whenFull: k.WhenFull},
		heartbeat: newHeartbeat(),
		started:   time.Now(),
		flushers:  newFlushers(),
		addresses: addresses{limit: options.MaxStreamsPerAddress},
		draining:  make(chan struct{}),
		document:  own.document,
		keeps:     k.Dispatch == Serialized || k.Stamp == StampSequence || k.Replay > 0 || options.ordered(),
		ids:       k.Replay > 0,
		keyed:     own.document || k.WhenFull == Coalesce,
		ordered:   options.ordered(),
	}
	s.logs = newLogs(options.MaxLogs, s.registry.heard, s.newLog)
	return s, s.setRoutes()
}

// newLog begins the log of a channel.
func (s *Server) newLog(name string) *channelLog {
	l := &channelLog{
		name: name, stamps: s.knobs.Stamp == StampSequence, replay: s.knobs.Replay, limit: s.options.ReplayBytes,
	}
	if s.document {
		l.doc = newDocument(s.options.DocumentBytes, s.options.MaxMutations)
	}
	return l
}

// setRoutes says what is answered: the plain wire always, so that a person or a test can talk to any node, and the wire that
// was asked for.
func (s *Server) setRoutes() error {
	own, err := s.options.Wire.protocol()
	if err != nil {
		return fmt.Errorf("making the target: %w", err)
	}
	s.routes = s.pageRoutes()
	s.routes[wire.HealthPath] = s.serveHealth
	for _, p := range []protocol{plainWire{}, own} {
		maps.Copy(s.routes, p.routes(s))
	}
	return nil
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
	if r.Method == http.MethodPost && r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		// A page of another site needs no leave to POST what has no type, or one of a form; it cannot write this field.
		refuse(http.StatusForbidden, "a page of another site cannot send anything here").write(w)
		return
	}
	if route := s.routes[r.URL.Path]; route != nil {
		route(w, r)
		return
	}
	refuse(http.StatusNotFound, "there are %s, %s and %s here", wire.CommandPath, wire.EventsPath, wire.HealthPath).write(w)
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
