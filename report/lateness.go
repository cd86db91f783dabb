package report

import (
	"holobench/history"
	"holobench/wire"
)

// lateness remembers of every event how late it came at last to each audience, because the deliveries of one event share
// its fate: the tail of a percentile is worth as many chances as there are events in it. About 150 bytes an event.
type lateness struct {
	events map[wire.EventID]*latest
}

// latest is one event. A latency of 0 or less stands for "no such delivery"; what arrived before it was due (clock
// trouble) is in no tail.
type latest struct {
	due   int64
	worst [roles][paths]int64
}

func (l *lateness) add(id wire.EventID, due int64, role int, path history.Path, latency int64) {
	if l.events == nil {
		l.events = make(map[wire.EventID]*latest)
	}
	event := l.events[id]
	if event == nil {
		event = &latest{due: due}
		l.events[id] = event
	}
	event.worst[role][path] = max(event.worst[role][path], latency)
}

// distribute enters every event into the histograms of every audience of every window. The order does not matter to
// them.
func (l *lateness) distribute(w *windows, tallies []tally) {
	for _, event := range l.events {
		for i := range tallies {
			if w.has(i, event.due) {
				event.enter(&tallies[i])
			}
		}
	}
}

func (e *latest) enter(t *tally) {
	if t.worst == nil {
		t.worst = make(map[audience]*Histogram)
	}
	for _, role := range []int{own, other, everyone} {
		for path := range paths {
			a := audience{role, history.Path(path)}
			if latency := e.of(a); latency > 0 {
				if t.worst[a] == nil {
					t.worst[a] = new(Histogram)
				}
				t.worst[a].Record(latency)
			}
		}
	}
}

func (e *latest) of(a audience) (latency int64) {
	for role := range e.worst {
		for path := range e.worst[role] {
			if (a.role == everyone || a.role == role) && (a.path == history.NoPath || int(a.path) == path) {
				latency = max(latency, e.worst[role][path])
			}
		}
	}
	return latency
}
