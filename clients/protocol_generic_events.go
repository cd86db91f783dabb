package clients

import (
	"errors"
	"strconv"
	"sync"
	"time"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/sse"
)

// Ends of a stream that its events say, or their absence.
var (
	errDisconnectedByServer = errors.New("an event said that the stream is over")
	errSilent               = errors.New("nothing came for too long")
)

// genericEvents are the events of a stream of server-sent events.
type genericEvents struct{ *genericReceiver }

// OnEvent implements sse.Handler.
func (e genericEvents) OnEvent(event *sse.Event) {
	e.message()
	if len(event.ID) > 0 {
		e.browser.mu.Lock()
		if e.browser.last != string(event.ID) {
			e.browser.last = string(event.ID)
		}
		e.browser.mu.Unlock()
	}
	e.event(string(event.Name), string(event.ID), event.Data)
}

// OnComment implements sse.Handler: a comment is a heartbeat.
func (e genericEvents) OnComment([]byte) {
	e.message()
	e.heartbeat(0, "")
}

// OnRetry implements sse.Handler.
func (e genericEvents) OnRetry(wait time.Duration) { e.retry = wait }

// event notes one event by the first rule that it matches. One that matches none is noted too, by its name.
func (r *genericReceiver) event(name, id string, data []byte) {
	if name == "" {
		name = "message"
	}
	s := r.server
	if s.Ready != nil && !r.isReady && s.Ready.Rule(name, data) {
		r.browser.keep(s.Ready.Captures, data, nil)
		r.heartbeat(0, "")
		r.becomeReady()
		return
	}
	if r.answered(data) {
		r.heartbeat(0, "")
		return
	}
	for _, rule := range s.Ignore {
		if rule(name, data) {
			r.heartbeat(0, "")
			return
		}
	}
	for i := range s.React {
		if a := &s.React[i]; a.Rule(name, data) {
			r.browser.keep(a.Captures, data, nil)
			r.answers = append(r.answers, reacting{&a.Step})
			r.heartbeat(0, "")
			return
		}
	}
	for _, rule := range s.Disconnect {
		if rule(name, data) {
			r.heartbeat(0, "")
			r.mid = true
			return
		}
	}
	if !s.Message(name, data) {
		r.unknown(name)
		return
	}
	r.named(name, id, data)
}

// unknown notes an event that no rule is about: it is counted and shown, whatever it may mean.
func (r *genericReceiver) unknown(name string) {
	o := r.note(history.Alien)
	o.Path, o.Err = r.path(), r.crowd.unknownEvent(name)
	r.batch = append(r.batch, o)
}

// path is the way by which the stream's events come.
func (r *genericReceiver) path() history.Path {
	if r.server.Framing == FrameLongPoll {
		return history.Poll
	}
	return history.SSE
}

// named notes an event by the marker in it.
func (r *genericReceiver) named(name, id string, data []byte) {
	s := r.server
	part := data
	if s.Payload != nil {
		part, _ = s.Payload(data, nil)
	}
	sequence, numbered := uint64(0), false
	switch {
	case s.Numbered:
		sequence, numbered = leadingNumber([]byte(id))
	case s.Sequence != nil:
		if text, ok := s.Sequence(data, nil); ok {
			sequence, numbered = leadingNumber(text)
		}
	}
	r.numbered(sequence, numbered)
	o := r.note(history.Delivered)
	o.Path, o.Sequence = r.path(), sequence
	if len(r.channels) > 0 {
		o.Channel = r.channels[0]
	}
	from := len(r.batch)
	r.batch = r.client.heard(r.batch, o, part)
	r.nameForeign(from, id, data)
	if r.client.listen != nil {
		r.client.hears(r.batch[from:], data, func([]byte) []byte { return []byte(name) })
	}
}

// heard appends o once for each event of this run that data names.
func (c *Client) heard(batch []history.Observation, o history.Observation, data []byte) []history.Observation {
	crowd := c.crowd
	by := wire.MarkText
	if g := crowd.Own.Generic; g != nil && g.Marker != "" {
		by = g.Marker
	}
	if by == wire.MarkText {
		return crowd.name(batch, &o, data)
	}
	found := false
	for id, rest, ok := wire.FindMark(data, by, crowd.Run); ok; id, rest, ok = wire.FindMark(rest, by, crowd.Run) {
		due, known := crowd.own.sent.get(id)
		if !known {
			continue // it looks like one, and nobody has sent it
		}
		one := o
		one.Event, one.Due = id, due
		batch, found = append(batch, one), true
	}
	if !found {
		o.Kind, o.Err = history.Alien, crowd.reason(errNoMarker)
		batch = append(batch, o)
	}
	return batch
}

// ownState is what a crowd keeps for a server of the user's own.
type ownState struct {
	sent  sentTable
	keys  keyring
	nodes struct {
		mu    sync.Mutex
		names []string // by number from 1
	}
	strange struct {
		mu    sync.Mutex
		names map[string]uint16 // of events that no rule is about, and the reasons that say so
	}
}

// maxUnknown bounds the names of unknown events that a run tells apart.
const maxUnknown = 32

// unknownEvent is the reason of an event that no rule is about.
func (c *Crowd) unknownEvent(name string) uint16 {
	if len(name) > 60 {
		name = name[:60]
	}
	c.own.strange.mu.Lock()
	defer c.own.strange.mu.Unlock()
	number, ok := c.own.strange.names[name]
	switch {
	case ok:
		return number
	case len(c.own.strange.names) >= maxUnknown:
		return c.reason("unknown event, one of too many names")
	case c.own.strange.names == nil:
		c.own.strange.names = make(map[string]uint16)
	}
	c.own.strange.names[name] = c.reason("unknown event " + strconv.Quote(name))
	return c.own.strange.names[name]
}
