package target

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"time"

	"holobench/wire"
)

// Options says which server to be. The zero value is a server of the design Hologram with the limits named below; a zero
// field is its default. Nothing is unlimited.
type Options struct {
	Design   Design       // default Hologram
	Knobs    Knobs        // what to do otherwise than the design does
	Wire     Wire         // which wire to speak beside the plain one; default: the design's own
	Node     int          // which node of the target this is, from 1; default 1
	Counters *Counters    // where to count; default: memory of its own, see Server.Counters
	Journal  io.Writer    // takes a wire.Dispatch record for each event that bears a marker; default: none
	Logger   *slog.Logger // default: none
	Bus      Bus          // joins this node to others; default: none, it is alone
	Nodes    int          // how many nodes the target has; default 1. Only who asks the others needs to know
	Seed     uint64       // of all that is drawn at random

	Transport   Transport        // what carries the wire; default HTTP1
	Certificate *tls.Certificate // what is shown over TLS; default: one of SelfSigned

	// Pause, when it is not nil, is called after each subscriber that a fan-out has told, in the goroutine of the fan-out and
	// under its locks. It stands for the time that a delivery takes on a busy server, so that a test or an experiment can
	// make two fan-outs overlap as it likes (A2).
	Pause func(event *wire.Event)

	Heartbeat    time.Duration // a stream that was silent for so long gets a comment; default 15 s
	WriteTimeout time.Duration // one write to a client takes at most so long, else the client is cut; default 10 s
	ReadTimeout  time.Duration // a whole request must arrive within it, its head within a half; default 10 s
	IdleTimeout  time.Duration // a kept-alive connection waits so long for its next request; default 2 min
	DrainTimeout time.Duration // shutdown: for requests to finish, and again for outboxes to empty; default 5 s
	BusTimeout   time.Duration // an event comes back from an ordered bus, or another node answers, within it; default 5 s

	Secret        string        // seals what the wire hologram gives its clients; the same on all nodes; default: of holobench
	HandshakeTTL  time.Duration // the wire hologram: a handshake opens streams for so long; default 60 s
	HandshakeWait time.Duration // ... who comes with an unknown one is kept waiting for so long; default 500 ms
	ReceiptAge    time.Duration // ... a receipt is good for so long; default 72 h

	SocketIdle time.Duration // a WebSocket on which its client says nothing for so long is closed; default 60 s
	PollWindow time.Duration // a poll waits so long for a message, and a session 1.5 times that for a poll; default 10 s

	OutboxFrames int // a subscriber with so many unwritten events is full at the next one (Knobs.WhenFull); default 1024
	OutboxBytes  int // ... or with so many unwritten bytes, the next one included; one event always fits; default 1 MiB
	JournalBytes int // what may wait for the journal's writer, beyond it records are dropped; default 1 MiB

	ReplayBytes   int // about how many bytes of a channel's events are kept, beside Knobs.Replay; default 1 MiB
	MaxLogs       int // channels of which events, numbers or documents are kept; default 10,000
	DocumentBytes int // of a channel's document, as a snapshot; default 768 KiB
	MaxMutations  int // idempotency keys that are remembered for a channel; default 4096

	MaxBody     int // bytes of a command; default 64 KiB
	MaxHeader   int // bytes of a request's head; default 64 KiB
	MaxName     int // bytes of an instance, a channel or a command's name; default 200
	MaxChannels int // channels of one stream; default 64
	MaxStreams  int // open streams; default 100,000

	MaxStreamsPerConn    int // requests and streams at once on a connection of HTTP/2; default 250
	MaxStreamsPerAddress int // ... from one address; default 100,000, because a load generator has one only
}

