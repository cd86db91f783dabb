package target

import (
	"context"
	"net/http"
)

// shutdownHTTP2 is shutdown where streams are requests of net/http. Its own shutdown waits for the streams, so it goes on beside
// the end of the requests and then of the streams: what an event owes to a stream is in its outbox before the stream is ended.
func (s *Server) shutdownHTTP2(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*s.options.DrainTimeout)
	defer cancel()
	down := make(chan struct{})
	go func() {
		defer close(down)
		s.shutdownHTTP(ctx, server)
	}()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.stopRequests()
	}()
	requests, giveUp := context.WithTimeout(context.Background(), s.options.DrainTimeout)
	defer giveUp()
	select {
	case <-stopped:
	case <-requests.Done():
	}
	s.endStreams(func() { _ = server.Close() }) // a socket that takes nothing does not even take the reset of a stream
	<-down
	<-stopped
}
