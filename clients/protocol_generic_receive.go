package clients

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"time"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/http1"
	"holobench/wire/sse"
)

// genericReceiver holds the stream that a Generic describes. The answer to the request of the stream is read by the same
// parsers as on every other wire; the requests around it have connections of their own.
type genericReceiver struct {
	*stream
	server  *Generic
	browser *browser
	jitter  *rand.Rand

	response http1.Parser
	events   sse.Parser
	line     []byte // ndjson: the beginning of a line; long-poll: the answer so far
	status   int
	keep     bool
	done     bool // the answer ended
	mid      bool // ... or was read up to the middle of an event

	isReady bool       // the stream is: After may be asked for
	asks    bool       // ... and was not yet
	answers []reacting // what is to be answered before the next read
	failed  int        // connections in a row that were no stream, and the one that is over
	numbers succession
	again   bool // the stream was subscribed before: what it asks for goes on where it was
}

// reacting is an event that has to be answered. What it captured is with the browser already.
type reacting struct{ step *Step }

func newGenericReceiver(s *stream) *genericReceiver {
	r := &genericReceiver{stream: s, server: s.crowd.Own.Generic, browser: s.client.browser}
	r.jitter = rand.New(rand.NewPCG(uint64(s.crowd.Run), uint64(s.id)))
	return r
}

// begin implements receiver: the requests before the stream, and that of the stream.
func (r *genericReceiver) begin(ctx context.Context, conn wire.StampedConn) error {
	r.isReady, r.asks, r.answers, r.again = false, false, nil, r.welcome
	r.events.Reset()
	if r.server.PerStream {
		r.numbers = succession{}
	}
	if err := r.browser.steps(ctx, r.server.Before); err != nil {
		return r.judge(err)
	}
	if err := r.request(conn); err != nil || r.server.Framing != FrameLongPoll {
		return err
	}
	return r.nowSubscribed(ctx, conn) // as far as a client can know: nothing comes back before there is an event
}

// request asks for the stream, or by long-poll for its next event.
func (r *genericReceiver) request(conn wire.StampedConn) error {
	step := &r.server.Request
	request, to, err := r.browser.request(step, r.browser.name)
	if err != nil {
		return r.judge(err)
	}
	if r.again || r.server.Framing == FrameLongPoll {
		for _, f := range r.server.Resume {
			if value, missing := f.Value(nil, r.browser.name); missing == "" && len(value) > 0 {
				request.Header = append(request.Header, http1.Field{Name: f.Name, Value: oneLine(string(value))})
			}
		}
	}
	if r.server.Framing == FrameSSE && !hasField(request.Header, "Accept") {
		request.Header = append(request.Header, http1.Field{Name: "Accept", Value: "text/event-stream"})
	}
	request.Target, request.Host, request.Header = to.RequestURI(), to.Host, r.client.header(request.Header, to)
	r.response.Reset()
	r.response.Field = r.onField
	r.status, r.done, r.mid, r.line = 0, false, false, r.line[:0]
	return r.askFor(conn, request)
}

func hasField(fields []http1.Field, name string) bool {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			return true
		}
	}
	return false
}

// onField keeps what a later request may ask for by header.NAME, and cookies.
func (r *genericReceiver) onField(name, value []byte) {
	b := r.browser
	if strings.EqualFold(string(name), "Set-Cookie") {
		if cookie, err := http.ParseSetCookie(string(value)); err == nil {
			b.eat(r.crowd.origin(), []*http.Cookie{cookie})
		}
		return
	}
	if r.server.Framing != FrameLongPoll && r.server.Lost == nil && r.server.Node == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fields == nil {
		b.fields = make(map[string]string)
	}
	b.fields[strings.ToLower(string(name))] = string(value)
}

// feed implements receiver.
func (r *genericReceiver) feed(b []byte) error {
	used, err := r.response.Feed(b, r)
	known, ok := errors.AsType[*RefusedError](err)
	switch {
	case ok:
		return r.judge(known)
	case errors.Is(err, errDisconnectedByServer), errors.Is(err, errEventLine), errors.Is(err, errEncoded):
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", errForeignBytes, err)
	case !r.done:
		return nil
	case r.server.Framing != FrameLongPoll:
		return r.ended()
	case used < len(b):
		return fmt.Errorf("%w: something follows the answer to a poll", errForeignBytes)
	}
	return nil
}

// OnHead implements http1.Handler.
func (r *genericReceiver) OnHead(h *http1.Head) error {
	r.status, r.keep = h.Status, h.KeepAlive
	if r.server.Framing == FrameLongPoll && nothingYet(h.Status) {
		return nil
	}
	kind, _, _ := strings.Cut(h.ContentType, ";")
	wrong := r.server.Framing == FrameSSE && !strings.EqualFold(strings.TrimSpace(kind), "text/event-stream")
	if encoded(h) {
		return errEncoded
	}
	if !r.server.Request.Takes(h.Status) || wrong {
		return &RefusedError{Status: h.Status, ContentType: h.ContentType}
	}
	r.lost()
	r.met()
	if r.server.Ready == nil && r.server.Framing != FrameLongPoll {
		r.becomeReady()
	}
	return nil
}

// nothingYet says whether an answer to a poll only says that there is nothing.
func nothingYet(status int) bool {
	return status == http.StatusNoContent || status == http.StatusNotModified || status == http.StatusRequestTimeout
}

// lost notes that the stream could not go on where it was, when its head says so.
func (r *genericReceiver) lost() {
	l := r.server.Lost
	if l == nil || !r.again {
		return
	}
	other, missing := l.Other(nil, r.browser.name)
	is, ok := r.browser.name(nil, "header."+l.Field)
	if missing == "" && ok && !bytes.Equal(is, other) {
		r.message()
		r.heartbeat(0, errGap)
	}
}

