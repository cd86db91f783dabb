package ordering_test

import (
	"cmp"
	"slices"
	"time"

	"holobench/history"
	"holobench/wire"
)

const half = ms / 2

// crossing is an invented history, in which every connection keeps its order, and how to look at it.
type crossing struct {
	run          history.Run
	lanes        [][]history.Observation
	window, ties time.Duration
	shape        shape
}

// shape says what a history is made of, so that a test can hold that all of it was tried. What is true did occur; it was not
// only allowed to.
type shape struct {
	clients   int  // that saw something
	channels  int  // on which something was seen
	loss      int  // percent of the deliveries
	late      bool // a client missed something because it came later
	reconnect bool // something came by a second or third stream of a client
	torn      bool // something came by a stream while the one before had not ended
	twice     bool // something came to a client again
	parts     bool // an event came in parts
	backward  bool // the clock was set back
	floor     bool // the harness was seen to turn orders round
	user      bool // the process took the stamps
	foreign   bool // an event was nobody's
	repeated  bool // Sent or Replied stands twice
}

// inventor draws one crossing.
type inventor struct {
	draw   func(n int) int
	c      crossing
	allow  struct{ late, cut, torn, twice, slow, nodes bool }
	tabs   []tab
	lanes  map[[2]uint32][]history.Observation // by client and conn
	seq    map[uint32]uint32                   // last number of each publisher
	stepAt int64                               // when the clock is set back; 0 = never
	step   int64
}

// tab is one client: when it came, when its stream was cut and came back, when it went.
type tab struct {
	joined, gone int64
	paths        [8]history.Path // by socket
	cuts, backs  [2]int64
}

// stream returns the number of the socket that holds the client's stream at that time; ok is false when none does.
func (c *tab) stream(at int64) (conn uint32, ok bool) {
	if at < c.joined || at > c.gone {
		return 0, false
	}
	conn = 2
	for i := range c.cuts {
		if at > c.cuts[i] && at < c.backs[i] {
			return 0, false
		}
		if at >= c.backs[i] {
			conn++
		}
	}
	return conn, true
}

// inventCrossing makes a history out of draws below n: 2 to 100 clients, up to four channels, loss up to 90 %, duplicates, late
// joins, reconnects, replies and streams, events in parts, intervals that overlap, clocks that are set back. Times are
// multiples of half a ms, so that they often touch.
func inventCrossing(draw func(n int) int) crossing {
	v := &inventor{draw: draw, lanes: map[[2]uint32][]history.Observation{}, seq: map[uint32]uint32{}}
	clients := []int{2 + draw(4), 2 + draw(4), 2 + draw(4), 2 + draw(30), 55 + draw(46), 95 + draw(6)}[draw(6)]
	channels := []int{1, 1, 2, 4}[draw(4)]
	v.c.shape.loss = []int{0, draw(30), draw(91), 81 + draw(10)}[draw(4)]
	v.allow.nodes = draw(2) == 0
	v.allow.late, v.allow.cut, v.allow.torn, v.allow.twice, v.allow.slow = draw(2) == 0, draw(2) == 0, draw(4) == 0, draw(2) == 0, draw(2) == 0
	v.look()
	for range clients {
		v.tabs = append(v.tabs, v.tab())
	}
	if draw(6) == 0 {
		v.stepAt, v.step = int64(10+draw(80))*half, int64(1+draw(60))*half
	}
	events, span, publishers := 2+draw(14), 1+draw(60), 1+draw(min(clients, 4))
	for range events {
		v.event(uint32(draw(publishers)), uint32(1+draw(channels)), int64(2+draw(2*span))*half)
	}
	for _, lane := range v.lanes {
		slices.SortStableFunc(lane, func(a, b history.Observation) int { return cmp.Compare(a.At, b.At) })
		v.c.lanes = append(v.c.lanes, lane)
	}
	slices.SortFunc(v.c.lanes, func(a, b []history.Observation) int { // not as the map had them
		return cmp.Or(cmp.Compare(a[0].Client, b[0].Client), cmp.Compare(a[0].Conn, b[0].Conn), cmp.Compare(a[0].Event.Seq, b[0].Event.Seq))
	})
	sawSome, heardSome := map[uint32]bool{}, map[uint32]bool{}
	for _, lane := range v.c.lanes {
		v.setBack(lane)
		if lane[0].Kind == history.Delivered {
			sawSome[lane[0].Client] = true
			for _, o := range lane {
				heardSome[o.Channel] = true
			}
		}
	}
	v.c.shape.clients, v.c.shape.channels = len(sawSome), len(heardSome)
	return v.c
}

// look draws the run, and how it is looked at.
func (v *inventor) look() {
	draw, c := v.draw, &v.c
	c.window = time.Duration(2+draw(5)*draw(10)) * ms
	c.ties = []time.Duration{0, 0, -1, 2 * ms}[draw(4)]
	c.run = history.Run{Barrier: int64(draw(9)) * ms, Windows: []history.Window{
		{Name: "early", From: 0, To: int64(1+draw(30)) * ms}, {Name: "late", From: int64(draw(30)) * ms, To: 80 * ms},
	}}
	c.shape.user = draw(3) == 0
	c.run.Machine.Stamps = "kernel"
	if c.shape.user {
		c.run.Machine.Stamps = "user"
	}
	if draw(3) == 0 {
		c.run.Noise = &history.Noise{Pairs: 1000, Floor: int64(draw(4)) * half}
		c.shape.floor = c.run.Noise.Floor > 0
	}
}

