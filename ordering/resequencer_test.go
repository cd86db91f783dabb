package ordering_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"holobench/history"
	"holobench/ordering"
	"holobench/wire"
)

// numbered is an event that a client got, with its number in the channel.
func numbered(client uint32, number uint64, at int64, path history.Path) history.Observation {
	conn := uint32(1)
	if path == history.Reply {
		conn = 2
	}
	return history.Observation{
		Kind: history.Delivered, Path: path, Client: client, Channel: 1, Conn: conn, Sequence: number, Due: int64(number),
		Event: wire.EventID{Publisher: uint32(number), Seq: 1}, NotBefore: at, At: at,
	}
}

// listening are clients that hear the channel from the beginning.
func listening(clients ...uint32) (rows []history.Observation) {
	for _, client := range clients {
		rows = append(rows, subscribed(client, 1, 0))
	}
	return rows
}

// TestResequencerCuresTheReply: the sender of the second event hears of it in the reply, before the first one by the stream. With
// a hold-back queue its app sees what all see, 3 later than it could have seen its own event.
func TestResequencerCuresTheReply(t *testing.T) {
	t.Parallel()
	rows := append(listening(1, 2, 3),
		numbered(1, 1, 11, history.Reply), numbered(1, 2, 14, history.SSE),
		numbered(2, 2, 10, history.Reply), numbered(2, 1, 13, history.SSE),
		numbered(3, 1, 13, history.SSE), numbered(3, 2, 15, history.SSE))
	for _, c := range []struct {
		name                        string
		hold                        time.Duration
		waits                       int64
		divergent, left             int
		held, late, arrived, handed int
	}{
		{"long enough", 5, 3, 1, 0, 1, 0, 1, 0},
		{"exactly so", 3, 3, 1, 0, 1, 0, 1, 0},
		{"too short", 2, 0, 1, 1, 0, 1, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var plain ordering.Analysis
			plain.Add(rows)
			if d := plain.Close(history.Run{}); d.Overall.All.Divergent != c.divergent {
				t.Errorf("%d divergent pairs arrived, want %d", d.Overall.All.Divergent, c.divergent)
			}
			waited := int64(0)
			r := ordering.Resequencer{
				MaxHold: func(uint32) time.Duration { return c.hold },
				Handed:  func(h *ordering.Handing) { waited += h.Handed - h.At },
			}
			r.Add(rows)
			got := r.Close(history.Run{})
			if got.App.Overall.All.Divergent != c.left || got.App.Overall.All.AtRisk != 1 {
				t.Errorf("apps saw %d of %d pairs divergent, want %d of 1", got.App.Overall.All.Divergent, got.App.Overall.All.AtRisk, c.left)
			}
			if waited != c.waits || got.Held != c.held || got.Late != c.late || got.InversionsArrived != c.arrived || got.InversionsHanded != c.handed {
				t.Errorf("waited %d, %+v, want %+v", waited, got, c)
			}
		})
	}
}

// TestResequencerLeavesOthersAlone: what the apps of clients without a queue see is what arrived.
func TestResequencerLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	rows := append(listening(1, 2), numbered(1, 2, 10, history.SSE), numbered(1, 1, 12, history.SSE), numbered(2, 2, 10, history.SSE), numbered(2, 1, 12, history.SSE))
	r := ordering.Resequencer{MaxHold: func(client uint32) time.Duration { return time.Duration(2-client) * 10 }}
	r.Add(rows)
	got := r.Close(history.Run{})
	if got.Clients != 1 || got.Events != 2 || got.App.Overall.All.Divergent != 1 {
		t.Errorf("%+v: client 1 alone has a queue, so that 2 sees the pair the other way round", got)
	}
	// Nor has one that only posts: a reply with a number is no event that it sees.
	r = ordering.Resequencer{MaxHold: func(uint32) time.Duration { return 10 }}
	r.Add([]history.Observation{{Kind: history.Replied, Client: 5, Channel: 1, Sequence: 4, Event: wire.EventID{Publisher: 5, Seq: 1}, At: 3}})
	if got := r.Close(history.Run{}); got.Clients != 0 || got.Events != 0 {
		t.Errorf("%+v, want nothing", got)
	}
}

// BenchmarkResequencer works 200,000 deliveries out, of which each tenth comes one place too early.
func BenchmarkResequencer(b *testing.B) {
	rows := make([]history.Observation, 0, 200_100)
	for client := range uint32(100) {
		rows = append(rows, subscribed(client, 1, 0))
		for n := range uint64(2000) {
			at := int64(1+n) * ms
			if n%10 == 5 {
				at -= 3 * ms / 2
			}
			rows = append(rows, numbered(client, 1+n, at, history.SSE))
		}
	}
	slices.SortStableFunc(rows, func(a, b history.Observation) int { return cmp.Compare(a.At, b.At) })
	b.ReportAllocs()
	for b.Loop() {
		r := ordering.Resequencer{MaxHold: func(uint32) time.Duration { return time.Second }, Window: time.Millisecond} // few pairs to compare
		r.Add(rows)
		if found := r.Close(history.Run{}); found.Held != 100*200 {
			b.Fatalf("%d held, want %d", found.Held, 100*200)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(rows)), "ns/delivery")
}
