package ordering

import (
	"cmp"
	"math"
	"slices"
	"time"

	"holobench/history"
	"holobench/wire"
)

// Standing is what became of one event, or of one part of an event that came in parts. Counts are of clients, but for
// Duplicated, which counts deliveries. Times are ns since the epoch of the run.
//
// Always: Expected = Reached + Lost; Delivered >= Reached + Stray; and the sum of Delivered + Duplicated over all Standings
// is the number of rows in the history that bring an event.
type Standing struct {
	ID      wire.EventID
	Part    uint32 // 0 = the whole event
	Channel uint32 // number of its name in the history
	Due     int64  // when the schedule wanted it sent
	Sent    int64  // 0 = no Sent is on record
	First   int64  // its first delivery anywhere; 0 = none
	Last    int64  // its last delivery anywhere, duplicates included; 0 = none

	Expected      int // clients that should have received it
	Reached       int // those of them that did
	Lost          int // those of them that did not
	Indeterminate int // clients of which nobody can say whether they should have
	Delivered     int // clients that received it, expected or not: first deliveries
	Duplicated    int // deliveries beyond the first of a client
	Stray         int // clients that received it and never subscribed to its channel
	MissedAway    int // clients that were away when it was sent, came back later, and never received it
	CaughtUp      int // clients that were away when it was sent, came back later, and received it all the same

	OwnLost     bool // its publisher should have received it and did not
	OwnOtherWay bool // its publisher, which was not away, received it by another way than is promised as its self_echo
	Accepted    bool // the server replied with a 2xx status
}

// Membership decides who should have received what. Feed it the history by Add, then Close it, then ask. The zero value is
// ready. It holds about 250 bytes and one bit a subscriber for every event, nothing for a delivery. It is not safe for
// concurrent use.
type Membership struct {
	// Lead is how long before it is first seen anywhere a foreign event may have been made; 0 = DefaultLead. Who subscribed later
	// than that need not have been told of it.
	Lead time.Duration

	// Unmarked tells whether the commands of that publisher bear no marker, so that nobody can say which delivery is whose: their
	// events are passed over. nil = those of all bear one.
	Unmarked func(publisher uint32) bool

	events    map[part]*event
	latest    *event // the one of the last row: deliveries of one event come together
	audiences audiences

	horizon int64 // At of the last Observation
	end     int64 // of the drain; 0 = there was none
	tail    int64 // from when on missing deliveries of a run without a drain are indeterminate
	untold  bool  // a publisher is not told of its own event
	echo    ways  // that by which a publisher is promised to be told of it

	broadcast bool // the server promises that every event of a channel goes to all its subscribers

	newest   newest
	order    []*event
	absences map[uint32]*Absence
}

// Absence is what one client missed or caught up of what was sent while it was away.
type Absence struct {
	Client           uint32
	Missed, CaughtUp int
}

// part names what can be delivered: an event, or a part of one.
type part struct {
	id     wire.EventID
	number uint32
}

// event is what the rows said about one part so far.
type event struct {
	part     part
	whole    *event // for a part: the event, when there is a row about it; Sent and Replied speak of the whole
	inParts  bool   // it is the whole of parts
	channel  uint32
	due      int64
	sentAt   int64
	first    int64
	last     int64
	got      bitmap // the members of the channel that received it
	clients  int    // how many
	repeated int    // deliveries beyond their first
	own      ways   // by which its publisher received it

	sent     bool
	settled  bool // channel is the one that Sent names
	accepted bool
	refused  bool
}

// Add takes the next rows of a history. Rows of one Conn must come in their order, those of different ones may come in any:
// the outcome is the same. Kinds that say nothing about membership are passed over.
func (m *Membership) Add(batch []history.Observation) {
	for i := range batch {
		o := &batch[i]
		m.horizon = max(m.horizon, o.At)
		switch o.Kind {
		case history.Delivered, history.Foreign:
			m.deliver(o)
		case history.Sent:
			m.send(o)
		case history.Replied:
			if o.Err == history.NoErr {
				m.event(o).accepted = true
			}
		case history.Refused, history.Dropped:
			m.event(o).refused = true
		case history.Subscribed:
			m.audiences.subscribe(o.Channel, o.Client, o.Conn, o.At)
		case history.Unsubscribed:
			m.audiences.unsubscribe(o.Channel, o.Client, o.Conn, o.At)
		case history.Ended, history.Closed:
			m.audiences.cut(o.Client, o.Conn, o.At)
		default: // says nothing about membership
		}
	}
}

