package run

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"holobench/chaos"
	"holobench/clients"
	"holobench/history"
	"holobench/scenarios"
	"holobench/target"
)

// linkFaults are the faults of the plan that the connections of its clients carry out, in the words of package chaos.
func (p *Plan) linkFaults() []chaos.Fault {
	var all []chaos.Fault
	for i := range p.Faults {
		f := &p.Faults[i]
		l, ok := f.Effect.(scenarios.LinkFault)
		if !ok {
			continue
		}
		window := chaos.Window{At: f.At, For: f.For, Every: f.Every, Times: len(f.Begins(p.End())), Ramp: f.Ramp}
		if f.Moment {
			window.For = 0
		}
		if f.Every == 0 {
			window.Times = 0
		}
		all = append(all, chaos.Fault{Name: f.Name, Window: window, Where: p.linkWhere(&f.Where), Effect: linkEffect(&l)})
	}
	return all
}

// networks are the faults that make up the networks of the groups, from the first connection on.
func (p *Plan) networks() ([]chaos.Fault, error) {
	var all []chaos.Fault
	for i := range p.Groups {
		g := &p.Groups[i]
		if g.Network == "" {
			continue
		}
		profile, err := chaos.ParseProfile(g.Network)
		if err != nil {
			return nil, fmt.Errorf("clients %q: %w", g.Name, err)
		}
		all = append(all, profile.Faults("network."+g.Name, chaos.Where{Clients: []chaos.Range{p.rangeOf(i)}})...)
	}
	return all, nil
}

// rangeOf are the numbers of the clients of a group.
func (p *Plan) rangeOf(group int) chaos.Range {
	from := uint32(p.first(group))                                           //nolint:gosec // clients are numbered in 32 bits
	return chaos.Range{From: from, To: from + uint32(p.Groups[group].Count)} //nolint:gosec // as above
}

// linkWhere says whom a fault hits.
func (p *Plan) linkWhere(w *scenarios.Where) chaos.Where {
	to := chaos.Where{Share: w.Share}
	for i := range p.Groups {
		if p.Groups[i].Name == w.Clients {
			to.Clients = append(to.Clients, p.rangeOf(i))
		}
	}
	switch w.Path {
	case scenarios.PathStream:
		to.Path = chaos.Stream
	case scenarios.PathCommand:
		to.Path = chaos.Command
	}
	switch w.Direction {
	case scenarios.Up:
		to.Direction = chaos.Up
	case scenarios.Both:
		to.Direction = chaos.Both
	}
	return to
}

// linkEffect says in the words of package chaos what a scenario says in its own; nil = there is no such kind.
func linkEffect(l *scenarios.LinkFault) chaos.Effect {
	pick := chaos.Pick{Share: l.Share, Nth: int64(l.Nth)}
	bytes := int64(l.Bytes)
	switch l.Kind {
	case "delay":
		return chaos.Delay{Law: l.By.Law, Hold: l.Hold, Jitter: l.Jitter.Law}
	case "bandwidth":
		return chaos.Bandwidth{Rate: l.Rate, Burst: bytes}
	case "slice":
		return chaos.Slice{Size: l.Bytes, Gap: l.Gap}
	case "stall":
		return chaos.Stall{After: bytes, Hold: l.Hold}
	case "loss":
		return chaos.Loss{Rate: l.Rate, Timeout: l.Timeout}
	case "half_open":
		return chaos.HalfOpen{}
	case "reset":
		return chaos.Reset{Within: l.Within, After: bytes}
	case "close":
		return chaos.Close{Within: l.Within, After: bytes}
	case "slow_close":
		return chaos.SlowClose{Law: l.By.Law}
	case "limit_data":
		return chaos.LimitData{Bytes: bytes}
	case "slow_reader":
		return chaos.SlowReader{Rate: l.Rate, ReceiveBuffer: l.Bytes}
	case "refuse":
		return chaos.Refuse{Share: l.Share}
	case "accept_delay":
		return chaos.AcceptDelay{Law: l.By.Law}
	case "http_abort":
		return chaos.HTTPAbort{Status: l.Status, Method: l.Method, Share: l.Share}
	case "http_delay":
		return chaos.HTTPDelay{Law: l.By.Law, Method: l.Method, Share: l.Share}
	case "drop":
		return chaos.Drop{Pick: pick}
	case "duplicate":
		return chaos.Duplicate{Pick: pick}
	case "reorder":
		return chaos.Reorder{Pick: pick, Distance: l.Distance}
	case "corrupt":
		return chaos.Corrupt{Pick: pick}
	case "truncate":
		return chaos.Truncate{Pick: pick}
	case "buffer":
		return chaos.Buffer{Bytes: l.Bytes, For: l.Hold}
	case "heartbeat_loss":
		return chaos.HeartbeatLoss{}
	}
	return nil
}

