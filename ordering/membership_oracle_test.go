package ordering_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"sort"
	"testing"
	"time"

	"holobench/history"
	"holobench/ordering"
	"holobench/wire"
)

// This file holds Membership against its definition, written down once more without any thought of speed.

// theory is a history, and the questions of the definition about it.
type theory struct {
	run  history.Run
	rows []history.Observation
	lead int64 // of foreign events
}

// where returns the rows of one event of that kind.
func (th theory) where(id wire.EventID, kind history.Kind) (rows []history.Observation) {
	for _, o := range th.rows {
		if o.Event == id && o.Kind == kind {
			rows = append(rows, o)
		}
	}
	return rows
}

// clients returns every client that the history names.
func (th theory) clients() []uint32 {
	set := map[uint32]bool{}
	for _, o := range th.rows {
		set[o.Client] = true
	}
	var list []uint32
	for client := range set {
		list = append(list, client)
	}
	slices.Sort(list)
	return list
}

func (th theory) drained() bool { return th.run.Finished && th.run.End != 0 }

// stay is one subscription; open when nobody ended it before the end of the drain.
type stay struct {
	from, to int64
	open     bool
	left     bool // it ended by its client's own will
}

func (th theory) stays(client, channel uint32) (list []stay) {
	for i, o := range th.rows {
		if o.Kind != history.Subscribed || o.Client != client || o.Channel != channel {
			continue
		}
		s := stay{from: o.At, open: true}
		for _, later := range th.rows[i+1:] {
			if later.Client != client || later.Conn != o.Conn {
				continue
			}
			leaves := later.Kind == history.Unsubscribed && later.Channel == channel
			if leaves || later.Kind == history.Ended || later.Kind == history.Closed {
				s.to, s.open, s.left = later.At, th.drained() && later.At >= th.run.End, leaves
				break
			}
		}
		list = append(list, s)
	}
	return list
}

// judge counts one event by the definition.
func (th theory) judge(id wire.EventID) (s ordering.Standing, isEvent bool) {
	s.ID = id
	deliveries := append(th.where(id, history.Delivered), th.where(id, history.Foreign)...)
	commands := th.where(id, history.Sent)
	never := append(th.where(id, history.Refused), th.where(id, history.Dropped)...)
	if len(deliveries) == 0 && (len(commands) == 0 || len(never) > 0) {
		return s, false
	}
	for _, reply := range th.where(id, history.Replied) {
		s.Accepted = s.Accepted || reply.Err == 0
	}
	received, otherWay := map[uint32]int{}, false
	for i, o := range deliveries {
		received[o.Client]++
		otherWay = otherWay || o.Client == id.Publisher && o.Path.String() != th.run.Promises["self_echo"]
		if i == 0 || o.At < s.First {
			s.First = o.At
		}
		if i == 0 || o.At > s.Last {
			s.Last = o.At
		}
		s.Due, s.Channel = o.Due, o.Channel
	}
	began := s.Due
	if id.Foreign() {
		s.Due, began = s.First, s.First-th.lead // it may have been made that long before anybody saw it
	}
	if len(commands) > 0 {
		s.Sent, s.Due, s.Channel = commands[0].At, commands[0].Due, commands[0].Channel
		began = s.Sent
	}
	over := began
	if len(deliveries) > 0 && s.Last > over {
		over = s.Last
	}
	for _, client := range th.clients() {
		dispatched := len(commands) > 0 && (s.Accepted || len(deliveries) > 0)
		if id.Foreign() {
			dispatched = th.run.Promises["broadcast"] != ""
		}
		th.judgeClient(&s, client, received[client], stay{from: began, to: over}, dispatched)
	}
	if otherWay && th.run.Promises["self_echo"] != "" { // whether its publisher was away is known by what alone would be said of it
		var alone ordering.Standing
		alone.ID, alone.Sent, alone.Channel = s.ID, s.Sent, s.Channel
		th.judgeClient(&alone, id.Publisher, 1, stay{from: began, to: over}, true)
		s.OwnOtherWay = alone.Reached+alone.Stray > 0
	}
	return s, true
}

