package ordering_test

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"holobench/history"
	"holobench/ordering"
	"holobench/wire"
)

// This file holds Analysis against its definitions, written down once more without any thought of speed.

// name names an event, or a part of one.
type name struct {
	id   wire.EventID
	part uint32
}

// truth answers the questions of the definitions about one history.
type truth struct {
	rows         []history.Observation
	run          history.Run
	window, ties int64
	copies       map[uint32]map[name][]int // rows, by client
	events       []name
}

func newTruth(run history.Run, rows []history.Observation, window, ties int64) *truth {
	th := &truth{rows: rows, run: run, window: window, ties: ties, copies: map[uint32]map[name][]int{}}
	for i, o := range rows {
		if o.Kind != history.Delivered {
			continue
		}
		e := name{o.Event, o.Part}
		if !slices.Contains(th.events, e) {
			th.events = append(th.events, e)
		}
		if th.copies[o.Client] == nil {
			th.copies[o.Client] = map[name][]int{}
		}
		th.copies[o.Client][e] = append(th.copies[o.Client][e], i)
	}
	return th
}

// sentRow returns the Sent row of the command, or nil.
func (th *truth) sentRow(e name) *history.Observation {
	for i := range th.rows {
		if o := &th.rows[i]; o.Kind == history.Sent && o.Event == e.id {
			return o
		}
	}
	return nil
}

func (th *truth) about(e name) (due int64, channel uint32) {
	if o := th.sentRow(e); o != nil {
		return o.Due, o.Channel
	}
	for _, o := range th.rows {
		if o.Kind == history.Delivered && (name{o.Event, o.Part}) == e {
			return o.Due, o.Channel
		}
	}
	return 0, 0
}

// moment is when a client first saw an event; row < 0 = nobody knows on which socket.
type moment struct {
	lo, hi    int64
	conn, row int
	path      history.Path
}

// before is "certainly earlier" on different sockets.
func (th *truth) before(hi, lo int64) bool { return lo-hi >= max(th.ties, 1) }

func (th *truth) moment(client uint32, e name) (m moment, ok bool) {
	var perSocket []moment
	for _, i := range th.copies[client][e] {
		o := th.rows[i]
		if !slices.ContainsFunc(perSocket, func(m moment) bool { return m.conn == int(o.Conn) }) {
			perSocket = append(perSocket, moment{o.NotBefore, o.At, int(o.Conn), i, o.Path})
		}
	}
	if len(perSocket) == 0 {
		return m, false
	}
	slices.SortFunc(perSocket, func(a, b moment) int { return cmp.Or(cmp.Compare(a.hi, b.hi), cmp.Compare(a.conn, b.conn)) })
	m = perSocket[0]
	for _, other := range perSocket[1:] {
		if !th.before(perSocket[0].hi, other.lo) {
			m.row, m.lo = -1, min(m.lo, other.lo)
		}
	}
	return m, true
}

// sees says how the client saw a and b: 1 a first, -1 b first, 0 tied.
func (th *truth) sees(a, b moment) int {
	switch {
	case a.row >= 0 && b.row >= 0 && a.conn == b.conn:
		return cmp.Compare(b.row, a.row)
	case th.before(a.hi, b.lo):
		return 1
	case th.before(b.hi, a.lo):
		return -1
	}
	return 0
}

// witnessed is what one client says of a pair.
type witnessed struct {
	order      int
	originator bool
	paths      []history.Path
}

// disagree tells whether two of the clients that pass the filter order the pair differently.
func disagree(list []witnessed, both func(a, b witnessed) bool) bool {
	for _, a := range list {
		for _, b := range list {
			if a.order == 1 && b.order == -1 && both(a, b) {
				return true
			}
		}
	}
	return false
}

func number(list []witnessed, is func(witnessed) bool) (n int) {
	for _, x := range list {
		if is(x) {
			n++
		}
	}
	return n
}

func judgeClass(c *ordering.Pairs, shared, exposed, divergent bool) {
	switch {
	case exposed:
		c.AtRisk++
	case shared:
		c.Tied++
	}
	if divergent {
		c.Divergent++
	}
}

func judgeClasses(c *ordering.Classes, list []witnessed) {
	any2 := func(a, b witnessed) bool { return true }
	observers := func(a, b witnessed) bool { return !a.originator && !b.originator }
	orders := number(list, func(x witnessed) bool { return x.order != 0 })
	judgeClass(&c.All, len(list) >= 2, orders >= 2, disagree(list, any2))
	onlookers := number(list, func(x witnessed) bool { return !x.originator })
	onlookersOrder := number(list, func(x witnessed) bool { return !x.originator && x.order != 0 })
	judgeClass(&c.ObserverObserver, onlookers >= 2, onlookersOrder >= 2, disagree(list, observers))
	judgeClass(&c.OriginatorObserver, len(list) >= 2 && onlookers < len(list), orders >= 2 && orders > onlookersOrder,
		disagree(list, any2) && !disagree(list, observers))
}

