package ordering

import (
	"cmp"
	"slices"

	"holobench/history"
)

// sight is when one client first saw one event: in (notBefore, at], or exactly at "at" when both are equal.
type sight struct {
	at, notBefore int64
	client        uint32
	conn          uint32 // 0 = not known by which socket it came first
	row           uint32 // index of its delivery: on one conn, the order of bytes
	node          uint16 // that brought it; 0 = not known
	path          history.Path
}

// order is how a client saw a pair.
type order int8

const (
	forward  order = 1  // the first event of the pair first
	tied     order = 0  // nobody can tell
	backward order = -1 // the second one first
)

// against says how its client saw s and t, and how far apart. On one socket the order of bytes decides, whatever the
// stamps say; on different ones the intervals must be at least "least" apart, which is never below 1: intervals that
// touch are tied, because a clock that shows the same value twice proves no order.
func (s *sight) against(t *sight, least int64) (order, int64) {
	if s.conn == t.conn && s.conn != 0 {
		if s.row < t.row {
			return forward, max(0, t.at-s.at)
		}
		return backward, max(0, s.at-t.at)
	}
	if gap := t.notBefore - s.at; gap >= least {
		return forward, gap
	}
	if gap := s.notBefore - t.at; gap >= least {
		return backward, gap
	}
	return tied, 0
}

// byBytes tells whether the order of bytes decides between s and t.
func (s *sight) byBytes(t *sight) bool { return s.conn == t.conn && s.conn != 0 }

// firstSights reduces the deliveries of one event to one sight a client, by client, and counts those that it leaves out. It sorts
// copies.
func firstSights(copies []sight, least int64, beyond *Copies) []sight {
	slices.SortFunc(copies, func(s, t sight) int {
		return cmp.Or(cmp.Compare(s.client, t.client), cmp.Compare(s.conn, t.conn), cmp.Compare(s.row, t.row))
	})
	kept := 0
	for from := 0; from < len(copies); {
		to := from + 1
		for to < len(copies) && copies[to].client == copies[from].client {
			to++
		}
		beyond.add(copies[from:to])
		copies[kept] = firstOf(copies[from:to], least)
		kept++
		from = to
	}
	return copies[:kept:kept]
}

// firstOf returns when a client first saw an event of which it got copies, which stand by conn, then row. Of each socket the
// first copy counts; of those, the one with the earliest arrival. When another socket may have brought its copy even
// earlier, what is known is when the first came at the latest, and after which moment all came, but not by which socket.
func firstOf(copies []sight, least int64) sight {
	if len(copies) == 1 {
		return copies[0]
	}
	later := func(i int) bool { return i > 0 && copies[i].conn != 0 && copies[i].conn == copies[i-1].conn }
	best := 0
	for i := range copies {
		if !later(i) && copies[i].at < copies[best].at {
			best = i
		}
	}
	first := copies[best]
	for i := range copies {
		if i != best && !later(i) && copies[i].notBefore-copies[best].at < least {
			first.conn = 0
			first.notBefore = min(first.notBefore, copies[i].notBefore)
		}
	}
	return first
}

// add counts what one client got beyond the first delivery of an event; copies stand by conn. One connection may carry replies and the
// stream, which are two ways there, too.
func (c *Copies) add(copies []sight) {
	streams, replies := 0, 0
	streamed, replied := false, false // by the connection of the copy before
	for i := range copies {
		if i > 0 && copies[i].conn != copies[i-1].conn {
			streamed, replied = false, false
		}
		way, ways := &streamed, &streams
		if copies[i].path == history.Reply {
			way, ways = &replied, &replies
		}
		if *way {
			c.OneSocket++
			continue
		}
		*way = true
		*ways++
	}
	c.Reconnect += max(0, streams-1)
	c.TwoWays += max(0, replies-max(0, 1-streams))
}