// becomeReady subscribes the client, or lets it ask for what comes before that.
func (r *genericReceiver) becomeReady() {
	if r.isReady {
		return
	}
	r.isReady = true
	r.met()
	if len(r.server.After) > 0 {
		r.asks = true
		return
	}
	for slot := range r.channels {
		r.subscribe(slot)
	}
}

// OnBody implements http1.Handler.
func (r *genericReceiver) OnBody(b []byte) error {
	switch r.server.Framing {
	case FrameSSE:
		if err := r.events.Feed(b, genericEvents{r}); err != nil {
			return err
		}
		return r.out()
	case FrameNDJSON:
		return r.lines(b)
	case FrameRaw:
		r.raw(b)
		return nil
	case FrameLongPoll:
	}
	if len(r.line)+len(b) > sse.MaxEvent {
		return errEventLine
	}
	r.line = append(r.line, b...)
	return nil
}

// errEventLine is what a line or an answer that is no event ends a stream with.
var errEventLine = fmt.Errorf("%w: an event is longer than %d bytes", errForeignBytes, sse.MaxEvent)

// OnEnd implements http1.Handler.
func (r *genericReceiver) OnEnd() error {
	r.done = true
	if r.server.Framing == FrameLongPoll && r.status == http.StatusOK && len(r.line) > 0 {
		r.message()
		r.event("", "", r.line)
		return r.out()
	}
	return nil
}

// out is why an event ended the stream.
func (r *genericReceiver) out() error {
	if r.mid {
		return errDisconnectedByServer
	}
	return nil
}

// whole implements receiver.
func (r *genericReceiver) whole() bool {
	switch r.server.Framing {
	case FrameSSE:
		return !r.events.Pending()
	case FrameNDJSON, FrameRaw:
		return len(r.line) == 0
	case FrameLongPoll:
	}
	return r.done
}

// noted implements receiver.
func (r *genericReceiver) noted() {}

// proceed implements receiver: what has to be asked for, or answered, before the stream goes on.
func (r *genericReceiver) proceed(ctx context.Context, conn wire.StampedConn) error {
	if r.asks {
		r.asks = false
		if err := r.browser.steps(ctx, r.server.After); err != nil {
			return r.judge(err)
		}
		if err := r.nowSubscribed(ctx, conn); err != nil {
			return err
		}
	}
	for _, a := range r.answers {
		if err := r.browser.steps(ctx, []Step{*a.step}); err != nil && ctx.Err() == nil {
			r.client.observe(r.failedAnswer(err))
		}
	}
	r.answers = r.answers[:0]
	switch {
	case r.server.Framing != FrameLongPoll || !r.done:
		return r.silence(ctx, conn)
	case !r.keep:
		return io.EOF
	}
	if err := r.request(conn); err != nil {
		return err
	}
	return r.silence(ctx, conn)
}

// failedAnswer notes that an event could not be answered: what the server does about it is its matter.
func (r *genericReceiver) failedAnswer(err error) history.Observation {
	o := r.client.note(history.Heartbeat, r.conn, r.crowd.now())
	o.Err = r.crowd.reason(cause(err))
	return o
}

// nowSubscribed notes the subscription behind the requests that make it one.
func (r *genericReceiver) nowSubscribed(ctx context.Context, conn wire.StampedConn) error {
	var rows []history.Observation
	for slot := range r.channels {
		o := r.client.note(history.Subscribed, r.conn, r.crowd.now())
		o.NotBefore, o.Channel, o.Node = r.asked, r.channels[slot], r.node
		rows = append(rows, o)
	}
	r.subscribed = len(r.channels)
	r.crowd.Observe(rows)
	return r.nowReady(ctx, conn)
}

// silence gives the next read as long as the stream may be silent.
func (r *genericReceiver) silence(ctx context.Context, conn wire.StampedConn) error {
	switch {
	case r.announced && r.server.Silence > 0:
		return r.deadline(ctx, conn, r.server.Silence)
	case r.announced && r.server.Framing == FrameLongPoll:
		return r.deadline(ctx, conn, 0)
	}
	return nil
}

// overdue implements receiver: the head did not come in time, or nothing came for too long.
func (r *genericReceiver) overdue(ctx context.Context, conn wire.StampedConn) error {
	switch {
	case !r.announced:
		return os.ErrDeadlineExceeded
	case r.server.Silence == 0:
		return r.deadline(ctx, conn, 0) // it was that of the first bytes
	}
	return errSilent
}

// ended implements receiver.
func (r *genericReceiver) ended() error {
	if err := r.response.Close(r); err != nil {
		return err
	}
	if r.server.Pause.Stop {
		return &RefusedError{Status: http.StatusNoContent} // as a browser takes it
	}
	return io.EOF
}

// judge says of a refusal whether it is final: it is until the client was subscribed once.
func (r *genericReceiver) judge(err error) error {
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		refused.again = r.welcome && refused.Status != http.StatusNoContent
		return refused
	}
	if step, ok := errors.AsType[*StepError](err); ok && step.Cause == nil && !r.welcome {
		return &RefusedError{Status: step.Status, step: step}
	}
	return err
}

// over implements receiver.
func (r *genericReceiver) over(error) {
	if r.subscribed > 0 {
		r.failed = 0
	}
	r.failed++
}

// pause implements receiver.
func (r *genericReceiver) pause() time.Duration {
	p := &r.server.Pause
	wait := float64(p.Least)
	for range max(0, r.failed-1) {
		wait = min(wait*max(1, p.Factor), float64(p.Most))
	}
	if p.Retry && r.retry > 0 {
		wait = float64(r.retry)
	}
	return time.Duration(wait * (1 + p.Jitter*(2*r.jitter.Float64()-1)))
}
