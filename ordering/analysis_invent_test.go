package ordering_test

import (
	"cmp"
	"slices"
	"time"

	"holobench/history"
	"holobench/wire"
)

// crossing is an invented history, in which every connection keeps its order, and how to look at it.
type crossing struct {
	run          history.Run
	lanes        [][]history.Observation
	window, ties time.Duration
}

// inventCrossing makes a history out of draws below n: 2 to 100 clients, several channels, loss up to 90 %, duplicates, late
// joins, reconnects, replies and streams, intervals that overlap. Times are multiples of half a ms, so that they often touch.
func inventCrossing(draw func(n int) int) (c crossing) {
	const half = ms / 2
	clients := 2 + draw(4)
	if draw(12) == 0 {
		clients = 2 + draw(99)
	}
	events, channels, loss, span := 2+draw(14), 1+draw(2), draw(10)*draw(11), 1+draw(60)
	slow, torn := 14+draw(2)*draw(90), draw(3) == 0 // torn: streams over two sockets
	c.window = time.Duration(2+draw(5)*draw(10)) * ms
	c.ties = []time.Duration{0, 0, -1, 2 * ms}[draw(4)]
	c.run = history.Run{Barrier: int64(draw(9)) * ms, Windows: []history.Window{
		{Name: "early", From: 0, To: int64(1+draw(30)) * ms}, {Name: "late", From: int64(draw(30)) * ms, To: 80 * ms},
	}}
	c.run.Machine.Stamps = []string{"kernel", "user"}[draw(2)]
	joined, cut := make([]int64, clients), make([]int64, clients)
	for i := range clients {
		joined[i], cut[i] = int64(draw(4)*draw(20))*half, int64(30+draw(200))*half
	}
	lanes := map[[2]uint32][]history.Observation{}
	put := func(o history.Observation) {
		o.NotBefore, o.Handled = o.At-int64(draw(3)*draw(12))*half, o.At+half
		key := [2]uint32{o.Client, o.Conn}
		lanes[key] = append(lanes[key], o)
	}
	publishers := 1 + draw(min(clients, 4))
	seq := map[uint32]uint32{}
	for range events {
		publisher := uint32(draw(publishers))
		seq[publisher]++
		o := history.Observation{Event: wire.EventID{Publisher: publisher, Seq: seq[publisher]}, Channel: uint32(1 + draw(channels)), Due: int64(2+draw(2*span)) * half}
		dispatched := o.Due + int64(draw(12))*half
		c.lanes = append(c.lanes, inventCommand(draw, o, dispatched))
		o.Kind = history.Delivered
		o.Part = uint32(draw(8) / 7)
		for client := range uint32(clients) {
			o.Client = client
			for copies := 1 + draw(8)/7 + draw(12)/11; copies > 0; copies-- {
				o.At, o.Conn, o.Path = dispatched+int64(1+draw(3)*draw(slow))*half, 2, history.SSE
				if o.At > cut[client] || torn && draw(3) == 0 { // it reconnected
					o.Conn = 3
				}
				if client == publisher && draw(2) == 0 {
					o.Conn, o.Path = 1, history.Reply
				}
				if o.At >= joined[client] && draw(100) >= loss {
					put(o)
				}
			}
		}
	}
	for _, lane := range lanes {
		slices.SortStableFunc(lane, func(a, b history.Observation) int { return cmp.Compare(a.At, b.At) })
		c.lanes = append(c.lanes, lane)
	}
	slices.SortFunc(c.lanes, func(a, b []history.Observation) int { // not as the map had them
		if len(a) == 0 || len(b) == 0 {
			return len(a) - len(b)
		}
		return cmp.Or(cmp.Compare(a[0].Client, b[0].Client), cmp.Compare(a[0].Conn, b[0].Conn), cmp.Compare(a[0].Event.Seq, b[0].Event.Seq))
	})
	return c
}

// inventCommand makes the rows of a command: sent, perhaps, and replied to, perhaps.
func inventCommand(draw func(n int) int, o history.Observation, dispatched int64) (lane []history.Observation) {
	o.Client = o.Event.Publisher
	if draw(10) > 0 {
		o.Kind, o.At = history.Sent, max(o.Due, dispatched-ms)
		lane = append(lane, o)
	}
	if draw(6) > 0 {
		o.Kind, o.At = history.Replied, dispatched+int64(draw(6))*ms/2
		o.Err = uint16(draw(8) / 7)
		lane = append(lane, o)
	}
	return lane
}
