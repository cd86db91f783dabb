package ordering

import (
	"cmp"
	"slices"
	"time"

	"holobench/history"
	"holobench/wire"
)

// Elsewhere finds for each command whether somebody else saw its event before its sender knew what had become of it: before the
// good reply and before the sender's own view of the event (self-echo), whichever comes first. Feed it the history by Add, then
// Close it. It holds about 150 bytes a command and nothing for a delivery. It is not safe for concurrent use.
//
// Seen elsewhere first is only what is certain: some other client had the event at a time after which everything came to the
// sender that told it of it. As far as the stamps give no order it is a tie. The lead is what is certain too: from the first
// arrival elsewhere to the beginning of the interval in which the sender learned of it.
type Elsewhere struct {
	// TieBelow is as in Analysis.
	TieBelow time.Duration

	commands map[wire.EventID]*known
	latest   *known // the one of the last row: deliveries of one event come together
}

// known is when one event came to be known, to its sender and to others.
type known struct {
	id     wire.EventID
	due    int64
	sender sighting
	others sighting
}

// sighting is the first of several arrivals: it came in (notBefore, at], for all that is known.
type sighting struct {
	notBefore, at int64
	any           bool
}

func (s *sighting) add(o *history.Observation) {
	notBefore := min(o.NotBefore, o.At)
	if !s.any {
		s.notBefore, s.at, s.any = notBefore, o.At, true
		return
	}
	s.notBefore, s.at = min(s.notBefore, notBefore), min(s.at, o.At)
}

// Headway is a command whose event others saw, as to who knew of it first.
type Headway struct {
	Event wire.EventID
	Due   int64
	First Knower
	Lead  int64 // by which others were first; of SenderNeverKnew 0
}

// Knower says who knew of an event first.
type Knower uint8

// The answers.
const (
	SenderFirst Knower = iota
	OthersFirst
	NobodyFirst     // the stamps give no order
	SenderNeverKnew // others saw it, and the sender got neither a good reply nor the event
)

// Add takes the next rows of a history, in any order.
func (e *Elsewhere) Add(batch []history.Observation) {
	for i := range batch {
		o := &batch[i]
		switch {
		case o.Kind == history.Sent:
			e.of(o).due = o.Due
		case o.Kind == history.Replied && o.Err == history.NoErr,
			o.Kind == history.Delivered && o.Client == o.Event.Publisher:
			e.of(o).sender.add(o)
		case o.Kind == history.Delivered:
			e.of(o).others.add(o)
		}
	}
}

func (e *Elsewhere) of(o *history.Observation) *known {
	if e.latest != nil && e.latest.id == o.Event {
		return e.latest
	}
	k := e.commands[o.Event]
	if k == nil {
		if e.commands == nil {
			e.commands = make(map[wire.EventID]*known)
		}
		k = &known{id: o.Event, due: o.Due}
		e.commands[o.Event] = k
	}
	e.latest = k
	return k
}

// Close yields every command whose event others saw, by due time and name. It may be called again after more rows.
func (e *Elsewhere) Close(run history.Run, yield func(Headway)) {
	least := max(1, int64(tieBelow(e.TieBelow, &run)))
	all := make([]*known, 0, len(e.commands))
	for _, k := range e.commands {
		if k.others.any {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, func(a, b *known) int {
		return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.id.Publisher, b.id.Publisher), cmp.Compare(a.id.Seq, b.id.Seq))
	})
	for _, k := range all {
		yield(k.headway(least))
	}
}

func (k *known) headway(least int64) Headway {
	h := Headway{Event: k.id, Due: k.due}
	switch lead := k.sender.notBefore - k.others.at; {
	case !k.sender.any:
		h.First = SenderNeverKnew
	case lead >= least:
		h.First, h.Lead = OthersFirst, lead
	case k.others.notBefore-k.sender.at >= least:
		h.First = SenderFirst
	default:
		h.First = NobodyFirst
	}
	return h
}
