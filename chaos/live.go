package chaos

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"holobench/internal/draw"
	"holobench/wire"
)

// LiveOptions are what NewLive needs.
type LiveOptions struct {
	Seed   uint64
	Host   string         // what the Host field of every request is set to; "" = it stays
	Record func(Decision) // as in Options
}

// Live is faults that are set and cleared by hand while connections are open, as those of a proxy are: each is in force on all
// connections, the open ones too, from the moment at which it is set until it is cleared. Rules, draws and the ledger are
// those of Chaos. What a fault holds back comes out when it is cleared, at once and in its order.
type Live struct {
	options LiveOptions
	base    *Chaos // what the links hang on: it has no faults

	alarms []*alarm // the links share them evenly

	mu     sync.Mutex
	faults []*liveFault
	links  map[*LiveLink]struct{}
	linked int     // links until now
	past   []Tally // of faults that were cleared, the latest mostPast
}

// mostPast is of how many cleared faults the ledger knows.
const mostPast = 1000

// liveFault is a fault that is set. Its Chaos knows no other, and its barrier is when it was set.
type liveFault struct {
	*fault
	chaos  *Chaos
	share  float64
	timers []*time.Timer // of cuts to come
}

// alarmsPerCore: where the system takes the core from a thread that hands on what is due, only the links of its alarm wait.
const alarmsPerCore = 4

// NewLive returns a Live without faults.
func NewLive(o LiveOptions) (*Live, error) {
	base, err := New(Options{Seed: o.Seed})
	if err != nil {
		return nil, err
	}
	v := &Live{options: o, base: base, links: make(map[*LiveLink]struct{})}
	for range alarmsPerCore * runtime.GOMAXPROCS(0) {
		v.alarms = append(v.alarms, newAlarm())
	}
	return v, nil
}

// Set puts a fault in force on a share of the connections, which are drawn (1 = all), or replaces the one of that name. It must have
// no window, and name no clients. A slow reader has the receive buffer that its connection was made with.
func (v *Live) Set(f Fault, share float64) error {
	switch {
	case f.Window != Window{}:
		return fmt.Errorf("fault %q has a window, but is in force from now until it is cleared: leave the window out", f.Name)
	case f.Where.Share != 0 || len(f.Where.Clients) > 0 || f.Where.Path != AnyPath:
		return fmt.Errorf("fault %q says whom it hits, but hits a share of the connections: leave all but the direction out", f.Name)
	case !(share >= 0) || share > 1:
		return fmt.Errorf("fault %q hits a share of %g of the connections: give one from 0 to 1", f.Name, share)
	}
	if slow, ok := f.Effect.(SlowReader); ok && slow.ReceiveBuffer > 0 {
		return fmt.Errorf("fault %q (%s): the connections are open already: leave the size of receive buffers out", f.Name, slow.Kind())
	}
	now := time.Now().UnixNano()
	c, err := New(Options{Seed: v.options.Seed, Faults: []Fault{f}, Record: v.options.Record})
	if err != nil {
		return err
	}
	c.Begin(now)
	v.mu.Lock()
	defer v.mu.Unlock()
	one := &liveFault{fault: c.faults[0], chaos: c, share: share}
	if i := v.index(f.Name); i >= 0 {
		v.retire(v.faults[i])
		v.faults[i] = one
	} else {
		v.faults = append(v.faults, one)
	}
	v.apply(now)
	v.cut(one)
	return nil
}

// Clear takes the fault of that name away; false = there is none.
func (v *Live) Clear(name string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	i := v.index(name)
	if i < 0 {
		return false
	}
	v.retire(v.faults[i])
	v.faults = slices.Delete(v.faults, i, i+1)
	v.apply(time.Now().UnixNano())
	return true
}

// index is where the fault of that name is; -1 = nowhere. The caller holds mu.
func (v *Live) index(name string) int {
	return slices.IndexFunc(v.faults, func(f *liveFault) bool { return f.Name == name })
}

// retire keeps what a fault did. The caller holds mu.
func (v *Live) retire(f *liveFault) {
	for _, timer := range f.timers {
		timer.Stop()
	}
	v.past = append(v.past, f.chaos.Ledger().Faults...)
	if n := len(v.past); n > mostPast {
		v.past = slices.Delete(v.past, 0, n-mostPast)
	}
}

// apply brings all links up to date. The caller holds mu.
func (v *Live) apply(now int64) {
	for k := range v.links {
		k.update(now, v.faults)
	}
}