// fewestPaths tries all pairs of clients that disagree.
func fewestPaths(list []witnessed) (best []history.Path) {
	for _, a := range list {
		for _, b := range list {
			if a.order != 1 || b.order != -1 {
				continue
			}
			union := slices.Concat(a.paths, b.paths)
			slices.Sort(union)
			union = slices.Compact(union)
			value := func(list []history.Path) (v int) {
				for _, p := range list {
					v |= 1 << p
				}
				return v
			}
			if best == nil || len(union) < len(best) || len(union) == len(best) && value(union) < value(best) {
				best = union
			}
		}
	}
	return best
}

// fifo says of two commands of one publisher: sequential, and whether a was sent first.
func (th *truth) fifo(a, b name) (sequential, aFirst, ok bool) {
	first, second := th.sentRow(a), th.sentRow(b)
	if a.id.Publisher != b.id.Publisher || a.id == b.id || first == nil || second == nil {
		return false, false, false
	}
	aFirst = first.At < second.At || first.At == second.At && a.id.Seq < b.id.Seq
	if !aFirst {
		first, second = second, first
	}
	for _, o := range th.rows {
		if o.Kind == history.Replied && o.Err == 0 && o.Event == first.Event && o.At < second.At {
			sequential = true
		}
	}
	return sequential, aFirst, true
}

// firstSeen is the reference order.
func (th *truth) firstSeen(e name) int64 {
	first := int64(1 << 62)
	for client := range th.copies {
		if m, ok := th.moment(client, e); ok {
			first = min(first, m.hi)
		}
	}
	return first
}

// figures counts over the pairs whose channel and later due time pass.
func (th *truth) figures(belongs func(due int64, channel uint32) bool) (f ordering.Figures, bins []ordering.Bin) {
	touched := map[name]bool{}
	paths := map[ordering.Paths]int{}
	for i, a := range th.events {
		dueA, channelA := th.about(a)
		if belongs(dueA, channelA) {
			f.Events++
		}
		for _, b := range th.events[i+1:] {
			dueB, channelB := th.about(b)
			if channelA != channelB || !belongs(max(dueA, dueB), channelA) {
				continue
			}
			list := th.testimonies(a, b)
			apart := max(dueA-dueB, dueB-dueA)
			th.judgeFIFO(&f, a, b, list, apart > th.window)
			if apart > th.window {
				if disagree(list, func(a, b witnessed) bool { return true }) {
					f.Beyond.Divergent++
				}
				continue
			}
			judgeClasses(&f.Classes, list)
			bins = append(bins, ordering.Bin{From: time.Duration(apart)})
			judgeClasses(&bins[len(bins)-1].Classes, list)
			f.Inversions += number(list, func(x witnessed) bool { return x.order == -th.reference(a, b) })
			if len(list) >= 2 {
				f.TiedViews += number(list, func(x witnessed) bool { return x.order == 0 })
			}
			if best := fewestPaths(list); best != nil {
				touched[a], touched[b] = true, true
				set := ordering.Paths(0)
				for _, p := range best {
					set |= 1 << p
				}
				paths[set]++
			}
		}
	}
	f.Touched = len(touched)
	for set, n := range paths {
		f.ByPaths = append(f.ByPaths, ordering.PathCount{Paths: set, Divergent: n})
	}
	slices.SortFunc(f.ByPaths, func(a, b ordering.PathCount) int { return cmp.Compare(a.Paths, b.Paths) })
	return f, bins
}

// testimonies asks all clients that saw both.
func (th *truth) testimonies(a, b name) (list []witnessed) {
	for client := range th.copies {
		x, okX := th.moment(client, a)
		y, okY := th.moment(client, b)
		if okX && okY {
			list = append(list, witnessed{th.sees(x, y), client == a.id.Publisher || client == b.id.Publisher, []history.Path{x.path, y.path}})
		}
	}
	return list
}

