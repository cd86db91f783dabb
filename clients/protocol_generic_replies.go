package clients

import (
	"slices"
	"sync"
	"time"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/http1"
)

// Replies joins the events of a server with the commands of which they come, where only the reply to a command tells what the server
// calls its event. An event often comes before that reply. What a stream brought from such an event on is kept back, so that
// the rows of a connection stay in the order of its bytes; it goes on when the reply is there, when the connection is over, or
// when too much has been kept or for too long. An event that no reply has named by then is foreign.
type Replies struct {
	Reply Pick         // what a reply calls the event
	Event NameOf       // what an event is called
	Now   func() int64 // the clock of Observation.At; nil = what waits on a silent connection is let go with its next row
	Take  func([]history.Observation)

	mu      sync.Mutex
	watched bool                          // a timer will look at what is kept
	known   map[wire.EventID]namedCommand // by the foreign name
	oldest  []wire.EventID                // a ring of the keys of known
	next    int
	kept    map[socketOf][]history.Observation
	waiting map[wire.EventID][]socketOf // whose first kept row is that event
}

// namedCommand is the event of a command, and when that was due.
type namedCommand struct {
	event wire.EventID
	due   int64
}

// socketOf names a connection of a client.
type socketOf struct{ client, conn uint32 }

// The limits of what is kept back, and of what is remembered.
const (
	maxKept     = 4096                    // rows of one connection
	maxKeptTime = int64(10 * time.Second) // since the arrival of the first row
	keptLook    = int64(time.Second)      // between two looks at connections that are silent
	maxReplies  = 1 << 20                 // names that replies gave; the oldest is forgotten
)

// event is what events are called; nil = replies do not name them.
func (r *Replies) event() NameOf {
	if r == nil {
		return nil
	}
	return r.Event
}

// join gives an event the name of the command that it comes from, when that is known.
func (r *Replies) join(o *history.Observation) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.joined(o)
}

// joined is join for whoever holds the lock; it tells whether o waits for no reply any more.
func (r *Replies) joined(o *history.Observation) bool {
	if o.Kind != history.Foreign {
		return true
	}
	command, ok := r.known[o.Event]
	if ok {
		o.Kind, o.Event, o.Due = history.Delivered, command.event, command.due
	}
	return ok
}

// named takes what a reply calls the event of a command.
func (r *Replies) named(channel string, body []byte, fields []http1.Field, m wire.Marker) {
	if r == nil {
		return
	}
	name, ok := r.Reply(body, fields)
	if !ok || len(name) == 0 {
		return
	}
	id := wire.ForeignEvent(channel, name)
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.known[id]; known {
		return // a command that was sent again is no second event
	}
	r.remember(id, namedCommand{event: m.Event, due: m.Due})
	sockets := r.waiting[id]
	delete(r.waiting, id)
	var out []history.Observation
	for _, socket := range sockets {
		out = r.release(out, socket)
	}
	if len(out) > 0 {
		r.Take(out)
	}
}

func (r *Replies) remember(id wire.EventID, command namedCommand) {
	if r.known == nil {
		r.known = make(map[wire.EventID]namedCommand)
	}
	if len(r.oldest) < maxReplies {
		r.oldest = append(r.oldest, id)
	} else {
		delete(r.known, r.oldest[r.next])
		r.oldest[r.next] = id
		r.next = (r.next + 1) % maxReplies
	}
	r.known[id] = command
}

// Observe takes rows in place of Take, and hands them on as soon as it can.
func (r *Replies) Observe(batch []history.Observation) {
	r.mu.Lock()
	if !r.concerns(batch) {
		r.mu.Unlock()
		r.Take(batch)
		return
	}
	defer r.mu.Unlock() // what follows on the same connection must not overtake it
	var out []history.Observation
	for i := range batch {
		out = r.put(out, batch[i])
	}
	if len(out) > 0 {
		r.Take(out)
	}
}

// concerns says whether a row is one to keep back, or one behind such.
func (r *Replies) concerns(batch []history.Observation) bool {
	for i := range batch {
		if batch[i].Kind == history.Foreign {
			return true
		}
		if _, kept := r.kept[socketOf{batch[i].Client, batch[i].Conn}]; kept {
			return true
		}
	}
	return false
}

// put keeps a row back or appends it, and what it frees, to out.
func (r *Replies) put(out []history.Observation, o history.Observation) []history.Observation {
	socket := socketOf{o.Client, o.Conn}
	kept, waits := r.kept[socket]
	if !waits && r.joined(&o) {
		return append(out, o)
	}
	if r.kept == nil {
		r.kept, r.waiting = make(map[socketOf][]history.Observation), make(map[wire.EventID][]socketOf)
	}
	r.kept[socket] = append(kept, o)
	if !waits {
		r.waiting[o.Event] = append(r.waiting[o.Event], socket)
		r.watch(o.At)
		return out
	}
	over := o.Kind == history.Ended || o.Kind == history.Closed
	for kept := r.kept[socket]; len(kept) > 0 && (over || len(kept) > maxKept || o.At-kept[0].At > maxKeptTime); kept = r.kept[socket] {
		out = r.release(r.giveUp(out, socket), socket)
	}
	return out
}

// watch sees to it that what has been kept since then is let go in time, also when nothing more comes. Nothing runs while nothing is kept.
func (r *Replies) watch(since int64) {
	if r.watched || r.Now == nil {
		return
	}
	r.watched = true
	time.AfterFunc(time.Duration(max(since+maxKeptTime-r.Now(), keptLook)), r.look)
}

// look lets go what has been kept for too long.
func (r *Replies) look() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watched = false
	now := r.Now()
	oldest := now
	var out []history.Observation
	for socket := range r.kept {
		for kept := r.kept[socket]; len(kept) > 0; kept = r.kept[socket] {
			if now-kept[0].At < maxKeptTime {
				oldest = min(oldest, kept[0].At)
				break
			}
			out = r.release(r.giveUp(out, socket), socket)
		}
	}
	if len(r.kept) > 0 {
		r.watch(oldest)
	}
	if len(out) > 0 {
		r.Take(out)
	}
}

// giveUp hands on the first kept row of a connection as it is: nobody waits any more for what it comes from.
func (r *Replies) giveUp(out []history.Observation, socket socketOf) []history.Observation {
	kept := r.kept[socket]
	id := kept[0].Event
	r.waiting[id] = slices.DeleteFunc(r.waiting[id], func(s socketOf) bool { return s == socket })
	if len(r.waiting[id]) == 0 {
		delete(r.waiting, id)
	}
	r.kept[socket] = kept[1:]
	return append(out, kept[0])
}

// release hands on the kept rows of a connection up to the next that waits.
func (r *Replies) release(out []history.Observation, socket socketOf) []history.Observation {
	kept := r.kept[socket]
	for i := range kept {
		if !r.joined(&kept[i]) {
			r.kept[socket] = kept[i:]
			id := kept[i].Event
			r.waiting[id] = append(r.waiting[id], socket)
			return out
		}
		out = append(out, kept[i])
	}
	delete(r.kept, socket)
	return out
}
