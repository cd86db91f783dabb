package ordering

import (
	"cmp"
	"math"
	"slices"

	"holobench/history"
)

// epoch is a time in which the numbers of a channel are those of one series. A server whose numbers have begun anew says so.
type epoch struct {
	number  int
	begin   uint64 // the number before which nothing is waited for; 0 = as the arrivals say
	end     int64  // when the next one began
	rows    []*history.Observation
	notices []notice
}

// waiting is an event that one client got, once.
type waiting struct {
	row    *history.Observation
	epoch  int
	handed int64
	depth  int
	late   bool
}

// epochs divides what came by time: a notice of a part that is missing, which names a number that the stream has passed already,
// begins a new one. Of an event that came more than once the first copy counts.
func (q *holdback) epochs() []epoch {
	slices.SortStableFunc(q.arrivals, func(a, b history.Observation) int { return cmp.Compare(a.At, b.At) })
	slices.SortStableFunc(q.notices, func(a, b notice) int { return cmp.Compare(a.at, b.at) })
	all := []epoch{{end: math.MaxInt64}}
	seen := make(map[part]bool, len(q.arrivals))
	next, highest := 0, uint64(0)
	for i := range q.arrivals {
		o := &q.arrivals[i]
		for ; next < len(q.notices) && q.notices[next].at < o.At; next++ {
			all, highest = begins(all, q.notices[next], highest)
		}
		if o.Kind != history.Replied && o.Path != history.Reply {
			highest = max(highest, o.Sequence)
		}
		name := part{id: o.Event, number: o.Part}
		if seen[name] {
			continue
		}
		seen[name] = true
		now := &all[len(all)-1]
		now.rows = append(now.rows, o)
	}
	for ; next < len(q.notices); next++ {
		all, highest = begins(all, q.notices[next], highest)
	}
	return all
}

// begins takes a notice into the epoch that goes on, or begins another one with it.
func begins(all []epoch, n notice, highest uint64) (now []epoch, passed uint64) {
	last := &all[len(all)-1]
	if n.snapshot || n.upTo > highest {
		last.notices = append(last.notices, n)
		return all, highest
	}
	last.end = n.at
	return append(all, epoch{number: last.number + 1, begin: n.upTo, end: math.MaxInt64}), 0
}

// settle says when each event of an epoch is handed on. Number n is settled as soon as it has arrived, or is given up: when an
// event of its number or a higher one has been held for the time, when a notice says that it does not come, or when the epoch
// ends. An event is handed on when it has arrived, and all numbers from the first up to its own are settled.
func (r *Resequencer) settle(e *epoch, at seat, hold int64) []*waiting {
	shown := make([]*waiting, 0, len(e.rows))
	room := make([]waiting, len(e.rows))
	for i, row := range e.rows {
		room[i] = waiting{row: row, epoch: e.number, handed: row.At}
		shown = append(shown, &room[i])
	}
	r.found.InversionsArrived += inversionsOf(shown)
	first := e.first(hold)
	numbered := slices.Clone(shown)
	numbered = slices.DeleteFunc(numbered, func(w *waiting) bool {
		w.late = w.row.Sequence > 0 && w.row.Sequence < first
		return w.row.Sequence < max(1, first)
	})
	slices.SortStableFunc(numbered, func(a, b *waiting) int { return cmp.Compare(a.row.Sequence, b.row.Sequence) })
	r.release(e, at, hold, first, numbered)
	byHanding := slices.Clone(shown)
	slices.SortStableFunc(byHanding, func(a, b *waiting) int {
		return cmp.Or(cmp.Compare(a.handed, b.handed), cmp.Compare(a.row.Sequence, b.row.Sequence))
	})
	r.found.InversionsHanded += inversionsOf(byHanding)
	return shown
}

// first is the number with which the queue begins: the lowest of those that came by the time for which the very first one could
// have been held. A server tells a new stream where it is.
func (e *epoch) first(hold int64) uint64 {
	if e.begin > 0 {
		return e.begin
	}
	lowest, until := uint64(0), int64(0)
	for _, row := range e.rows {
		switch {
		case row.Sequence == 0:
		case lowest == 0:
			lowest, until = row.Sequence, row.At+hold
		case row.At <= until:
			lowest = min(lowest, row.Sequence)
		}
	}
	return lowest
}

