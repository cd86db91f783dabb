package ordering_test

import (
	"testing"

	"holobench/history"
	"holobench/ordering"
)

// TestCopies: what came again is told apart by the way that brought it, also where one connection carries replies and the stream, as
// over HTTP/2 and over a WebSocket.
func TestCopies(t *testing.T) {
	t.Parallel()
	by := func(conn uint32, path history.Path, at int64) history.Observation {
		o := delivered(2, 1, at)
		o.Conn, o.Path = conn, path
		return o
	}
	for _, c := range []struct {
		name string
		rows []history.Observation
		want ordering.Copies
	}{
		{"once", []history.Observation{by(1, history.SSE, 11)}, ordering.Copies{}},
		{"sent twice", []history.Observation{by(1, history.SSE, 11), by(1, history.SSE, 12)}, ordering.Copies{OneSocket: 1}},
		{"after a reconnect", []history.Observation{by(1, history.SSE, 11), by(3, history.SSE, 12)}, ordering.Copies{Reconnect: 1}},
		{"by the reply, too", []history.Observation{by(2, history.Reply, 11), by(1, history.SSE, 12)}, ordering.Copies{TwoWays: 1}},
		{"by the reply, too, on one connection", []history.Observation{by(1, history.Reply, 11), by(1, history.SSE, 12)}, ordering.Copies{TwoWays: 1}},
		{"the stream before the reply", []history.Observation{by(1, history.WebSocket, 11), by(1, history.Reply, 12)}, ordering.Copies{TwoWays: 1}},
		{"all of it", []history.Observation{
			by(1, history.Reply, 11), by(1, history.SSE, 12), by(1, history.SSE, 13), by(3, history.SSE, 14), by(3, history.SSE, 15),
		}, ordering.Copies{OneSocket: 2, Reconnect: 1, TwoWays: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var a ordering.Analysis
			a.Add(c.rows)
			if got := a.Close(history.Run{}).Copies; got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}