func (m *Membership) event(o *history.Observation) *event {
	name := part{id: o.Event, number: o.Part}
	if m.latest != nil && m.latest.part == name {
		return m.latest
	}
	e := m.events[name]
	if e == nil {
		if m.events == nil {
			m.events = make(map[part]*event)
		}
		e = &event{part: name}
		m.events[name] = e
	}
	m.latest = e
	return e
}

// send notes when and where the event was sent. Sent twice, it was sent the first time; its channel is then the smaller
// number, so that the order of rows does not matter.
func (m *Membership) send(o *history.Observation) {
	e := m.event(o)
	if o.Channel != history.NoChannel && (!e.settled || o.Channel < e.channel) {
		m.move(e, o.Channel)
		e.settled = true
	}
	if !e.sent || o.At < e.sentAt {
		e.sentAt, e.due = o.At, o.Due
	}
	e.sent = true
}

// deliver notes a delivery. Whatever channel it names, it is one of the event's, whose channel the Sent row knows best.
func (m *Membership) deliver(o *history.Observation) {
	e := m.event(o)
	if !e.settled && o.Channel != history.NoChannel && (e.channel == history.NoChannel || o.Channel < e.channel) {
		m.move(e, o.Channel)
	}
	if due := dueOf(o); !e.sent && (e.clients == 0 || due < e.due) {
		e.due = due
	}
	if e.clients == 0 || o.At < e.first {
		e.first = o.At
	}
	if e.clients == 0 || o.At > e.last {
		e.last = o.At
	}
	if o.Client == o.Event.Publisher {
		e.own |= wayOf(o.Path)
	}
	if e.got.set(m.audiences.of(e.channel).member(o.Client)) {
		e.clients++
	} else {
		e.repeated++
	}
}

// move makes channel the channel of e, and keeps who received it.
func (m *Membership) move(e *event, channel uint32) {
	if channel == e.channel {
		return
	}
	from, to := m.audiences.of(e.channel), m.audiences.of(channel)
	var got bitmap
	for i := range from.members {
		if e.got.has(i) {
			got.set(to.member(from.members[i].client))
		}
	}
	e.channel, e.got = channel, got
}

// Close says that the rows are complete for now, and what run they are of. More may follow, and another Close: that is how
// a run is watched while it goes on.
func (m *Membership) Close(run history.Run) {
	m.end, m.tail = run.End, math.MaxInt64
	if !run.Finished || run.End == 0 {
		m.end, m.tail = 0, m.horizon-run.Drain
	}
	m.order = m.order[:0]
	for name, e := range m.events {
		m.order = append(m.order, e)
		if name.number == 0 {
			continue
		}
		e.whole = m.events[part{id: name.id}]
		if e.whole != nil {
			e.whole.inParts = true
			if e.whole.settled && !e.settled {
				m.move(e, e.whole.channel)
			}
		}
	}
	m.order = slices.DeleteFunc(m.order, func(e *event) bool { return !e.happened() })
	m.untold = len(run.Promises) > 0 && run.Promises["self_echo"] == ""
	m.echo = waysNamed(run.Promises["self_echo"])
	m.broadcast = run.Promises["broadcast"] != ""
	m.newest = nil
	if run.Promises["freshness"] != "" {
		m.newest = newestOf(m.order)
	}
	slices.SortFunc(m.order, func(a, b *event) int {
		return cmp.Or(cmp.Compare(a.command().sentAt, b.command().sentAt),
			cmp.Compare(a.part.id.Publisher, b.part.id.Publisher),
			cmp.Compare(a.part.id.Seq, b.part.id.Seq),
			cmp.Compare(a.part.number, b.part.number))
	})
}

