package target

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Counter names one of the figures that a server counts. Its number is its place in the counters file: new ones come
// last, none is ever moved or given a new meaning.
type Counter int

// The counters. A delivery is one event to one subscriber.
const (
	CommandsReceived            Counter = iota // POSTs to the command path
	CommandsAccepted                           // ... that were dispatched
	CommandsRejected                           // ... that were answered by an error
	EventsDispatched                           // events handed out, also to nobody
	DeliveriesExpected                         // sum over events of the channel's subscribers at that time, the sender included if it is to be told
	DeliveriesEnqueuedSSE                      // deliveries that an outbox took
	DeliveriesWrittenSSE                       // deliveries whose bytes were all accepted by the connection
	DeliveriesWrittenReply                     // self-echoes in replies that were written
	StreamsOpened                              // streams that were subscribed
	StreamsClosed                              // streams that ended, for any reason
	StreamsSuperseded                          // ... because their instance opened a newer one
	StreamsRefused                             // streams that were answered by an error
	CutOutboxFull                              // streams cut because they did not keep up
	CutWriteTimeout                            // streams cut because one write took too long
	CutWriteError                              // streams cut because the connection failed in a write
	CutShutdown                                // streams cut because they were not drained in time when the server stopped
	HeartbeatsWritten                          // comments written to silent streams
	BytesWrittenSSE                            // bytes of streams accepted by connections: heads, framing and comments included
	RepliesFailed                              // replies that could not be written; what they echoed is not delivered
	JournalWritten                             // dispatch records written to the journal
	JournalDropped                             // dispatch records lost because the journal's writer was too slow or failed
	OutboxCoalesced                            // waiting values whose place a newer one took: enqueued and never written
	OutboxDropped                              // waiting events left out because the outbox was full: enqueued and never written
	DeliveriesReplayed                         // deliveries enqueued again for streams that came back; enqueued counts them too
	ControlsWritten                            // snapshots, gaps and other messages to one client that are no event
	GapsFound                                  // streams, by channel, that asked for events which are not kept any more
	MutationsConflicted                        // mutations that were refused because their key had changed
	CommandsRepeated                           // commands that were answered as before, because their idempotency key was known
	EventsTriggered                            // events that the node made by itself
	BusSent                                    // messages given to the bus
	BusReceived                                // messages that came from it, its own included where it brings them back
	BusFailed                                  // messages that the bus did not take, or that made no sense, or that did not come back in time
	DeliveriesEnqueuedPoll                     // deliveries that the outbox of a session of long-poll took
	DeliveriesWrittenPoll                      // ... whose answer to a poll was accepted by the connection whole
	BytesWrittenPoll                           // bytes of such answers; the heads of HTTP count over HTTP/1.1 alone
	DeliveriesEnqueuedWebSocket                // deliveries that the outbox of a WebSocket took
	DeliveriesWrittenWebSocket                 // ... whose bytes were all accepted by the connection
	BytesWrittenWebSocket                      // bytes accepted by WebSockets: heads and frames of every kind
	StreamsIdle                                // sockets that said nothing and sessions that were not polled for too long, and so were ended
	PollsFailed                                // answers to polls that could not be written: what they held is lost
	BusFaultLost                               // messages that a fault on a way of the bus lost
	BusFaultHeld                               // ... that one held back
	BusFaultDelayed                            // ... that one made later
	BusFaultDoubled                            // ... that one made come twice
	counterCount                               // not a counter: how many there are
)

// String is the name of the counter in Snapshot and in the file.
func (c Counter) String() string {
	names := [counterCount]string{
		"commands_received", "commands_accepted", "commands_rejected", "events_dispatched", "deliveries_expected",
		"deliveries_enqueued_sse", "deliveries_written_sse", "deliveries_written_reply", "streams_opened", "streams_closed",
		"streams_superseded", "streams_refused", "cut_outbox_full", "cut_write_timeout", "cut_write_error", "cut_shutdown",
		"heartbeats_written", "bytes_written_sse", "replies_failed", "journal_written", "journal_dropped",
		"outbox_coalesced", "outbox_dropped", "deliveries_replayed", "controls_written", "gaps_found", "mutations_conflicted",
		"commands_repeated", "events_triggered", "bus_sent", "bus_received", "bus_failed",
		"deliveries_enqueued_poll", "deliveries_written_poll", "bytes_written_poll", "deliveries_enqueued_websocket",
		"deliveries_written_websocket", "bytes_written_websocket", "streams_idle", "polls_failed",
		"bus_fault_lost", "bus_fault_held", "bus_fault_delayed", "bus_fault_doubled",
	}
	if c < 0 || c >= counterCount {
		return "unknown"
	}
	return names[c]
}