func (v *inventor) tab() tab {
	draw := v.draw
	c := tab{gone: int64(40+draw(300)) * half, cuts: [2]int64{1 << 40, 1 << 40}, backs: [2]int64{1 << 40, 1 << 40}}
	c.paths = [8]history.Path{1: history.Reply}
	for i := range c.paths[2:] {
		c.paths[2+i] = []history.Path{history.SSE, history.SSE, history.SSE, history.Poll, history.WebSocket, history.Browser, history.NoPath}[draw(7)]
	}
	if v.allow.late && draw(2) == 0 {
		c.joined = int64(draw(80)) * half
	}
	if v.allow.cut && draw(2) == 0 {
		c.cuts[0] = int64(10+draw(60)) * half
		c.backs[0] = c.cuts[0] + int64(1+draw(10))*half
		c.cuts[1] = c.backs[0] + int64(1+draw(60))*half
		c.backs[1] = c.cuts[1] + int64(1+draw(10))*half
	}
	return c
}

// event sends a command and brings its event, or the parts of it, to everybody.
func (v *inventor) event(publisher, channel uint32, due int64) {
	draw := v.draw
	v.seq[publisher]++
	o := history.Observation{Event: wire.EventID{Publisher: publisher, Seq: v.seq[publisher]}, Channel: channel, Due: due}
	dispatched := due + int64(draw(12))*half
	foreign := draw(5) == 0
	if foreign {
		o.Event = wire.ForeignEvent("", []byte{byte(publisher), byte(o.Event.Seq)})
	} else {
		v.command(o, dispatched)
	}
	parts := []uint32{0}
	if draw(6) == 0 {
		parts = []uint32{1, 2}
	}
	o.Kind = history.Delivered
	if foreign {
		o.Kind, o.Due, v.c.shape.foreign = history.Foreign, 0, true
	}
	for _, o.Part = range parts {
		for i := range v.tabs {
			o.Client = uint32(i)
			v.deliver(o, dispatched)
		}
	}
}

// deliver brings one event to one client: not at all, once, or several times.
func (v *inventor) deliver(o history.Observation, dispatched int64) {
	draw, s := v.draw, &v.c.shape
	copies, slow, came := 1, 14, 0
	if v.allow.twice {
		copies += draw(8)/7 + draw(12)/11
	}
	if v.allow.slow {
		slow = 14 + draw(90)
	}
	for ; copies > 0; copies-- {
		o.At = dispatched + int64(1+draw(3)*draw(slow))*half
		conn, open := v.tabs[o.Client].stream(o.At)
		torn := open && v.allow.torn && draw(3) == 0 // the stream before has not ended yet
		o.Conn = conn
		if torn {
			o.Conn++
		}
		if o.Client == o.Event.Publisher && draw(2) == 0 {
			o.Conn, open, torn = 1, true, false
		}
		s.late = s.late || !open && o.At < v.tabs[o.Client].joined
		if open && draw(100) >= s.loss {
			o.Path = v.tabs[o.Client].paths[o.Conn]
			o.Node = 1
			if v.allow.nodes {
				o.Node = uint16(1 + (o.Client+o.Conn/2)%3) // a new connection may go to another node
			}
			o.NotBefore, o.Handled = o.At-int64(draw(3)*draw(12))*half, o.At+half
			if draw(40) == 0 {
				o.NotBefore = o.At + half // as the kernel's stamp may be a moment older than the clock
			}
			key := [2]uint32{o.Client, o.Conn}
			v.lanes[key] = append(v.lanes[key], o)
			came++
			s.reconnect = s.reconnect || o.Conn > 1 && conn > 2
			s.torn, s.twice, s.parts = s.torn || torn, s.twice || came > 1, s.parts || o.Part > 0
		}
	}
}

// command makes the rows of a command: sent, perhaps, and replied to, perhaps; now and then each of them twice.
func (v *inventor) command(o history.Observation, dispatched int64) {
	draw := v.draw
	o.Client = o.Event.Publisher
	var lane []history.Observation
	put := func(kind history.Kind, at int64, err uint16) {
		o.Kind, o.At, o.Err = kind, at, err
		lane = append(lane, o)
	}
	if draw(10) > 0 {
		o.Load = uint16(draw(3))
		channel := o.Channel
		if draw(20) == 0 {
			o.Channel = history.NoChannel // the deliveries know better
		}
		if v.allow.nodes {
			o.Node = uint16(draw(3))
		}
		put(history.Sent, max(o.Due, dispatched-ms), 0)
		if draw(30) == 0 {
			v.c.shape.repeated = true
			put(history.Sent, o.At+int64(1+draw(5))*half, 0)
		}
		o.Load, o.Node, o.Channel = 0, 0, channel
	}
	if draw(6) > 0 {
		put(history.Replied, dispatched+int64(draw(6))*half, uint16(draw(8)/7))
		if draw(30) == 0 {
			v.c.shape.repeated = true
			put(history.Replied, o.At+int64(draw(5))*half, uint16(draw(2)))
		}
	}
	if len(lane) > 0 {
		v.c.lanes = append(v.c.lanes, lane)
	}
}

// setBack sets the clock back under the rows of one connection.
func (v *inventor) setBack(lane []history.Observation) {
	if v.step == 0 {
		return
	}
	for i := range lane {
		v.c.shape.backward = v.c.shape.backward || lane[i].At > v.stepAt
		for _, stamp := range []*int64{&lane[i].NotBefore, &lane[i].At, &lane[i].Handled} {
			if *stamp > v.stepAt {
				*stamp -= v.step
			}
		}
	}
}
