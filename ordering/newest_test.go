package ordering_test

import (
	"testing"

	"holobench/history"
	"holobench/ordering"
	"holobench/wire"
)

// TestPromisesChangeWhatIsExpected: publisher 0 sends three values, of which client 1 gets the first and the last, client 2 the
// first two, client 3 none.
func TestPromisesChangeWhatIsExpected(t *testing.T) {
	t.Parallel()
	var rows []history.Observation
	for client := range uint32(4) {
		rows = append(rows, history.Observation{Kind: history.Subscribed, Client: client, Conn: 1, Channel: 1, At: 1})
	}
	got := map[uint32][]uint32{1: {1, 3}, 2: {1, 2}}
	for seq := range uint32(3) {
		o := history.Observation{Event: wire.EventID{Publisher: 0, Seq: seq + 1}, Channel: 1, Due: int64(10 * (seq + 1)), At: int64(10 * (seq + 1))}
		o.Kind = history.Sent
		rows = append(rows, o)
		o.Kind, o.At = history.Replied, o.At+1
		rows = append(rows, o)
	}
	for client, seqs := range got {
		for _, seq := range seqs {
			rows = append(rows, history.Observation{
				Kind: history.Delivered, Client: client, Conn: 1, Channel: 1, Path: history.SSE, Event: wire.EventID{Publisher: 0, Seq: seq}, At: int64(10*seq + 5),
			})
		}
	}
	for _, c := range []struct {
		name     string
		promises map[string]string
		want     [3][3]int // of each event: expected, lost, indeterminate
	}{
		{"nothing is known of the server", nil, [3][3]int{{4, 2, 0}, {4, 3, 0}, {4, 3, 0}}},
		{"an echo by the stream", map[string]string{"self_echo": "sse"}, [3][3]int{{4, 2, 0}, {4, 3, 0}, {4, 3, 0}}},
		{"no echo", map[string]string{"fifo": "per publisher"}, [3][3]int{{3, 1, 0}, {3, 2, 0}, {3, 2, 0}}},
		{"no echo, the latest value counts", map[string]string{"freshness": "latest value per key"}, [3][3]int{{3, 1, 0}, {2, 1, 1}, {3, 2, 0}}},
	} {
		var m ordering.Membership
		m.Add(rows)
		m.Close(history.Run{Finished: true, End: 1000, Promises: c.promises})
		var have [3][3]int
		m.Events(func(s ordering.Standing) { have[s.ID.Seq-1] = [3]int{s.Expected, s.Lost, s.Indeterminate} })
		if have != c.want {
			t.Errorf("%s: got %v, want %v", c.name, have, c.want)
		}
	}
}
