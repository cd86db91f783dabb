package target

import (
	"container/list"
	"errors"
	"sync"

	"holobench/wire"
)

// channelLog is what a node knows of a channel apart from who hears it: the number of its last event, the last events
// themselves, its document in the design that has one, and the lock that makes its order. It lives on when nobody hears the
// channel, because somebody will come back to it.
type channelLog struct {
	name   string
	stamps bool // events bear their number
	replay int  // how many events are kept
	limit  int  // ... and about how many bytes of them
	doc    *document
	users  int           // see logs
	place  *list.Element // see logs

	// order is held while one event gets its number and goes into the outboxes: for writing where dispatch is serialized; for
	// reading where it is concurrent, which only keeps out those who subscribe: they take it for writing, so that between
	// what they read in the log and what they hear nothing is lost and nothing comes twice.
	order sync.RWMutex

	mu     sync.Mutex // guards what follows, for the fan-outs that are concurrent
	last   uint64     // the number of the newest event, 0 = none yet
	floor  uint64     // the highest number that is not kept any more
	events []*message // the last ones, oldest first; after a bus has skipped numbers these do not follow each other
	bytes  int        // of events
}

// append gives m its number and keeps it: the number of an ordered bus, or the next one. goesOn is false when there is no
// event to hand out, because it was handed out before, or its mutation is in conflict or refused.
func (l *channelLog) append(m *message, p *publication, sequence uint64) (result published, refused *refusal, goesOn bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if sequence != 0 && sequence <= l.last {
		return published{event: m.event, sequence: sequence, duplicate: true}, nil, false
	}
	m.sequence = l.last + 1
	if sequence != 0 {
		l.skipTo(sequence)
		m.sequence = sequence
		l.last = sequence // also when nothing comes of it: the number is spent
	}
	if l.doc != nil {
		if result, refused, goesOn = l.doc.apply(m, p); !goesOn {
			return result, refused, false
		}
	}
	l.last = m.sequence
	if l.stamps {
		m.event.Seq = m.sequence
	}
	l.keep(m)
	return published{}, nil, true
}

// skipTo notes that this node has not seen the numbers up to sequence, so that nobody is told that they were never there.
func (l *channelLog) skipTo(sequence uint64) {
	if sequence > l.last+1 {
		l.floor = sequence - 1
		l.events, l.bytes = nil, 0
	}
}

// keep adds m and lets go what is too much.
func (l *channelLog) keep(m *message) {
	if l.replay == 0 {
		return
	}
	l.events = append(l.events, m)
	l.bytes += m.size()
	for len(l.events) > l.replay || l.bytes > l.limit {
		oldest := l.events[0]
		l.floor = oldest.sequence
		l.bytes -= oldest.size()
		l.events[0] = nil
		l.events = l.events[1:]
	}
}

// since returns the kept events from number from on, and the gap in front of them, if there is one. The caller holds order
// for writing.
func (l *channelLog) since(from uint64) (events []*message, gap *wire.Gap) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if from > l.last+1 { // its numbers are those of another life of this channel
		return l.events, &wire.Gap{Channel: l.name, From: from, First: l.floor + 1}
	}
	if from <= l.floor {
		return l.events, &wire.Gap{Channel: l.name, From: from, First: l.floor + 1}
	}
	i := len(l.events)
	for i > 0 && l.events[i-1].sequence >= from { // who comes back has mostly missed the last few
		i--
	}
	return l.events[i:], nil
}

// newest returns the number of the last event.
func (l *channelLog) newest() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// logs are the channels whose past this node keeps. They are bounded: when there are too many, the one goes that was used
// longest ago and that nobody hears. Its numbers do not come again: a channel that is made anew begins behind the highest number
// that was ever let go, so that a client with an old one is told that it has missed something.
type logs struct {
	begin func(name string) *channelLog
	heard func(name string) bool // whether somebody subscribes to the channel here
	limit int

	mu     sync.Mutex
	byName map[string]*channelLog
	recent *list.List // of *channelLog, last used first
	gone   uint64     // the highest number of all that were let go
}

var errManyLogs = errors.New("this node keeps the events of as many channels as it may")

// logsTried is how many logs are looked at for one that can go: those that are heard move to the front, so that the next
// search finds others.
const logsTried = 64

func newLogs(limit int, heard func(name string) bool, begin func(name string) *channelLog) *logs {
	return &logs{begin: begin, heard: heard, limit: limit, byName: map[string]*channelLog{}, recent: list.New()}
}

// acquire returns the log of that name, which stays until it is released; nil when there are too many.
func (s *logs) acquire(name string) *channelLog {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.byName[name]
	if l == nil {
		if len(s.byName) >= s.limit && !s.letGo() {
			return nil
		}
		l = s.begin(name)
		l.last, l.floor = s.gone, s.gone
		l.place = s.recent.PushFront(l)
		s.byName[name] = l
	} else {
		s.recent.MoveToFront(l.place)
	}
	l.users++
	return l
}

// release ends what acquire began.
func (s *logs) release(l *channelLog) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.users--
}

// letGo removes one log that is neither used nor heard.
func (s *logs) letGo() bool {
	for range logsTried {
		oldest, ok := s.recent.Back().Value.(*channelLog)
		if !ok {
			return false // never: the list holds nothing else
		}
		if oldest.users == 0 && !s.heard(oldest.name) {
			s.recent.Remove(oldest.place)
			delete(s.byName, oldest.name)
			s.gone = max(s.gone, oldest.newest())
			return true
		}
		s.recent.MoveToFront(oldest.place)
	}
	return false
}
