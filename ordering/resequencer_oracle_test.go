package ordering_test

import (
	"cmp"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"holobench/history"
	"holobench/ordering"
	"holobench/wire"
)

// This file holds Resequencer against a client that really has a hold-back queue: it is told moment by moment what comes, has a
// timer for each event that it holds, and knows nothing of what will come.

// queueing is such a client of one channel.
type queueing struct {
	hold     int64
	next     uint64 // the number that it waits for
	covered  uint64 // numbers below it are in a snapshot
	held     []history.Observation
	seen     map[wire.EventID]bool
	highest  uint64 // by the stream
	handings []ordering.Handing
	gaps     uint64
	order    [2][]uint64 // numbers, as they arrived and as they were handed on, of this series
	turned   [2]int      // inversions
}

// hand hands an event on.
func (q *queueing) hand(o history.Observation, at int64, late bool) {
	q.order[1] = append(q.order[1], o.Sequence)
	q.handings = append(q.handings, ordering.Handing{Event: o.Event, Client: o.Client, Channel: o.Channel, Due: o.Due, At: o.At, Handed: at, Late: late})
}

// pass gives up all numbers below that one which have not come.
func (q *queueing) pass(number uint64, at int64) {
	for ; q.next < number; q.next++ {
		if !q.free(at) && q.next >= q.covered {
			q.gaps++
		}
	}
	q.run(at)
}

// free hands on what is held of the number that is waited for.
func (q *queueing) free(at int64) (found bool) {
	q.held = slices.DeleteFunc(q.held, func(o history.Observation) bool {
		if o.Sequence != q.next {
			return false
		}
		q.hand(o, at, false)
		found = true
		return true
	})
	return found
}

func (q *queueing) run(at int64) {
	for q.free(at) {
		q.next++
	}
}

// arrive takes what comes in one moment. Late ones are sorted among it, for they are shown in the same moment.
func (q *queueing) arrive(rows []history.Observation, at int64) {
	slices.SortStableFunc(rows, func(a, b history.Observation) int { return cmp.Compare(a.Sequence, b.Sequence) })
	for _, o := range rows {
		switch {
		case o.Sequence == 0:
			q.hand(o, at, false)
		case o.Sequence < q.next:
			q.hand(o, at, true)
		default:
			q.held = append(q.held, o)
		}
	}
	for _, o := range rows {
		q.order[0] = append(q.order[0], o.Sequence)
	}
	q.run(at)
}

// expire fires the timers that are due before that time, or then too.
func (q *queueing) expire(before int64) {
	for len(q.held) > 0 {
		first := slices.MinFunc(q.held, func(a, b history.Observation) int { return cmp.Compare(a.At, b.At) })
		at := first.At + q.hold
		if at >= before {
			return
		}
		q.pass(first.Sequence+1, at)
	}
}

// anew ends the series of numbers.
func (q *queueing) anew(number uint64, at int64) {
	for len(q.held) > 0 {
		q.pass(q.next+1, at)
	}
	q.count()
	q.next, q.covered, q.highest = number, 0, 0
}

func (q *queueing) count() {
	for i, numbers := range q.order {
		for k, b := range numbers {
			for _, a := range numbers[:k] {
				if b > 0 && a > b {
					q.turned[i]++
				}
			}
		}
		q.order[i] = nil
	}
}

// live carries the queue through what comes, row by row.
func (q *queueing) live(rows []history.Observation) {
	q.seen = map[wire.EventID]bool{}
	q.next = beginning(rows, q.hold)
	for len(rows) > 0 {
		at, end := rows[0].At, 1
		for end < len(rows) && rows[end].At == at {
			end++
		}
		q.expire(at)
		q.moment(rows[:end], at)
		q.expire(at + 1)
		rows = rows[end:]
	}
	q.expire(1 << 40)
	q.count()
}

// moment is all that comes at one time: events first.
func (q *queueing) moment(rows []history.Observation, at int64) {
	var events []history.Observation
	for _, o := range rows {
		if o.Kind == history.Delivered && o.Path == history.SSE {
			q.highest = max(q.highest, o.Sequence)
		}
		if o.Kind != history.Heartbeat && !q.seen[o.Event] {
			q.seen[o.Event] = true
			events = append(events, o)
		}
	}
	q.arrive(events, at)
	for _, o := range rows {
		switch {
		case o.Kind != history.Heartbeat:
		case o.Err == 0:
			q.covered = max(q.covered, o.Sequence+1)
			q.pass(o.Sequence+1, at)
		case o.Sequence > q.highest:
			q.pass(o.Sequence, at)
		default:
			q.anew(o.Sequence, at)
		}
	}
}

// beginning is what a server tells a new stream: with which number it begins. Where no number comes, nothing is waited for.
func beginning(rows []history.Observation, hold int64) (first uint64) {
	var opened int64
	highest, never := uint64(0), uint64(1<<40)
	first = never
	for _, o := range rows {
		switch {
		case o.Kind == history.Heartbeat && o.Err != 0 && o.Sequence <= highest:
			return first
		case o.Kind == history.Heartbeat || o.Sequence == 0:
			continue
		case first == never:
			first, opened = o.Sequence, o.At
		case o.At <= opened+hold:
			first = min(first, o.Sequence)
		}
		if o.Kind == history.Delivered && o.Path == history.SSE {
			highest = max(highest, o.Sequence)
		}
	}
	return first
}

