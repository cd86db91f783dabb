package ordering

import (
	"math/bits"
	"strings"
	"time"

	"holobench/history"
)

// Divergence is what an Analysis found: plain data, the same for the same history however its connections were interleaved.
// The terms are those of the package comment.
type Divergence struct {
	Window   time.Duration // pairs due at most this far apart are looked at
	TieBelow time.Duration // on different sockets, deliveries closer than this give no order
	Mixed    int           // clients whose deliveries came on more than one socket: only at them do stamps decide, not bytes
	Copies   Copies        // deliveries of an event to a client beyond the first

	Overall   Figures
	Channels  []ChannelFigures // by number of the channel; one that saw no event has no entry
	Windows   []WindowFigures  // as Run.Windows
	Bins      []Bin            // by time between the due times, without gaps from 0 to Window
	Witnesses []Witness        // by class, then largest margin first: at most three a class
}

// Copies divides the deliveries of an event to a client beyond the first by how they came. They sum to what Membership calls
// duplicated.
type Copies struct {
	OneSocket int // by the same way, stream or reply, on a connection that had brought it already: the server sent it twice
	Reconnect int // on another stream: it was sent again after a reconnect, or the client has several
	TwoWays   int // in a reply, besides another way
}

// ChannelFigures are the Figures of one channel.
type ChannelFigures struct {
	Channel uint32 // number of its name in the history
	Figures
}

// WindowFigures are the Figures of one window of the run: an event belongs to it by its due time, a pair by the due time
// of its later event.
type WindowFigures struct {
	Name string
	Figures
}

// Figures are counts over some part of a history. Unless said otherwise they are of pairs due within Divergence.Window.
type Figures struct {
	Classes
	SameNode   Pairs       // by clients of one node of the target; equal to All on one node
	Events     int         // that anybody received
	Touched    int         // those of them in at least one divergent pair
	Inversions int         // (pair, client): the client saw the pair against the order of first sight
	TiedViews  int         // (pair, client): the client saw both events of a pair that others saw too, and its stamps give no order
	ByPaths    []PathCount // divergent pairs by the fewest paths that show the disagreement; sums to All.Divergent
	FIFO       FIFO
	Beyond     Beyond
}

// Classes are the same counts for all pairs, and by the roles of the clients that could disagree. Divergent of the two
// classes sums to All.Divergent; AtRisk and Tied do not: many a pair is exposed in both ways.
type Classes struct {
	All                Pairs
	OriginatorObserver Pairs
	ObserverObserver   Pairs
}

// Pairs counts pairs of events of one class. Divergent <= AtRisk, always.
type Pairs struct {
	AtRisk    int // enough clients order it that they could disagree
	Tied      int // enough clients saw both, too few of them order it
	Divergent int // they do disagree
}

// FIFO counts pairs of two commands of one publisher, each seen and ordered by at least one client.
type FIFO struct {
	Pairs      int // the second was sent after the reply to the first: no client may see it first
	Violations int // those of them that some client saw the wrong way round
	Views      int // (pair, client) that did
	InFlight   int // pairs whose commands were in flight together, or the first of which got no good reply
	Concurrent int // those of them that some client saw against the order of sending: fifo_concurrent, no violation
	OtherNode  int // of Violations: the two commands were sent to different nodes
}

// Beyond counts what was found among pairs due further apart than Divergence.Window: commands that waited long, events that
// were late by more. It is in no other figure, since its pairs are in no denominator.
type Beyond struct {
	Divergent        int
	ObserverObserver int // those of them in that class
	FIFOViolations   int // pairs
}

// PathCount is a number of divergent pairs that Paths show.
type PathCount struct {
	Paths     Paths
	Divergent int
}

// Bin counts the pairs whose due times are at least From and less than To apart; the last bin includes its To.
type Bin struct {
	From, To time.Duration
	Classes
}

// Paths is a set of paths: bit 1<<p for history.Path p.
type Paths uint8

// lastPath is the last one that fits Paths; one that is newer counts as not known.
const lastPath = history.Browser

func pathSet(p history.Path) Paths {
	if p > lastPath {
		p = history.NoPath
	}
	return 1 << p
}

// String joins the names by "/" in the order of history.Path, for example "reply/sse"; a path that is not known is
// "unknown".
func (p Paths) String() string {
	var names []string
	for path := history.NoPath; path <= lastPath; path++ {
		if p&(1<<path) == 0 {
			continue
		}
		name := path.String()
		if path == history.NoPath {
			name = "unknown"
		}
		names = append(names, name)
	}
	return strings.Join(names, "/")
}

// combinations is a set of Paths: bit 1<<s for the set s. There are 64 sets of six paths.
type combinations uint64

func (c *combinations) add(p Paths) { *c |= 1 << p }

// fewest returns the smallest union of a set from c and one from d: by the number of paths, then by value.
func (c combinations) fewest(d combinations) Paths {
	best := Paths(1<<(lastPath+1) - 1)
	for ; c != 0; c &= c - 1 {
		for rest := d; rest != 0; rest &= rest - 1 {
			union := Paths(bits.TrailingZeros64(uint64(c)) | bits.TrailingZeros64(uint64(rest)))
			few, most := bits.OnesCount8(uint8(union)), bits.OnesCount8(uint8(best))
			if few < most || few == most && union < best {
				best = union
			}
		}
	}
	return best
}

// Class says who disagrees about a divergent pair.
type Class uint8

// The classes, and how reports and budgets spell them.
const (
	OriginatorObserver Class = iota // only with the word of a client that published one of the two events
	ObserverObserver                // two clients that published neither
)

// String is the tag value.
func (c Class) String() string {
	if c == ObserverObserver {
		return "observer-observer"
	}
	return "originator-observer"
}

// binEdges are the upper ends of the bins: 1, 2 and 5 times a power of ten, from 1 ms on, the last one being window.
func binEdges(window time.Duration) (edges []time.Duration) {
	for decade := time.Millisecond; ; decade *= 10 {
		for _, edge := range []time.Duration{decade, 2 * decade, 5 * decade} {
			if edge >= window || edge < 0 {
				return append(edges, window)
			}
			edges = append(edges, edge)
		}
	}
}
