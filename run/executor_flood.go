package run

import (
	"context"
	"time"

	"holobench/clients"
	"holobench/history"
)

// flood carries out a load of plain POSTs. Its Observations go past the tally: nothing waits for what a flood causes.
func (x *execution) flood(work context.Context, i int, start time.Time) error {
	l := &x.plan.Loads[i]
	arrivals, err := x.plan.arrivals(i)
	if err != nil {
		return err
	}
	arrivals.Only(x.plan.share.index, x.plan.share.count)
	if !x.sleepUntil(work, start) {
		return nil
	}
	return x.crowd.Flood(work, clients.FloodOptions{
		Client: x.floodID(i), Message: x.plan.message(i), Arrivals: arrivals, Length: l.Stages.Length(), Workers: uint64(l.Workers),
		Observe: func(batch []history.Observation) {
			x.due[i].Add(1) // a batch is a command and its reply
			x.guard.observe(batch)
		},
	})
}

// floodID is the number under which the commands of a flood stand: they come after the clients, in the order of loads.
func (x *execution) floodID(load int) uint32 {
	id := uint32(x.plan.Clients())
	for i := range load {
		if x.plan.Loads[i].Flood {
			id++
		}
	}
	return id
}