// The counters file: a header, then slots of one cache line each, so that two CPUs which count different things do not
// fight for a line. It is in the byte order of the machine, whose processes alone share it, and of one length in all
// versions. Each slot bears its name, so that a reader needs no table.
const (
	countersMagic   = "hbcount\n"
	countersVersion = 1
	slotBytes       = 64
	slotCount       = 63
	countersBytes   = slotBytes + slotCount*slotBytes
)

type slot struct {
	name  [slotBytes - 8]byte
	value atomic.Uint64
}

type countersFile struct {
	magic   [8]byte
	version uint32
	_       [slotBytes - 12]byte
	slots   [slotCount]slot
}

// Counters are the figures of one server, in a file that is mapped into memory: another process reads them while the
// server runs, and they survive its death, however it comes. They are safe for concurrent use. Several processes may
// count into one file, one after the other or at once.
type Counters struct {
	file   *countersFile
	mapped []byte // nil in memory
}

// MemoryCounters returns counters that nobody else sees.
func MemoryCounters() *Counters {
	c := &Counters{file: &countersFile{}}
	c.nameSlots()
	return c
}

// OpenCounters maps the counters file at path. With create it makes the file, which must not exist yet: figures of an
// earlier run must never be added to. Without, the file must be one that OpenCounters made, and counting goes on from
// what it holds. Do not truncate a mapped file: that ends the process (SIGBUS).
func OpenCounters(path string, create bool) (*Counters, error) {
	flags := os.O_RDWR
	if create {
		flags |= os.O_CREATE | os.O_EXCL
	}
	f, err := os.OpenFile(path, flags, 0o600)
	switch {
	case create && errors.Is(err, os.ErrExist):
		return nil, fmt.Errorf("creating the counters file: %w; remove it, or open it without create to count on", err)
	case err != nil:
		return nil, fmt.Errorf("opening the counters file: %w", err)
	}
	defer func() { _ = f.Close() }() // the mapping stays valid without the descriptor
	if create {
		// Zeros, not a hole: on a full disk the error must come now, not as a SIGBUS at the first count.
		if _, err = f.Write(make([]byte, countersBytes)); err != nil {
			return nil, fmt.Errorf("creating the counters file: %w", err)
		}
	}
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("opening the counters file: %w", err)
	}
	if info.Size() != countersBytes {
		return nil, fmt.Errorf("opening the counters file %s: it has %d bytes, not %d", path, info.Size(), countersBytes)
	}
	mapped, err := unix.Mmap(int(f.Fd()), 0, countersBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping the counters file %s: %w", path, err)
	}
	c := &Counters{file: (*countersFile)(unsafe.Pointer(&mapped[0])), mapped: mapped}
	if !create && (string(c.file.magic[:]) != countersMagic || c.file.version != countersVersion) {
		_ = c.Close()
		return nil, fmt.Errorf("opening the counters file %s: it is no counters file of version %d", path, countersVersion)
	}
	c.nameSlots()
	return c, nil
}

// nameSlots writes the header and the names of the slots that this version knows.
func (c *Counters) nameSlots() {
	c.file.version = countersVersion
	for i := range counterCount {
		copy(c.file.slots[i].name[:], i.String())
	}
	copy(c.file.magic[:], countersMagic)
}

// Add adds delta, which is not negative, to one counter.
func (c *Counters) Add(counter Counter, delta int) {
	if delta > 0 {
		c.file.slots[counter].value.Add(uint64(delta))
	}
}

// Get returns one counter.
func (c *Counters) Get(counter Counter) uint64 {
	return c.file.slots[counter].value.Load()
}

// Snapshot returns all counters by name, those included that a newer version of the program added to the file. Each is
// read at once; between two of them the server may have counted.
func (c *Counters) Snapshot() map[string]uint64 {
	figures := make(map[string]uint64, counterCount)
	for i := range c.file.slots {
		s := &c.file.slots[i]
		name, _, _ := bytes.Cut(s.name[:], []byte{0})
		if len(name) > 0 {
			figures[string(name)] = s.value.Load()
		}
	}
	return figures
}

// Close unmaps the file; the figures stay readable as they are now. Nobody may be counting any more: end Serve first.
func (c *Counters) Close() error {
	if c.mapped == nil {
		return nil
	}
	kept := MemoryCounters()
	for i := range c.file.slots {
		kept.file.slots[i].name = c.file.slots[i].name
		kept.file.slots[i].value.Store(c.file.slots[i].value.Load())
	}
	mapped := c.mapped
	c.file, c.mapped = kept.file, nil
	if err := unix.Munmap(mapped); err != nil {
		return fmt.Errorf("unmapping the counters file: %w", err)
	}
	return nil
}