// happened tells whether e is an event. A command that was refused is none, nor is the whole of what came in parts: they
// stand for it.
func (e *event) happened() bool {
	return e.clients > 0 || e.command().sent && !e.command().refused && !e.inParts
}

// command is the event whose rows say when e was sent and what the server replied.
func (e *event) command() *event {
	if e.whole != nil && !e.sent {
		return e.whole
	}
	return e
}

// Events yields every event's Standing, ordered by Sent, then publisher, seq and part. It may be called often after Close.
func (m *Membership) Events(yield func(Standing)) {
	m.absences = make(map[uint32]*Absence)
	for _, e := range m.order {
		if m.Unmarked == nil || !m.Unmarked(e.part.id.Publisher) {
			yield(m.standing(e))
		}
	}
}

func (m *Membership) standing(e *event) Standing {
	command := e.command()
	s := Standing{
		ID: e.part.id, Part: e.part.number, Channel: e.channel, Due: command.due, Sent: command.sentAt, First: e.first, Last: e.last,
		Delivered: e.clients, Duplicated: e.repeated, Accepted: command.accepted,
	}
	if !command.sent {
		s.Due = e.due
	}
	window, dispatched, drained := m.window(e), m.dispatched(e), m.drained(e)
	members := m.audiences.of(e.channel).members
	for i := range members {
		got := e.got.has(i)
		if command.sent && dispatched && members[i].absent(command.sentAt, m.end) {
			m.absent(&s, members[i].client, got, drained && !m.excused(e, i))
		}
		presence, own := members[i].during(window, m.end), members[i].client == e.part.id.Publisher
		if own && m.echo != 0 && e.own&^m.echo != 0 {
			s.OwnOtherWay = presence == never || presence == throughout
		}
		switch presence {
		case never:
			if got {
				s.Stray++
			}
		case away:
		case partly:
			s.Indeterminate++
		case throughout:
			switch {
			case m.untold && !got && own:
			case !dispatched || !got && (!drained || m.newest.supersedes(e, i)):
				s.Indeterminate++
			case got:
				s.Expected++
				s.Reached++
			default:
				s.Expected++
				s.Lost++
				s.OwnLost = s.OwnLost || own
			}
		}
	}
	return s
}

// absent notes an event that was sent while a client was away.
func (m *Membership) absent(s *Standing, client uint32, got, missed bool) {
	if !got && !missed {
		return
	}
	a := m.absences[client]
	if a == nil {
		a = &Absence{Client: client}
		m.absences[client] = a
	}
	if got {
		s.CaughtUp, a.CaughtUp = s.CaughtUp+1, a.CaughtUp+1
		return
	}
	s.MissedAway, a.Missed = s.MissedAway+1, a.Missed+1
}

// Absences lists the clients that were away, as the last Events has found them: who missed most comes first.
func (m *Membership) Absences() []Absence {
	all := make([]Absence, 0, len(m.absences))
	for _, a := range m.absences {
		all = append(all, *a)
	}
	slices.SortFunc(all, func(a, b Absence) int {
		return cmp.Or(cmp.Compare(b.Missed, a.Missed), cmp.Compare(b.CaughtUp, a.CaughtUp), cmp.Compare(a.Client, b.Client))
	})
	return all
}

// excused says whether that member need not get the event, whenever it came.
func (m *Membership) excused(e *event, member int) bool {
	own := m.audiences.of(e.channel).members[member].client == e.part.id.Publisher
	return m.untold && own || m.newest.supersedes(e, member)
}

// Subscribers counts the clients that were subscribed to the channel at that time: since before it, and until after it.
func (m *Membership) Subscribers(channel uint32, at int64) int {
	count := 0
	members := m.audiences.of(channel).members
	for i := range members {
		if members[i].during(interval{from: at, to: at}, m.end) == throughout {
			count++
		}
	}
	return count
}
