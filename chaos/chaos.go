// Package chaos makes a link or a node worse, on purpose and repeatably.
//
// # A rule judges, a link carries out
//
// A rule says what becomes of a piece of what is on its way: later, in parts, twice, never. It knows nothing of sockets,
// timers and goroutines; what it says is a function of the seed of the run, the name of the fault, the client, the socket,
// and the event or the place of the bytes, never of how the bytes were cut into reads or of which goroutine came first. A
// link holds the bytes back and hands them on with the stamp that the rules produced: the error of its own timer is never
// part of the delay that is reported, it shows as the generator's lag.
//
// So the decisions of a seed are the same on one core and on eight, and a ledger of them has a digest that says so. What
// is not promised is that the same events meet them: which event is on its way at which moment is up to the server.
//
// # One path for each client
//
// The sockets of a client share one way through the network, so they share the slow part of a delay, see Delay: a path
// lets nothing overtake, and two sockets of one client that disagree by more than their jitter would be a fault of the
// harness and not of the server. On one socket nothing ever overtakes, as with TCP, but for Reorder, which says so.
//
// # Use
//
//	c, err := chaos.New(chaos.Options{Seed: 42, Clients: 200, Faults: []chaos.Fault{{
//		Name:   "lag",
//		Window: chaos.Window{At: 10 * time.Second, For: 10 * time.Second},
//		Where:  chaos.Where{Share: 0.1, Path: chaos.Stream},
//		Effect: chaos.Delay{Law: draw.Law{Kind: draw.KindNormal, A: 50e6, B: 10e6}},
//	}}})
//	dial := c.Dial(stampedDial, func(ctx context.Context) (client uint32, path chaos.Path) { ... })
//	c.Begin(barrier)
//	err = c.Run(ctx, func(m chaos.Mark) { ... }) // until the last window is over
package chaos

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"holobench/internal/draw"
)

// Backend is what carries the faults of this package out, as reports name it.
const Backend = "stamped connection wrapper"

// DialFunc is the shape of net.Dialer.DialContext.
type DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// Options are what New needs.
type Options struct {
	Seed     uint64
	Clients  int // how many there are, numbered from 0; needed where a fault hits a share of them
	Faults   []Fault
	Epoch    int64   // ns since 1970: where the slots of what is always in force are counted from; 0 = the time of New
	Opaque   bool    // what is said cannot be read: it is encrypted, or no HTTP/1.1
	OpaqueTo []Range // ... the same with these clients alone; none = nobody
	Buffers  bool    // the dialer calls Chaos.Control, so that the size of receive buffers can be set

	// Record is told each decision as it is carried out; nil = nobody is. It must be safe for concurrent use, and quick: a
	// link waits for it.
	Record func(Decision)
}

// opaque says whether what that client says cannot be read.
func (o *Options) opaque(client uint32) bool {
	return o.Opaque || slices.ContainsFunc(o.OpaqueTo, func(r Range) bool { return r.has(client) })
}

// Chaos is all faults of one run, and their links.
type Chaos struct {
	options Options
	faults  []*fault
	zero    atomic.Int64 // the barrier, ns since 1970; 0 = not yet

	mu      sync.Mutex
	epochs  map[place]uint32   // how many sockets there were
	links   map[*link]struct{} // of those that a moment of the timeline may cut
	paths   map[way]*path
	buckets map[way]*bucket
	rooms   rooms          // of what comes down late
	wait    sync.WaitGroup // for what links have still to carry up
}

// fault is a Fault that was checked.
type fault struct {
	Fault
	key    uint64
	chosen []bool // by client; nil = all that Where.Clients has
	hit    int
	tally  tally
}

// place is where a socket belongs.
type place struct {
	client uint32
	path   Path
}

// Socket names a connection to the rules.
type Socket struct {
	Client uint32
	Path   Path
	Epoch  uint32 // how many sockets of this path the client had before
}

