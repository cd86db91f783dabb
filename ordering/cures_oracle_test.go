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

// This file holds Elsewhere and Optimistic against their definitions, written down once more without any thought of speed.

// inventTalk makes a small history of few clients that send to one channel and hear each other, with losses, copies, failures and
// few different times.
func inventTalk(random *rand.Rand) (rows []history.Observation) {
	clients := 2 + random.Uint32N(3)
	span := func(o history.Observation, at int64) history.Observation {
		o.At, o.NotBefore = at, at-random.Int64N(3)
		return o
	}
	for seq := range 1 + random.Uint32N(5) {
		for client := range clients {
			o := history.Observation{
				Client: client, Channel: 1 + random.Uint32N(2), Event: wire.EventID{Publisher: client, Seq: seq + 1}, Due: 1 + random.Int64N(30),
			}
			rows = append(rows, inventCommand(random, o, span)...)
			for hearer := range clients {
				for range random.IntN(3) {
					heard := span(o, o.Due+1+random.Int64N(8))
					heard.Kind, heard.Client, heard.Conn, heard.Path = history.Delivered, hearer, 1, history.SSE
					rows = append(rows, heard)
				}
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b history.Observation) int { return cmp.Compare(a.At, b.At) })
	return rows
}

// inventCommand makes the life of a command at its sender.
func inventCommand(random *rand.Rand, o history.Observation, span func(history.Observation, int64) history.Observation) (rows []history.Observation) {
	add := func(kind history.Kind, at int64, err uint16) {
		row := span(o, at)
		row.Kind, row.Err = kind, err
		rows = append(rows, row)
	}
	outcome := random.IntN(9)
	if outcome == 0 {
		add(history.Refused, o.Due+1, 7)
		return rows
	}
	add(history.Sent, o.Due, 0)
	at := o.Due + 1 + random.Int64N(8)
	switch outcome {
	case 1:
		add(history.Replied, at, 5)
	case 2:
		add(history.Unknown, at, 6)
	case 3: // no word at all
	default:
		add(history.Replied, at, 0)
	}
	return rows
}

// alike invents many histories, and demands that what was found of each is what its definition says.
func alike(t *testing.T, both func(random *rand.Rand, rows []history.Observation) (got, want any)) {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 8))
	for range 3000 {
		rows := inventTalk(random)
		if got, want := both(random, rows); !reflect.DeepEqual(got, want) {
			t.Fatalf("got\n%+v, want\n%+v of\n%+v", got, want, rows)
		}
	}
}

func TestElsewhereIsItsDefinition(t *testing.T) {
	t.Parallel()
	counts := map[ordering.Knower]int{}
	alike(t, func(random *rand.Rand, rows []history.Observation) (any, any) {
		least := int64(1 + random.IntN(3))
		run := history.Run{Noise: &history.Noise{Floor: least - 1}}
		var e ordering.Elsewhere
		e.Add(rows)
		var got []ordering.Headway
		e.Close(run, func(h ordering.Headway) { got = append(got, h) })
		for _, h := range got {
			counts[h.First]++
		}
		return got, headways(rows, least)
	})
	for _, knower := range []ordering.Knower{ordering.SenderFirst, ordering.OthersFirst, ordering.NobodyFirst, ordering.SenderNeverKnew} {
		if counts[knower] < 500 {
			t.Errorf("%d commands of kind %d: the test says little", counts[knower], knower)
		}
	}
}

// headways asks every arrival at another client about every arrival at the sender.
func headways(rows []history.Observation, least int64) (list []ordering.Headway) {
	for _, command := range commandsOf(rows) {
		var sender, others []history.Observation
		for _, o := range rows {
			switch {
			case o.Event != command.Event:
			case o.Kind == history.Delivered && o.Client != o.Event.Publisher:
				others = append(others, o)
			case o.Kind == history.Delivered, o.Kind == history.Replied && o.Err == 0:
				sender = append(sender, o)
			}
		}
		if len(others) == 0 {
			continue
		}
		h := ordering.Headway{Event: command.Event, Due: command.Due, First: ordering.NobodyFirst}
		// Somebody is first when one arrival of his is certainly before all of the other's.
		lead := func(mine, theirs []history.Observation) (best int64) {
			for i, m := range mine {
				least := int64(1 << 40)
				for _, o := range theirs {
					least = min(least, o.NotBefore-m.At)
				}
				if i == 0 || least > best {
					best = least
				}
			}
			return best
		}
		switch {
		case len(sender) == 0:
			h.First = ordering.SenderNeverKnew
		case lead(others, sender) >= least:
			h.First, h.Lead = ordering.OthersFirst, lead(others, sender)
		case lead(sender, others) >= least:
			h.First = ordering.SenderFirst
		}
		list = append(list, h)
	}
	return list
}

