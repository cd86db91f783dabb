package ordering_test

import (
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

// saw is one delivery in a history written by hand, times in ms: exact when it has no notBefore.
type saw struct {
	client    uint32
	event     string // "a" is by publisher 0, "b" by 1, and so on; "a2" is a's second
	conn      uint32 // 1 = the socket of commands, whose path is the reply
	at        int64
	notBefore int64
}

func eventOf(name string) wire.EventID {
	id := wire.EventID{Publisher: uint32(name[0] - 'a'), Seq: 1}
	if len(name) > 1 {
		id.Seq = uint32(name[1] - '0')
	}
	return id
}

func (s saw) row() history.Observation {
	path := history.SSE
	if s.conn == 1 {
		path = history.Reply
	}
	o := history.Observation{
		Kind: history.Delivered, Client: s.client, Conn: s.conn, Channel: 1, Path: path, At: s.at * ms, NotBefore: s.at * ms,
		Event: eventOf(s.event), Due: ms * int64(eventOf(s.event).Seq),
	}
	if s.notBefore != 0 {
		o.NotBefore = s.notBefore * ms
	}
	return o
}

func command(event string, due, sent, replied int64) (rows []history.Observation) {
	o := history.Observation{Kind: history.Sent, Client: eventOf(event).Publisher, Event: eventOf(event), Channel: 1, Due: due * ms, At: sent * ms}
	rows = append(rows, o)
	if replied != 0 {
		o.Kind, o.At = history.Replied, replied*ms
		rows = append(rows, o)
	}
	return rows
}

// line writes Figures in one line, without what is 0.
func line(f *ordering.Figures) string {
	var s strings.Builder
	say := func(name string, n int) {
		if n != 0 {
			fmt.Fprintf(&s, "%s %d, ", name, n)
		}
	}
	say("at risk", f.All.AtRisk)
	say("tied", f.All.Tied)
	say("divergent", f.All.Divergent)
	say("oo at risk", f.ObserverObserver.AtRisk)
	say("oo", f.ObserverObserver.Divergent)
	say("xo at risk", f.OriginatorObserver.AtRisk)
	say("xo", f.OriginatorObserver.Divergent)
	say("inversions", f.Inversions)
	say("tied views", f.TiedViews)
	say("touched", f.Touched)
	for _, p := range f.ByPaths {
		say(p.Paths.String(), p.Divergent)
	}
	say("fifo pairs", f.FIFO.Pairs)
	say("violations", f.FIFO.Violations)
	say("views", f.FIFO.Views)
	say("in flight", f.FIFO.InFlight)
	say("concurrent", f.FIFO.Concurrent)
	say("beyond", f.Beyond.Divergent)
	say("violations beyond", f.Beyond.FIFOViolations)
	return strings.TrimSuffix(s.String(), ", ")
}

func TestAnalysisByExample(t *testing.T) {
	t.Parallel()
	ab := slices.Concat(command("a", 1, 1, 0), command("b", 2, 2, 0))
	for _, c := range []struct {
		name string
		sent []history.Observation
		saw  []saw
		want string
	}{
		{
			// The example of the package comment: A's own event comes in the reply, and overtakes b on the stream.
			"the originator's reply overtakes the stream", ab,
			[]saw{{0, "b", 2, 14, 0}, {0, "a", 1, 11, 0}, {1, "b", 1, 10, 0}, {1, "a", 2, 13, 0}, {2, "b", 2, 12, 0}, {2, "a", 2, 13, 0}, {3, "b", 2, 12, 0}, {3, "a", 2, 13, 0}},
			"at risk 1, divergent 1, oo at risk 1, xo at risk 1, xo 1, inversions 1, touched 2, reply/sse 1",
		},
		{
			// The example once more, with b behind another message at A.
			"the originator is tied, three others order", ab,
			[]saw{{0, "b", 2, 14, 10}, {0, "a", 1, 11, 0}, {1, "b", 1, 10, 0}, {1, "a", 2, 13, 0}, {2, "b", 2, 12, 0}, {2, "a", 2, 13, 0}, {3, "b", 2, 12, 0}, {3, "a", 2, 13, 0}},
			"at risk 1, oo at risk 1, xo at risk 1, tied views 1",
		},
		{
			"each originator sees its own first, and nobody else listens", ab,
			[]saw{{0, "a", 1, 10, 0}, {0, "b", 2, 12, 0}, {1, "b", 1, 10, 0}, {1, "a", 2, 12, 0}},
			"at risk 1, divergent 1, xo at risk 1, xo 1, inversions 1, touched 2, reply/sse 1",
		},
		{
			"two onlookers disagree, and so does an originator", ab,
			[]saw{{0, "a", 1, 10, 0}, {0, "b", 2, 12, 0}, {2, "a", 2, 11, 0}, {2, "b", 2, 12, 0}, {3, "b", 2, 11, 0}, {3, "a", 2, 12, 0}},
			"at risk 1, divergent 1, oo at risk 1, oo 1, xo at risk 1, inversions 1, touched 2, sse 1",
		},
		{
			"one client is no disagreement", ab, []saw{{2, "b", 2, 11, 0}, {2, "a", 2, 12, 0}}, "",
		},
		{
			"a client that saw one of the two says nothing", ab,
			[]saw{{2, "a", 2, 11, 0}, {2, "b", 2, 12, 0}, {3, "b", 2, 11, 0}},
			"",
		},
		{
			"a NotBefore after At is At", ab,
			[]saw{{0, "a", 1, 11, 13}, {0, "b", 2, 12, 13}, {2, "b", 2, 11, 0}, {2, "a", 2, 12, 0}},
			"at risk 1, divergent 1, xo at risk 1, xo 1, inversions 1, touched 2, reply/sse 1",
		},
		{
			"overlapping intervals on two sockets are a tie", ab,
			[]saw{{0, "a", 1, 12, 0}, {0, "b", 2, 14, 11}, {2, "b", 2, 11, 0}, {2, "a", 2, 12, 0}},
			"tied 1, tied views 1",
		},
		{
			"intervals that touch are a tie", ab,
			[]saw{{0, "a", 1, 12, 0}, {0, "b", 2, 14, 12}, {2, "b", 2, 11, 0}, {2, "a", 2, 12, 0}},
			"tied 1, tied views 1",
		},
		{
			"a tie at one client leaves the pair to the others", ab,
			[]saw{{0, "a", 1, 12, 0}, {0, "b", 2, 14, 11}, {2, "a", 2, 11, 0}, {2, "b", 2, 12, 0}, {3, "a", 2, 11, 0}, {3, "b", 2, 12, 0}},
			"at risk 1, oo at risk 1, tied views 1",
		},
		{
			"on one socket bytes decide, in spite of stamps that are equal or overlap", ab,
			[]saw{{2, "b", 2, 12, 5}, {2, "a", 2, 12, 5}, {3, "a", 2, 12, 5}, {3, "b", 2, 12, 0}},
			"at risk 1, divergent 1, oo at risk 1, oo 1, inversions 1, touched 2, sse 1",
		},
		{
			"after a reconnect intervals decide", ab,
			[]saw{{2, "b", 3, 12, 10}, {2, "a", 2, 12, 9}, {3, "a", 2, 12, 0}, {3, "b", 2, 13, 0}, {4, "b", 2, 11, 0}, {4, "a", 3, 13, 12}},
			"at risk 1, divergent 1, oo at risk 1, oo 1, inversions 1, tied views 1, touched 2, sse 1",
		},
		{
			"the first copy orders", ab,
			[]saw{{2, "a", 2, 10, 0}, {2, "b", 2, 11, 0}, {2, "a", 2, 12, 0}, {3, "a", 2, 11, 0}, {3, "b", 2, 12, 0}},
			"at risk 1, oo at risk 1",
		},
		{
			"a copy that may have been the first blurs it", ab,
			[]saw{{0, "b", 2, 11, 0}, {0, "a", 2, 13, 0}, {0, "a", 1, 14, 9}, {2, "a", 2, 11, 0}, {2, "b", 2, 12, 0}},
			"tied 1, tied views 1",
		},
		{
			"fifo: the second was sent after the reply to the first", slices.Concat(command("a", 1, 1, 5), command("a2", 2, 6, 0)),
			[]saw{{2, "a2", 2, 11, 0}, {2, "a", 2, 12, 0}, {3, "a2", 2, 11, 0}, {3, "a", 2, 12, 0}, {4, "a", 2, 11, 0}},
			"at risk 1, oo at risk 1, inversions 2, fifo pairs 1, violations 1, views 2",
		},
		{
			"fifo: sent at the moment of the reply is in flight together", slices.Concat(command("a", 1, 1, 5), command("a2", 2, 5, 0)),
			[]saw{{2, "a2", 2, 11, 0}, {2, "a", 2, 12, 0}},
			"in flight 1, concurrent 1",
		},
		{
			"further apart than the window", slices.Concat(command("a", 1, 1, 5), command("a2", 1002, 1002, 0)),
			[]saw{{2, "a2", 2, 1011, 0}, {2, "a", 2, 1012, 0}, {3, "a", 2, 11, 0}, {3, "a2", 2, 1012, 0}},
			"beyond 1, violations beyond 1",
		},
		{
			"as far apart as the window", slices.Concat(command("a", 1, 1, 0), command("b", 1001, 1001, 0)),
			[]saw{{2, "a", 2, 1011, 0}, {2, "b", 2, 1012, 0}, {3, "a", 2, 11, 0}, {3, "b", 2, 1012, 0}},
			"at risk 1, oo at risk 1",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rows := slices.Clone(c.sent)
			for _, s := range c.saw {
				rows = append(rows, s.row())
			}
			got := analyse(history.Run{}, rows, 0, 0)
			for i := range rows {
				rows[i].NotBefore = min(rows[i].NotBefore, rows[i].At)
			}
			if line(&got.Overall) != c.want {
				t.Errorf("\ngot  %s\nwant %s", line(&got.Overall), c.want)
			}
			if err := newTruth(history.Run{}, rows, 0, 0).check(&got); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestWitness is the example of the package comment, to the last field.
func TestWitness(t *testing.T) {
	t.Parallel()
	rows := slices.Concat(command("a", 1, 2, 11), command("b", 2, 3, 10))
	for _, s := range []saw{
		{0, "a", 1, 11, 0},
		{0, "b", 2, 14, 13},
		{1, "b", 1, 10, 0},
		{1, "a", 2, 13, 0},
		{2, "b", 2, 12, 0},
		{2, "a", 2, 13, 0},
		{3, "b", 2, 12, 0},
		{3, "a", 2, 17, 16},
	} {
		rows = append(rows, s.row())
	}
	for i := range rows {
		rows[i].Due = int64(1+rows[i].Event.Publisher) * ms
	}
	got := analyse(history.Run{}, rows, 0, 0).Witnesses
	want := []ordering.Witness{{
		Class: ordering.OriginatorObserver, Rank: 1, Of: 1, Channel: 1, Margin: 2 * ms,
		A:      ordering.Event{ID: eventOf("a"), Due: 1 * ms, Sent: 2 * ms, Replied: 11 * ms, Earliest: 11 * ms},
		B:      ordering.Event{ID: eventOf("b"), Due: 2 * ms, Sent: 3 * ms, Replied: 10 * ms, Earliest: 10 * ms},
		First:  ordering.View{Client: 0, Originator: true, Earlier: rows[4], Later: rows[5], Margin: 2 * ms},
		Second: ordering.View{Client: 3, Earlier: rows[10], Later: rows[11], Margin: 5 * ms, ByBytes: true},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\ngot  %+v\nwant %+v", got, want)
	}
}

// TestAnalysisShowsLargestMedianSmallest has five divergent pairs in channels of their own, with margins of 1 to 5 ms.
func TestAnalysisShowsLargestMedianSmallest(t *testing.T) {
	t.Parallel()
	var rows []history.Observation
	for channel := range uint32(5) {
		apart := int64(channel + 1)
		for _, s := range []saw{{8, "a", 2, 10, 0}, {8, "b", 2, 10 + apart, 0}, {9, "b", 2, 10, 0}, {9, "a", 2, 20, 0}} {
			o := s.row()
			o.Channel, o.Event.Seq, o.Conn = channel+1, channel+1, 20+channel
			rows = append(rows, o)
		}
	}
	var got []string
	for _, w := range analyse(history.Run{}, rows, 0, 0).Witnesses {
		got = append(got, fmt.Sprintf("%v %d/%d %v", w.Class, w.Rank, w.Of, w.Margin))
	}
	want := []string{"observer-observer 1/5 5ms", "observer-observer 3/5 3ms", "observer-observer 5/5 1ms"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestUserStampsWiden: deliveries on different sockets less than 5 ms apart are ties when the process took the stamps.
func TestUserStampsWiden(t *testing.T) {
	t.Parallel()
	rows := []history.Observation{
		saw{0, "a", 1, 10, 0}.row(), saw{0, "b", 2, 14, 0}.row(), saw{1, "b", 1, 10, 0}.row(), saw{1, "a", 2, 15, 0}.row(),
		saw{2, "a", 2, 10, 0}.row(), saw{2, "b", 2, 11, 0}.row(),
	}
	user := history.Run{Machine: history.Machine{Stamps: "user"}}
	for _, c := range []struct {
		run  history.Run
		ties time.Duration
		want int // tied views
	}{{user, 0, 1}, {user, -1, 0}, {history.Run{}, 0, 0}, {history.Run{}, 6 * ms, 2}, {user, 4 * ms, 0}} {
		got := analyse(c.run, rows, 0, c.ties)
		if got.Overall.TiedViews != c.want {
			t.Errorf("TieBelow %v, stamps %q: %d tied views, want %d", c.ties, c.run.Machine.Stamps, got.Overall.TiedViews, c.want)
		}
	}
}

// consistent makes a history in which all clients see all events on one socket in one order: events at a time, 20 ms apart.
func consistent(events int, clients uint32) (rows []history.Observation) {
	for i := range events {
		id := wire.EventID{Publisher: uint32(i) % clients, Seq: uint32(i)/clients + 1}
		due := int64(i+1) * 20 * ms
		rows = append(rows, history.Observation{Kind: history.Sent, Client: id.Publisher, Event: id, Channel: 1, Due: due, At: due})
		for client := range clients {
			at := due + ms + int64(client)*1000
			rows = append(rows, history.Observation{
				Kind: history.Delivered, Client: client, Conn: 2, Channel: 1, Event: id, Due: due, NotBefore: at, At: at, Path: history.SSE,
			})
		}
	}
	return rows
}

// TestOneSwapIsOnePair is the positive control: of a consistent history nothing is divergent, and when two deliveries of one
// client that stand next to each other change places, exactly their pair is.
func TestOneSwapIsOnePair(t *testing.T) {
	t.Parallel()
	const events, clients = 200, 10
	rows := consistent(events, clients)
	if got := analyse(history.Run{}, rows, 0, 0).Overall; line(&got) != "at risk 8725, oo at risk 8725, xo at risk 8725, in flight 850" {
		t.Fatalf("consistent: %s", line(&got))
	}
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	for range 20 {
		client, n := random.IntN(clients), random.IntN(events-1)
		swapped := slices.Clone(rows)
		first, second := &swapped[n*(clients+1)+1+client], &swapped[(n+1)*(clients+1)+1+client]
		first.Event, second.Event = second.Event, first.Event
		first.Due, second.Due = second.Due, first.Due
		got := analyse(history.Run{}, swapped, 0, 0)
		inversions := 1
		if client == 0 { // it is always the first to see, so that its order is the reference, and all others contradict it
			inversions = clients - 1
		}
		if got.Overall.All.Divergent != 1 || got.Overall.Inversions != inversions || got.Overall.Touched != 2 || got.Overall.All.AtRisk != 8725 {
			t.Errorf("seed %d: events %d and %d of client %d swapped: %s", seed, n, n+1, client, line(&got.Overall))
		}
		if w := got.Witnesses; len(w) != 1 || w[0].First.Client != uint32(client) && w[0].Second.Client != uint32(client) {
			t.Errorf("seed %d: client %d is no witness: %+v", seed, client, w)
		}
	}
}

func TestAnalysisOfNothing(t *testing.T) {
	t.Parallel()
	var a ordering.Analysis
	a.Add(command("a", 1, 1, 2))
	got := a.Close(history.Run{Windows: []history.Window{{Name: "steady", To: 5}}})
	if line(&got.Overall) != "" || len(got.Channels) != 0 || len(got.Windows) != 1 || len(got.Witnesses) != 0 {
		t.Errorf("%+v", got)
	}
	var edges []time.Duration
	for _, b := range got.Bins {
		edges = append(edges, b.To/ms)
	}
	if want := []time.Duration{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000}; !slices.Equal(edges, want) {
		t.Errorf("bins end at %d, want %d", edges, want)
	}
}

func TestPathsString(t *testing.T) {
	t.Parallel()
	for p, want := range map[ordering.Paths]string{0: "", 1: "unknown", 2: "reply", 6: "reply/sse", 63: "unknown/reply/sse/poll/websocket/browser"} {
		if p.String() != want {
			t.Errorf("%d is %q, want %q", p, p, want)
		}
	}
}