// reference is 1 when a was first seen first; events first seen at the same time stand by due time, then name.
func (th *truth) reference(a, b name) int {
	dueA, _ := th.about(a)
	dueB, _ := th.about(b)
	return -cmp.Or(cmp.Compare(th.firstSeen(a), th.firstSeen(b)), cmp.Compare(dueA, dueB), cmp.Compare(a.id.Publisher, b.id.Publisher),
		cmp.Compare(a.id.Seq, b.id.Seq), cmp.Compare(a.part, b.part))
}

func (th *truth) judgeFIFO(f *ordering.Figures, a, b name, list []witnessed, beyond bool) {
	sequential, aFirst, ok := th.fifo(a, b)
	if !ok || number(list, func(x witnessed) bool { return x.order != 0 }) == 0 {
		return
	}
	wrong := number(list, func(x witnessed) bool { return aFirst && x.order == -1 || !aFirst && x.order == 1 })
	one := 0
	if wrong > 0 {
		one = 1
	}
	switch {
	case beyond && sequential:
		f.Beyond.FIFOViolations += one
	case beyond:
	case sequential:
		f.FIFO.Pairs++
		f.FIFO.Violations += one
		f.FIFO.Views += wrong
	default:
		f.FIFO.InFlight++
		f.FIFO.Concurrent += one
	}
}

// check compares all that got says with the definitions.
func (th *truth) check(got *ordering.Divergence) error {
	want, pairs := th.figures(func(int64, uint32) bool { return true })
	if !reflect.DeepEqual(got.Overall, want) {
		return fmt.Errorf("overall\ngot  %+v\nwant %+v", got.Overall, want)
	}
	for _, c := range got.Channels {
		if want, _ := th.figures(func(_ int64, channel uint32) bool { return channel == c.Channel }); !reflect.DeepEqual(c.Figures, want) {
			return fmt.Errorf("channel %d\ngot  %+v\nwant %+v", c.Channel, c.Figures, want)
		}
	}
	for i, w := range got.Windows {
		asked := th.run.Windows[i]
		want, _ := th.figures(func(due int64, _ uint32) bool {
			return due-th.run.Barrier >= asked.From && due-th.run.Barrier < asked.To
		})
		if w.Name != asked.Name || !reflect.DeepEqual(w.Figures, want) {
			return fmt.Errorf("window %v\ngot  %+v\nwant %+v", asked, w, want)
		}
	}
	for i, bin := range got.Bins {
		want := ordering.Bin{From: bin.From, To: bin.To}
		for _, p := range pairs {
			if p.From >= bin.From && (p.From < bin.To || p.From == bin.To && i == len(got.Bins)-1) {
				addPairs(&want.All, p.All)
				addPairs(&want.OriginatorObserver, p.OriginatorObserver)
				addPairs(&want.ObserverObserver, p.ObserverObserver)
			}
		}
		if bin != want {
			return fmt.Errorf("bin\ngot  %+v\nwant %+v", bin, want)
		}
	}
	return th.checkWitnesses(got)
}

func addPairs(to *ordering.Pairs, p ordering.Pairs) {
	to.AtRisk += p.AtRisk
	to.Tied += p.Tied
	to.Divergent += p.Divergent
}

// checkWitnesses holds that every witness is true, and that each class with a divergent pair has one.
func (th *truth) checkWitnesses(got *ordering.Divergence) error {
	shown := map[ordering.Class]int{}
	for _, w := range got.Witnesses {
		a, b := name{w.A.ID, w.A.Part}, name{w.B.ID, w.B.Part}
		shown[w.Class] = w.Of
		views := []ordering.View{w.First, w.Second}
		for i, v := range views {
			x, _ := th.moment(v.Client, a)
			y, _ := th.moment(v.Client, b)
			if order := th.sees(x, y); order != 1-2*i {
				return fmt.Errorf("witness %+v: client %d orders its pair %d", w, v.Client, order)
			}
			if i == 1 {
				x, y = y, x
			}
			margin := y.lo - x.hi
			if v.ByBytes {
				margin = y.hi - x.hi
			}
			if v.Margin != time.Duration(margin) || v.ByBytes != (x.conn == y.conn && x.row >= 0 && y.row >= 0) || v.Earlier.At != x.hi || v.Later.At != y.hi {
				return fmt.Errorf("witness %+v: margin of client %d is %d", w, v.Client, margin)
			}
		}
		originator := w.First.Originator || w.Second.Originator
		if w.Margin != min(w.First.Margin, w.Second.Margin) || originator != (w.Class == ordering.OriginatorObserver) {
			return fmt.Errorf("witness %+v: wrong margin or class", w)
		}
		if best := th.bestMargin(a, b, w.Class); best != int64(w.Margin) {
			return fmt.Errorf("witness %+v: two other clients show its pair with a margin of %d", w, best)
		}
	}
	if shown[ordering.OriginatorObserver] != got.Overall.OriginatorObserver.Divergent || shown[ordering.ObserverObserver] != got.Overall.ObserverObserver.Divergent {
		return fmt.Errorf("witnesses of %v pairs, divergent %+v", shown, got.Overall.Classes)
	}
	return nil
}

