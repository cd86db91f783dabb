package run

import (
	"slices"
	"time"

	"holobench/scenarios"
)

// quietFor is how long nothing must have arrived before the drain believes that what is missing was left out.
const quietFor = 250 * time.Millisecond

// drain waits until every command is settled and every expected delivery has arrived, or until the limit has passed. A target that
// leaves values out for newer ones (the design ephemeral) never delivers all that a client could expect; it counts what it left
// out, so that the drain ends when that is all that is missing, and nothing has arrived for a moment. Where more may come than was expected
// (twice, or to a client that came back and is sent again what it missed), one too many hides one that is missing: then, too, nothing must
// have arrived for a moment.
func (x *execution) drain() {
	stop := x.every("drain", x.plan.Drain)
	defer stop()
	limit := time.NewTimer(x.plan.Drain)
	defer limit.Stop()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	arrived, since := int64(-1), time.Now()
	doubled := x.plan.doubles()
	for {
		if now := x.tally.delivered.Load(); now != arrived {
			arrived, since = now, time.Now()
		}
		if x.tally.complete() && (!doubled && !x.tally.left.Load() || time.Since(since) >= quietFor) {
			return
		}
		if time.Since(since) >= quietFor && x.tally.unsettled() <= 0 {
			if x.tally.missing() <= x.leftOut() {
				return
			}
			since = time.Now() // asking costs a look at the counters of every node
		}
		select {
		case <-poll.C:
		case <-limit.C:
			return
		}
	}
}

// doubles says whether an event may come to a client twice: by a fault that is to do that, or from a server of which nobody knows.
func (p *Plan) doubles() bool {
	return p.Server != nil || slices.ContainsFunc(p.Faults, func(f scenarios.Fault) bool {
		switch e := f.Effect.(type) {
		case scenarios.LinkFault:
			return e.Kind == "duplicate"
		case scenarios.NodeFault:
			return e.Kind == scenarios.BusDuplicate
		}
		return false
	})
}

// leftOut is how many deliveries the nodes of the bundled target count that they will never write.
func (x *execution) leftOut() (sum int64) {
	for _, node := range x.nodes {
		counters, err := node.Counters()
		if err != nil {
			continue // then the drain waits as if nothing had been left out
		}
		sum += int64(counters["outbox_coalesced"] + counters["outbox_dropped"]) //nolint:gosec // counts of this run
	}
	return sum
}