// release walks over the events by number.
func (r *Resequencer) release(e *epoch, at seat, hold int64, first uint64, numbered []*waiting) {
	limits := make([]int64, len(numbered)) // when at the latest all numbers up to this event's are settled, but for notices
	limit := e.end
	for i, w := range slices.Backward(numbered) {
		limit = min(limit, w.row.At+hold)
		limits[i] = limit
	}
	settled, expected := int64(math.MinInt64), first
	for i := 0; i < len(numbered); {
		number, arrived, end := numbered[i].row.Sequence, numbered[i].row.At, i+1
		for end < len(numbered) && numbered[end].row.Sequence == number { // several events of one message
			arrived = min(arrived, numbered[end].row.At)
			end++
		}
		if number > expected {
			settled = max(settled, e.limit(number-1, limits[i]))
			r.giveUp(e, at, expected, number-1, limits[i])
		}
		own := e.limit(number, limits[i])
		settled = max(settled, min(arrived, own))
		if arrived > own {
			r.giveUp(e, at, number, number, limits[i])
		}
		for _, w := range numbered[i:end] {
			w.handed, w.late = max(w.row.At, settled), arrived > own
		}
		expected, i = number+min(1, math.MaxUint64-number), end
	}
	if told := e.told(); first > 0 && told > expected { // nothing came behind them
		r.giveUp(e, at, expected, told-1, e.end)
	}
}

// told is the number below which notices have told what becomes of all.
func (e *epoch) told() (upTo uint64) {
	for _, n := range e.notices {
		upTo = max(upTo, n.upTo)
	}
	return upTo
}

// limit is when that number is settled at the latest: by a notice, or by time.
func (e *epoch) limit(number uint64, byTime int64) int64 {
	for _, n := range e.notices {
		if n.upTo > number {
			byTime = min(byTime, n.at)
		}
	}
	return byTime
}

// giveUp notes that numbers are given up, but for those of which a snapshot has told the outcome before.
func (r *Resequencer) giveUp(e *epoch, at seat, first, last uint64, byTime int64) {
	for first <= last {
		until, by := last, (*notice)(nil) // up to where the same notice counts
		for i := range e.notices {
			n := &e.notices[i]
			if n.upTo <= first || n.at > byTime {
				continue
			}
			until = min(until, n.upTo-1)
			if by == nil {
				by = n
			}
		}
		if by == nil || !by.snapshot {
			r.found.GivenUp += until - first + 1
			if r.GaveUp != nil {
				r.GaveUp(&Gap{Client: at.client, Channel: at.channel, First: first, Last: until, At: e.limit(first, byTime)})
			}
		}
		first = until + 1
	}
}

// depths counts, for each event of one seat, those that had arrived by the time at which it did and were not handed on yet.
func depths(all []*waiting) {
	byArrival, byHanding := slices.Clone(all), slices.Clone(all)
	slices.SortFunc(byArrival, func(a, b *waiting) int { return cmp.Compare(a.row.At, b.row.At) })
	slices.SortFunc(byHanding, func(a, b *waiting) int { return cmp.Compare(a.handed, b.handed) })
	arrived, handed := 0, 0
	for _, w := range byArrival {
		for arrived < len(byArrival) && byArrival[arrived].row.At <= w.row.At {
			arrived++
		}
		for handed < len(byHanding) && byHanding[handed].handed <= w.row.At {
			handed++
		}
		w.depth = arrived - handed
	}
}

// inversionsOf counts the pairs of numbered events that stand against the order of their numbers, by merge sort.
func inversionsOf(list []*waiting) int {
	numbers := make([]uint64, 0, len(list))
	for _, w := range list {
		if w.row.Sequence > 0 {
			numbers = append(numbers, w.row.Sequence)
		}
	}
	return inversions(numbers, make([]uint64, len(numbers)))
}

// inversions sorts numbers, and counts the pairs of which the larger stood first. It needs as much room again.
func inversions(numbers, room []uint64) int {
	if len(numbers) < 2 {
		return 0
	}
	half := len(numbers) / 2
	count := inversions(numbers[:half], room[:half]) + inversions(numbers[half:], room[half:])
	copy(room, numbers)
	left, right := room[:half], room[half:len(numbers)]
	for i := range numbers {
		if len(right) == 0 || len(left) > 0 && left[0] <= right[0] {
			numbers[i], left = left[0], left[1:]
			continue
		}
		numbers[i], right = right[0], right[1:]
		count += len(left)
	}
	return count
}
