package target

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
)

var errServed = errors.New("a Server serves only once")

// Serve answers on l until ctx ends, and then stops gracefully: it closes l, lets requests finish, writes what waits in
// the outboxes, ends every stream cleanly, and returns nil. What is not done after DrainTimeout (once for the requests,
// once for the streams) is cut. It returns an error when l fails, after the same end. It returns only when all its
// goroutines have ended; a journal writer that blocks for ever would hold it up. A Server serves once.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if !s.serving.CompareAndSwap(false, true) {
		_ = l.Close()
		return fmt.Errorf("serving the target on %v: %w", l.Addr(), errServed)
	}
	stop, err := s.startBackground()
	if err != nil {
		_ = l.Close()
		return fmt.Errorf("serving the target on %v: %w", l.Addr(), err)
	}
	unused := &unusedConns{conns: make(map[net.Conn]struct{})}
	server := s.httpServer(unused)
	returned := newReturnedConns(server)
	s.polls.open(returned)
	served := make(chan error, 1)
	go func() { served <- s.accept(server, l) }()
	s.log.Debug("target serves", "addr", l.Addr().String(), "transport", string(s.options.Transport), "design", string(s.options.Design), "node", s.options.Node)

	select {
	case <-ctx.Done():
		s.shutdown(server)
		<-served //nolint:errcheck // it is that the server was closed
	case err = <-served:
		s.shutdown(server)
	}
	returned.wait()
	stop()
	s.log.Info("target stopped")
	if err != nil {
		return fmt.Errorf("serving the target on %v: %w", l.Addr(), err)
	}
	return nil
}

// startBackground starts what goes on beside the requests: the journal, the node's own events, and the bus. stop ends it when
// the last request is done, the journal last, because the others write to it.
func (s *Server) startBackground() (stop func(), err error) {
	leaveBus := func() {}
	if s.bus != nil {
		if leaveBus, err = s.bus.Subscribe(s.receive); err != nil {
			return nil, fmt.Errorf("subscribing to the bus: %w", err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopJournal := make(chan struct{})
	var triggering, journalling sync.WaitGroup
	triggering.Go(func() { s.trigger(ctx) })
	journalling.Go(func() { s.journal.run(stopJournal) })
	return func() {
		cancel()
		triggering.Wait()
		leaveBus()
		close(stopJournal)
		journalling.Wait()
	}, nil
}

// httpServer returns the server whose limits keep a slow or hostile client from holding anything for long.
func (s *Server) httpServer(unused *unusedConns) *http.Server {
	server := &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: s.options.ReadTimeout / 2,
		ReadTimeout:       s.options.ReadTimeout,
		WriteTimeout:      s.options.ReadTimeout + s.options.WriteTimeout, // counts from the end of the head
		IdleTimeout:       s.options.IdleTimeout,
		MaxHeaderBytes:    s.options.MaxHeader,
		ConnState:         unused.track,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.carryOver(server)
	server.RegisterOnShutdown(unused.close)
	return server
}

// shutdown lets requests finish, then streams. Over HTTP/2 streams are requests too, so that net/http is done when they are.
func (s *Server) shutdown(server *http.Server) {
	s.registry.drain()
	close(s.draining)
	if s.options.Transport.multiplexed() {
		s.shutdownHTTP2(server)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.options.DrainTimeout)
	defer cancel()
	s.shutdownHTTP(ctx, server)
	s.stopRequests()
	s.endStreams(func() {})
}

// shutdownHTTP closes the listener, and returns when net/http is done; when ctx ends, what is not done is cut.
func (s *Server) shutdownHTTP(ctx context.Context, server *http.Server) {
	if err := server.Shutdown(ctx); err != nil {
		s.log.Warn("requests did not finish in time", "error", err)
		_ = server.Close()
	}
}

// endStreams ends every stream, and cuts those that are not done in time; then it calls late, and waits for them.
func (s *Server) endStreams(late func()) {
	for _, st := range s.registry.all() {
		st.end()
	}
	s.polls.close()
	ended := make(chan struct{})
	go func() {
		s.streams.Wait()
		close(ended)
	}()
	ctx, cancel := context.WithTimeout(context.Background(), s.options.DrainTimeout)
	defer cancel()
	select {
	case <-ended:
	case <-ctx.Done():
		for _, st := range s.registry.all() {
			st.cut(CutShutdown)
		}
		late()
		<-ended
	}
}

// stopRequests waits for requests that outlived their connections and lets nobody in after them: what they count into
// may be unmapped when Serve has returned.
func (s *Server) stopRequests() {
	s.requests.Lock()
	defer s.requests.Unlock()
	s.stopped = true
}

// unusedConns are the connections on which nothing was asked yet, such as browsers open to have one ready. At shutdown
// net/http would wait 5 s for each of them.
type unusedConns struct {
	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool
}

// track is an http.Server's ConnState hook.
func (u *unusedConns) track(conn net.Conn, state http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(u.conns, conn)
	case isReturned(conn): // something was asked
	case u.closed:
		_ = conn.Close()
	default:
		u.conns[conn] = struct{}{}
	}
}

func isReturned(conn net.Conn) bool {
	_, is := conn.(*returnedConn)
	return is
}

func (u *unusedConns) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed = true
	for conn := range u.conns {
		_ = conn.Close()
	}
}