// commandsOf are the commands of which there is a row, by due time and name.
func commandsOf(rows []history.Observation) (list []history.Observation) {
	for _, o := range rows {
		if !slices.ContainsFunc(list, func(c history.Observation) bool { return c.Event == o.Event }) {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b history.Observation) int {
		return cmp.Or(cmp.Compare(a.Due, b.Due), cmp.Compare(a.Event.Publisher, b.Event.Publisher), cmp.Compare(a.Event.Seq, b.Event.Seq))
	})
	return list
}

func TestOptimisticIsItsDefinition(t *testing.T) {
	t.Parallel()
	counts := map[ordering.ChangeOutcome]int{}
	rebased := 0
	alike(t, func(_ *rand.Rand, rows []history.Observation) (any, any) {
		p := ordering.Optimistic{Is: func(client uint32) bool { return client != 1 }}
		p.Add(rows)
		var got []ordering.Change
		p.Close(func(c ordering.Change) { got = append(got, c) })
		var want []ordering.Change
		for _, command := range commandsOf(rows) {
			if command.Client != 1 && command.Event.Publisher != 1 {
				want = append(want, replay(rows, command.Event))
			}
		}
		for _, c := range got {
			counts[c.Outcome]++
			rebased += min(1, c.Rebases)
		}
		return got, want
	})
	for _, outcome := range []ordering.ChangeOutcome{ordering.Open, ordering.Confirmed, ordering.RolledBack} {
		if counts[outcome] < 200 {
			t.Errorf("%d changes of outcome %d: the test says little", counts[outcome], outcome)
		}
	}
	if rebased < 500 {
		t.Errorf("%d changes were rebased: the test says little", rebased)
	}
}

// replay lives through the rows as the sender of one command does, and looks at its screen after each of them.
func replay(rows []history.Observation, id wire.EventID) (c ordering.Change) {
	c.Event = id
	for _, o := range rows {
		if o.Event == id && (o.Kind == history.Sent || o.Kind == history.Refused) {
			c.Due, c.Channel = o.Due, o.Channel
		}
	}
	comes := slices.ContainsFunc(rows, func(o history.Observation) bool {
		return o.Event == id && o.Client == id.Publisher && o.Kind == history.Delivered
	})
	seen := map[wire.EventID]bool{}
	onTop, unmerged := true, comes
	for _, o := range rows {
		if o.Client != id.Publisher {
			continue
		}
		mine := o.Event == id
		switch {
		case o.Kind == history.Delivered && o.Event.Publisher != id.Publisher:
			if o.Channel != c.Channel || seen[o.Event] {
				continue
			}
			seen[o.Event] = true
			if onTop && o.At > c.Due {
				c.Rebases++
				c.Wrong = o.At - c.Due
			}
		case !mine || c.Outcome == ordering.RolledBack:
		case o.Kind == history.Delivered, o.Kind == history.Replied && o.Err == 0:
			if c.Outcome == ordering.Open {
				c.Outcome, c.Settled = ordering.Confirmed, o.At
			}
			if o.Kind == history.Delivered || !unmerged {
				onTop = false
			}
		case c.Outcome == ordering.Open && (o.Kind == history.Refused || o.Kind == history.Replied || o.Kind == history.Unknown && !comes):
			c.Outcome, c.Settled, c.Err, c.Wrong, onTop = ordering.RolledBack, o.At, o.Err, o.At-c.Due, false
		}
	}
	if c.Outcome == ordering.Open {
		c.Wrong = 0 // nobody can say whether it was
	}
	return c
}

// TestSeenElsewhereFirst: by example, in ms.
func TestSeenElsewhereFirst(t *testing.T) {
	t.Parallel()
	reply := replied(1, 20)
	reply.NotBefore = 15 * ms
	for _, c := range []struct {
		name  string
		other int64
		first ordering.Knower
		lead  time.Duration
	}{
		{"before anything came to its sender", 12, ordering.OthersFirst, 3 * time.Millisecond},
		{"as the interval begins", 15, ordering.NobodyFirst, 0},
		{"within the interval", 18, ordering.NobodyFirst, 0},
		{"after the reply", 21, ordering.SenderFirst, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			seen := delivered(5, 1, c.other)
			seen.NotBefore = seen.At
			var e ordering.Elsewhere
			e.Add([]history.Observation{sent(1, 10), seen, reply})
			e.Close(history.Run{}, func(h ordering.Headway) {
				if h.First != c.first || h.Lead != int64(c.lead) {
					t.Errorf("first %d, lead %v, want %d, %v", h.First, time.Duration(h.Lead), c.first, c.lead)
				}
			})
		})
	}
}