func (th theory) judgeClient(s *ordering.Standing, client uint32, received int, window stay, dispatched bool) {
	if received > 0 {
		s.Delivered++
		s.Duplicated += received - 1
	}
	stays := th.stays(client, s.Channel)
	if len(stays) == 0 {
		if received > 0 {
			s.Stray++
		}
		return
	}
	sure, touched := false, false
	for _, stay := range stays {
		sure = sure || stay.from < window.from && (stay.open || stay.to > window.to)
		touched = touched || stay.from <= window.to && (stay.open || stay.to >= window.from)
	}
	var last int64
	for _, o := range th.rows {
		last = max(last, o.At)
	}
	since := s.Sent
	if s.ID.Foreign() {
		since = s.First
	}
	mayBeOnItsWay := received == 0 && !th.drained() && since >= last-th.run.Drain
	if s.ID.Foreign() { // nor did anybody wait for it
		over := last
		if th.drained() {
			over = th.run.End
		}
		mayBeOnItsWay = mayBeOnItsWay || received == 0 && s.First+th.lead >= over
	}
	if s.Sent > 0 && dispatched && th.wasAway(stays, s.Sent) {
		switch {
		case received > 0:
			s.CaughtUp++
		case !mayBeOnItsWay:
			s.MissedAway++
		}
	}
	switch {
	case !touched:
	case !sure, !dispatched, mayBeOnItsWay:
		s.Indeterminate++
	case received > 0:
		s.Expected++
		s.Reached++
	default:
		s.Expected++
		s.Lost++
		s.OwnLost = s.OwnLost || client == s.ID.Publisher
	}
}

// wasAway says whether a client had no subscription at that time, but one before, which it did not leave itself, and one later.
func (th theory) wasAway(stays []stay, at int64) bool {
	var before, cut []int64
	later := false
	for _, s := range stays {
		if s.from <= at && (s.open || s.to >= at) {
			return false
		}
		if s.from > at {
			later = true
			continue
		}
		before = append(before, s.to)
		if !s.left {
			cut = append(cut, s.to)
		}
	}
	return later && len(cut) > 0 && slices.Max(cut) == slices.Max(before)
}

func (th theory) judgeAll() (list []ordering.Standing) {
	seen := map[wire.EventID]bool{}
	for _, o := range th.rows {
		if o.Event.Seq == 0 || seen[o.Event] {
			continue
		}
		seen[o.Event] = true
		if s, ok := th.judge(o.Event); ok {
			list = append(list, s)
		}
	}
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i], list[j]
		if a.Sent != b.Sent {
			return a.Sent < b.Sent
		}
		if a.ID.Publisher != b.ID.Publisher {
			return a.ID.Publisher < b.ID.Publisher
		}
		return a.ID.Seq < b.ID.Seq
	})
	return list
}

// invent makes a small history: few clients, few moments, so that times coincide often. lanes are the rows of each
// connection, in order.
func invent(random *rand.Rand) (run history.Run, lanes [][]history.Observation) {
	const span = 40
	at := func() int64 { return 1 + random.Int64N(span) }
	clients, channels := 1+random.Uint32N(5), 1+random.Uint32N(3)
	for client := range clients {
		conn := uint32(0)
		for now := random.Int64N(span / 2); now < span && random.IntN(8) > 0; now += random.Int64N(8) {
			conn++
			lane := []history.Observation{}
			for channel := range channels {
				if random.IntN(3) > 0 {
					lane = append(lane, history.Observation{Kind: history.Subscribed, Client: client, Conn: conn, Channel: channel + 1, At: now + 1})
				}
			}
			lane, now = wander(random, lane, client, conn, channels, now)
			if now += random.Int64N(span); now <= span+4 {
				kind := []history.Kind{history.Ended, history.Closed}[random.IntN(2)]
				lane = append(lane, history.Observation{Kind: kind, Client: client, Conn: conn, At: now + 1})
			}
			lanes = append(lanes, lane)
		}
	}
	for publisher := range clients {
		for seq := range random.Uint32N(4) {
			lanes = append(lanes, inventEvent(random, wire.EventID{Publisher: publisher, Seq: seq + 1}, clients+1, 1+random.Uint32N(channels), at())...)
		}
	}
	for n := range random.Uint32N(4) {
		lanes = append(lanes, inventForeign(random, wire.EventID{Publisher: 1 << 31, Seq: n + 1}, clients+1, 1+random.Uint32N(channels), at())...)
	}
	run = history.Run{Finished: random.IntN(3) > 0, Drain: random.Int64N(span / 2)}
	if random.IntN(4) > 0 {
		run.End = span - random.Int64N(8)
	}
	if random.IntN(3) > 0 {
		run.Promises = map[string]string{"self_echo": "sse", "broadcast": "per channel"}
	}
	return run, lanes
}

