package report

import (
	"testing"

	"holobench/history"
)

// TestChecksOfStreamsThatWereLeft holds that what a target wrote to clients which had gone is no miscount, and that it is one
// when nobody had; and that a command which was rejected is not missing.
func TestChecksOfStreamsThatWereLeft(t *testing.T) {
	t.Parallel()
	for _, left := range []bool{false, true} {
		b := fewClients()
		b.send(0, 9, "lobby", 4000, 4000, 4000)
		b.settle(history.Replied, 0, 9, 4000, 4001, "http 409")
		if left {
			b.add(history.Observation{Kind: history.Closed, Client: 2, Conn: 1, At: 5000 * msec})
		}
		b.add(history.Observation{Kind: history.Closed, Client: 1, Conn: 1, At: 12_500 * msec}) // as all do at the end
		counted := b.report(t)
		deliveries := uint64(counted.Deliveries)
		b.run.Nodes = []history.Node{{Node: 1, Counters: map[string]uint64{
			"commands_accepted": 1, "deliveries_written_sse": deliveries + 4, "deliveries_expected": deliveries + 4,
		}}}
		for _, c := range b.report(t).Checks {
			want := c.Name == "commands" || c.Name == "deliveries" || left
			if c.Agree != want {
				t.Errorf("left %v: the counts of %s agree: %v (%s)", left, c.Name, c.Agree, c.text())
			}
		}
	}
}
