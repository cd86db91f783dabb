package ordering

import (
	"cmp"
	"math"
	"slices"
	"time"

	"holobench/history"
	"holobench/wire"
)

// DefaultWindow is the Window of an Analysis that names none.
const DefaultWindow = time.Second

// UserTieBelow is the TieBelow of a run whose stamps the process took itself: on a mostly idle machine such a stamp was up
// to 5.1 ms late, and unevenly.
const UserTieBelow = 5 * time.Millisecond

// Analysis finds the pairs of events on whose order the clients of a run disagree. Feed it the history by Add, then Close
// it. The zero value is ready. It holds 48 bytes a delivery and about 200 an event, and Close 40 more a delivery. Close
// compares each event with those of its channel due within Window: at every client that saw both when their deliveries
// overlap in time, at once when the last delivery of the one came before the first of the other. It is not safe for
// concurrent use.
type Analysis struct {
	// Window is how far apart two events may be due and still be a pair, both ends included; 0 = DefaultWindow.
	Window time.Duration

	// TieBelow is how close two deliveries on different sockets may be and still be a tie; 0 = UserTieBelow when the run's
	// stamps are "user", and else only what overlaps or touches. Negative = that, whatever the stamps are. It is raised
	// above the noise floor that the run's self-test found (history.Noise): what is closer than an order which the harness
	// was seen to invent has no order.
	TieBelow time.Duration

	commands   map[wire.EventID]*command
	numbers    map[part]uint32
	candidates []candidate
	deliveries []delivery
	latest     uint32 // the candidate of the last delivery: those of one event come together
}

// command is what the rows said about the sending of an event.
type command struct {
	sent, replied bool
	sentAt, due   int64
	repliedAt     int64  // the reply was good
	channel       uint32 // that Sent names; NoChannel = none
	load, node    uint16 // that asked for it, and that it was sent to; 0 = not known
	dispatches    []Dispatch
}

// candidate is an event, or a part of one, that somebody received: what pairs are made of.
type candidate struct {
	part    part
	channel uint32
	due     int64
	command *command // nil = no row about it
	sights  []sight  // one a client, by client
	first   int64    // at of its first sight anywhere
	last    int64    // at of its last first sight
	begin   int64    // the earliest notBefore of its sights
	viewers int      // number of the set of clients that saw it: two candidates with one number have one set
	rank    int      // by order of first sight, within its channel
}

// delivery is one Delivered row, without what its candidate knows.
type delivery struct {
	at, notBefore, handled int64
	candidate              uint32
	client                 uint32
	conn                   uint32
	host, node             uint16
	path                   history.Path
}

// Add takes the next rows of a history. Rows of one Conn must come in their order, those of different ones may come in any:
// the outcome is the same. Kinds that say nothing about order are passed over.
func (a *Analysis) Add(batch []history.Observation) {
	for i := range batch {
		o := &batch[i]
		switch o.Kind {
		case history.Delivered, history.Foreign:
			a.deliver(o)
		case history.Sent:
			a.command(o.Event).send(o)
		case history.Replied:
			if o.Err == history.NoErr {
				a.command(o.Event).reply(o)
			}
		case history.Dispatched:
			c := a.command(o.Event)
			c.dispatches = append(c.dispatches, Dispatch{At: o.At, Sequence: o.Sequence, Node: o.Node})
		default: // says nothing about order
		}
	}
}

func (a *Analysis) command(id wire.EventID) *command {
	c := a.commands[id]
	if c == nil {
		if a.commands == nil {
			a.commands = make(map[wire.EventID]*command)
		}
		c = new(command)
		a.commands[id] = c
	}
	return c
}

// send follows Membership: sent twice, it was sent the first time, on the channel with the smaller number.
func (c *command) send(o *history.Observation) {
	if o.Channel != history.NoChannel && (c.channel == history.NoChannel || o.Channel < c.channel) {
		c.channel = o.Channel
	}
	if !c.sent || o.At < c.sentAt || o.At == c.sentAt && o.Due < c.due {
		c.sentAt, c.due, c.load, c.node = o.At, o.Due, o.Load, o.Node
	}
	c.sent = true
}

func (c *command) reply(o *history.Observation) {
	if !c.replied || o.At < c.repliedAt {
		c.repliedAt = o.At
	}
	c.replied = true
}

func (a *Analysis) deliver(o *history.Observation) {
	name := part{id: o.Event, number: o.Part}
	if len(a.candidates) == 0 || a.candidates[a.latest].part != name {
		number, ok := a.numbers[name]
		if !ok {
			if a.numbers == nil {
				a.numbers = make(map[part]uint32)
			}
			number = uint32(len(a.candidates))
			a.numbers[name] = number
			a.candidates = append(a.candidates, candidate{part: name, channel: o.Channel, due: dueOf(o)})
		}
		a.latest = number
	}
	c := &a.candidates[a.latest]
	c.due = min(c.due, dueOf(o))
	if o.Channel != history.NoChannel && (c.channel == history.NoChannel || o.Channel < c.channel) {
		c.channel = o.Channel
	}
	a.deliveries = append(a.deliveries, delivery{
		at: o.At, notBefore: min(o.NotBefore, o.At), handled: o.Handled, candidate: a.latest,
		client: o.Client, conn: o.Conn, host: o.Host, node: o.Node, path: o.Path,
	})
}