// inventForeign makes the deliveries of an event that nobody has sent.
func inventForeign(random *rand.Rand, id wire.EventID, clients, channel uint32, at int64) (lanes [][]history.Observation) {
	for client := range clients {
		for range []int{0, 0, 1, 1, 1, 2}[random.IntN(6)] {
			o := history.Observation{Kind: history.Foreign, Client: client, Conn: 99, Channel: channel, Event: id, At: at + random.Int64N(4)}
			lanes = append(lanes, []history.Observation{o})
		}
	}
	return lanes
}

// wander lets a connection leave channels and hear others, some of which it hears already or does not, as time goes by.
func wander(random *rand.Rand, lane []history.Observation, client, conn, channels uint32, now int64) ([]history.Observation, int64) {
	for random.IntN(3) == 0 {
		now += random.Int64N(6)
		kind := []history.Kind{history.Unsubscribed, history.Unsubscribed, history.Subscribed}[random.IntN(3)]
		lane = append(lane, history.Observation{Kind: kind, Client: client, Conn: conn, Channel: 1 + random.Uint32N(channels), At: now + 1})
	}
	return lane, now
}

// inventEvent makes the rows of one command, each a lane of its own: they may come in any order.
func inventEvent(random *rand.Rand, id wire.EventID, clients, channel uint32, at int64) (lanes [][]history.Observation) {
	add := func(kind history.Kind, client uint32, at int64, err uint16) {
		lanes = append(lanes, []history.Observation{{
			Kind: kind, Client: client, Conn: 99, Channel: channel, Event: id, At: at, Due: int64(id.Seq), Err: err,
			Path: []history.Path{history.SSE, history.SSE, history.Reply, history.NoPath}[random.IntN(4)],
		}})
	}
	switch random.IntN(10) {
	case 0:
		add(history.Refused, id.Publisher, at, 1)
		return lanes
	case 1:
		add(history.Dropped, id.Publisher, at, 1)
		return lanes
	case 2: // its Sent is lost
	default:
		add(history.Sent, id.Publisher, at, 0)
	}
	switch random.IntN(5) {
	case 0:
		add(history.Unknown, id.Publisher, at+3, 1)
	case 1:
		add(history.Replied, id.Publisher, at+3, 1)
	case 2:
	default:
		add(history.Replied, id.Publisher, at+3, 0)
	}
	if random.IntN(5) == 0 {
		return lanes
	}
	for client := range clients {
		copies := []int{0, 1, 1, 1, 1, 2, 3}[random.IntN(7)]
		for range copies {
			add(history.Delivered, client, at+random.Int64N(10)-1, 0)
		}
	}
	return lanes
}

// weave merges lanes at random, each in its own order.
func weave(random *rand.Rand, lanes [][]history.Observation) (rows []history.Observation) {
	left := append([][]history.Observation(nil), lanes...)
	for len(left) > 0 {
		i := random.IntN(len(left))
		if len(left[i]) == 0 {
			left = append(left[:i], left[i+1:]...)
			continue
		}
		rows = append(rows, left[i][0])
		left[i] = left[i][1:]
	}
	return rows
}