// links makes what carries the faults of links out; nil = there are none. The error says which of them nothing can.
func (p *Plan) links(epoch int64, decided func(chaos.Decision)) (*chaos.Chaos, error) {
	faults, err := p.networks()
	if err != nil {
		return nil, fmt.Errorf("check the plan: %w", err)
	}
	if faults = append(faults, p.linkFaults()...); len(faults) == 0 {
		return nil, nil //nolint:nilnil // no chaos is not an error
	}
	c, err := chaos.New(chaos.Options{
		Seed: p.Seed, Clients: p.Clients(), Faults: faults, Epoch: epoch, Opaque: p.opaque(), OpaqueTo: p.multiplexing(), Buffers: true, Record: decided,
	})
	if err != nil {
		return nil, fmt.Errorf("check the plan: %w", err)
	}
	return c, nil
}

// multiplexing are the numbers of the clients that speak HTTP/2, which nobody reads on its way.
func (p *Plan) multiplexing() []chaos.Range {
	var all []chaos.Range
	for i := range p.Groups {
		if p.multiplexes(&p.Groups[i]) {
			all = append(all, p.rangeOf(i))
		}
	}
	return all
}

// opaque says whether what all clients say cannot be read on its way.
func (p *Plan) opaque() bool {
	if p.Server != nil && p.Server.URL.Scheme == "https" {
		return true
	}
	if p.Server != nil {
		return p.Server.Protocol.Wire == scenarios.ChannelsWire
	}
	return p.wire() == target.ChannelsWire || p.clientTLS() != nil
}

// linkedDial is the dialer of the clients behind the faults of their links. What belongs to no client, such as a flood, goes past them.
func linkedDial(c *chaos.Chaos, dial clients.DialFunc) clients.DialFunc {
	if c == nil {
		return dial
	}
	sized := func(ctx context.Context, network, addr string) (net.Conn, error) {
		return dial(clients.WithControl(ctx, c.Control), network, addr)
	}
	linked := c.Dial(sized, func(ctx context.Context) (client uint32, path chaos.Path) {
		client, purpose, _ := clients.Dialing(ctx)
		if purpose == clients.ForCommand {
			return client, chaos.Command
		}
		return client, chaos.Stream
	})
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if _, _, ok := clients.Dialing(ctx); !ok {
			return dial(ctx, network, addr)
		}
		return linked(ctx, network, addr)
	}
}

// faultLinks lets the timeline of the links run from the barrier on, until the function that it returns is called.
func (x *execution) faultLinks(work context.Context, barrier time.Time, fail context.CancelCauseFunc) (stop func()) {
	if x.links == nil {
		return func() {}
	}
	x.links.Begin(barrier.UnixNano())
	ctx, cancel := context.WithCancel(work)
	var running sync.WaitGroup
	running.Go(func() {
		err := x.links.Run(ctx, func(m chaos.Mark) {
			kind := history.FaultEnds
			if m.Begins {
				kind = history.FaultBegins
			}
			x.o.Record.Observe([]history.Observation{{
				Kind: kind, NotBefore: m.At - x.epoch, At: m.At - x.epoch, Handled: x.now(), Sequence: m.Occurrence + 1, Err: x.reason(m.Fault),
			}})
		})
		if err != nil {
			fail(err)
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}

// ledger is what the faults of the links did, for run.json.
func (x *execution) ledger() []history.Fault {
	if x.links == nil {
		return nil
	}
	var all []history.Fault
	for _, t := range x.links.Ledger().Faults {
		all = append(all, history.Fault{
			Name: t.Fault, Kind: t.Kind, Backend: t.Backend, Clients: t.Clients, Decisions: t.Decisions, Digest: t.Digest,
		})
	}
	return all
}
