package run

import (
	"context"
	"fmt"
	"sync"
	"time"

	"holobench/history"
	"holobench/scenarios"
	"holobench/target"
)

// busFaulted says whether some fault of the plan is one of the bus.
func (p *Plan) busFaulted() bool {
	for i := range p.Faults {
		if n, ok := p.Faults[i].Effect.(scenarios.NodeFault); ok && n.OnBus() {
			return true
		}
	}
	return false
}

// checkNodeFaults finds faults of nodes that a plan asks for and has not the nodes for.
func (p *Plan) checkNodeFaults() error {
	for i := range p.Faults {
		f := &p.Faults[i]
		n, ok := f.Effect.(scenarios.NodeFault)
		if !ok {
			continue
		}
		for _, number := range n.Nodes(p.Nodes) {
			if number < 1 || number > p.Nodes {
				return fmt.Errorf("check the plan: the fault %q hits node %d of %d", f.Name, number, p.Nodes)
			}
		}
		switch {
		case p.Server != nil:
			return fmt.Errorf("check the plan: no backend can carry out the fault %q (%s) on a server of the user's own", f.Name, n.Kind)
		case n.OnBus() && p.Nodes == 1:
			return fmt.Errorf("check the plan: the fault %q (%s) needs a bus, and there is one node", f.Name, n.Kind)
		}
	}
	return nil
}

// faultNodes carries out the faults that the plan puts on nodes and their bus, from the barrier on, until the function that it returns
// is called: then all are taken away that can be.
func (x *execution) faultNodes(work context.Context, barrier time.Time, fail context.CancelCauseFunc) (stop func()) {
	ctx, cancel := context.WithCancel(work)
	var working sync.WaitGroup
	for i := range x.plan.Faults {
		f := &x.plan.Faults[i]
		if n, ok := f.Effect.(scenarios.NodeFault); ok {
			o := &outage{x: x, fault: f, effect: n}
			working.Go(func() {
				if err := o.carryOut(ctx, barrier); err != nil {
					fail(fmt.Errorf("carry out the fault %q: %w", f.Name, err))
				}
			})
		}
	}
	return func() {
		cancel()
		working.Wait()
	}
}

// outage is one fault of nodes at work.
type outage struct {
	x      *execution
	fault  *scenarios.Fault
	effect scenarios.NodeFault
	turn   int
}

// carryOut carries out the turns of the fault.
func (o *outage) carryOut(ctx context.Context, barrier time.Time) error {
	for turn, begin := range o.fault.Begins(o.x.plan.End()) {
		o.turn = turn
		at := barrier.Add(begin)
		if !pause(ctx, time.Until(at)) {
			return nil
		}
		before := o.touched()
		o.note(history.FaultBegins)
		if err := o.begin(); err != nil {
			return err
		}
		ended := pause(ctx, time.Until(at.Add(o.fault.For)))
		err := o.end(ctx)
		o.note(history.FaultEnds)
		o.x.noteDecisions(o.fault.Name, o.touched()-before)
		if err != nil || !ended {
			return err
		}
	}
	return nil
}

// note notes that the fault begins or ends.
func (o *outage) note(kind history.Kind) {
	h := hardship{x: o.x, fault: o.fault, turn: o.turn}
	h.note(kind)
}

// begin lets the fault begin.
func (o *outage) begin() error {
	if o.effect.OnBus() {
		return o.x.putOnBus(o.x.plan.busFault(o.fault, &o.effect))
	}
	slot := o.x.nodes[o.effect.Node-1]
	if slot.dead() {
		return nil // another fault killed it: it cannot be worse
	}
	node, err := slot.breakable()
	if err != nil {
		return err
	}
	if o.effect.Kind == scenarios.PauseNode {
		return node.Pause()
	}
	slot.condemn(o.effect.Restart)
	if err := node.Kill(); err != nil {
		return err
	}
	<-node.Done()
	return o.x.save(func(r *history.Run) { r.Nodes[o.effect.Node-1].EndedBy = o.fault.Name })
}

// end lets it end. When the run is over there is nothing to be started again.
func (o *outage) end(ctx context.Context) error {
	if o.effect.OnBus() {
		return o.x.putOnBus(target.BusFault{Name: o.fault.Name, Over: true})
	}
	slot := o.x.nodes[o.effect.Node-1]
	if o.effect.Kind == scenarios.PauseNode {
		node, err := slot.breakable()
		if err != nil || slot.dead() {
			return err
		}
		return node.Resume()
	}
	select {
	case <-ctx.Done():
		return nil
	default:
	}
	if !o.effect.Restart || !slot.dead() {
		return nil
	}
	return o.x.restart(ctx, slot)
}

// touched counts the messages that faults of this kind have touched so far, at all nodes.
func (o *outage) touched() (sum uint64) {
	names := map[string][]string{
		scenarios.LinkDelay: {"bus_fault_delayed"}, scenarios.BusDuplicate: {"bus_fault_doubled"},
		scenarios.Partition: {"bus_fault_lost", "bus_fault_held"}, scenarios.Isolate: {"bus_fault_lost", "bus_fault_held"},
	}[o.effect.Kind]
	for _, slot := range o.x.nodes {
		counters, err := slot.Counters()
		if err != nil {
			continue // then less is said to have been touched
		}
		for _, name := range names {
			sum += counters[name]
		}
	}
	return sum
}

// putOnBus tells all nodes of a fault of the bus, those too that are to stand later.
func (x *execution) putOnBus(f target.BusFault) error { //nolint:gocritic // it is kept
	x.onBus.Lock()
	defer x.onBus.Unlock()
	if x.busFaults == nil {
		x.busFaults = make(map[string]target.BusFault)
	}
	x.busFaults[f.Name] = f
	if f.Over {
		delete(x.busFaults, f.Name)
	}
	for _, slot := range x.nodes {
		node, err := slot.breakable()
		if err != nil {
			return err
		}
		if err := node.Put(f); err != nil && !slot.dead() {
			return fmt.Errorf("tell node %d of it: %w", slot.number, err)
		}
	}
	return nil
}

// restart starts a node that a fault killed again at its address, and tells it which faults are on the bus.
func (x *execution) restart(ctx context.Context, slot *nodeSlot) error {
	x.onBus.Lock()
	defer x.onBus.Unlock()
	o := x.nodeOptions(slot.number)
	o.Addr, o.Start = slot.Addr(), len(slot.all())+1
	node, err := x.o.StartNode(ctx, o)
	if err != nil {
		if ctx.Err() != nil {
			return nil // the run ends, and nobody needs the node
		}
		return fmt.Errorf("start node %d again: %w", slot.number, err)
	}
	before := slot.PID()
	slot.replace(node)
	for _, f := range x.busFaults {
		b, err := slot.breakable()
		if err == nil {
			err = b.Put(f)
		}
		if err != nil {
			return fmt.Errorf("tell node %d of the fault %q: %w", slot.number, f.Name, err)
		}
	}
	return x.save(func(r *history.Run) {
		n := &r.Nodes[slot.number-1]
		n.PIDsBefore, n.PID, n.EndedBy = append(n.PIDsBefore, before), node.PID(), ""
	})
}
