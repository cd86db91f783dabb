package ordering_test

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"time"

	"holobench/history"
	"holobench/ordering"
	"holobench/wire"
)

// This file holds Analysis against its definitions, written down once more, from the package comment and without any thought
// of speed: every client is asked about every pair.

// truth is what the definitions say of one history.
type truth struct {
	rows     []history.Observation
	run      history.Run
	window   int64     // events due further apart are no pair
	least    int64     // the smallest gap between two sockets that proves an order
	facts    []*fact   // by due time
	pairs    []*judged // of one channel, however far apart
	backward bool      // on some socket the stamps run backwards
	mixed    int       // clients that got something on several sockets
}

// fact is an event, or a part of one, that somebody received.
type fact struct {
	id      wire.EventID
	part    uint32
	due     int64
	channel uint32
	sent    *history.Observation // the earliest; nil = none is on record
	replied *history.Observation // the earliest good reply
	moments map[uint32]moment    // by client
	first   int64                // at of the earliest moment
}

// moment is when a client first saw an event. Known is false when nobody can tell on which of its sockets it came first.
type moment struct {
	lo, hi int64
	conn   uint32
	known  bool
	row    int
	node   uint16
	path   history.Path
}

func newTruth(run history.Run, rows []history.Observation, window, ties time.Duration) *truth {
	th := &truth{rows: rows, run: run, window: int64(cmp.Or(window, time.Second)), least: leastGap(run, int64(ties))}
	for i := range rows {
		o := &rows[i]
		known := slices.ContainsFunc(th.facts, func(f *fact) bool { return f.id == o.Event && f.part == o.Part })
		if brings(o) && !known {
			th.facts = append(th.facts, th.fact(o))
		}
	}
	slices.SortFunc(th.facts, byDue)
	th.sockets()
	for i, a := range th.facts {
		for _, b := range th.facts[i+1:] {
			if a.channel == b.channel {
				th.pairs = append(th.pairs, th.judge(a, b))
			}
		}
	}
	return th
}

// brings says whether an event arrives with a row.
func brings(o *history.Observation) bool {
	return o.Kind == history.Delivered || o.Kind == history.Foreign
}

// sockets looks at the sockets of each client.
func (th *truth) sockets() {
	latest := map[uint32]map[uint32]int64{} // stamp, by client and conn
	for _, o := range th.rows {
		if !brings(&o) {
			continue
		}
		if latest[o.Client] == nil {
			latest[o.Client] = map[uint32]int64{}
		}
		if at, ok := latest[o.Client][o.Conn]; ok && o.At < at {
			th.backward = true
		}
		latest[o.Client][o.Conn] = o.At
	}
	for _, conns := range latest {
		if len(conns) > 1 {
			th.mixed++
		}
	}
}

// leastGap is how far apart the intervals of two deliveries on different sockets must lie: never touching, as far as whoever
// looks asks for or as user stamps need, and more than the harness was seen to turn round.
func leastGap(run history.Run, asked int64) int64 {
	least := max(1, asked)
	if asked == 0 && run.Machine.Stamps == "user" {
		least = 5 * ms
	}
	if run.Noise != nil && run.Noise.Floor > 0 {
		least = max(least, run.Noise.Floor+1)
	}
	return least
}

// byDue is the order of due times; events due at once stand by name.
func byDue(a, b *fact) int {
	return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.id.Publisher, b.id.Publisher), cmp.Compare(a.id.Seq, b.id.Seq), cmp.Compare(a.part, b.part))
}

// fact collects what all rows say of the event of a delivery.
func (th *truth) fact(about *history.Observation) *fact {
	f := &fact{id: about.Event, part: about.Part, due: about.Due, channel: about.Channel, moments: map[uint32]moment{}}
	copies := map[uint32][]int{} // rows, by client
	for i := range th.rows {
		o := &th.rows[i]
		switch {
		case o.Event != f.id:
		case o.Kind == history.Sent && (f.sent == nil || o.At < f.sent.At):
			f.sent = o
		case o.Kind == history.Replied && o.Err == history.NoErr && (f.replied == nil || o.At < f.replied.At):
			f.replied = o
		case brings(o) && o.Part == f.part:
			if o.Kind == history.Foreign && (len(copies) == 0 || o.At < f.due) {
				f.due = o.At // nobody has asked for it
			}
			copies[o.Client] = append(copies[o.Client], i)
		}
	}
	if f.sent != nil {
		f.due = f.sent.Due
		if f.sent.Channel != history.NoChannel {
			f.channel = f.sent.Channel
		}
	}
	f.first = 1 << 62
	for client, rows := range copies {
		m := th.moment(rows)
		f.moments[client] = m
		f.first = min(f.first, m.hi)
	}
	return f
}