// withDefaults checks o and fills in what is zero.
func (o Options) withDefaults() (Options, error) {
	o.Design = cmp.Or(o.Design, Hologram)
	o.Node = cmp.Or(o.Node, 1)
	if o.Node < 1 || o.Node > 1<<16-1 { // history keeps it in 16 bits
		return o, fmt.Errorf("node %d is not in 1..65535", o.Node)
	}
	if o.Nodes = cmp.Or(o.Nodes, 1); o.Nodes < 1 {
		return o, fmt.Errorf("%d nodes make no target", o.Nodes)
	}
	if o.Counters == nil {
		o.Counters = MemoryCounters()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	for _, d := range []struct {
		name     string
		value    *time.Duration
		fallback time.Duration
	}{
		{"heartbeat", &o.Heartbeat, 15 * time.Second},
		{"write timeout", &o.WriteTimeout, 10 * time.Second},
		{"read timeout", &o.ReadTimeout, 10 * time.Second},
		{"idle timeout", &o.IdleTimeout, 2 * time.Minute},
		{"drain timeout", &o.DrainTimeout, 5 * time.Second},
		{"bus timeout", &o.BusTimeout, 5 * time.Second},
		{"socket idle", &o.SocketIdle, time.Minute},
		{"poll window", &o.PollWindow, 10 * time.Second},
		{"handshake TTL", &o.HandshakeTTL, time.Minute},
		{"handshake wait", &o.HandshakeWait, 500 * time.Millisecond},
		{"receipt age", &o.ReceiptAge, 72 * time.Hour},
	} {
		*d.value = cmp.Or(*d.value, d.fallback)
		if *d.value < 0 {
			return o, fmt.Errorf("%s %v is negative; leave it at 0 for the default, %v", d.name, *d.value, d.fallback)
		}
	}
	for _, n := range []struct {
		name     string
		value    *int
		fallback int
	}{
		{"outbox frames", &o.OutboxFrames, 1024},
		{"outbox bytes", &o.OutboxBytes, 1 << 20},
		{"journal bytes", &o.JournalBytes, 1 << 20},
		{"max body", &o.MaxBody, 64 << 10},
		{"max header", &o.MaxHeader, 64 << 10},
		{"max name", &o.MaxName, 200},
		{"max channels", &o.MaxChannels, 64},
		{"max streams", &o.MaxStreams, 100_000},
		{"max streams per connection", &o.MaxStreamsPerConn, 250},
		{"max streams per address", &o.MaxStreamsPerAddress, 100_000},
		{"replay bytes", &o.ReplayBytes, 1 << 20},
		{"max logs", &o.MaxLogs, 10_000},
		{"document bytes", &o.DocumentBytes, 768 << 10},
		{"max mutations", &o.MaxMutations, 4096},
	} {
		*n.value = cmp.Or(*n.value, n.fallback)
		if *n.value < 0 {
			return o, fmt.Errorf("%s %d is negative; leave it at 0 for the default, %d", n.name, *n.value, n.fallback)
		}
	}
	o, err := o.withTransport()
	if err != nil {
		return o, err
	}
	return o.withDesign()
}

// withDesign fills in what the design says, and checks that it goes together.
func (o Options) withDesign() (Options, error) {
	own, err := o.Design.preset()
	if err != nil {
		return o, err
	}
	o.Knobs = o.Knobs.over(own.knobs)
	if err = o.Knobs.check(); err != nil {
		return o, err
	}
	o.Wire = cmp.Or(o.Wire, own.wire)
	numbered := own.answer == answerSequence || own.document
	switch {
	case numbered && o.Bus != nil && !o.ordered():
		return o, fmt.Errorf("the design %s needs a bus with an order: numbers that each node gives by itself name different events", o.Design)
	case o.Wire != JSON && o.Knobs.Replay > 0:
		return o, fmt.Errorf("the wire %s sends nothing again: a replay of %d events would be kept for nobody", o.Wire, o.Knobs.Replay)
	case own.document && o.Knobs.Replay == 0:
		return o, fmt.Errorf("the design %s needs a replay: without one its versions have no ids", o.Design)
	}
	return o, nil
}

// ordered says whether the bus makes the order of events.
func (o Options) ordered() bool { return o.Bus != nil && o.Bus.Ordered() }
