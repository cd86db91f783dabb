package ordering

import (
	"cmp"
	"math"
	"slices"
	"time"

	"holobench/history"
	"holobench/wire"
)

// Resequencer says what apps would have seen whose clients put the numbered events of a channel into order before they hand
// them on: what each event would have waited for, and what order would have been left. Feed it the history by Add, then Close
// it once. It holds about 350 bytes for each event that such a client received, and its Analysis what an Analysis holds. It is
// not safe for concurrent use. The package comment defines the hold-back queue.
type Resequencer struct {
	// MaxHold is how long that client holds an event back at most; 0 = it is no resequencer, and its app sees events as they
	// arrive.
	MaxHold func(client uint32) time.Duration

	Window time.Duration // as in Analysis

	Handed func(*Handing) // called by Close for each event at each resequencer; nil = nobody asks
	GaveUp func(*Gap)     // called by Close for each stretch of numbers that was given up; nil = nobody asks

	queues map[seat]*holdback
	app    Analysis
	found  Resequenced
}

// Resequenced is what all resequencers of a run come to. The numbers of two channels are never compared.
type Resequenced struct {
	Clients    int    // resequencers that were subscribed
	Events     int    // that they handed on: (event, client)
	Held       int    // of them: those that waited
	Late       int    // of them: those whose number had been passed, handed on out of order
	Unnumbered int    // of them: those without a number, which were handed on at once
	GivenUp    uint64 // numbers, by client, that were waited for in vain

	// Inversions are pairs of events of one channel that a resequencer got, or handed on, against the order of their numbers.
	InversionsArrived, InversionsHanded int

	App Divergence // of what the apps of all clients saw, with and without a resequencer
}

// Handing is one event at one resequencer.
type Handing struct {
	Event   wire.EventID
	Part    uint32
	Client  uint32
	Channel uint32
	Due     int64
	At      int64 // it arrived
	Handed  int64 // to the app
	Depth   int   // events of the channel that the client held back then, when all that arrived with it had been looked at
	Late    bool  // its number had been passed
}

// Gap is a stretch of numbers that a client gave up, both ends included.
type Gap struct {
	Client, Channel uint32
	First, Last     uint64
	At              int64
}

// seat is a client of a channel.
type seat struct{ client, channel uint32 }

// holdback is what came for one seat.
type holdback struct {
	seat
	subscribed bool
	arrivals   []history.Observation // rows that bring an event, and good replies that say its number
	notices    []notice
}

// notice says that numbers below upTo do not come any more, at any rate not by this stream.
type notice struct {
	at       int64
	upTo     uint64
	snapshot bool // what they did is in what came with it
}

// Add takes the next rows of a history. Rows of one Conn must come in their order, those of different ones may come in any.
func (r *Resequencer) Add(batch []history.Observation) {
	r.app.Window = r.Window
	from := 0
	for i := range batch {
		o := &batch[i]
		hold := r.MaxHold(o.Client) > 0
		if hold {
			r.take(o)
		}
		if hold && o.Kind.BringsEvent() { // its app sees it later
			r.app.Add(batch[from:i])
			from = i + 1
		}
	}
	r.app.Add(batch[from:])
}

func (r *Resequencer) take(o *history.Observation) {
	switch o.Kind {
	case history.Subscribed:
		r.queue(o).subscribed = true
	case history.Delivered, history.Foreign:
		q := r.queue(o)
		q.arrivals = append(q.arrivals, *o)
	case history.Replied: // the sender knows what it said, and now where it belongs
		if o.Err == history.NoErr && o.Sequence > 0 {
			q := r.queue(o)
			q.arrivals = append(q.arrivals, *o)
		}
	case history.Heartbeat: // with a number it is a snapshot, or says that a part is missing
		if o.Sequence > 0 && o.Channel != history.NoChannel {
			q := r.queue(o)
			n := notice{at: o.At, upTo: o.Sequence, snapshot: o.Err == history.NoErr}
			if n.snapshot && n.upTo < math.MaxUint64 {
				n.upTo++
			}
			q.notices = append(q.notices, n)
		}
	default: // nothing for the queue
	}
}

func (r *Resequencer) queue(o *history.Observation) *holdback {
	at := seat{o.Client, o.Channel}
	q := r.queues[at]
	if q == nil {
		if r.queues == nil {
			r.queues = make(map[seat]*holdback)
		}
		q = &holdback{seat: at}
		r.queues[at] = q
	}
	return q
}

// Close says that the rows are complete, and what run they are of.
func (r *Resequencer) Close(run history.Run) Resequenced {
	queues := make([]*holdback, 0, len(r.queues))
	for _, q := range r.queues {
		queues = append(queues, q)
	}
	slices.SortFunc(queues, func(a, b *holdback) int {
		return cmp.Or(cmp.Compare(a.client, b.client), cmp.Compare(a.channel, b.channel))
	})
	last, counted := uint32(0), false
	for _, q := range queues {
		r.carryOut(q)
		if q.subscribed && (!counted || q.client != last) {
			r.found.Clients++
			last, counted = q.client, true
		}
	}
	r.found.App = r.app.Close(run)
	return r.found
}

// carryOut hands on what came for one seat. A client that is not subscribed has nothing to put into order.
func (r *Resequencer) carryOut(q *holdback) {
	if !q.subscribed {
		r.app.Add(slices.DeleteFunc(q.arrivals, func(o history.Observation) bool { return o.Kind == history.Replied }))
		return
	}
	var shown []*waiting
	hold := int64(r.MaxHold(q.client))
	for _, e := range q.epochs() {
		shown = append(shown, r.settle(&e, q.seat, hold)...)
	}
	depths(shown)
	slices.SortStableFunc(shown, func(a, b *waiting) int {
		return cmp.Or(cmp.Compare(a.handed, b.handed), cmp.Compare(a.epoch, b.epoch), cmp.Compare(a.row.Sequence, b.row.Sequence))
	})
	rows := make([]history.Observation, 0, len(shown))
	for _, w := range shown {
		rows = append(rows, r.show(w, q.seat))
	}
	r.app.Add(rows)
	q.arrivals = nil
}

// show lets the app see an event: all that one seat gets it gets by one way, so that order is what it was handed on in.
func (r *Resequencer) show(w *waiting, at seat) (seen history.Observation) {
	r.found.Events++
	switch {
	case w.row.Sequence == 0:
		r.found.Unnumbered++
	case w.late:
		r.found.Late++
	case w.handed > w.row.At:
		r.found.Held++
	}
	if r.Handed != nil {
		r.Handed(&Handing{
			Event: w.row.Event, Part: w.row.Part, Client: at.client, Channel: at.channel, Due: dueOf(w.row),
			At: w.row.At, Handed: w.handed, Depth: w.depth, Late: w.late,
		})
	}
	seen = *w.row
	if seen.Kind == history.Replied {
		seen.Kind, seen.Path = history.Delivered, history.Reply
	}
	seen.NotBefore, seen.At, seen.Conn = w.handed, w.handed, 1+at.channel
	return seen
}
