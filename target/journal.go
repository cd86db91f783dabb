package target

import (
	"io"
	"log/slog"
	"sync"
	"time"

	"holobench/wire"
)

// journalInterval is how long a record waits at most before it is written.
const journalInterval = 100 * time.Millisecond

// journal is the server's own order of events: a record for each dispatch of an event that bears a marker, in the order
// in which they began. It never holds up a dispatch: what its writer does not take in time is dropped and counted. A nil
// journal records nothing.
type journal struct {
	writer   io.Writer
	node     uint32
	limit    int // bytes that may wait
	counters *Counters
	log      *slog.Logger

	mu       sync.Mutex
	waiting  []byte // whole records
	spare    []byte // what waiting was before the last flush, to be used again
	sequence uint64
	broken   bool // a write failed: a record may stand there in part, and none behind it could be read
}

func newJournal(o Options) *journal {
	if o.Journal == nil {
		return nil
	}
	return &journal{
		writer: o.Journal, node: uint32(o.Node), limit: o.JournalBytes, counters: o.Counters, log: o.Logger,
	}
}

// record notes that the node begins to hand out an event with this payload. Without a marker it has no name, and is
// passed over. A record that is dropped has taken its sequence number all the same, so that the gap shows.
func (j *journal) record(payload string) {
	if j == nil {
		return
	}
	marker, _, ok := wire.FindMarker([]byte(payload))
	if !ok {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sequence++
	if j.broken || len(j.waiting)+wire.DispatchSize > j.limit {
		j.counters.Add(JournalDropped, 1)
		return
	}
	j.waiting = wire.AppendDispatch(j.waiting, wire.Dispatch{
		Run:      marker.Run,
		Event:    marker.Event,
		Node:     j.node,
		Sequence: j.sequence,
		At:       time.Now().UnixNano(), // under the lock, so that the times do not run against the sequence
	})
}

// run writes what waits, every journalInterval and once more when stop is closed.
func (j *journal) run(stop <-chan struct{}) {
	if j == nil {
		return
	}
	ticker := time.NewTicker(journalInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			j.flush()
		case <-stop:
			j.flush()
			return
		}
	}
}

// flush is called by one goroutine at a time. The lock is not held while it writes.
func (j *journal) flush() {
	j.mu.Lock()
	records := j.waiting
	j.waiting = j.spare[:0]
	broken := j.broken
	j.mu.Unlock()
	if len(records) > 0 && !broken {
		n, err := j.writer.Write(records)
		j.counters.Add(JournalWritten, n/wire.DispatchSize)
		if err != nil {
			j.counters.Add(JournalDropped, len(records)/wire.DispatchSize-n/wire.DispatchSize)
			j.log.Error("writing the dispatch journal failed: it ends here", "error", err)
			broken = true
		}
	}
	j.mu.Lock()
	j.spare = records
	if broken && !j.broken { // what came in meanwhile has no place to go
		j.broken = true
		j.counters.Add(JournalDropped, len(j.waiting)/wire.DispatchSize)
		j.waiting = nil
	}
	j.mu.Unlock()
}
