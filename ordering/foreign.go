package ordering

import (
	"time"

	"holobench/history"
)

// DefaultLead is the Lead of a Membership that names none.
const DefaultLead = time.Second

// dueOf is when the event of a delivery was due, as far as the delivery tells. Nobody asked for a foreign event: it counts as due
// when it was first seen anywhere, which is the least of these over all its deliveries.
func dueOf(o *history.Observation) int64 {
	if o.Kind == history.Foreign {
		return o.At
	}
	return o.Due
}

// kindOf is the kind of the rows that bring an event, and the due time in them.
func kindOf(e *candidate) (kind history.Kind, due int64) {
	if e.part.id.Foreign() {
		return history.Foreign, 0
	}
	return history.Delivered, e.due
}

// window is when the event was on its way, for all that is known.
func (m *Membership) window(e *event) interval {
	switch command := e.command(); {
	case e.part.id.Foreign():
		return interval{from: e.first - m.lead(), to: e.last}
	case command.sent:
		return interval{from: command.sentAt, to: max(command.sentAt, e.last)}
	}
	return interval{from: e.due, to: max(e.due, e.last)} // sometime after it was due
}

func (m *Membership) lead() int64 {
	if m.Lead > 0 {
		return int64(m.Lead)
	}
	return int64(DefaultLead)
}

// dispatched says whether the server certainly told all subscribers of the event. Of a foreign one that is known only where it
// promises that all events go to all.
func (m *Membership) dispatched(e *event) bool {
	if e.part.id.Foreign() {
		return m.broadcast
	}
	command := e.command()
	return command.sent && (e.clients > 0 || command.accepted)
}

// drained says whether clients listened long enough for what did not come to be lost. No drain waits for a foreign event: one that
// was first seen less than Lead before the end may have been on its way to others still.
func (m *Membership) drained(e *event) bool {
	if !e.part.id.Foreign() {
		return e.command().sentAt < m.tail
	}
	if m.end > 0 {
		return e.first+m.lead() < m.end
	}
	return e.first < m.tail && e.first+m.lead() < m.horizon
}