// takes says whether a fault hits a connection.
func (f *liveFault) takes(seed uint64, s Socket) bool {
	return f.meets(s) && (f.share == 1 ||
		draw.Unit(seed, f.key, choice, uint64(s.Client), uint64(s.Path), uint64(s.Epoch)) < f.share)
}

// cut cuts the open connections that a fault cuts at a moment. The caller holds mu.
func (v *Live) cut(f *liveFault) {
	e, ok := f.Effect.(timed)
	if !ok {
		return
	}
	how, within, ok := e.timedCut()
	if !ok {
		return
	}
	for k := range v.links {
		if !f.takes(v.options.Seed, k.socket) {
			continue
		}
		after := f.chaos.cutAfter(f.fault, k.socket.Client, uint64(k.socket.Epoch), within)
		cut := func() {
			if k.cutAt(how, time.Now().UnixNano()) {
				s := scope{chaos: f.chaos, fault: f.fault, socket: k.socket}
				s.decided(moment{}, 0, int64(after))
			}
		}
		if after == 0 {
			cut()
			continue
		}
		f.timers = append(f.timers, time.AfterFunc(after, cut))
	}
}

// Socket numbers a new connection of a client.
func (v *Live) Socket(client uint32) Socket { return v.base.socket(client, AnyPath) }

// Admit carries out what the faults do to an attempt to connect to addr: it may take its time, and the error is that of a
// connection that was refused.
func (v *Live) Admit(ctx context.Context, s Socket, addr string) error {
	v.mu.Lock()
	faults := slices.Clone(v.faults)
	v.mu.Unlock()
	for _, f := range faults {
		if !f.takes(v.options.Seed, s) {
			continue
		}
		if err := f.chaos.refused(s, addr); err != nil {
			return err
		}
		if err := f.chaos.accept(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// Link wraps a connection to the server, which must be one that can be cut in both ways. Only one goroutine may write to
// it, and one read.
//
// What a fault has held back is offered to offer when it is due, unless that is nil: it takes as much as there is room for, and
// never waits. Read returns what it does not take, and what no fault concerns. Who reads must be done with what a Read returned
// when it reads again, since nothing is offered in between.
func (v *Live) Link(conn wire.StampedConn, s Socket, offer func(p []byte) (n int, err error)) (*LiveLink, error) {
	if !canReset(conn) || !canFinish(conn) {
		return nil, fmt.Errorf("link a connection to %s: a %T cannot be reset and closed in one direction: use a TCP connection", conn.RemoteAddr(), conn)
	}
	now := time.Now().UnixNano()
	k := &LiveLink{link: &link{StampedConn: conn, chaos: v.base, socket: s, until: forever, armed: forever, queue: queue{rooms: &v.base.rooms}}, live: v, opened: now}
	k.reading.units = new(units)
	k.asking.host = v.options.Host
	v.mu.Lock()
	defer v.mu.Unlock()
	k.update(now, v.faults)
	v.links[k] = struct{}{}
	if offer != nil {
		k.outlet = &outlet{link: k.link, alarm: v.alarms[v.linked%len(v.alarms)], offer: offer, asked: forever, due: forever}
		v.linked++
	}
	return k, nil
}

// Ledger is what the faults decided until now: those that were cleared first.
func (v *Live) Ledger() []Tally {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := slices.Clone(v.past)
	for _, f := range v.faults {
		all = append(all, f.chaos.Ledger().Faults...)
	}
	return all
}

// Close ends what was to come of the faults. The links are closed before, by whoever has them.
func (v *Live) Close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, f := range v.faults {
		v.retire(f)
	}
	v.faults = nil
	for _, a := range v.alarms {
		a.close()
	}
}

// Wait returns when all that the links had still to carry up was carried, and nothing is offered any more.
func (v *Live) Wait() {
	v.base.Wait()
	for _, a := range v.alarms {
		a.rung.Wait()
	}
}

// Close implements net.Conn.
func (k *LiveLink) Close() error {
	k.live.mu.Lock()
	delete(k.live.links, k)
	k.live.mu.Unlock()
	return k.link.Close()
}

// CloseWrite is as that of TCP connections: see link. The beginning of a request that will not be whole goes up before the end.
func (k *LiveLink) CloseWrite() error {
	k.mu.Lock()
	rest := k.asking.giveUp()
	k.mu.Unlock()
	if len(rest) > 0 {
		if _, err := k.link.Write(rest); err != nil {
			return err
		}
	}
	return k.link.CloseWrite()
}

// Cut says whether a fault cut the connection, and whether by a RST.
func (k *LiveLink) Cut() (cut, reset bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.cut != cutNone, k.cut == cutRST
}
