package run

import (
	"testing"

	"holobench/history"
	"holobench/wire"
)

// TestTallyCountsWhoLeavesAChannel holds that nothing is waited for at a client that has left the channel, that its stream is
// there all the same, and that the end of the stream takes away what is left.
func TestTallyCountsWhoLeavesAChannel(t *testing.T) {
	t.Parallel()
	tally := tally{next: func([]history.Observation) {}}
	see := func(kind history.Kind, client, channel uint32) {
		tally.observe([]history.Observation{{Kind: kind, Client: client, Conn: 1, Channel: channel}})
	}
	seq := uint32(0)
	waited := func(channel uint32) int64 {
		before := tally.missing()
		seq++
		for _, kind := range []history.Kind{history.Sent, history.Replied} {
			tally.observe([]history.Observation{{Kind: kind, Client: 9, Channel: channel, Event: wire.EventID{Publisher: 9, Seq: seq}}})
		}
		return tally.missing() - before
	}
	want := func(step string, one, two, streams int64) {
		t.Helper()
		if a, b, c := waited(1), waited(2), tally.subscribed.Load(); a != one || b != two || c != streams {
			t.Errorf("%s: %d and %d deliveries are waited for with %d streams, want %d, %d, %d", step, a, b, c, one, two, streams)
		}
	}
	see(history.Subscribed, 1, 1)
	see(history.Subscribed, 1, 2)
	see(history.Subscribed, 2, 1)
	want("three subscriptions", 2, 1, 2)
	see(history.Unsubscribed, 1, 1)
	see(history.Unsubscribed, 1, 1) // it has left that
	want("one left", 1, 1, 2)
	see(history.Unsubscribed, 1, 2)
	want("a stream of no channel", 1, 0, 2)
	see(history.Subscribed, 1, 2)
	want("one came back", 1, 1, 2)
	see(history.Closed, 1, 0)
	want("a stream ended", 1, 0, 1)
}
