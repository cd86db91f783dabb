package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"holobench/clients"
	"holobench/target"
)

// join makes the clients, lets every one subscribe, and returns at the barrier: all streams are ready, and all senders
// have their connection. The streams are held until holding ends, commands are posted until posting ends.
func (x *execution) join(work, holding, posting context.Context) error {
	limit := x.plan.Join
	if limit == 0 {
		limit = time.Minute
	}
	for i := range x.plan.Groups {
		limit += x.plan.Groups[i].JoinOver // one after the other would be the most
	}
	stop := x.every("join", 0)
	defer stop()
	waiting, gone := newBarrier(), make(chan error, 1)
	if err := x.chooseWire(); err != nil {
		return err
	}
	x.makeClients()
	for i, c := range x.streams {
		ready, after := waiting.expect(), x.joinAfter[i]
		over := func(err error) {
			if err != nil {
				select {
				case gone <- fmt.Errorf("client %d: %w", c.ID(), err):
				default: // one of them is told, all of them are in the history
				}
			}
			x.holding.Done()
		}
		x.holding.Add(1)
		if after <= 0 {
			c.Hold(holding, ready, over)
			continue
		}
		go func() {
			if !pause(holding, after) {
				over(nil)
				return
			}
			c.Hold(holding, ready, over)
		}()
	}
	seen := make(map[*clients.Client]bool)
	for _, senders := range x.senders {
		for _, c := range senders {
			if c != nil && !seen[c] {
				seen[c] = true
				ready := waiting.expect()
				x.holding.Go(func() { c.PostCommands(posting, holding, ready) }) //nolint:errcheck // its only end is the end of posting
			}
		}
	}
	for _, v := range x.viewers() {
		if !seen[v.client] {
			ready := waiting.expect()
			x.holding.Go(func() { v.client.PostCommands(posting, holding, ready) }) //nolint:errcheck // as above
		}
	}
	return x.awaitBarrier(work, waiting.reached(), gone, limit)
}

// pause waits; false means that ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// awaitBarrier returns when everybody is ready at the same time: a client whose stream was cut after it had been ready is
// waited for once more.
func (x *execution) awaitBarrier(work context.Context, reached <-chan struct{}, gone <-chan error, limit time.Duration) error {
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		var ready <-chan struct{}
		if int(x.tally.subscribed.Load()) == len(x.streams) {
			ready = reached
		}
		select {
		case <-ready:
			return nil
		case err := <-gone:
			return fmt.Errorf("subscribe the clients: %w", err)
		case <-work.Done():
			return errors.New("subscribe the clients: interrupted")
		case <-timeout.C:
			return fmt.Errorf("subscribe the clients: after %v only %d of %d streams were ready (is the server's limit of connections, "+
				"or of open files, below that?)", limit, x.tally.subscribed.Load(), len(x.streams))
		case <-poll.C:
		}
	}
}

// chooseWire lets the clients speak as the target does. Where it does not tell an author of its own event, as in the design
// ephemeral, the drain is not to wait for that.
func (x *execution) chooseWire() error {
	if x.crowd.Own.Generic != nil {
		x.crowd.Wire = clients.Described
		x.hearEchoes()
		return nil
	}
	wire, err := clients.ParseWire(cmp.Or(x.plan.Wire, string(target.Design(x.plan.Design).Wire())))
	if err != nil {
		return fmt.Errorf("subscribe the clients: %w", err)
	}
	x.crowd.Wire, x.crowd.HTTP2 = wire, x.plan.clientHTTP2()
	x.hearEchoes()
	return nil
}

// hearEchoes says whether senders hear of their own events, as the analysis takes it.
func (x *execution) hearEchoes() {
	promises := x.plan.Promises()
	x.tally.deaf = len(promises) > 0 && promises["self_echo"] == ""
}

// onlyNode is the node that a client talks to where there is one.
func (x *execution) onlyNode() uint16 {
	if x.plan.Server != nil {
		return 0 // nobody knows
	}
	return 1
}

// makeClients numbers the clients as run.json does and finds the senders of each load.
func (x *execution) makeClients() {
	var all [][]*clients.Client
	id := uint32(0)
	for _, g := range x.plan.Groups {
		var group []*clients.Client
		for i := range g.Count {
			if !x.plan.share.has(uint64(id)) {
				group = append(group, nil)
				id++
				continue
			}
			o := clients.ClientOptions{ID: id, Node: x.onlyNode(), InFlight: x.plan.inFlight(len(all), i), ReadRate: g.ReadRate, Engine: x.plan.asked(len(all)), Listen: x.listener(id)}
			o.HTTP, o.Connections = g.HTTP, g.Connections
			if g.listens() {
				o.Instance, o.Channels = fmt.Sprintf("%s.c%d", x.o.ID, id), []string{g.Channel(i)}
			}
			c := x.crowd.NewClient(o)
			x.everybody = append(x.everybody, c)
			group = append(group, c)
			if g.listens() {
				x.streams = append(x.streams, c)
				x.joinAfter = append(x.joinAfter, g.JoinOver/time.Duration(g.Count)*time.Duration(i))
			}
			id++
		}
		all = append(all, group)
	}
	for _, l := range x.plan.Loads {
		var senders []*clients.Client
		if !l.Flood {
			senders = all[l.Group][:l.Only]
		}
		x.senders = append(x.senders, senders)
	}
}

// barrier waits for a number of parties that is known only when all of them are on their way.
type barrier struct {
	left atomic.Int64 // parties that are not ready, and one for reached itself
	done chan struct{}
}

func newBarrier() *barrier {
	b := &barrier{done: make(chan struct{})}
	b.left.Store(1)
	return b
}

// expect adds a party; what it returns is called, any number of times, when that party is ready.
func (b *barrier) expect() (ready func()) {
	b.left.Add(1)
	return sync.OnceFunc(b.arrive)
}

func (b *barrier) arrive() {
	if b.left.Add(-1) == 0 {
		close(b.done)
	}
}

// reached is called once, after the last expect; what it returns is closed when all parties are ready.
func (b *barrier) reached() <-chan struct{} {
	b.arrive()
	return b.done
}
