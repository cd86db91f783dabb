package clients

import (
	"io"
	"net/http"

	"holobench/wire/http1"
	"holobench/wire/http2"
)

// httpBody reads the answer to the request of a stream, when somebody else has taken it out of the connection.
type httpBody interface {
	OnHead(h *http1.Head) error
	OnBody(b []byte) error
	pending() bool // an event has begun
}

// downOverHTTP2 is what a receiver reads over HTTP/2. Redirects are refusals there.
func downOverHTTP2(r receiver) (body httpBody, described *genericReceiver) {
	if g, ok := r.(*genericReceiver); ok {
		return g, g
	}
	events := r.(interface{ source() *eventStream }).source()
	events.follows = false
	return events, nil
}

// words implements overHTTP2.
func (p genericProtocol) words() phrasing { return &genericPhrasing{client: p.client} }

// pending implements httpBody.
func (r *genericReceiver) pending() bool { return !r.whole() }

// heads takes the fields of the head of the stream's answer.
func (r *genericReceiver) heads(h *http2.Head) {
	if r == nil {
		return
	}
	for _, f := range h.Fields {
		r.onField([]byte(f.Name), []byte(f.Value))
	}
}

// endOfBody is what a clean end of the stream's answer means.
func (r *genericReceiver) endOfBody() error {
	if r != nil && r.server.Pause.Stop {
		return &RefusedError{Status: http.StatusNoContent} // as a browser takes it
	}
	return io.EOF
}
