package run

import (
	"slices"
	"sync/atomic"

	"holobench/clients"
	"holobench/internal/draw"
	"holobench/scenarios"
	"holobench/wire"
)

// act is one thing that one client does in a load: one command, one to each of several channels, or a whole flow.
type act struct {
	load   int
	sender int    // from 0, in the group of the load
	index  uint64 // which act of the load it is; of a closed load, which of its sender; of a reaction, the event that it answers
	due    int64
	depth  int // it answers an event that answered an event, and so on; 0 = it answers nothing
}

// planned is the act as a plan has it, for what is drawn.
func (a act) planned() planned { return planned{index: a.index, sender: a.sender} }

// begin lets a sender act. It waits for nothing: over, when not nil, is called once when the act is over, by whoever finds that out.
func (x *execution) begin(a act, over func()) {
	if over == nil {
		over = func() {}
	}
	if x.plan.Loads[a.load].Flow != nil {
		x.enact(a, over)
		return
	}
	settled := func(*clients.Outcome) { over() }
	channels := x.plan.channels(a.load, a.planned())
	if len(channels) > 1 {
		left := new(atomic.Int64)
		left.Store(int64(len(channels)))
		settled = func(*clients.Outcome) {
			if left.Add(-1) == 0 {
				over()
			}
		}
	}
	for _, channel := range channels {
		x.post(a, x.messageFor(a, channel), settled)
	}
}

// post asks the sender of an act for one command, which is due now or was. All commands of loads go through here, so that the run
// knows for what it has to wait, and which events are reactions.
func (x *execution) post(a act, m *clients.Message, settled func(*clients.Outcome)) wire.EventID {
	x.tally.posted.Add(1)
	x.due[a.load].Add(1)
	sender := x.senders[a.load][a.sender]
	if a.depth == 0 {
		return sender.PostThen(a.due, m, settled)
	}
	return x.answers.record(a.depth, func() wire.EventID { return sender.PostThen(a.due, m, settled) })
}

// messageFor is what a command of an act says. It is the same for all acts of a sender, unless something of it is drawn.
func (x *execution) messageFor(a act, channel string) *clients.Message {
	l := &x.plan.Loads[a.load]
	if l.To == nil && l.Payload.Size.Constant() {
		return x.messages[a.load][a.sender]
	}
	m := x.plan.message(a.load)
	m.Channel, m.Size = channel, x.plan.size(a.load, a.planned())
	return &m
}

// messagesOf makes the message of each sender of a load; its commands differ in their markers only.
func (x *execution) messagesOf(i int) []*clients.Message {
	l := &x.plan.Loads[i]
	messages := make([]*clients.Message, l.Only)
	for sender := range messages {
		m := x.plan.message(i)
		m.Channel = l.channel(&x.plan.Groups[l.Group], sender)
		messages[sender] = &m
	}
	return messages
}

// channels are where the commands of an act go: one command to each.
func (p *Plan) channels(i int, a planned) []string {
	l := &p.Loads[i]
	if l.To == nil {
		return []string{l.channel(&p.Groups[l.Group], a.sender)}
	}
	return p.channelsTo(l.To, a.index, draw.Unit(p.seed(i, ofTarget), a.index, uint64(a.sender))) //nolint:gosec // not negative
}

// channelsTo are the channels of those clients that a To names: of all, of the one whose turn it is, or of the one that u draws.
func (p *Plan) channelsTo(to *scenarios.To, turn uint64, u float64) []string {
	g := p.group(to.Clients)
	switch to.Which {
	case scenarios.All:
		var all []string
		for n := range g.Count {
			all = append(all, g.Channel(n))
		}
		slices.Sort(all)
		return slices.Compact(all) // one event a channel reaches all that hear it
	case scenarios.Next:
		return []string{g.Channel(int(turn % uint64(g.Count)))} //nolint:gosec // a group has clients, and an int of them
	}
	return []string{g.Channel(int(u * float64(g.Count)))}
}

// size is that of the payload of an act's commands.
func (p *Plan) size(i int, a planned) int {
	l := &p.Loads[i]
	if l.Payload.Size.Constant() {
		return l.Message.Size
	}
	return l.Payload.Bytes(draw.Unit(p.seed(i, ofSize), a.index, uint64(a.sender)), len(l.Message.Text)) //nolint:gosec // not negative
}
