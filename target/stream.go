package target

import (
	"errors"
	"os"
	"sync"
	"time"
)

// stream is one subscriber: an open response, the channels that it hears, and an outbox of frames that are not written
// yet. While it is idle it holds one goroutine, which waits for the client to go, and no buffer. What waits is written by the
// server's flushers, all of it in one write; by a goroutine of the stream's own while its connection is full, and where a
// connection cannot say that it is.
//
// The outbox is bounded and never waited for: a subscriber that does not keep up is cut, and holds up nobody.
type stream struct {
	server   *Server
	writer   streamWriter
	instance string
	address  string       // where its client is; see addresses
	direct   directWriter // writer, where its connection takes what it can without waiting; else nil
	flushFn  func()       // st.flush, bound once: "go st.flush()" would allocate at each delivery
	joined   []membership // see channel
	behind   *stream      // the next one in the queue of the flushers, whose lock guards it
	polls    *pollSession // the session of long polling that it is; nil = it has a connection of its own
	places   *places      // what its ids are made of; nil where they are those of its one channel, or there are none

	mu        sync.Mutex
	state     streamState
	flushing  bool   // a goroutine is writing, or about to, or what waits is owed
	owed      bool   // what waits, waits for the next poll; nobody is about to write it
	format    format // how it wants events spelled; never changed
	cutFor    uint8  // the Counter of why it was cut; see watch
	box       outbox
	lastWrite time.Duration
	heartbeat *time.Timer // nil where the server makes no heartbeats
}

type streamState uint8

const (
	streamOpen   streamState = iota
	streamEnding             // takes no more; what waits will be written, then it ends cleanly
	streamGone               // takes and writes no more
)

// newStream returns a stream whose outbox holds its head (nil = it has none) and which start sets going. Frames that arrive
// between the two stay behind the head.
func newStream(s *Server, instance string, spelling format, writer streamWriter, head *frame) *stream {
	st := &stream{server: s, writer: writer, instance: instance, format: spelling, flushing: true}
	st.flushFn, st.box.slabs = st.flush, &s.slabs
	if direct, ok := writer.(directWriter); ok && direct.openDirect() {
		st.direct = direct
	}
	if head != nil {
		st.box.prepend(head)
	}
	return st
}

// start begins to write and to wait for the end. The caller has counted both goroutines into server.streams. A session waits for
// its end without one, and counts down when it is over.
func (st *stream) start() {
	st.mu.Lock()
	st.lastWrite = st.server.uptime()
	if st.format.beats() {
		st.heartbeat = time.AfterFunc(st.server.options.Heartbeat, st.beat)
	}
	st.mu.Unlock()
	st.flushSoon()
	if st.polls == nil {
		go st.watch()
	}
}

// deliver puts the event m into the outbox; slot is the stream's own number of the channel that brings it.
func (st *stream) deliver(m *message, slot int) (result outcome, dropped int) {
	return st.put(m.frame(st.server, st.format), m, slot)
}

// enqueue puts f, which only this client is told, into the outbox. It never waits for the client.
func (st *stream) enqueue(f *frame) outcome {
	result, _ := st.put(f, nil, 0)
	return result
}

// put puts f, which is that of the event m (nil = of none), into the outbox. A stream whose outbox has no room is cut.
func (st *stream) put(f *frame, m *message, slot int) (result outcome, dropped int) {
	st.mu.Lock()
	if st.state != streamOpen {
		st.mu.Unlock()
		return absent, 0
	}
	if m != nil && st.places != nil {
		st.box.append(st.places.move(slot, m.sequence))
	}
	result, dropped = st.box.put(f, st.server.limits)
	if result == overflow {
		st.mu.Unlock()
		st.cut(CutOutboxFull)
		return overflow, dropped
	}
	idle := !st.flushing
	if idle {
		st.flushing = true
		st.server.streams.Add(1) // watch still holds one: it cannot have reached 0
	}
	st.mu.Unlock()
	if idle {
		st.flushSoon()
	}
	return result, dropped
}

// open says whether the stream still takes frames.
func (st *stream) open() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.state == streamOpen
}

// flushSoon sees to it that what waits is written. The caller has made st flushing, and counted that into server.streams.
func (st *stream) flushSoon() {
	if st.direct != nil || st.polls != nil {
		st.server.flushers.add(st)
		return
	}
	go st.flushFn()
}

