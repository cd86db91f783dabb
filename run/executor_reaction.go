package run

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"holobench/clients"
	"holobench/internal/draw"
	"holobench/wire"
)

// reaction is a load at work whose clients answer events of others. Whether one answers, and after what time, are pure functions of
// the seed, the client and the event; what there is to answer is not, and so the plan does not know how many commands there
// will be.
type reaction struct {
	x      *execution
	load   int
	agenda *agenda
	from   atomic.Int64 // events that arrived before it, or would be answered from to on, are not answered; 0 = not begun
	to     atomic.Int64

	mu       sync.Mutex
	answered recent[answer] // an event that comes twice is answered once
}

// answer names an event, and a client that answers it.
type answer struct {
	sender int
	event  wire.EventID
}

// reactions makes the reacting loads, and lets their clients listen.
func (x *execution) reactions() {
	for i := range x.plan.Loads {
		l := &x.plan.Loads[i]
		if l.Reaction == nil {
			continue
		}
		r := &reaction{x: x, load: i, agenda: newAgenda()}
		x.reacting[i] = r
		first := x.plan.first(l.Group)
		for sender := range l.Only {
			if x.plan.sends(i, sender) {
				x.listen(uint32(first+sender), func(h *clients.Heard) { r.heard(sender, h) }) //nolint:gosec // not negative
			}
		}
	}
}

// heard decides whether an event is answered. The decision comes first, because the name of an event costs more.
func (r *reaction) heard(sender int, h *clients.Heard) {
	l := &r.x.plan.Loads[r.load]
	id := uint64(r.x.plan.first(l.Group) + sender) //nolint:gosec // not negative
	from := r.from.Load()
	if from == 0 || h.At < from || h.Event == (wire.EventID{}) || uint64(h.Event.Publisher) == id {
		return
	}
	event := uint64(h.Event.Publisher)<<32 | uint64(h.Event.Seq)
	if draw.Unit(r.x.plan.seed(r.load, ofReacting), id, event) >= l.Reaction.Share || h.Name() != l.Reaction.Event {
		return
	}
	due := h.At + int64(l.Reaction.After.Duration(draw.Unit(r.x.plan.seed(r.load, ofDelay), id, event)))
	depth := r.x.answers.depth(h.Event) + 1
	if due >= r.to.Load() || depth > max(1, l.Reaction.Depth) || !r.once(answer{sender, h.Event}) {
		return
	}
	r.agenda.add(act{load: r.load, sender: sender, index: event, due: due, depth: depth})
}

// once says whether that was not answered before.
func (r *reaction) once(a answer) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, known := r.answered.get(a)
	if !known {
		r.answered.put(a, 0)
	}
	return !known
}

// react carries a reacting load out.
func (x *execution) react(work context.Context, i int, start time.Time) error {
	r, from := x.reacting[i], start.UnixNano()-x.epoch
	end := from + int64(x.plan.Loads[i].Reaction.For)
	if !x.sleepUntil(work, start) {
		return nil
	}
	r.to.Store(end)
	r.from.Store(max(1, from))
	defer r.from.Store(0)
	x.carryOutAgenda(work, r.agenda, end, func() bool { return false }, func(a act) { x.begin(a, nil) })
	return nil
}

// answers knows which events are reactions, and to how many events before them in a row: a load that reacted to what it causes
// would never end. It is of this process: reactions of others look like any event.
type answers struct {
	mu     sync.Mutex
	depths recent[wire.EventID]
}

// record notes the event that post causes, before anybody can hear it.
func (a *answers) record(depth int, post func() wire.EventID) wire.EventID {
	a.mu.Lock()
	defer a.mu.Unlock()
	event := post()
	a.depths.put(event, depth)
	return event
}

// depth is 0 for an event that is no reaction.
func (a *answers) depth(event wire.EventID) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	depth, _ := a.depths.get(event)
	return depth
}

// recent remembers a number for each of the keys that were put last, at least recentKeys of them and at most twice as many.
type recent[K comparable] struct{ newer, older map[K]int }

const recentKeys = 1 << 19

func (r *recent[K]) get(key K) (number int, ok bool) {
	if number, ok = r.newer[key]; !ok {
		number, ok = r.older[key]
	}
	return number, ok
}

func (r *recent[K]) put(key K, number int) {
	if r.newer == nil || len(r.newer) >= recentKeys {
		r.newer, r.older = make(map[K]int), r.newer
	}
	r.newer[key] = number
}
