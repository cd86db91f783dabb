package clients

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"holobench/wire"
	"holobench/wire/http1"
	"holobench/wire/sse"
)

// eventStream reads server-sent events from an HTTP response. It is what the receivers of the plain wire and of Hologram
// have in common; what an event says is for them to tell. It is small, as an event costs what comes of it from cold memory.
type eventStream struct {
	*stream
	of interface{ event(e *sse.Event) } // notes one event: whose stream it is

	*parsers          // nil = they are not needed, because the stream is between two events, or was not asked for yet; see awake
	last     *[]byte  // the id in force then; nil = there never was one
	rest     sse.Rest // what else the parsers would know while they are not needed
	done     bool     // the body ended
	asleep   bool     // it has waited between two events before
	follows  bool     // a redirect is followed; else it is a refusal
}

// parsers read an event stream. A stream that waits for its next event does without.
type parsers struct {
	response http1.Parser
	events   sse.Parser
}

// awake makes sure that the stream has its parsers.
func (e *eventStream) awake() *parsers {
	if e.parsers == nil {
		e.parsers = e.crowd.parsers.Get().(*parsers)
		if e.asleep {
			e.response.ResumeChunks()
		} else {
			e.response.Reset()
		}
		e.events.Resume(e.rest, e.id())
	}
	return e.parsers
}

// sleep lets others have the parsers, when there is nothing in them but what rest and last can hold.
func (e *eventStream) sleep() {
	if e.parsers == nil || e.done {
		return
	}
	if chunked, ok := e.response.Boundary(); !ok || !chunked {
		return
	}
	rest, id, ok := e.events.Rest(e.id()[:0])
	if !ok {
		return
	}
	if e.last == nil && len(id) > 0 {
		e.last = new([]byte)
	}
	if e.last != nil {
		*e.last = id
	}
	e.rest, e.asleep = rest, true
	e.crowd.parsers.Put(e.parsers)
	e.parsers = nil
}

// id is that of the last event, as sleep left it.
func (e *eventStream) id() []byte {
	if e.last == nil {
		return nil
	}
	return *e.last
}

// lastEventID is what a new connection has to ask for what follows.
func (e *eventStream) lastEventID() string { return e.awake().events.LastEventID() }

// pending says whether an event has begun.
func (e *eventStream) pending() bool { return e.parsers != nil && e.events.Pending() }

// source is the stream of a receiver that reads nothing else.
func (e *eventStream) source() *eventStream { return e }

// reset makes it ready for a new connection. The id of the last event stays.
func (e *eventStream) reset() {
	e.done = false
	e.awake()
	e.response.Reset()
	e.events.Reset()
}

// feed implements receiver.
func (e *eventStream) feed(b []byte) error {
	_, err := e.awake().response.Feed(b, e)
	if err == nil && !e.done {
		return nil
	}
	refused, ok := errors.AsType[*RefusedError](err)
	moved, elsewhere := errors.AsType[*movedError](err)
	switch {
	case ok:
		return refused
	case elsewhere:
		return moved
	case errors.Is(err, errEncoded):
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", errForeignBytes, err)
	}
	return io.EOF
}

// whole implements receiver.
func (e *eventStream) whole() bool { return !e.pending() }

// noted implements receiver.
func (e *eventStream) noted() { e.sleep() }

// proceed implements receiver: a stream has no more to say.
func (e *eventStream) proceed(context.Context, wire.StampedConn) error { return nil }

// overdue implements receiver: the head did not come in time.
func (e *eventStream) overdue(context.Context, wire.StampedConn) error { return os.ErrDeadlineExceeded }

// ended implements receiver: a cut in mid-chunk is no clean end.
func (e *eventStream) ended() error {
	if err := e.awake().response.Close(e); err != nil {
		return err
	}
	return io.EOF
}

// over implements receiver.
func (e *eventStream) over(error) {}

// OnHead implements http1.Handler.
func (e *eventStream) OnHead(h *http1.Head) error {
	if e.follows {
		if moved := e.redirected(h, e.of.(interface{ where() *url.URL }).where()); moved != nil {
			return moved
		}
	}
	if encoded(h) {
		return errEncoded
	}
	kind, _, _ := strings.Cut(h.ContentType, ";")
	if h.Status != 200 || !strings.EqualFold(strings.TrimSpace(kind), "text/event-stream") {
		return &RefusedError{Status: h.Status, ContentType: h.ContentType}
	}
	for slot := range e.channels {
		e.subscribe(slot)
	}
	return nil
}

// encoded says whether a body is compressed, or otherwise not what it is. Nobody asks for that; "none" is what some servers say to keep
// proxies from it.
func encoded(h *http1.Head) bool {
	return h.ContentEncoding != "" && !strings.EqualFold(h.ContentEncoding, "identity") && !strings.EqualFold(h.ContentEncoding, "none")
}

// OnBody implements http1.Handler.
func (e *eventStream) OnBody(b []byte) error { return e.awake().events.Feed(b, e) }

// OnEnd implements http1.Handler.
func (e *eventStream) OnEnd() error {
	e.done = true
	return nil
}

// OnEvent implements sse.Handler.
func (e *eventStream) OnEvent(event *sse.Event) {
	e.message()
	e.of.event(event)
}

// OnComment implements sse.Handler: a comment is a heartbeat.
func (e *eventStream) OnComment([]byte) {
	e.message()
	e.heartbeat(0, "")
}

// OnRetry implements sse.Handler.
func (e *eventStream) OnRetry(pause time.Duration) {
	e.message()
	e.retry = pause
}
