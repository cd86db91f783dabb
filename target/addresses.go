package target

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// addresses count the streams of each address, so that one client cannot take the places of all others. An address is the one
// that the connection comes from: what a header claims anybody can write, so behind a proxy all clients are one address. Of
// IPv6 the first 64 bits count: the rest is the client's own to choose.
type addresses struct {
	limit int

	mu   sync.Mutex
	held map[string]int
}

// take counts one more stream, unless there are as many as there may be.
func (a *addresses) take(address string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.held[address] >= a.limit {
		return false
	}
	if a.held == nil {
		a.held = make(map[string]int)
	}
	a.held[address]++
	return true
}

// give ends what take began; "" was never taken.
func (a *addresses) give(address string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.held[address] > 1 {
		a.held[address]--
	} else {
		delete(a.held, address)
	}
}

// addressOf is where a request comes from, without what the client can choose.
func addressOf(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	ip = ip.Unmap().WithZone("")
	if prefix, err := ip.Prefix(64); err == nil && ip.Is6() {
		return prefix.String()
	}
	return ip.String()
}

// admit reserves a place for a stream that r asks for. Its address goes into stream.address, from where the place is freed at
// the end of the stream; without a stream it is to be dismissed.
func (s *Server) admit(r *http.Request) (address string, refused *refusal) {
	address = addressOf(r.RemoteAddr)
	if !s.addresses.take(address) {
		return "", refuse(http.StatusTooManyRequests, "%s holds %d streams, as many as one address may", address, s.addresses.limit)
	}
	if err := s.registry.reserve(s.options.MaxStreams, func() { s.streams.Add(2) }); err != nil {
		s.addresses.give(address)
		return "", refuse(http.StatusServiceUnavailable, "%v", err)
	}
	return address, nil
}

// dismiss gives back a place that was not used.
func (s *Server) dismiss(address string) {
	s.registry.release()
	s.addresses.give(address)
	s.streams.Add(-2)
}
