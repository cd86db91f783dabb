package ordering

import (
	"math"
	"math/bits"
)

// interval is a stretch of time, both ends included.
type interval struct {
	from, to int64
	left     bool // of a subscription: it ended because its client did not want it any more
}

// stillOpen is the end of a subscription that nobody has cut yet.
const stillOpen = math.MaxInt64

// member is a client that subscribed to a channel, or received something of it.
type member struct {
	client        uint32
	subscriptions []interval // one a connection; none = it never subscribed
}

// presence is how a member's subscriptions stand to a window of time.
type presence int

const (
	never      presence = iota // it never subscribed to the channel at all
	away                       // none of its subscriptions touches the window
	partly                     // one touches it
	throughout                 // one began before it and ended after it
)

// during says how the member stood to window. A subscription that was not cut before end, the end of the drain, is open
// for ever; end 0 stands for none.
func (m *member) during(window interval, end int64) presence {
	if len(m.subscriptions) == 0 {
		return never
	}
	found := away
	for _, s := range m.subscriptions {
		if end > 0 && s.to >= end {
			s.to = stillOpen
		}
		if s.from < window.from && s.to > window.to {
			return throughout
		}
		if s.from <= window.to && s.to >= window.from {
			found = partly
		}
	}
	return found
}

// absent says whether the member was away at that time, and came back later: something had ended its subscription, and not its own
// will.
func (m *member) absent(at, end int64) bool {
	if len(m.subscriptions) < 2 {
		return false
	}
	before, back := interval{to: math.MinInt64, left: true}, false
	for _, s := range m.subscriptions {
		if end > 0 && s.to >= end {
			s.to = stillOpen
		}
		switch {
		case s.from > at:
			back = true
		case s.to >= at:
			return false
		case s.to > before.to:
			before = s
		case s.to == before.to:
			before.left = before.left && s.left
		}
	}
	return back && !before.left
}

// audience is the members of one channel, numbered in the order in which the rows name them, so that who received an event
// is a bitmap.
type audience struct {
	members []member
	number  map[uint32]int // by client
}

// member returns the number of the client, and gives it one when it has none yet.
func (a *audience) member(client uint32) int {
	number, ok := a.number[client]
	if !ok {
		number = len(a.members)
		a.number[client] = number
		a.members = append(a.members, member{client: client})
	}
	return number
}

// audiences are those of all channels. The zero value is ready.
type audiences struct {
	byChannel map[uint32]*audience
	latest    uint32 // the channel of the last question
	answer    *audience
	open      map[connection][]subscription
}

// connection names a socket of a client.
type connection struct {
	client, conn uint32
}

// subscription says where an interval that is still open stands.
type subscription struct {
	channel       uint32
	member, index int
}

// of returns the audience of the channel, an empty one when nobody has subscribed to it yet.
func (a *audiences) of(channel uint32) *audience {
	if a.answer != nil && a.latest == channel {
		return a.answer
	}
	found := a.byChannel[channel]
	if found == nil {
		if a.byChannel == nil {
			a.byChannel = make(map[uint32]*audience)
		}
		found = &audience{number: make(map[uint32]int)}
		a.byChannel[channel] = found
	}
	a.latest, a.answer = channel, found
	return found
}

// subscribe begins a subscription. One that the connection has already goes on.
func (a *audiences) subscribe(channel, client, conn uint32, at int64) {
	socket := connection{client, conn}
	for _, s := range a.open[socket] {
		if s.channel == channel {
			return
		}
	}
	audience := a.of(channel)
	number := audience.member(client)
	m := &audience.members[number]
	m.subscriptions = append(m.subscriptions, interval{from: at, to: stillOpen})
	if a.open == nil {
		a.open = make(map[connection][]subscription)
	}
	a.open[socket] = append(a.open[socket], subscription{channel: channel, member: number, index: len(m.subscriptions) - 1})
}

// unsubscribe ends the subscription of one connection to one channel.
func (a *audiences) unsubscribe(channel, client, conn uint32, at int64) {
	socket := connection{client, conn}
	for i, s := range a.open[socket] {
		if s.channel == channel {
			a.end(s, at, true)
			a.open[socket] = append(a.open[socket][:i], a.open[socket][i+1:]...)
			return
		}
	}
}

// cut ends all subscriptions of one connection: its stream ended. A connection that carries commands only has none.
func (a *audiences) cut(client, conn uint32, at int64) {
	socket := connection{client, conn}
	for _, s := range a.open[socket] {
		a.end(s, at, false)
	}
	delete(a.open, socket)
}

func (a *audiences) end(s subscription, at int64, left bool) {
	i := &a.of(s.channel).members[s.member].subscriptions[s.index]
	i.to, i.left = at, left
}

// bitmap is a set of small numbers.
type bitmap []uint64

// set adds i, and tells whether it was new.
func (b *bitmap) set(i int) bool {
	for len(*b) <= i/64 {
		*b = append(*b, 0)
	}
	word, bit := &(*b)[i/64], uint64(1)<<(i%64)
	isNew := *word&bit == 0
	*word |= bit
	return isNew
}

func (b bitmap) has(i int) bool {
	return i/64 < len(b) && b[i/64]>>(i%64)&1 == 1
}

// count is the number of members.
func (b bitmap) count() (n int) {
	for _, word := range b {
		n += bits.OnesCount64(word)
	}
	return n
}