// New checks the faults and chooses whom they hit. The error says which of them cannot be, and what to do about it.
func New(o Options) (*Chaos, error) {
	if o.Epoch == 0 {
		o.Epoch = time.Now().UnixNano()
	}
	c := &Chaos{options: o, epochs: make(map[place]uint32), links: make(map[*link]struct{}), paths: make(map[way]*path), buckets: make(map[way]*bucket)}
	names := make(map[string]bool)
	for _, one := range o.Faults {
		if err := one.Check(o.Opaque || one.Where.meets(o.OpaqueTo)); err != nil {
			return nil, err
		}
		if names[one.Name] {
			return nil, fmt.Errorf("two faults are called %q: give each a name of its own", one.Name)
		}
		names[one.Name] = true
		if s, ok := one.Effect.(SlowReader); ok && s.ReceiveBuffer > 0 && !o.Buffers {
			return nil, fmt.Errorf("fault %q (%s): nobody sets the size of receive buffers here: let the dialer call Chaos.Control, or leave the size out",
				one.Name, s.Kind())
		}
		f := &fault{Fault: one, key: draw.Name(one.Name)}
		if err := f.choose(o.Seed, o.Clients); err != nil {
			return nil, err
		}
		c.faults = append(c.faults, f)
	}
	return c, nil
}

// choose takes the share of the clients: those whose draws are the smallest, so that a larger share has them all too.
func (f *fault) choose(seed uint64, clients int) error {
	var among []uint32
	for client := range uint32(clients) { //nolint:gosec // clients are numbered in 32 bits
		if f.Where.has(client) {
			among = append(among, client)
		}
	}
	f.hit = len(among)
	if f.Where.Share == 0 || f.Where.Share == 1 {
		return nil
	}
	if len(among) == 0 {
		return fmt.Errorf("fault %q hits a share of no clients: say how many there are, and mean some of them", f.Name)
	}
	draws := make(map[uint32]uint64, len(among))
	for _, client := range among {
		draws[client] = draw.Hash(seed, f.key, choice, uint64(client))
	}
	slices.SortFunc(among, func(a, b uint32) int { return cmp.Or(cmp.Compare(draws[a], draws[b]), cmp.Compare(a, b)) })
	f.hit = int(math.Round(f.Where.Share * float64(len(among))))
	f.chosen = make([]bool, clients)
	for _, client := range among[:f.hit] {
		f.chosen[client] = true
	}
	return nil
}

// hits says whether the fault concerns a client.
func (f *fault) hits(client uint32) bool {
	if f.chosen != nil {
		return int(client) < len(f.chosen) && f.chosen[client]
	}
	return f.Where.has(client)
}

// Hits says whether a fault of that name concerns a client.
func (c *Chaos) Hits(name string, client uint32) bool {
	return slices.ContainsFunc(c.faults, func(f *fault) bool { return f.Name == name && f.hits(client) })
}

// meets says whether the fault concerns a socket.
func (f *fault) meets(s Socket) bool {
	if f.Effect.needs().streams && s.Path == Command {
		return false
	}
	return (f.Where.Path == AnyPath || f.Where.Path == s.Path) && f.hits(s.Client)
}

// purposes keep the draws of one fault for different things apart.
const (
	choice  uint64 = iota + 1 // of clients
	slot                      // of the shared part of a delay
	own                       // of a socket's messages, packets, requests, bytes
	event                     // of events
	cutting                   // of when a connection is cut
	within                    // within an event
)

// scope is what a rule may know of where it is: the fault and the socket.
type scope struct {
	chaos  *Chaos
	fault  *fault
	socket Socket
	dir    Direction
	opened int64  // when the socket was
	into   *tally // nil = that of the fault
}

// moment is how the fault's window stands to a time.
func (s *scope) moment(at int64) moment {
	return s.fault.Window.moment(s.chaos.zero.Load(), s.chaos.options.Epoch, at)
}

// unit draws for the number-th thing on this socket, in that direction.
func (s *scope) unit(m moment, number int64) float64 {
	return draw.Unit(s.chaos.options.Seed, s.fault.key, own, uint64(s.socket.Client), uint64(s.socket.Path)<<8|uint64(s.dir),
		uint64(s.socket.Epoch), m.occurrence, uint64(number)) //nolint:gosec // bits
}

// decided notes what the fault did to the number-th thing on this socket.
func (s *scope) decided(m moment, number, amount int64) {
	s.record(Decision{
		Fault: s.fault.Name, Client: s.socket.Client, Path: s.socket.Path, Direction: s.dir, Epoch: s.socket.Epoch,
		Number: number, Occurrence: m.occurrence, Amount: amount,
	})
}

func (s *scope) record(d Decision) {
	if s.into != nil {
		s.into.add(&d, s.fault.key)
		return
	}
	s.fault.tally.add(&d, s.fault.key)
	if s.chaos.options.Record != nil {
		s.chaos.options.Record(d)
	}
}
