package run

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"holobench/history"
)

// observe takes what the client of a trial notes.
func (t *trial) observe(batch []history.Observation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range batch {
		t.see(&batch[i])
	}
}

func (t *trial) see(o *history.Observation) {
	at, r := max(1, time.Duration(o.At)), &t.result
	switch o.Kind {
	case history.Opened:
		t.opened[o.Conn] = at
	case history.Subscribed:
		if r.Ready == 0 {
			r.Ready = at
			close(t.ready)
		}
	case history.Heartbeat:
		if o.Err == history.NoErr {
			r.Beats = append(r.Beats, at)
		} else {
			r.Unknown = count(r.Unknown, t.names.Name(uint32(o.Err)))
		}
	case history.Alien:
		r.Unknown = count(r.Unknown, t.names.Name(uint32(o.Err)))
	case history.Foreign:
		r.Unknown = count(r.Unknown, "no marker, but a name of its own")
	case history.Ended:
		r.Ends = append(r.Ends, TrialEnd{At: at, After: at - t.opened[o.Conn], Why: t.names.Name(uint32(o.Err))})
	case history.Delivered:
		t.delivered(o, at)
	case history.Sent:
		r.Sent = at
	case history.Replied, history.Unknown, history.Refused, history.Dropped:
		r.Settled = at
		if o.Kind != history.Replied || o.Err != history.NoErr {
			r.Outcome = o.Kind.String()
			if o.Err != history.NoErr {
				r.Outcome = t.names.Name(uint32(o.Err))
			}
		}
	default:
	}
}

// delivered counts the client's own event by the way that it came.
func (t *trial) delivered(o *history.Observation, at time.Duration) {
	r := &t.result
	if i := slices.IndexFunc(r.Heard, func(h TrialHeard) bool { return h.Path == o.Path }); i >= 0 {
		r.Heard[i].Times++
		return
	}
	r.Heard = append(r.Heard, TrialHeard{Path: o.Path, First: at, Times: 1})
}

// count counts one more of a thing.
func count(all []Counted, what string) []Counted {
	if i := slices.IndexFunc(all, func(c Counted) bool { return c.What == what }); i >= 0 {
		all[i].Times++
		return all
	}
	return append(all, Counted{What: what, Times: 1})
}

// refuse takes the reason why the client has no stream.
func (t *trial) refuse(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.result.Refused = err
}

// finish gathers what the spies have found.
func (t *trial) finish() *Trial {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.spies {
		s.mu.Lock()
		if e := s.now(); e.Head > 0 { // its answer is on its way still
			s.says(e)
		}
		for _, e := range s.exchanges {
			t.result.Exchanges = append(t.result.Exchanges, *e)
		}
		t.result.Events = append(t.result.Events, s.events...)
		s.mu.Unlock()
	}
	slices.SortStableFunc(t.result.Exchanges, func(a, b Exchange) int { return int(a.Asked - b.Asked) })
	slices.SortStableFunc(t.result.Events, func(a, b TrialEvent) int { return int(a.At - b.At) })
	return &t.result
}

// Stream is the exchange that is the down stream of the client, or was to be: that of the first connection for it which said anything.
func (t *Trial) Stream() (e *Exchange, ok bool) {
	for i := range t.Exchanges {
		if e := &t.Exchanges[i]; e.ForStream && (e.Streams || e.HTTP2) {
			return e, true
		}
	}
	for i := len(t.Exchanges) - 1; i >= 0; i-- { // the last that was asked for: the ones before it lead there
		if e := &t.Exchanges[i]; e.ForStream && !e.Marked && (e.Head > 0 || t.Ready == 0) { // of polls, the last that brought anything
			return e, true
		}
	}
	return nil, false
}

// Command is the exchange that was the command: the one that bore the marker, or where the wire spells that in a way of its own, the one that
// was asked for at that time.
func (t *Trial) Command() (e *Exchange, ok bool) {
	for i := range t.Exchanges {
		if e := &t.Exchanges[i]; e.Marked {
			return e, true
		}
	}
	for i := range t.Exchanges {
		e := &t.Exchanges[i]
		if off := e.Asked - t.Sent; t.Sent > 0 && !e.ForStream && !e.HTTP2 && off > -5*time.Millisecond && off < 5*time.Millisecond {
			return e, true
		}
	}
	return nil, false
}

// Began is when the client began to speak.
func (t *Trial) Began() time.Duration {
	if len(t.Exchanges) == 0 {
		return 0
	}
	return t.Exchanges[0].Asked
}

// bufferedFrom is how late an event of one's own must come, or be whole, before it is taken for held back on the way.
const bufferedFrom = time.Second

// Brief is a time of a trial as people read it, in a unit that suits it: 2.15 ms.
func Brief(d time.Duration) string {
	unit, name, step := time.Microsecond, "µs", 10*time.Microsecond
	switch {
	case d >= 10*time.Second:
		unit, name, step = time.Second, "s", 100*time.Millisecond
	case d >= time.Second || d == 0:
		unit, name, step = time.Second, "s", time.Millisecond
	case d >= 10*time.Millisecond:
		unit, name, step = time.Millisecond, "ms", time.Millisecond
	case d >= time.Millisecond:
		unit, name = time.Millisecond, "ms"
	}
	return strconv.FormatFloat(float64(d.Round(step))/float64(unit), 'f', -1, 64) + " " + name
}

// Buffering says whether something on the way held the stream back: "none seen", "likely" or "unknown", and why.
func (t *Trial) Buffering() (verdict, why string) {
	s, ok := t.Stream()
	if !ok || s.Head == 0 || !s.Streams {
		return "unknown", "there was no stream that could be looked into"
	}
	for i := range t.Events {
		e := &t.Events[i]
		switch {
		case e.At-e.Began >= bufferedFrom:
			return "likely", fmt.Sprintf("an event came in pieces, the last %s after the first", Brief(e.At-e.Began))
		case len(e.Found) > 0 && t.Sent > 0 && e.At-t.Sent >= bufferedFrom:
			return "likely", fmt.Sprintf("the event came %s after it was sent, in a read of %d bytes", Brief(e.At-t.Sent), e.With)
		case len(e.Found) > 0 && t.Sent > 0:
			return "none seen", fmt.Sprintf("the event came %s after it was sent", Brief(e.At-t.Sent))
		}
	}
	switch {
	case t.Sent > 0 && t.Outcome != "":
		return "unknown", "the command failed, so that there was no event to tell by"
	case t.Sent > 0 && len(t.Heard) > 0:
		return "unknown", "the event that was sent came by the reply, and nothing by the stream"
	case t.Sent > 0:
		return "unknown", "the event that was sent never came by the stream: it may be held back, or may not be meant for it"
	case s.Body-s.Head >= bufferedFrom:
		return "none seen", fmt.Sprintf("the head came %s before anything else did", Brief(s.Body-s.Head))
	case len(t.Beats) > 1:
		return "none seen", "heartbeats came one by one"
	}
	return "unknown", "too little came to tell; --send sends an event"
}
