package ordering_test

import (
	"slices"
	"testing"

	"holobench/history"
	"holobench/ordering"
	"holobench/wire"
)

const ms = 1_000_000

// The rows of a history written by hand; times in ms.
func subscribed(client, conn uint32, at int64) history.Observation {
	return history.Observation{Kind: history.Subscribed, Client: client, Conn: conn, Channel: 1, At: at * ms}
}

func unsubscribed(client, conn uint32, at int64) history.Observation {
	return history.Observation{Kind: history.Unsubscribed, Client: client, Conn: conn, Channel: 1, At: at * ms}
}

func ended(client, conn uint32, at int64) history.Observation {
	return history.Observation{Kind: history.Ended, Client: client, Conn: conn, At: at * ms}
}

func closed(client, conn uint32, at int64) history.Observation {
	return history.Observation{Kind: history.Closed, Client: client, Conn: conn, At: at * ms}
}

func about(kind history.Kind, client, seq uint32, at int64) history.Observation {
	return history.Observation{
		Kind: kind, Client: client, Channel: 1, At: at * ms, Due: 1 * ms, Conn: 9,
		Event: wire.EventID{Publisher: 0, Seq: seq},
	}
}

func sent(seq uint32, at int64) history.Observation    { return about(history.Sent, 0, seq, at) }
func replied(seq uint32, at int64) history.Observation { return about(history.Replied, 0, seq, at) }
func delivered(clientC, seq uint32, at int64) history.Observation {
	return about(history.Delivered, clientC, seq, at)
}

func withErr(o history.Observation) history.Observation {
	o.Err = 7
	return o
}

func withPart(o history.Observation, part uint32) history.Observation {
	o.Part = part
	return o
}

func onChannel(o history.Observation, channel uint32) history.Observation {
	o.Channel = channel
	return o
}

// wholeRun is drained until 1000 ms.
func wholeRun() history.Run {
	return history.Run{Finished: true, Ending: history.EndingComplete, End: 1000 * ms, Drain: 100 * ms}
}

// killedRun never said how it ended.
func killedRun() history.Run {
	return history.Run{Drain: 100 * ms}
}

func standings(run history.Run, rows ...history.Observation) (list []ordering.Standing) {
	var m ordering.Membership
	m.Add(rows)
	m.Close(run)
	m.Events(func(s ordering.Standing) { list = append(list, s) })
	return list
}

// counts is what a case expects of one event.
type counts struct {
	Expected, Reached, Lost, Indeterminate, Delivered, Duplicated, Stray int
}

func countsOf(s ordering.Standing) counts {
	return counts{s.Expected, s.Reached, s.Lost, s.Indeterminate, s.Delivered, s.Duplicated, s.Stray}
}

// The clients of the worked example in the package comment; A sends.
const (
	clientA = iota
	clientB
	clientC
	clientD
	clientE
	clientF
	clientG
)