// bestMargin tries all two clients that show the class of a divergent pair.
func (th *truth) bestMargin(a, b name, class ordering.Class) (best int64) {
	best = -1
	for i := range th.copies {
		for j := range th.copies {
			originator := i == a.id.Publisher || i == b.id.Publisher || j == a.id.Publisher || j == b.id.Publisher
			if originator != (class == ordering.OriginatorObserver) {
				continue
			}
			ia, ok1 := th.moment(i, a)
			ib, ok2 := th.moment(i, b)
			ja, ok3 := th.moment(j, a)
			jb, ok4 := th.moment(j, b)
			if ok1 && ok2 && ok3 && ok4 && th.sees(ia, ib) == 1 && th.sees(ja, jb) == -1 {
				best = max(best, min(gap(ia, ib), gap(jb, ja)))
			}
		}
	}
	return best
}

// gap is how far apart a client saw a and, after it, b.
func gap(a, b moment) int64 {
	if a.row >= 0 && b.row >= 0 && a.conn == b.conn {
		return b.hi - a.hi
	}
	return b.lo - a.hi
}

// analyse runs the Analysis over the rows in two batches, with a look in between.
func analyse(run history.Run, rows []history.Observation, window, ties time.Duration) ordering.Divergence {
	a := ordering.Analysis{Window: window, TieBelow: ties}
	a.Add(rows[:len(rows)/2])
	a.Close(run)
	a.Add(rows[len(rows)/2:])
	return a.Close(run)
}

func TestAnalysisIsItsDefinition(t *testing.T) {
	t.Parallel()
	var seen ordering.Figures
	for range 2_000 {
		seed := rand.Uint64()
		random := rand.New(rand.NewPCG(seed, 5))
		c := inventCrossing(random.IntN)
		rows := weave(random, c.lanes)
		got := analyse(c.run, rows, c.window, c.ties)
		if err := newTruth(c.run, rows, int64(c.window), int64(got.TieBelow)).check(&got); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if again := analyse(c.run, weave(random, c.lanes), c.window, c.ties); !reflect.DeepEqual(got, again) {
			t.Fatalf("seed %d: another order between connections, another outcome:\n%+v\n%+v", seed, got, again)
		}
		o := got.Overall
		addPairs(&seen.OriginatorObserver, o.OriginatorObserver)
		addPairs(&seen.ObserverObserver, o.ObserverObserver)
		seen.Inversions += o.Inversions
		seen.TiedViews += o.TiedViews
		seen.FIFO.Violations += o.FIFO.Violations
		seen.FIFO.Concurrent += o.FIFO.Concurrent
		seen.Beyond.Divergent += o.Beyond.Divergent
		seen.Beyond.FIFOViolations += o.Beyond.FIFOViolations
	}
	t.Logf("%+v", seen)
	for _, n := range []int{
		seen.OriginatorObserver.Divergent, seen.OriginatorObserver.Tied, seen.ObserverObserver.Divergent, seen.ObserverObserver.Tied,
		seen.Inversions, seen.TiedViews, seen.FIFO.Violations, seen.FIFO.Concurrent, seen.Beyond.Divergent, seen.Beyond.FIFOViolations,
	} {
		if n < 300 {
			t.Errorf("the invented histories are too tame to prove anything: %+v", seen)
		}
	}
}

// FuzzAnalysis does the same with histories that the bytes invent.
func FuzzAnalysis(f *testing.F) {
	f.Add([]byte("hologram answers the sender in the reply and everybody else by the stream"))
	f.Add([]byte(strings.Repeat("\x03\x91\x40\x07\xee", 60)))
	f.Fuzz(func(t *testing.T, data []byte) {
		draw := func(n int) int {
			if len(data) < 2 {
				return 0
			}
			v := int(binary.LittleEndian.Uint16(data)) % n
			data = data[2:]
			return v
		}
		c := inventCrossing(draw)
		rows := weave(rand.New(rand.NewPCG(1, 2)), c.lanes)
		got := analyse(c.run, rows, c.window, c.ties)
		if err := newTruth(c.run, rows, int64(c.window), int64(got.TieBelow)).check(&got); err != nil {
			t.Fatal(err)
		}
	})
}