// flush writes until the outbox is empty, and carries out the end of an ending stream.
func (st *stream) flush() {
	defer st.server.streams.Done()
	for {
		batch, ending := st.take()
		if len(batch) == 0 {
			if ending {
				st.failed(st.writer.end(st.server.options.WriteTimeout))
				st.giveUp(notCut)
			}
			return
		}
		began := st.server.uptime()
		done, err := st.writer.write(batch, st.server.options.WriteTimeout)
		ended := st.server.uptime()
		st.server.writes.observe(ended - began)
		st.count(done)
		if err != nil {
			st.failed(err)
			return
		}
		st.wrote(ended)
	}
}

// count counts what a write got through.
func (st *stream) count(done written) {
	counters, path := st.server.counters, st.format.counters()
	counters.Add(path.bytes, done.bytes)
	counters.Add(path.written, done.events)
	counters.Add(HeartbeatsWritten, done.heartbeats)
	counters.Add(ControlsWritten, done.controls)
	counters.Add(DeliveriesWrittenReply, done.echoes)
}

// take returns the frames of the next write, at least one if there is one. Without one the caller stops flushing.
func (st *stream) take() (batch []*frame, ending bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if batch = st.box.take(); len(batch) == 0 {
		st.flushing = false
		return nil, st.state == streamEnding
	}
	return batch, false
}

// wrote removes what take returned from the outbox, and whose write ended at that time.
func (st *stream) wrote(at time.Duration) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.lastWrite = at
	if st.state != streamGone { // else it was emptied by whoever ended it
		st.box.wrote()
	}
}

// failed cuts the stream after a write that did not get through; nil is no failure.
func (st *stream) failed(err error) {
	switch {
	case err == nil:
	case errors.Is(err, os.ErrDeadlineExceeded):
		st.cut(CutWriteTimeout)
	default:
		st.cut(CutWriteError)
	}
}

// beat writes a heartbeat when nothing was written for a whole interval, or anyway where heartbeats are steady, and comes
// again.
func (st *stream) beat() {
	interval := st.server.options.Heartbeat
	st.mu.Lock()
	if st.state != streamOpen {
		st.mu.Unlock()
		return
	}
	silent := st.server.uptime() - st.lastWrite
	due := st.format.steady() || !st.flushing && silent >= interval
	wait := interval
	if !st.flushing && !due {
		wait = interval - silent
	}
	st.heartbeat.Reset(wait)
	st.mu.Unlock()
	if due {
		st.enqueue(st.server.heartbeat)
	}
}

// end lets the stream write what waits and then end cleanly. It does not wait for that.
func (st *stream) end() {
	st.mu.Lock()
	if st.state != streamOpen {
		st.mu.Unlock()
		return
	}
	st.state = streamEnding
	idle := !st.flushing || st.owed
	if idle {
		st.flushing, st.owed = true, false
		st.server.streams.Add(1)
	}
	st.mu.Unlock()
	if idle {
		st.flushSoon()
	}
}

// cut closes the connection at once, and counts the reason unless the stream was over already. It may be called within
// a fan-out, so it does not log: a log that blocks would hold up everybody.
func (st *stream) cut(reason Counter) {
	if st.giveUp(reason) {
		st.server.counters.Add(reason, 1)
	}
}

// notCut is the reason of a stream that ended as it should.
const notCut = counterCount

// giveUp makes the stream take and write no more; watch, or the session that it is, then removes it. It says whether it was not
// gone before.
func (st *stream) giveUp(reason Counter) bool {
	st.mu.Lock()
	if st.state == streamGone {
		st.mu.Unlock()
		return false
	}
	st.state = streamGone
	st.cutFor = uint8(reason) //nolint:gosec // there are fewer counters than slots in their file
	st.box.clear()
	st.mu.Unlock()
	st.writer.abort()
	return true
}

// watch waits for the end of the stream, from whichever side, and cleans up behind it.
func (st *stream) watch() {
	defer st.server.streams.Done()
	st.writer.waitGone()
	st.giveUp(notCut)
	st.leave()
}

// leave removes a stream that is gone from the server.
func (st *stream) leave() {
	if st.heartbeat != nil {
		st.heartbeat.Stop()
	}
	st.server.registry.remove(st)
	st.server.addresses.give(st.address)
	st.server.counters.Add(StreamsClosed, 1)
	if reason := Counter(st.cutFor); reason != notCut { // nobody changes it any more
		st.server.log.Warn("stream cut", "instance", st.instance, "reason", reason.String())
	}
}