// Close says that the rows are complete for now, and what run they are of, and returns what they show. More may follow, and
// another Close: that is how a run is watched while it goes on.
func (a *Analysis) Close(run history.Run) Divergence {
	w := &walk{
		found: Divergence{Window: cmp.Or(a.Window, DefaultWindow), TieBelow: tieBelow(a.TieBelow, &run)}, run: run,
		deliveries: a.deliveries, candidates: a.candidates,
	}
	w.least = max(1, int64(w.found.TieBelow))
	w.forward, w.found.Mixed = a.sockets()
	w.nodes = a.severalNodes()
	w.events = a.resolve(w.least, &w.found.Copies)
	w.all()
	return w.found
}

// tieBelow is how close arrivals on two sockets may be in that run and still be a tie, where TieBelow asks for that much.
func tieBelow(asked time.Duration, run *history.Run) time.Duration {
	ties := max(0, asked)
	if asked == 0 && run.Machine.Stamps == "user" {
		ties = UserTieBelow
	}
	if run.Noise != nil && run.Noise.Floor > 0 {
		ties = max(ties, time.Duration(run.Noise.Floor)+1)
	}
	return ties
}

// resolve returns all candidates with their sights, by channel, due time and name, and adds up the copies of events.
func (a *Analysis) resolve(least int64, copies *Copies) []candidate {
	events := slices.Clone(a.candidates)
	ends := make([]int, len(events)+1)
	for i := range a.deliveries {
		ends[a.deliveries[i].candidate+1]++
	}
	for i := range events {
		ends[i+1] += ends[i]
	}
	sights := make([]sight, len(a.deliveries))
	next := slices.Clone(ends)
	for i := range a.deliveries {
		d := &a.deliveries[i]
		sights[next[d.candidate]] = sight{at: d.at, notBefore: d.notBefore, client: d.client, conn: d.conn, row: uint32(i), node: d.node, path: d.path}
		next[d.candidate]++
	}
	for i := range events {
		e := &events[i]
		e.sights = firstSights(sights[ends[i]:ends[i+1]], least, copies)
		e.first, e.last, e.begin = e.sights[0].at, e.sights[0].at, e.sights[0].notBefore
		for _, s := range e.sights {
			e.first, e.last, e.begin = min(e.first, s.at), max(e.last, s.at), min(e.begin, s.notBefore)
		}
		e.command = a.commands[e.part.id]
		if e.command != nil && e.command.sent {
			e.due, e.channel = e.command.due, cmp.Or(e.command.channel, e.channel)
		}
	}
	slices.SortFunc(events, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.channel, b.channel), cmp.Compare(a.due, b.due),
			cmp.Compare(a.part.id.Publisher, b.part.id.Publisher), cmp.Compare(a.part.id.Seq, b.part.id.Seq), cmp.Compare(a.part.number, b.part.number))
	})
	numberViewers(events)
	return events
}

// numberViewers gives the candidates their sets of clients. Neighbours of one channel mostly have the same; two equal sets
// that do not stand next to each other may get two numbers, which costs time and changes nothing.
func numberViewers(events []candidate) {
	for i := 1; i < len(events); i++ {
		events[i].viewers = events[i-1].viewers
		if !slices.EqualFunc(events[i].sights, events[i-1].sights, func(s, t sight) bool { return s.client == t.client }) {
			events[i].viewers++
		}
	}
}

// sockets tells whether on no socket the stamps run backwards, so that stamps which lie apart say the same as the order of
// bytes, and how many clients got their deliveries on more than one socket.
func (a *Analysis) sockets() (forward bool, mixed int) {
	latest := make(map[connection]int64)
	first := make(map[uint32]uint32) // the first socket of a client; mixedSockets = there are more
	forward = true
	for i := range a.deliveries {
		d := &a.deliveries[i]
		socket := connection{d.client, d.conn}
		at, known := latest[socket]
		forward = forward && (!known || d.at >= at)
		latest[socket] = d.at
		if known {
			continue
		}
		if conn, known := first[d.client]; !known {
			first[d.client] = d.conn
		} else if conn != mixedSockets {
			first[d.client] = mixedSockets
			mixed++
		}
	}
	return forward, mixed
}

// severalNodes tells whether more than one node brought deliveries. Nodes that are not known count as one.
func (a *Analysis) severalNodes() bool {
	for i := range a.deliveries {
		if a.deliveries[i].node != a.deliveries[0].node {
			return true
		}
	}
	return false
}

const mixedSockets = math.MaxUint32