// before is "certainly earlier" on different sockets: all of the one had arrived before anything of the other could have.
func (th *truth) before(hi, lo int64) bool { return lo-hi >= th.least }

// moment takes the first copy of each socket, and of those the one that arrived first, and asks of each of the others whether
// it may have been even earlier.
func (th *truth) moment(copies []int) moment {
	var firsts []moment
	for _, i := range copies {
		o := &th.rows[i]
		if !slices.ContainsFunc(firsts, func(m moment) bool { return m.conn == o.Conn }) {
			firsts = append(firsts, moment{min(o.NotBefore, o.At), o.At, o.Conn, true, i, o.Node, o.Path})
		}
	}
	slices.SortFunc(firsts, func(a, b moment) int { return cmp.Or(cmp.Compare(a.hi, b.hi), cmp.Compare(a.conn, b.conn)) })
	m := firsts[0]
	for _, other := range firsts[1:] {
		if !th.before(firsts[0].hi, other.lo) {
			m.known, m.lo = false, min(m.lo, other.lo)
		}
	}
	return m
}

// bytes tells whether the order of bytes decides.
func bytes(a, b moment) bool { return a.known && b.known && a.conn == b.conn }

// sees says how a client saw a and b: 1 a first, -1 b first, 0 tied.
func (th *truth) sees(a, b moment) int {
	switch {
	case bytes(a, b):
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
	client     uint32
	a, b       moment
	order      int
	originator bool
}

// margin is how far apart the client saw the two.
func (x witnessed) margin() int64 {
	earlier, later := x.a, x.b
	if x.order < 0 {
		earlier, later = later, earlier
	}
	if bytes(earlier, later) {
		return max(0, later.hi-earlier.hi)
	}
	return later.lo - earlier.hi
}

// judged is what the definitions say of one pair; a was due first.
type judged struct {
	a, b    *fact
	list    []witnessed // by client
	classes ordering.Classes
	node    ordering.Pairs // by two clients of one node
	best    [2]int64       // by class: the largest margin with which two clients show it; -1 = no two do
	paths   ordering.Paths
	fifo    ordering.FIFO
}

func (p *judged) divergent() bool { return p.classes.All.Divergent == 1 }

func (th *truth) judge(a, b *fact) *judged {
	p := &judged{a: a, b: b, best: [2]int64{-1, -1}}
	for client, x := range a.moments {
		if y, ok := b.moments[client]; ok {
			originator := client == a.id.Publisher || client == b.id.Publisher
			p.list = append(p.list, witnessed{client, x, y, th.sees(x, y), originator})
		}
	}
	slices.SortFunc(p.list, func(x, y witnessed) int { return cmp.Compare(x.client, y.client) })
	p.disagreements()
	// Could any two clients have disagreed, any two observers, an originator and anybody else? Once as they saw it, once as
	// they order it.
	saw := func(witnessed) bool { return true }
	orders := func(x witnessed) bool { return x.order != 0 }
	p.expose(&p.classes.All, orders, saw, func(x, y witnessed) bool { return true })
	p.expose(&p.classes.ObserverObserver, orders, saw, func(x, y witnessed) bool { return !x.originator && !y.originator })
	p.expose(&p.classes.OriginatorObserver, orders, saw, func(x, y witnessed) bool { return x.originator || y.originator })
	oneNode := func(x, y witnessed) bool { return x.a.node == x.b.node && y.a.node == y.b.node && x.a.node == y.a.node }
	p.expose(&p.node, orders, saw, oneNode)
	for _, x := range p.list {
		for _, y := range p.list {
			if oneNode(x, y) && x.order == 1 && y.order == -1 {
				p.node.Divergent = 1
			}
		}
	}
	p.judgeFIFO()
	return p
}

// disagreements tries all two clients.
func (p *judged) disagreements() {
	for _, x := range p.list {
		for _, y := range p.list {
			if x.order != 1 || y.order != -1 {
				continue
			}
			p.classes.All.Divergent = 1
			class := ordering.ObserverObserver
			if x.originator || y.originator {
				class = ordering.OriginatorObserver
			}
			p.best[class] = max(p.best[class], min(x.margin(), y.margin()))
			if paths := pathsOf(x.a.path, x.b.path, y.a.path, y.b.path); p.paths == 0 || fewer(paths, p.paths) {
				p.paths = paths
			}
		}
	}
	switch {
	case p.best[ordering.ObserverObserver] >= 0:
		p.classes.ObserverObserver.Divergent = 1
	case p.classes.All.Divergent == 1:
		p.classes.OriginatorObserver.Divergent = 1
	}
}

func (p *judged) class() ordering.Class {
	if p.classes.ObserverObserver.Divergent == 1 {
		return ordering.ObserverObserver
	}
	return ordering.OriginatorObserver
}

func pathsOf(paths ...history.Path) (set ordering.Paths) {
	for _, path := range paths {
		set |= 1 << path
	}
	return set
}

// fewer compares by the number of paths, then by value.
func fewer(a, b ordering.Paths) bool {
	count := func(p ordering.Paths) (n int) {
		for i := range 8 {
			n += int(p >> i & 1)
		}
		return n
	}
	return cmp.Or(cmp.Compare(count(a), count(b)), cmp.Compare(a, b)) < 0
}

// expose counts the pair as at risk when two clients that could have disagreed order it, as tied when two only saw it.
func (p *judged) expose(c *ordering.Pairs, orders, saw func(witnessed) bool, two func(x, y witnessed) bool) {
	if p.anyTwo(orders, two) {
		c.AtRisk = 1
	} else if p.anyTwo(saw, two) {
		c.Tied = 1
	}
}

func (p *judged) anyTwo(each func(witnessed) bool, two func(x, y witnessed) bool) bool {
	for i, x := range p.list {
		for _, y := range p.list[i+1:] {
			if each(x) && each(y) && two(x, y) {
				return true
			}
		}
	}
	return false
}

// judgeFIFO asks of two commands of one publisher which was sent first, whether the other was sent after the good reply to
// it, and who saw that other one first.
func (p *judged) judgeFIFO() {
	first, second, reversed := p.a, p.b, -1
	if first.id.Publisher != second.id.Publisher || first.id.Seq == second.id.Seq || first.sent == nil || second.sent == nil || p.count(0) == len(p.list) {
		return
	}
	if cmp.Or(cmp.Compare(first.sent.At, second.sent.At), cmp.Compare(first.id.Seq, second.id.Seq)) > 0 {
		first, second, reversed = second, first, 1
	}
	wrong := p.count(reversed)
	if first.replied != nil && first.replied.At < second.sent.At {
		p.fifo = ordering.FIFO{Pairs: 1, Violations: min(1, wrong), Views: wrong}
		if first.sent.Node != second.sent.Node {
			p.fifo.OtherNode = p.fifo.Violations
		}
	} else {
		p.fifo = ordering.FIFO{InFlight: 1, Concurrent: min(1, wrong)}
	}
}

// count is how many clients saw the pair in that order.
func (p *judged) count(order int) (n int) {
	for _, x := range p.list {
		if x.order == order {
			n++
		}
	}
	return n
}

// inversions counts the clients that saw the pair against the order of first sight.
func (p *judged) inversions() int {
	if cmp.Or(cmp.Compare(p.a.first, p.b.first), byDue(p.a, p.b)) < 0 {
		return p.count(-1)
	}
	return p.count(1)
}

func (p *judged) apart() int64 { return p.b.due - p.a.due }

// figures counts what belongs: events by their own due time, pairs by that of the later one.
func (th *truth) figures(belongs func(f *fact) bool) (f ordering.Figures) {
	touched := map[*fact]bool{}
	paths := map[ordering.Paths]int{}
	for _, e := range th.facts {
		if belongs(e) {
			f.Events++
		}
	}
	for _, p := range th.pairs {
		switch {
		case !belongs(p.b):
			continue
		case p.apart() > th.window:
			f.Beyond.Divergent += p.classes.All.Divergent
			f.Beyond.ObserverObserver += p.classes.ObserverObserver.Divergent
			f.Beyond.FIFOViolations += p.fifo.Violations
			continue
		}
		addClasses(&f.Classes, &p.classes)
		addPairs(&f.SameNode, &p.node)
		f.Inversions += p.inversions()
		if len(p.list) >= 2 {
			f.TiedViews += p.count(0)
		}
		if p.divergent() {
			touched[p.a], touched[p.b] = true, true
			paths[p.paths]++
		}
		f.FIFO.Pairs += p.fifo.Pairs
		f.FIFO.Violations += p.fifo.Violations
		f.FIFO.Views += p.fifo.Views
		f.FIFO.InFlight += p.fifo.InFlight
		f.FIFO.Concurrent += p.fifo.Concurrent
		f.FIFO.OtherNode += p.fifo.OtherNode
	}
	f.Touched = len(touched)
	for set := range 256 {
		if n := paths[ordering.Paths(set)]; n > 0 {
			f.ByPaths = append(f.ByPaths, ordering.PathCount{Paths: ordering.Paths(set), Divergent: n})
		}
	}
	return f
}

func addClasses(to, c *ordering.Classes) {
	for _, x := range []struct{ to, from *ordering.Pairs }{
		{&to.All, &c.All}, {&to.OriginatorObserver, &c.OriginatorObserver}, {&to.ObserverObserver, &c.ObserverObserver},
	} {
		addPairs(x.to, x.from)
	}
}

func addPairs(to, from *ordering.Pairs) {
	to.AtRisk += from.AtRisk
	to.Tied += from.Tied
	to.Divergent += from.Divergent
}

// bins are the pairs by the time between their due times: 1, 2, 5 ms and so on, up to the window, which the last one includes.
func (th *truth) bins() (bins []ordering.Bin) {
	for from, decade, n := int64(0), int64(ms), 0; from < th.window; n++ {
		to := min(decade*[]int64{1, 2, 5}[n%3], th.window)
		bin := ordering.Bin{From: time.Duration(from), To: time.Duration(to)}
		for _, p := range th.pairs {
			if at := p.apart(); at >= from && (at < to || at == to && to == th.window) {
				addClasses(&bin.Classes, &p.classes)
			}
		}
		bins, from = append(bins, bin), to
		if n%3 == 2 {
			decade *= 10
		}
	}
	return bins
}

// copies looks at the ways by which an event came to each client: of one socket, its stream and its replies are two.
func (th *truth) copies() (c ordering.Copies) {
	type sight struct {
		id           wire.EventID
		part, client uint32
	}
	type way struct {
		conn  uint32
		reply bool
	}
	ways := map[sight]map[way]bool{}
	for i := range th.rows {
		o := &th.rows[i]
		if !brings(o) {
			continue
		}
		at := sight{o.Event, o.Part, o.Client}
		if ways[at] == nil {
			ways[at] = map[way]bool{}
		}
		by := way{o.Conn, o.Path == history.Reply}
		if ways[at][by] {
			c.OneSocket++
		}
		ways[at][by] = true
	}
	for _, all := range ways {
		streams, replies := 0, 0
		for by := range all {
			if by.reply {
				replies++
			} else {
				streams++
			}
		}
		if streams == 0 {
			c.TwoWays += replies - 1
			continue
		}
		c.TwoWays += replies
		c.Reconnect += streams - 1
	}
	return c
}

// check compares all that got says with the definitions.
func (th *truth) check(got *ordering.Divergence) error {
	if int64(got.Window) != th.window || max(1, int64(got.TieBelow)) != th.least || got.Mixed != th.mixed {
		return fmt.Errorf("window %v, ties below %v, %d clients with several sockets, want %d", got.Window, got.TieBelow, got.Mixed, th.mixed)
	}
	if want := th.copies(); got.Copies != want {
		return fmt.Errorf("copies %+v, want %+v", got.Copies, want)
	}
	if want := th.figures(func(*fact) bool { return true }); !th.same(&got.Overall, &want) {
		return fmt.Errorf("overall\ngot  %+v\nwant %+v", got.Overall, want)
	}
	channels := got.Channels
	for number := range uint32(100) {
		want := th.figures(func(f *fact) bool { return f.channel == number })
		if want.Events == 0 {
			continue
		}
		if len(channels) == 0 || channels[0].Channel != number || !th.same(&channels[0].Figures, &want) {
			return fmt.Errorf("channel %d\ngot  %+v\nwant %+v", number, channels, want)
		}
		channels = channels[1:]
	}
	if len(channels) > 0 || len(got.Windows) != len(th.run.Windows) {
		return fmt.Errorf("channels left over: %+v, windows %+v", channels, got.Windows)
	}
	for i, w := range th.run.Windows {
		want := th.figures(func(f *fact) bool { return f.due-th.run.Barrier >= w.From && f.due-th.run.Barrier < w.To })
		if got.Windows[i].Name != w.Name || !th.same(&got.Windows[i].Figures, &want) {
			return fmt.Errorf("window %v\ngot  %+v\nwant %+v", w, got.Windows[i], want)
		}
	}
	if want := th.bins(); !reflect.DeepEqual(got.Bins, want) {
		return fmt.Errorf("bins\ngot  %+v\nwant %+v", got.Bins, want)
	}
	return th.checkWitnesses(got.Witnesses)
}

// same compares figures. What lies beyond the window is searched for by stamps, so that some of it is missed when they run
// backwards; never is more found than there is.
func (th *truth) same(got, want *ordering.Figures) bool {
	g, w := *got, *want
	if th.backward && g.Beyond.Divergent <= w.Beyond.Divergent && g.Beyond.ObserverObserver <= w.Beyond.ObserverObserver && g.Beyond.FIFOViolations <= w.Beyond.FIFOViolations {
		g.Beyond = w.Beyond
	}
	return reflect.DeepEqual(g, w)
}