// inventSeat makes what one client of a channel sees: numbers that come mostly in order, some late, some never, some twice, some
// in a reply, and sometimes a snapshot or word of a part that is missing.
func inventSeat(random *rand.Rand, client, channel uint32) (rows []history.Observation) {
	base := uint32(random.IntN(3))
	for n := 1 + base; n <= base+uint32(2+random.IntN(9)); n++ {
		if random.IntN(6) == 0 {
			continue
		}
		o := history.Observation{
			Kind: history.Delivered, Path: history.SSE, Client: client, Channel: channel, Conn: 1, Due: int64(n), Sequence: uint64(n),
			Event: wire.EventID{Publisher: channel, Seq: n}, At: int64(n) + random.Int64N(6),
		}
		switch random.IntN(12) {
		case 0:
			o.Sequence = 0
		case 1, 2:
			o.Kind, o.Path, o.Conn = history.Replied, history.NoPath, 2
			o.Event.Publisher = client
		case 3:
			o.Kind, o.Path, o.Conn = history.Delivered, history.Reply, 2
		}
		o.NotBefore = o.At
		rows = append(rows, o)
		if o.Kind == history.Delivered && random.IntN(8) == 0 { // two events in one message
			beside := o
			beside.Event.Publisher += 7
			rows = append(rows, beside)
		}
		if random.IntN(5) == 0 {
			again := o
			again.Kind, again.Path, again.At = history.Delivered, history.SSE, o.At+random.Int64N(5)
			rows = append(rows, again)
		}
	}
	for range random.IntN(3) {
		rows = append(rows, history.Observation{
			Kind: history.Heartbeat, Client: client, Channel: channel, Conn: 1, At: random.Int64N(16), Sequence: 1 + random.Uint64N(10), Err: uint16(random.IntN(2)),
		})
	}
	slices.SortStableFunc(rows, func(a, b history.Observation) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(lastOfMoment(a), lastOfMoment(b)))
	})
	return rows
}

// lastOfMoment puts what is no event behind the events of its moment.
func lastOfMoment(o history.Observation) int {
	if o.Kind == history.Heartbeat {
		return 1
	}
	return 0
}

// TestResequencerIsAQueue: what is computed from the whole history is what a client does that lives through it.
func TestResequencerIsAQueue(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 7))
	sure := map[string]int{}
	for turn := range 5_000 {
		hold := int64(1 + random.IntN(6))
		var rows []history.Observation
		rows = append(rows, history.Observation{Kind: history.Subscribed, Client: 1, Channel: 1, Conn: 1})
		seat := inventSeat(random, 1, 1)
		rows = append(rows, seat...)
		q := queueing{hold: hold}
		q.live(slices.Clone(seat))
		checkQueue(t, turn, rows, &q, sure)
		if t.Failed() {
			return
		}
	}
	for _, what := range []string{"held", "late", "given up", "turned", "unnumbered"} {
		if sure[what] < 100 {
			t.Errorf("only %d cases of %q: the test says little", sure[what], what)
		}
	}
}

func checkQueue(t *testing.T, turn int, rows []history.Observation, q *queueing, sure map[string]int) {
	t.Helper()
	for i := range q.handings { // by the definition
		h := &q.handings[i]
		for _, other := range q.handings {
			if other.At <= h.At && h.At < other.Handed {
				h.Depth++
			}
		}
	}
	var got []ordering.Handing
	gaps := uint64(0)
	r := ordering.Resequencer{
		MaxHold: func(uint32) time.Duration { return time.Duration(q.hold) },
		Handed:  func(h *ordering.Handing) { got = append(got, *h) },
		GaveUp:  func(g *ordering.Gap) { gaps += g.Last - g.First + 1 },
	}
	r.Add(rows)
	found := r.Close(history.Run{})
	if !reflect.DeepEqual(sortedHandings(got), sortedHandings(q.handings)) || gaps != q.gaps || found.GivenUp != q.gaps {
		t.Errorf("turn %d, hold %d: handed on\n%+v, %d given up (%d), want\n%+v, %d\nof", turn, q.hold, sortedHandings(got), gaps, found.GivenUp, sortedHandings(q.handings), q.gaps)
		for _, o := range rows {
			t.Logf("%v seq %d event %v at %d path %v err %d", o.Kind, o.Sequence, o.Event, o.At, o.Path, o.Err)
		}
	}
	if found.InversionsArrived != q.turned[0] || found.InversionsHanded != q.turned[1] {
		t.Errorf("turn %d: %d inversions arrived and %d handed on, want %v", turn, found.InversionsArrived, found.InversionsHanded, q.turned)
	}
	sure["held"] += found.Held
	sure["late"] += found.Late
	sure["given up"] += int(found.GivenUp)
	sure["turned"] += found.InversionsHanded
	sure["unnumbered"] += found.Unnumbered
}

func sortedHandings(list []ordering.Handing) []ordering.Handing {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b ordering.Handing) int {
		return cmp.Or(cmp.Compare(a.Handed, b.Handed), cmp.Compare(a.Event.Seq, b.Event.Seq), cmp.Compare(a.Event.Publisher, b.Event.Publisher))
	})
	return list
}