func TestWorkedExample(t *testing.T) {
	t.Parallel()
	got := standings(wholeRun(),
		subscribed(clientA, 1, 0), subscribed(clientB, 1, 0), subscribed(clientD, 1, 0), subscribed(clientE, 1, 0), subscribed(clientF, 1, 0), subscribed(clientG, 1, 0),
		ended(clientG, 1, 3), sent(1, 10), delivered(clientA, 1, 11), replied(1, 11), subscribed(clientC, 1, 12), delivered(clientE, 1, 14), delivered(clientE, 1, 15),
		ended(clientB, 1, 14), subscribed(clientB, 2, 16), delivered(clientD, 1, 20), subscribed(clientG, 2, 25),
		closed(clientA, 1, 1001), closed(clientB, 2, 1001), closed(clientC, 1, 1001), closed(clientD, 1, 1001), closed(clientE, 1, 1001), closed(clientF, 1, 1001), closed(clientG, 2, 1001),
	)
	want := ordering.Standing{
		ID: wire.EventID{Seq: 1}, Channel: 1, Due: 1 * ms, Sent: 10 * ms, First: 11 * ms, Last: 20 * ms,
		Expected: 4, Reached: 3, Lost: 1, Indeterminate: 2, Delivered: 3, Duplicated: 1, MissedAway: 1, Accepted: true,
	}
	if len(got) != 1 || got[0] != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestGapOverAReconnect: what is sent to a client that is away is missed or caught up, and neither lost nor expected; who left by its
// own will misses nothing.
func TestGapOverAReconnect(t *testing.T) {
	t.Parallel()
	got := standings(wholeRun(),
		subscribed(clientA, 1, 0), subscribed(clientB, 1, 0), subscribed(clientC, 1, 0), subscribed(clientD, 1, 0),
		ended(clientA, 1, 5), closed(clientB, 1, 5), unsubscribed(clientC, 1, 5), ended(clientD, 1, 5),
		sent(1, 10), replied(1, 11), delivered(clientE, 1, 12), subscribed(clientE, 1, 13),
		subscribed(clientA, 2, 20), subscribed(clientB, 2, 20), delivered(clientB, 1, 21), subscribed(clientC, 2, 20), // D stays away
	)
	if len(got) != 1 || got[0].MissedAway != 1 || got[0].CaughtUp != 1 || got[0].Lost != 0 {
		t.Errorf("got %+v: A missed it, B was told of it when it came back, C had left, D never came back", got)
	}
}

// TestSentTwice: an event whose Sent stands twice was sent the first time, whichever row comes first.
func TestSentTwice(t *testing.T) {
	t.Parallel()
	for _, at := range [][2]int64{{10, 20}, {20, 10}} {
		got := standings(wholeRun(),
			subscribed(clientA, 1, 0), subscribed(clientB, 1, 15), sent(1, at[0]), sent(1, at[1]), delivered(clientA, 1, 25), delivered(clientB, 1, 25))
		if len(got) != 1 || got[0].Sent != 10*ms || countsOf(got[0]) != (counts{Expected: 1, Reached: 1, Indeterminate: 1, Delivered: 2}) {
			t.Errorf("sent at %d ms: got %+v", at, got)
		}
	}
}

func TestMembershipTable(t *testing.T) {
	t.Parallel()
	checkCounts(t, []countsCase{
		{"nobody got it, accepted", wholeRun(), []history.Observation{sent(1, 10), replied(1, 12)}, []counts{{Expected: 2, Lost: 2}}},
		{"nobody got it, status not 2xx", wholeRun(), []history.Observation{sent(1, 10), withErr(replied(1, 12))}, []counts{{Indeterminate: 2}}},
		{
			"nobody got it, no whole reply", wholeRun(),
			[]history.Observation{sent(1, 10), withErr(about(history.Unknown, clientA, 1, 12))},
			[]counts{{Indeterminate: 2}},
		},
		{"nobody got it, no word about it", wholeRun(), []history.Observation{sent(1, 10)}, []counts{{Indeterminate: 2}}},
		{
			"one got it, so it was dispatched", wholeRun(),
			[]history.Observation{sent(1, 10), withErr(replied(1, 12)), delivered(clientB, 1, 13)},
			[]counts{{Expected: 2, Reached: 1, Lost: 1, Delivered: 1}},
		},
		{"refused", wholeRun(), []history.Observation{withErr(about(history.Refused, clientA, 1, 10))}, nil},
		{"dropped", wholeRun(), []history.Observation{withErr(about(history.Dropped, clientA, 1, 10))}, nil},
		{"never sent, and a reply", wholeRun(), []history.Observation{replied(1, 10)}, nil},
		{
			"delivered, and its Sent is lost", wholeRun(),
			[]history.Observation{delivered(clientB, 1, 10), delivered(clientB, 1, 11)},
			[]counts{{Indeterminate: 2, Delivered: 1, Duplicated: 1}},
		},
		{
			"stray", wholeRun(),
			[]history.Observation{sent(1, 10), delivered(clientG, 1, 11), delivered(clientG, 1, 12)},
			[]counts{{Expected: 2, Lost: 2, Delivered: 1, Duplicated: 1, Stray: 1}},
		},
		{
			"closed by the run after its drain", wholeRun(),
			[]history.Observation{sent(1, 10), delivered(clientA, 1, 11), closed(clientB, 1, 1000), delivered(clientA, 1, 1010)},
			[]counts{{Expected: 2, Reached: 1, Lost: 1, Delivered: 1, Duplicated: 1}},
		},
		{
			"closed by the client before the end", wholeRun(),
			[]history.Observation{sent(1, 10), delivered(clientA, 1, 11), closed(clientB, 1, 999), delivered(clientA, 1, 1010)},
			[]counts{{Expected: 1, Reached: 1, Indeterminate: 1, Delivered: 1, Duplicated: 1}},
		},
		{
			"equal times touch", wholeRun(),
			[]history.Observation{sent(1, 10), subscribed(clientC, 1, 10), subscribed(clientD, 1, 5), ended(clientD, 1, 10), delivered(clientA, 1, 20), ended(clientB, 1, 20)},
			[]counts{{Expected: 1, Reached: 1, Indeterminate: 3, Delivered: 1}},
		},
		{
			"two connections that overlap are not one subscription", wholeRun(),
			[]history.Observation{subscribed(clientB, 2, 12), ended(clientB, 1, 15), sent(1, 10), delivered(clientA, 1, 20)},
			[]counts{{Expected: 1, Reached: 1, Indeterminate: 1, Delivered: 1}},
		},
		{
			"the node dies: all streams end together",
			history.Run{Finished: true, Ending: history.EndingFailed, End: 1000 * ms},
			[]history.Observation{
				sent(1, 10), replied(1, 11), delivered(clientA, 1, 12), sent(2, 13), ended(clientA, 1, 15), ended(clientB, 1, 16), withErr(about(history.Unknown, clientA, 2, 15)),
			},
			[]counts{{Expected: 2, Reached: 1, Lost: 1, Delivered: 1}, {Indeterminate: 2}},
		},
		{
			"parts stand for their whole", wholeRun(),
			[]history.Observation{
				sent(1, 10), replied(1, 11), withPart(delivered(clientA, 1, 12), 1), withPart(delivered(clientA, 1, 13), 2), withPart(delivered(clientA, 1, 14), 2),
				withPart(delivered(clientB, 1, 15), 1),
			},
			[]counts{{Expected: 2, Reached: 2, Delivered: 2}, {Expected: 2, Reached: 1, Lost: 1, Delivered: 1, Duplicated: 1}},
		},
		{
			"the channel of Sent is the event's", wholeRun(),
			[]history.Observation{onChannel(delivered(clientB, 1, 12), 2), sent(1, 10), onChannel(delivered(clientA, 1, 13), 3)},
			[]counts{{Expected: 2, Reached: 2, Delivered: 2}},
		},
		{
			"the channel of Sent is the event's, also against a smaller number", wholeRun(),
			[]history.Observation{onChannel(subscribed(clientB, 2, 0), 2), onChannel(sent(1, 10), 2), delivered(clientB, 1, 12), delivered(clientA, 1, 13)},
			[]counts{{Expected: 1, Reached: 1, Delivered: 2, Stray: 1}},
		},
		{
			"the channel of the whole is that of its parts", wholeRun(),
			[]history.Observation{onChannel(withPart(delivered(clientB, 1, 12), 1), 3), sent(1, 10)},
			[]counts{{Expected: 2, Reached: 1, Lost: 1, Delivered: 1}},
		},
		{"sent and refused: it did not go out", wholeRun(), []history.Observation{sent(1, 10), withErr(about(history.Refused, clientA, 1, 11)), replied(1, 12)}, nil},
		{
			"a stream ends once", wholeRun(),
			[]history.Observation{ended(clientB, 1, 5), closed(clientB, 1, 50), sent(1, 10), replied(1, 11), delivered(clientA, 1, 12)},
			[]counts{{Expected: 1, Reached: 1, Delivered: 1}},
		},
		{
			"unsubscribed", wholeRun(),
			[]history.Observation{onChannel(subscribed(clientB, 1, 0), 2), unsubscribed(clientB, 1, 5), sent(1, 10), replied(1, 11), delivered(clientA, 1, 12)},
			[]counts{{Expected: 1, Reached: 1, Delivered: 1}},
		},
	})
}

func TestMembershipWithoutADrain(t *testing.T) {
	t.Parallel()
	checkCounts(t, []countsCase{
		{
			"killed within the drain", killedRun(),
			[]history.Observation{sent(1, 99), replied(1, 101), delivered(clientA, 1, 100), sent(2, 100), replied(2, 103), delivered(clientA, 2, 105), delivered(clientB, 2, 200)},
			[]counts{{Expected: 2, Reached: 1, Lost: 1, Delivered: 1}, {Expected: 2, Reached: 2, Delivered: 2}},
		},
		{
			"killed: the horizon is the last row, not the last delivery", killedRun(),
			[]history.Observation{
				sent(1, 50), replied(1, 51), sent(2, 399), replied(2, 400), sent(3, 400), replied(3, 401), delivered(clientA, 3, 402),
				{Kind: history.Heartbeat, Client: clientB, Conn: 1, At: 500 * ms},
			},
			[]counts{{Expected: 2, Lost: 2}, {Expected: 2, Lost: 2}, {Expected: 1, Reached: 1, Indeterminate: 1, Delivered: 1}},
		},
		{
			"given up before the end of the drain",
			history.Run{Finished: true, Ending: history.EndingFailed, Drain: 100 * ms},
			[]history.Observation{sent(1, 10), replied(1, 12)},
			[]counts{{Indeterminate: 2}},
		},
	})
}

// countsCase is a history of channel 1, to which clients A and B are subscribed from the start, and the counts of its
// events.
type countsCase struct {
	name string
	run  history.Run
	rows []history.Observation
	want []counts
}

func checkCounts(t *testing.T, cases []countsCase) {
	t.Helper()
	two := []history.Observation{subscribed(clientA, 1, 0), subscribed(clientB, 1, 0)}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []counts
			for _, s := range standings(c.run, append(slices.Clone(two), c.rows...)...) {
				got = append(got, countsOf(s))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestEventsAreOrdered(t *testing.T) {
	t.Parallel()
	row := func(publisher, seq uint32, at int64) history.Observation {
		return history.Observation{Kind: history.Sent, Client: publisher, Event: wire.EventID{Publisher: publisher, Seq: seq}, Channel: 1, At: at}
	}
	var got []wire.EventID
	for _, s := range standings(wholeRun(), row(3, 1, 5), row(2, 2, 5), row(2, 1, 5), row(9, 1, 4), row(1, 1, 6)) {
		got = append(got, s.ID)
	}
	want := []wire.EventID{{Publisher: 9, Seq: 1}, {Publisher: 2, Seq: 1}, {Publisher: 2, Seq: 2}, {Publisher: 3, Seq: 1}, {Publisher: 1, Seq: 1}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSubscribers(t *testing.T) {
	t.Parallel()
	var m ordering.Membership
	m.Add([]history.Observation{
		subscribed(clientA, 1, 0), subscribed(clientB, 1, 10), ended(clientB, 1, 20), subscribed(clientB, 2, 30), subscribed(clientB, 3, 35), onChannel(subscribed(clientC, 1, 0), 2),
		delivered(clientG, 1, 5), closed(clientA, 1, 1000),
	})
	m.Close(wholeRun())
	for _, c := range []struct {
		channel uint32
		at      int64
		want    int
	}{{1, 0, 0}, {1, 1, 1}, {1, 10, 1}, {1, 11, 2}, {1, 20, 1}, {1, 25, 1}, {1, 40, 2}, {1, 2000, 2}, {2, 1, 1}, {3, 1, 0}} {
		if got := m.Subscribers(c.channel, c.at*ms); got != c.want {
			t.Errorf("Subscribers(%d, %d ms) = %d, want %d", c.channel, c.at, got, c.want)
		}
	}
}

// TestCloseMayComeOften watches a run while it goes on.
func TestCloseMayComeOften(t *testing.T) {
	t.Parallel()
	var m ordering.Membership
	one := func(run history.Run) counts {
		m.Close(run)
		var list []counts
		m.Events(func(s ordering.Standing) { list = append(list, countsOf(s)) })
		if len(list) != 1 {
			t.Fatalf("%d events, want one", len(list))
		}
		return list[0]
	}
	m.Add([]history.Observation{subscribed(clientA, 1, 0), subscribed(clientB, 1, 0), sent(1, 10), delivered(clientA, 1, 11)})
	if got, want := one(killedRun()), (counts{Expected: 1, Reached: 1, Indeterminate: 1, Delivered: 1}); got != want {
		t.Errorf("while it is on its way: got %+v, want %+v", got, want)
	}
	m.Add([]history.Observation{delivered(clientB, 1, 12)})
	if got, want := one(wholeRun()), (counts{Expected: 2, Reached: 2, Delivered: 2}); got != want {
		t.Errorf("at the end: got %+v, want %+v", got, want)
	}
}
