package ordering

import (
	"cmp"
	"math"
	"slices"

	"holobench/history"
	"holobench/wire"
)

// Optimistic says what clients would have gone through that show their own change at once, before the server has taken it, and
// put what others change below it as it comes (rebase). Feed it the history by Add, then Close it. It holds about 200 bytes a
// command of such a client and 40 for each delivery to one. It is not safe for concurrent use. The package comment defines the
// terms.
type Optimistic struct {
	// Is tells whether that client is one; nil = all are.
	Is func(client uint32) bool

	changes map[wire.EventID]*change
	views   map[seat][]arrival // of what others changed
	rows    int
}

// moment is a place among the rows of a history: by time, and at one time by row.
type moment struct {
	at  int64
	row int
}

func (m moment) before(n moment) bool { return m.at < n.at || m.at == n.at && m.row < n.row }

// arrival is a change of somebody else at one client.
type arrival struct {
	moment
	part part
}

// change is one command, as its sender lives through it.
type change struct {
	id         wire.EventID
	channel    uint32
	due        int64
	sent       bool
	taken      *moment // the first good reply
	failed     *moment // the first outcome that is none
	own        *moment // the first delivery of its event to the sender
	why        uint16
	unanswered bool // failed only says that no reply came
}

// Change is one command of an optimistic client.
type Change struct {
	Event   wire.EventID
	Channel uint32
	Due     int64
	Outcome ChangeOutcome
	Settled int64  // when its sender knew the outcome; of Open 0
	Rebases int    // changes of others that came below it while it stood on top
	Wrong   int64  // how long its sender saw what no server ever had: see the package comment
	Err     uint16 // of RolledBack: why, as in the history
}

// ChangeOutcome is what became of a change.
type ChangeOutcome uint8

// The outcomes.
const (
	Open       ChangeOutcome = iota // its sender never learned
	Confirmed                       // by a good reply, or by its event
	RolledBack                      // the sender took it back
)

// Add takes the next rows of a history. Rows of one Conn must come in their order.
func (p *Optimistic) Add(batch []history.Observation) {
	for i := range batch {
		o := &batch[i]
		p.rows++
		if p.Is != nil && !p.Is(o.Client) {
			continue
		}
		now := moment{o.At, p.rows}
		switch o.Kind {
		case history.Sent:
			c := p.change(o)
			c.sent, c.due, c.channel = true, o.Due, o.Channel
		case history.Replied:
			if o.Err == history.NoErr {
				earlier(&p.change(o).taken, now)
			} else {
				p.change(o).fail(now, o.Err, false)
			}
		case history.Refused:
			c := p.change(o)
			c.sent, c.due, c.channel = true, o.Due, o.Channel // it was shown, whatever became of it
			c.fail(now, o.Err, false)
		case history.Unknown:
			p.change(o).fail(now, o.Err, true)
		case history.Delivered, history.Foreign:
			if o.Kind == history.Delivered && o.Event.Publisher == o.Client {
				earlier(&p.change(o).own, now)
				continue
			}
			at := seat{o.Client, o.Channel}
			if p.views == nil {
				p.views = make(map[seat][]arrival)
			}
			p.views[at] = append(p.views[at], arrival{now, part{o.Event, o.Part}})
		default: // says nothing of changes
		}
	}
}

func (p *Optimistic) change(o *history.Observation) *change {
	c := p.changes[o.Event]
	if c == nil {
		if p.changes == nil {
			p.changes = make(map[wire.EventID]*change)
		}
		c = &change{id: o.Event}
		p.changes[o.Event] = c
	}
	return c
}

// earlier keeps the earlier of two moments.
func earlier(kept **moment, m moment) {
	if *kept == nil || m.before(**kept) {
		*kept = &m
	}
}

func (c *change) fail(at moment, why uint16, unanswered bool) {
	if c.failed == nil || at.before(*c.failed) {
		c.failed, c.why, c.unanswered = &at, why, unanswered
	}
}

// Close yields every change, by due time and name. It may be called again after more rows.
func (p *Optimistic) Close(yield func(Change)) {
	for at, view := range p.views {
		p.views[at] = firstArrivals(view)
	}
	all := make([]*change, 0, len(p.changes))
	for _, c := range p.changes {
		if c.sent {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b *change) int {
		return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.id.Publisher, b.id.Publisher), cmp.Compare(a.id.Seq, b.id.Seq))
	})
	for _, c := range all {
		yield(p.judge(c))
	}
}

// firstArrivals sorts a view and leaves out what came again.
func firstArrivals(view []arrival) []arrival {
	slices.SortFunc(view, func(a, b arrival) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.row, b.row)) })
	seen := make(map[part]bool, len(view))
	return slices.DeleteFunc(view, func(a arrival) bool {
		again := seen[a.part]
		seen[a.part] = true
		return again
	})
}

func (p *Optimistic) judge(c *change) Change {
	j := Change{Event: c.id, Channel: c.channel, Due: c.due}
	var until moment // up to when it stands on top of what others change
	switch {
	case c.rolledBack():
		j.Outcome, j.Settled, j.Err, until = RolledBack, c.failed.at, c.why, *c.failed
		j.Wrong = c.failed.at - c.due
	case c.taken == nil && c.own == nil:
		until = moment{at: math.MaxInt64}
	default:
		j.Outcome, until = Confirmed, moment{at: math.MaxInt64}
		if c.taken != nil {
			until = *c.taken
		}
		j.Settled = until.at
		if c.own != nil {
			j.Settled, until = min(j.Settled, c.own.at), *c.own
		}
	}
	view := p.views[seat{c.id.Publisher, c.channel}]
	from, _ := slices.BinarySearchFunc(view, c.due, func(a arrival, due int64) int {
		if a.at <= due {
			return -1
		}
		return 1
	})
	for _, a := range view[from:] {
		if !a.before(until) {
			break
		}
		j.Rebases++
		if j.Outcome == Confirmed {
			j.Wrong = a.at - c.due
		}
	}
	return j
}

// rolledBack says whether its sender took the change back. No reply is no reason as long as the event comes.
func (c *change) rolledBack() bool {
	if c.failed == nil || c.unanswered && c.own != nil {
		return false
	}
	done := c.taken
	if done == nil || c.own != nil && c.own.before(*done) {
		done = c.own
	}
	return done == nil || c.failed.before(*done)
}
