package run

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"holobench/clients"
	"holobench/history"
	"holobench/internal/draw"
	"holobench/scenarios"
)

// faultClients carries out the faults that the plan puts on its clients, from the barrier on, until the function that it returns is
// called: then everybody who is away is let back. Only those of this share are hit, and each as if the run had one.
func (x *execution) faultClients(work context.Context, barrier time.Time) (stop func()) {
	ctx, cancel := context.WithCancel(work)
	var working sync.WaitGroup
	for i := range x.plan.Faults {
		f := &x.plan.Faults[i]
		switch f.Effect.(type) {
		case scenarios.Disconnection, scenarios.ReconnectStorm, scenarios.Churn:
			working.Go(func() { x.faultOf(ctx, f, barrier) })
		default: // it is one of links, and not carried out here
		}
	}
	return func() {
		cancel()
		working.Wait()
	}
}

// faultOf carries out the turns of one fault. Who is to come back later than a turn ends does so while the next goes on.
func (x *execution) faultOf(ctx context.Context, f *scenarios.Fault, barrier time.Time) {
	h := &hardship{x: x, fault: f, all: x.hearers(f.Where.Clients), away: make(map[int]int)}
	defer h.letAllBack()
	for turn, begin := range f.Begins(x.plan.End()) {
		h.turn = turn
		at := barrier.Add(begin)
		if !h.until(ctx, at) {
			return
		}
		h.note(history.FaultBegins)
		h.plan(at)
		ended := h.until(ctx, at.Add(f.For))
		if _, churns := f.Effect.(scenarios.Churn); churns {
			h.letAllBack()
		}
		h.note(history.FaultEnds)
		if !ended {
			return
		}
	}
	for len(h.next) > 0 && h.until(ctx, h.next[0].at) { // the last ones come back
	}
}

// hearers are the clients of a group that hold a stream, of all groups when it is "", as the plan numbers them; nil = of another
// share.
func (x *execution) hearers(group string) []*clients.Client {
	var all []*clients.Client
	for i := range x.plan.Groups {
		g := &x.plan.Groups[i]
		if g.listens() && (group == "" || group == g.Name) {
			from := x.plan.first(i)
			all = append(all, x.everybody[from:from+g.Count]...)
		}
	}
	return all
}

// hardship is one fault at work.
type hardship struct {
	x     *execution
	fault *scenarios.Fault
	all   []*clients.Client
	turn  int
	next  moves
	away  map[int]int // how often each is away, by its place in all
	moves int         // that were planned so far
	churn int         // departures of this turn
}

// move is that a client leaves, or comes back.
type move struct {
	at     time.Time
	order  int // of those at one time, the one that was planned first
	client int // its place in hardship.all; -1 = one that is drawn then
	back   bool
}

// moves are a heap, the next one first.
type moves []move

func (m moves) Len() int { return len(m) }
func (m moves) Less(i, j int) bool {
	return m[i].at.Before(m[j].at) || m[i].at.Equal(m[j].at) && m[i].order < m[j].order
}
func (m moves) Swap(i, j int) { m[i], m[j] = m[j], m[i] }
func (m *moves) Push(v any)   { *m = append(*m, v.(move)) }
func (m *moves) Pop() any {
	last := len(*m) - 1
	v := (*m)[last]
	*m = (*m)[:last]
	return v
}

func (h *hardship) add(m move) {
	h.moves++
	m.order = h.moves
	heap.Push(&h.next, m)
}

// unit draws for a client, or for a departure.
func (h *hardship) unit(what string, n int) float64 {
	return draw.Unit(h.x.plan.Seed, draw.Name("fault"), draw.Name(h.fault.Name), uint64(h.turn), draw.Name(what), uint64(n)) //nolint:gosec // none is negative
}

// plan plans the moves of one turn.
func (h *hardship) plan(begin time.Time) {
	switch effect := h.fault.Effect.(type) {
	case scenarios.Disconnection:
		for _, client := range h.fault.Hits(h.x.plan.Seed, h.turn, len(h.all)) {
			at := begin.Add(time.Duration(h.unit("leave", client) * float64(effect.Within)))
			h.add(move{at: at, client: client})
			h.add(move{at: at.Add(effect.Away.Duration(h.unit("away", client))), client: client, back: true})
		}
	case scenarios.ReconnectStorm:
		for _, client := range h.fault.Hits(h.x.plan.Seed, h.turn, len(h.all)) {
			h.add(move{at: begin, client: client})
			jitter := time.Duration(h.unit("back", client) * float64(effect.Within))
			h.add(move{at: begin.Add(effect.Away + jitter), client: client, back: true})
		}
	case scenarios.Churn:
		h.churn = 0
		h.planDeparture(begin, effect)
	}
}

// planDeparture plans when the next client leaves, which is drawn only then: nobody knows yet who will be there.
func (h *hardship) planDeparture(begin time.Time, effect scenarios.Churn) {
	h.churn++
	if after := departure(h.churn, effect.Rate, h.fault.Ramp); after < h.fault.For {
		h.add(move{at: begin.Add(after), client: -1})
	}
}

// until carries out the moves up to a time; false means that ctx ended first.
func (h *hardship) until(ctx context.Context, end time.Time) bool {
	for len(h.next) > 0 && !h.next[0].at.After(end) {
		if !pause(ctx, time.Until(h.next[0].at)) {
			return false
		}
		h.carryOut(heap.Pop(&h.next).(move))
	}
	return pause(ctx, time.Until(end))
}

func (h *hardship) carryOut(m move) {
	switch {
	case m.back:
		h.comesBack(m.client)
	case m.client >= 0:
		h.leaves(m.client)
	default:
		h.departs(m.at)
	}
}

// departs lets one of those leave that are there, each as likely, and plans the next departure.
func (h *hardship) departs(at time.Time) {
	effect, ok := h.fault.Effect.(scenarios.Churn)
	if !ok {
		return // never: only churn plans such moves
	}
	number, begin := h.churn, at.Add(-departure(h.churn, effect.Rate, h.fault.Ramp))
	var there []int
	for client := range h.all {
		if h.away[client] == 0 {
			there = append(there, client)
		}
	}
	if len(there) > 0 {
		client := there[int(h.unit("who", number)*float64(len(there)))]
		h.leaves(client)
		h.add(move{at: at.Add(effect.Away.Duration(h.unit("away", number))), client: client, back: true})
	}
	h.planDeparture(begin, effect)
}

func (h *hardship) leaves(client int) {
	h.away[client]++
	if c := h.all[client]; c != nil {
		c.GoAway()
	}
}

func (h *hardship) comesBack(client int) {
	if h.away[client] == 0 {
		return // all were let back since
	}
	if h.away[client]--; h.away[client] == 0 {
		delete(h.away, client)
	}
	if c := h.all[client]; c != nil {
		c.ComeBack()
	}
}

// letAllBack lets everybody back who is away.
func (h *hardship) letAllBack() {
	h.next = nil
	for client := range h.all {
		for h.away[client] > 0 {
			h.comesBack(client)
		}
	}
}

// note notes that the fault begins or ends.
func (h *hardship) note(kind history.Kind) {
	at := h.x.now()
	h.x.o.Record.Observe([]history.Observation{{
		Kind: kind, NotBefore: at, At: at, Handled: at, Sequence: uint64(h.turn) + 1, Err: h.x.reason(h.fault.Name), //nolint:gosec // not negative
	}})
}
