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
	for number := 1; number <= x.plan.Nodes; number++ {
		node, err := x.o.StartNode(work, NodeOptions{
			Number: number, Nodes: x.plan.Nodes, Bus: bus,
			Design: x.plan.Design, Wire: x.plan.Wire, Transport: x.plan.Transport, Knobs: x.plan.Knobs, Outbox: x.plan.Outbox, Heartbeat: x.plan.Heartbeat,
			Seed: x.plan.Seed,
		})
		if err != nil {
			return fmt.Errorf("start node %d of the bundled target: %w", number, err)
		}
		x.nodes = append(x.nodes, node)
		if err := x.save(func(r *history.Run) {
			r.Nodes = append(r.Nodes, history.Node{Node: number, PID: node.PID(), Addr: node.Addr()})
		}); err != nil {
			return err
		}
	}
	x.crowd.Addr = x.nodes[0].Addr()
	if len(x.nodes) > 1 {
		x.crowd.Place = newSpread(&x.plan, x.nodes).place
	}
	x.watchNodes(fail)
	return nil
}

// watchNodes ends the run when a node dies that may not, or the last of those that may.
func (x *execution) watchNodes(fail context.CancelCauseFunc) {
	alive := new(atomic.Int64)
	alive.Store(int64(len(x.nodes)))
	for i, node := range x.nodes {
		x.watching.Go(func() {
			select {
			case <-node.Done():
				if alive.Add(-1) == 0 || !x.plan.MayDie {
					fail(fmt.Errorf("%w: node %d (pid %d): %s", errNodeDied, i+1, node.PID(), node.Exit()))
				}
			case <-x.ending:
			}
		})
	}
}

// endNodes ends the nodes and takes over what they recorded: their counters into run.json, their journals into the
// history.
func (x *execution) endNodes() error {
	close(x.ending)
	x.watching.Wait()
	var errs []error
	for i, node := range x.nodes {
		select {
		case <-node.Done():
			errs = append(errs, x.save(func(r *history.Run) { r.Nodes[i].Exit = node.Exit() }))
		default:
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			if err := node.Stop(ctx); err != nil {
				errs = append(errs, fmt.Errorf("end node %d of the bundled target: %w", i+1, err))
			}
			cancel()
		}
		counters, err := node.Counters()
		if err != nil {
			errs = append(errs, fmt.Errorf("read the counters of node %d: %w", i+1, err))
		}
		errs = append(errs, x.save(func(r *history.Run) { r.Nodes[i].Counters = counters }))
		if err := x.takeJournal(node); err != nil {
			errs = append(errs, fmt.Errorf("read the journal of node %d: %w", i+1, err))
		}
	}
	return errors.Join(errs...)
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
