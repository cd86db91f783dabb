package target

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Options says which server to be. The zero value is a server of the design Hologram with the limits named below; a zero
// field is its default. Nothing is unlimited.
type Options struct {
	Design   Design       // default Hologram
	Node     int          // which node of the target this is, from 1; default 1
	Counters *Counters    // where to count; default: memory of its own, see Server.Counters
	Journal  io.Writer    // takes a wire.Dispatch record for each event that bears a marker; default: none
	Logger   *slog.Logger // default: none

	Heartbeat    time.Duration // a stream that was silent for so long gets a comment; default 15 s
	WriteTimeout time.Duration // one write to a client takes at most so long, else the client is cut; default 10 s
	ReadTimeout  time.Duration // a whole request must arrive within it, its head within a half; default 10 s
	IdleTimeout  time.Duration // a kept-alive connection waits so long for its next request; default 2 min
	DrainTimeout time.Duration // shutdown: for requests to finish, and again for outboxes to empty; default 5 s

	OutboxFrames int // a subscriber with so many unwritten events is cut at the next one; default 1024
	OutboxBytes  int // ... or with so many unwritten bytes, the next one included; one event always fits; default 1 MiB
	JournalBytes int // what may wait for the journal's writer, beyond it records are dropped; default 1 MiB

	MaxBody     int // bytes of a command; default 64 KiB
	MaxHeader   int // bytes of a request's head; default 64 KiB
	MaxName     int // bytes of an instance, a channel or a command's name; default 200
	MaxChannels int // channels of one stream; default 64
	MaxStreams  int // open streams; default 100,000
}

// withDefaults checks o and fills in what is zero.
func (o Options) withDefaults() (Options, error) {
	o.Design = cmp.Or(o.Design, Hologram)
	o.Node = cmp.Or(o.Node, 1)
	if o.Node < 1 || o.Node > 1<<16-1 { // history keeps it in 16 bits
		return o, fmt.Errorf("node %d is not in 1..65535", o.Node)
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
	} {
		*n.value = cmp.Or(*n.value, n.fallback)
		if *n.value < 0 {
			return o, fmt.Errorf("%s %d is negative; leave it at 0 for the default, %d", n.name, *n.value, n.fallback)
		}
	}
	return o, nil
}
