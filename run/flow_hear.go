package run

import (
	"context"
	"sync"
	"time"

	"holobench/clients"
	"holobench/scenarios"
	"holobench/wire"
)

// ear is what one actor has heard since it sent something last: how often what came, not all of it.
type ear struct {
	client uint32
	flow   *flowPlan

	mu      sync.Mutex
	heard   map[kind]*heard
	latest  sound         // of which the text is kept only where the flow looks at it
	changed chan struct{} // closed when something is heard; nil = nobody waits
}

// kind is what an expect tells apart.
type kind struct {
	seq     uint32 // of the client's own command; 0 = somebody else's
	name    string // of somebody else's command; "" = not known
	channel uint32
}

// heard is what came of one kind.
type heard struct {
	count       int
	first, last sound
	met         map[int]sound // the first that met each of the flow's matches
}

// sound is one event.
type sound struct {
	event   wire.EventID
	part    uint32
	at      int64
	name    string
	channel uint32
	text    []byte // nil when nobody looks at it
}

// maxKinds bounds what one ear tells apart: names of events are the server's, who may have as many as it likes.
const maxKinds = 4096

// mark forgets what was heard.
func (e *ear) mark() {
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.heard)
}

// hear is told of each event of the client. It is in the way of the stream, and short.
func (e *ear) hear(h *clients.Heard) {
	s := sound{event: h.Event, part: h.Part, at: h.At, channel: h.Channel}
	k := kind{channel: h.Channel}
	if h.Event.Publisher == e.client && h.Event.Seq != 0 {
		k.seq = h.Event.Seq
	} else if e.flow.names {
		s.name = h.Name()
		k.name = s.name
	}
	if e.flow.events {
		s.text = append([]byte(nil), h.Data...)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.latest = s
	of := e.heard[k]
	switch {
	case of == nil && len(e.heard) >= maxKinds:
		return
	case of == nil:
		of = &heard{first: s}
		e.heard[k] = of
	case of.last.event == s.event && of.last.part == s.part && s.event.Seq != 0:
		return // it came by two ways
	}
	of.count++
	of.last = s
	for i, match := range e.flow.untils {
		if _, known := of.met[i]; !known && match.Met(h.Data) {
			if of.met == nil {
				of.met = make(map[int]sound)
			}
			of.met[i] = s
		}
	}
	if e.changed != nil {
		close(e.changed)
		e.changed = nil
	}
}

// find looks for what an expect waits for, in what was heard so far; until is the index of its match, negative when it has none.
// Otherwise it returns what is closed when something more is heard.
func (e *ear) find(s *scenarios.Expect, until int, own wire.EventID, channel uint32, anywhere bool) (found sound, ok bool, changed <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	count := 0
	for k, of := range e.heard {
		wanted := k.seq == 0 && (s.Event == scenarios.Others || s.Event == k.name)
		if s.Event == scenarios.Own {
			wanted = k.seq == own.Seq && own.Seq != 0
		}
		if !wanted || !anywhere && k.channel != channel {
			continue
		}
		count += of.count
		at := of.last // the one that made them as many as are wanted, or a later one
		if s.Count <= 1 {
			at = of.first
		}
		if until >= 0 {
			met, is := of.met[until]
			if !is {
				continue
			}
			at = met
		}
		first := s.Count <= 1 || until >= 0
		if !ok || first && at.at < found.at || !first && at.at > found.at {
			found, ok = at, true
		}
	}
	if ok && (until >= 0 || count >= s.Count) {
		return found, true, nil
	}
	if e.changed == nil {
		e.changed = make(chan struct{})
	}
	return sound{}, false, e.changed
}

// latestSound is the event that was heard last.
func (e *ear) latestSound() sound {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.latest
}

// expect waits for an event, and notes how that ended.
func (w *walk) expect(s *scenarios.Expect) error {
	began := w.x.now()
	anywhere, channel := s.Channel.Empty(), uint32(0)
	if !anywhere {
		channel = w.x.o.Names.Number(w.fill(s.Place, &s.Channel))
	}
	ctx, cancel := w.within(s.Within)
	defer cancel()
	for {
		found, ok, changed := w.ear.find(s, w.flow.until[s], w.own, channel, anywhere)
		if ok {
			w.event = found
			w.expected(s.Place, began, max(began, found.at), found.event, "")
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return w.unmet(s.Place, began, s.Within)
		}
	}
}

// within bounds a wait; 0 = only by the end of the act.
func (w *walk) within(d time.Duration) (context.Context, context.CancelFunc) {
	if d > 0 {
		return context.WithTimeout(w.ctx, d)
	}
	return context.WithCancel(w.ctx)
}

// unmet notes a wait that took too long. One that was interrupted says nothing about the server, and is not noted.
func (w *walk) unmet(p scenarios.Place, began int64, within time.Duration) error {
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	w.expected(p, began, w.x.now(), wire.EventID{}, "not within "+within.String())
	return nil
}
