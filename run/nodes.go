package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"holobench/history"
	"holobench/wire"
)

// startNodes starts the bus and the nodes of the target, watches them, and says where clients find them.
func (x *execution) startNodes(work context.Context, fail context.CancelCauseFunc) error {
	if x.plan.Server != nil {
		return x.aim(work)
	}
	bus, err := x.startBus(work, fail)
	if err != nil {
		return err
	}
	x.joined = bus
	for number := 1; number <= x.plan.Nodes; number++ {
		node, err := x.o.StartNode(work, x.nodeOptions(number))
		if err != nil {
			return fmt.Errorf("start node %d of the bundled target: %w", number, err)
		}
		x.nodes = append(x.nodes, &nodeSlot{number: number, now: node})
		if err := x.save(func(r *history.Run) {
			r.Nodes = append(r.Nodes, history.Node{Node: number, PID: node.PID(), Addr: node.Addr()})
		}); err != nil {
			return err
		}
	}
	x.crowd.Addr = x.nodes[0].Addr()
	if len(x.nodes) > 1 {
		x.crowd.Place = newSpread(&x.plan, asNodes(x.nodes)).place
	}
	x.watchNodes(fail)
	return nil
}

// nodeOptions say how to start a node of that number.
func (x *execution) nodeOptions(number int) NodeOptions {
	return NodeOptions{
		Number: number, Nodes: x.plan.Nodes, Bus: x.joined,
		Design: x.plan.Design, Wire: x.plan.Wire, Transport: x.plan.Transport, Knobs: x.plan.Knobs, Outbox: x.plan.Outbox, Heartbeat: x.plan.Heartbeat,
		Seed: x.plan.Seed, BusFaults: x.plan.busFaulted(),
	}
}

// watchNodes ends the run when a node dies that may not, or the last of those that may. One that a fault killed may.
func (x *execution) watchNodes(fail context.CancelCauseFunc) {
	alive := new(atomic.Int64)
	alive.Store(int64(len(x.nodes)))
	for _, slot := range x.nodes {
		x.watching.Go(func() {
			for x.watch(slot, alive, fail) {
			}
		})
	}
}

// watch waits for the death of a process, and says whether another has taken its place.
func (x *execution) watch(slot *nodeSlot, alive *atomic.Int64, fail context.CancelCauseFunc) bool {
	node := slot.process()
	select {
	case <-node.Done():
	case <-x.ending:
		return false
	}
	asked, again := slot.fate()
	if asked && again != nil {
		select {
		case <-again:
			return true
		case <-x.ending:
			return false
		}
	}
	if slot.process() != node {
		return true // it stood again before this was looked at
	}
	if alive.Add(-1) == 0 || !asked && !x.plan.MayDie {
		fail(fmt.Errorf("%w: node %d (pid %d): %s", errNodeDied, slot.number, node.PID(), node.Exit()))
	}
	return false
}

// endNodes ends the nodes and takes over what they recorded: their counters into run.json, their journals into the
// history.
func (x *execution) endNodes() error {
	close(x.ending)
	x.watching.Wait()
	var errs []error
	for i, slot := range x.nodes {
		if slot.dead() {
			if asked, _ := slot.fate(); !asked {
				errs = append(errs, x.save(func(r *history.Run) { r.Nodes[i].Exit = slot.Exit() }))
			}
		} else if err := stopNode(slot); err != nil {
			errs = append(errs, fmt.Errorf("end node %d of the bundled target: %w", i+1, err))
		}
		counters, err := slot.Counters()
		if err != nil {
			errs = append(errs, fmt.Errorf("read the counters of node %d: %w", i+1, err))
		}
		errs = append(errs, x.save(func(r *history.Run) { r.Nodes[i].Counters = counters }))
		for _, node := range slot.all() {
			if err := x.takeJournal(node); err != nil {
				errs = append(errs, fmt.Errorf("read the journal of node %d: %w", i+1, err))
			}
		}
	}
	return errors.Join(errs...)
}

// stopNode lets a node end, and kills one that does not.
func stopNode(node Node) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return node.Stop(ctx)
}

// takeJournal turns the journal of a node into Observations. The last record of a killed node may be torn; it is left out.
func (x *execution) takeJournal(node Node) error {
	journal, err := node.Journal()
	if err != nil {
		return err
	}
	data, err := io.ReadAll(journal)
	if err = errors.Join(err, journal.Close()); err != nil {
		return err
	}
	var batch []history.Observation
	for {
		d, rest, ok := wire.ParseDispatch(data)
		if !ok {
			break
		}
		data = rest
		if d.Run == x.o.ID {
			at := d.At - x.epoch
			batch = append(batch, history.Observation{
				Kind: history.Dispatched, Client: d.Event.Publisher, Event: d.Event, Node: uint16(d.Node), Sequence: d.Sequence,
				NotBefore: at, At: at, Handled: at,
			})
		}
	}
	x.o.Record.Observe(batch)
	return nil
}