func TestMembershipIsItsDefinition(t *testing.T) {
	t.Parallel()
	var seen, foreign ordering.Standing
	for range 3_000 {
		seed := rand.Uint64()
		random := rand.New(rand.NewPCG(seed, 3))
		run, lanes := invent(random)
		lead := 1 + random.Int64N(4)
		want := theory{run, weave(random, lanes), lead}.judgeAll()
		for range 2 { // the order between connections does not matter
			rows := weave(random, lanes)
			m := ordering.Membership{Lead: time.Duration(lead)}
			cut := random.IntN(len(rows) + 1)
			m.Add(rows[:cut])
			if random.IntN(2) == 0 {
				m.Close(run) // a look while the run goes on
			}
			m.Add(rows[cut:])
			m.Close(run)
			var got []ordering.Standing
			m.Events(func(s ordering.Standing) { got = append(got, s) })
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d:\nrun  %+v\nrows %+v\ngot  %+v\nwant %+v", seed, run, rows, got, want)
			}
			checkSums(t, seed, rows, got)
		}
		for _, s := range want {
			if s.ID.Foreign() {
				foreign.Expected += s.Expected
				foreign.Lost += s.Lost
				foreign.Duplicated += s.Duplicated
				foreign.Indeterminate += s.Indeterminate
				continue
			}
			seen.Expected += s.Expected
			seen.Lost += s.Lost
			seen.Duplicated += s.Duplicated
			seen.Indeterminate += s.Indeterminate
			seen.Stray += s.Stray
		}
	}
	if seen.Expected < 1000 || seen.Lost < 1000 || seen.Duplicated < 1000 || seen.Indeterminate < 1000 || seen.Stray < 1000 {
		t.Errorf("the invented histories are too tame to prove anything: %+v", seen)
	}
	if foreign.Expected < 500 || foreign.Lost < 200 || foreign.Duplicated < 500 || foreign.Indeterminate < 500 {
		t.Errorf("the invented foreign events are too tame to prove anything: %+v", foreign)
	}
}

// checkSums holds what is promised of every history.
func checkSums(t *testing.T, seed uint64, rows []history.Observation, list []ordering.Standing) {
	t.Helper()
	deliveries, sum := 0, 0
	for _, o := range rows {
		if o.Kind == history.Delivered || o.Kind == history.Foreign {
			deliveries++
		}
	}
	for _, s := range list {
		sum += s.Delivered + s.Duplicated
		if s.Expected != s.Reached+s.Lost || s.Delivered < s.Reached+s.Stray {
			t.Errorf("seed %d: %+v does not add up", seed, s)
		}
	}
	if deliveries != sum {
		t.Errorf("seed %d: %d delivered rows, counted %d", seed, deliveries, sum)
	}
}

// FuzzMembership feeds rows of any shape: nothing panics, and every delivery is counted once.
func FuzzMembership(f *testing.F) {
	f.Add([]byte{9, 0, 1, 1, 0, 3, 0, 1, 1, 5, 11, 0, 1, 1, 7}, true)
	f.Fuzz(func(t *testing.T, data []byte, finished bool) {
		var rows []history.Observation
		for ; len(data) >= 5; data = data[5:] {
			rows = append(rows, history.Observation{
				Kind: history.Kind(data[0]), Client: uint32(data[1] % 16), Conn: uint32(data[1] / 16), Channel: uint32(data[2] % 4), Part: uint32(data[2] / 4 % 4),
				Event: wire.EventID{Publisher: uint32(data[3] % 4), Seq: uint32(data[3] / 4)}, At: int64(int8(data[4])), Due: int64(data[4] % 8), Err: uint16(data[2] / 128),
			})
		}
		run := history.Run{Finished: finished, End: 100, Drain: 10}
		checkSums(t, 0, rows, standings(run, rows...))
	})
}
