package report

import (
	"fmt"
	"strings"

	"holobench/history"
)

// Check lays counts of the same thing side by side that come from different places. Where they differ, something was
// lost, or somebody cannot count.
type Check struct {
	Name  string
	Sides []Side
	Agree bool
	Note  string // what explains a difference, or what is left out
}

// Side is one of the counts.
type Side struct {
	Who   string
	Count int64
}

// Difference is the largest count minus the smallest.
func (c *Check) Difference() int64 {
	low, high := c.Sides[0].Count, c.Sides[0].Count
	for _, s := range c.Sides {
		low, high = min(low, s.Count), max(high, s.Count)
	}
	return high - low
}

// deliveriesCheck compares what clients saw with what they should have seen.
func (f *Figures) deliveriesCheck(run *history.Run) Check {
	standing := &f.tallies[whole].standing
	c := Check{Name: "deliveries", Sides: []Side{
		{"seen by the clients", f.deliveries + f.foreign}, {"expected by the subscriptions at sending", standing.expected},
	}}
	seen, expected := c.Sides[0].Count, c.Sides[1].Count
	c.Agree = seen >= expected && seen <= expected+standing.indeterminate
	if standing.indeterminate > 0 {
		why := "their clients came or went meanwhile"
		if f.foreign > 0 && run.Promises[broadcastName] == "" {
			why += ", or no command caused their events, and nobody knows who should get those"
		}
		c.Note = fmt.Sprintf("%s more are indeterminate: %s", thousands(standing.indeterminate), why)
	}
	return c
}

// checks are the counts of a run that must agree. Those of the target are left out where nobody could read them.
func (f *Figures) checks(run *history.Run) []Check {
	all := &f.tallies[whole]
	var sent, rejected, unknown int64
	for _, c := range f.allCommands() {
		sent, rejected, unknown = sent+c.sent, rejected+c.rejected, unknown+c.unknown
	}
	var alien int64
	for t, n := range f.trouble {
		if t.kind == history.Alien {
			alien += n
		}
	}
	deliveries := f.deliveriesCheck(run)
	expected := deliveries.Sides[1]
	counter, known := counters(run)
	switch {
	case !known && all.standing.events+all.standing.owed == 0: // nobody is known to have been owed anything: there is nothing to agree
		return nil
	case !known:
		return []Check{deliveries}
	}
	accepted := counter["commands_accepted"]
	commands := Check{
		Name: "commands", Sides: []Side{{"sent by the clients", sent}, {"accepted by the target", accepted}},
		Agree: accepted <= sent-rejected && accepted >= sent-rejected-unknown,
	}
	if rejected > 0 {
		commands.Sides[0] = Side{"sent by the clients and not rejected", sent - rejected}
	}
	if rejected+unknown > 0 {
		commands.Note = fmt.Sprintf("%s were rejected, %s got no whole reply", thousands(rejected), thousands(unknown))
	}
	written := int64(0)
	for name, n := range counter {
		if strings.HasPrefix(name, "deliveries_written_") { // by whatever way: sse, reply, poll, websocket
			written += n
		}
	}
	arrivals := Check{
		Name: "arrivals", Sides: []Side{{"seen by the clients", f.deliveries + alien}, {"written by the target", written}},
		Agree: f.deliveries+alien == written || f.left > 0 && f.deliveries+alien < written,
	}
	if f.left > 0 && f.deliveries+alien < written {
		arrivals.Note = "clients left streams or channels " + plural(f.left, "time") + ", and read no more of them"
	}
	if slack := killedSlack(run); slack > 0 && !arrivals.Agree {
		arrivals.Agree = arrivals.Difference() <= slack
		arrivals.Note = "a node was killed: what it wrote last it had no time to count, or its clients had not read"
	}
	if alien > 0 {
		arrivals.Note = fmt.Sprintf("%s of them bear no marker of this run (a flood's, for example)", thousands(alien))
	}
	list := []Check{commands, arrivals, deliveries}
	if len(f.floods) > 0 || alien > 0 || f.recovery.nodes {
		return list // the target expects what a flood causes, or what it says by itself; the subscriptions know nothing of it. And a node expects
		// nothing of an event that a fault kept from it
	}
	target := counter["deliveries_expected"]
	return append(list, Check{
		Name: "expectation", Sides: []Side{expected, {"expected by the target at dispatch", target}},
		// The target learns only later that a client has left.
		Agree: target >= expected.Count && (target <= expected.Count+all.standing.indeterminate || f.left > 0), Note: deliveries.Note,
	})
}

// allCommands are the counts of the clients and of every flood, over the whole run.
func (f *Figures) allCommands() []*commands {
	list := []*commands{&f.tallies[whole].clients}
	for _, c := range f.tallies[whole].floods {
		list = append(list, c)
	}
	return list
}

// counters sums the counters of all nodes; known is false when there are none or one node's are missing.
func counters(run *history.Run) (sum map[string]int64, known bool) {
	sum = make(map[string]int64)
	for _, node := range run.Nodes {
		if node.Counters == nil {
			return nil, false
		}
		for name, n := range node.Counters {
			sum[name] += int64(n)
		}
	}
	return sum, len(run.Nodes) > 0
}

// killedSlack is by how many deliveries the counts of clients and target may differ because faults killed nodes: what waited for
// streams, and for each stream an event that was being written and the reply to it. 0 = none was killed.
func killedSlack(run *history.Run) (slack int64) {
	for i := range run.Nodes {
		node := &run.Nodes[i]
		if len(node.PIDsBefore) == 0 && node.EndedBy == "" {
			continue
		}
		slack += 2 * int64(node.Counters["streams_opened"]) //nolint:gosec // counts of this run
		for name, n := range node.Counters {
			if way, ok := strings.CutPrefix(name, "deliveries_enqueued_"); ok {
				slack += max(0, int64(n)-int64(node.Counters["deliveries_written_"+way])) //nolint:gosec // as above
			}
		}
	}
	return slack
}
