package target

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Transport is what carries requests and streams. A wire is the same over all of them.
type Transport string

// The transports. Over HTTP/1.1 a client has a connection for its stream and another for its commands: which of an event and
// a reply comes first is decided by two sockets (A1, A4). Over HTTP/2 both share one, and come in the order in which the
// server wrote them. With HTTP/2 clients of HTTP/1.1 are still answered, as a browser wants it for a WebSocket.
const (
	HTTP1 Transport = "http1"  // HTTP/1.1
	H2C   Transport = "h2c"    // HTTP/2 without encryption, for those who know that beforehand: a browser does not
	TLS   Transport = "tls"    // HTTP/1.1 in TLS
	TLSH2 Transport = "tls-h2" // HTTP/2 in TLS
)

// Transports lists all transports, in the order in which a user should read about them.
func Transports() []Transport { return []Transport{HTTP1, H2C, TLS, TLSH2} }

// Encrypted says whether it is one in TLS.
func (t Transport) Encrypted() bool { return t == TLS || t == TLSH2 }

// multiplexed says whether one connection carries many requests at once.
func (t Transport) multiplexed() bool { return t == H2C || t == TLSH2 }

// check says which there are when t is none.
func (t Transport) check() error {
	if slices.Contains(Transports(), t) {
		return nil
	}
	var names []string
	for _, known := range Transports() {
		names = append(names, string(known))
	}
	return fmt.Errorf("transport cannot be %q; it is one of %s", string(t), strings.Join(names, ", "))
}

// protocols are those of net/http.
func (t Transport) protocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetHTTP2(t == TLSH2)
	p.SetUnencryptedHTTP2(t == H2C)
	return p
}

// carryOver lets server speak the transport, within the limits of s.
func (s *Server) carryOver(server *http.Server) {
	server.Protocols = s.options.Transport.protocols()
	server.HTTP2 = &http.HTTP2Config{
		MaxConcurrentStreams: s.options.MaxStreamsPerConn,
		WriteByteTimeout:     s.options.WriteTimeout, // a socket that takes nothing is closed then, or after twice that when it took a part
	}
	if s.options.Transport.Encrypted() {
		server.TLSConfig = &tls.Config{
			Certificates: []tls.Certificate{*s.options.Certificate}, MinVersion: tls.VersionTLS12,
			DynamicRecordSizingDisabled: true, // what is written at once arrives at once
		}
	}
}

// accept answers on l by server until that is shut down.
func (s *Server) accept(server *http.Server, l net.Listener) error {
	if s.options.Transport.Encrypted() {
		return server.ServeTLS(l, "", "")
	}
	return server.Serve(l)
}

// withTransport fills in what o lacks for its transport, and checks it.
func (o Options) withTransport() (Options, error) {
	if o.Transport == "" {
		o.Transport = HTTP1
	}
	if err := o.Transport.check(); err != nil {
		return o, err
	}
	if o.Transport.Encrypted() && o.Certificate == nil {
		certificate, _, err := SelfSigned(time.Now())
		if err != nil {
			return o, err
		}
		o.Certificate = &certificate
	}
	return o, nil
}

// takeOver takes the connection of a request over from net/http, for good; head is what a stream of server-sent events begins
// with there.
func takeOver(w http.ResponseWriter, r *http.Request) (conn net.Conn, head *frame, err error) {
	if carried, ok := w.(*http2Request); ok {
		conn, err := carried.take(r)
		return conn, &frame{kind: headFrame}, err // its bytes are net/http's, which writes them at the first write
	}
	conn, _, err = hijack(w)
	return conn, http1Head(r.ProtoAtLeast(1, 1), time.Now()), err
}

// hijack is that of net/http.
func hijack(w http.ResponseWriter) (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if returned, ok := conn.(*returnedConn); ok && len(returned.read) == 0 {
		conn = returned.Conn
	}
	if encrypted, ok := conn.(*tls.Conn); ok {
		conn = tlsSocket{encrypted}
	}
	return conn, buffered, err
}

// tlsSocket is a connection in TLS that is closed at once. That of crypto/tls says farewell first, for which it may wait 5 s;
// who cuts a stream may hold the lock of a channel. A client knows by its HTTP whether a stream has ended or was cut.
type tlsSocket struct{ *tls.Conn }

// Close implements net.Conn.
func (s tlsSocket) Close() error { return s.NetConn().Close() }
