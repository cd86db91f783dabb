package target

import (
	"errors"
	"os"
	"sync"
	"time"
)

// stream is one subscriber: an open response, the channels that it hears, and an outbox of frames that are not written
// yet. While it is idle it holds one goroutine, which waits for the client to go, and no buffer. A second goroutine
// exists while there is something to write; it takes all that waits, in one write.
//
// The outbox is bounded and never waited for: a subscriber that does not keep up is cut, and holds up nobody.
type stream struct {
	server   *Server
	writer   streamWriter
	instance string
	flushFn  func()       // st.flush, bound once: "go st.flush()" would allocate at each delivery
	joined   []membership // see channel

	mu        sync.Mutex
	state     streamState
	flushing  bool     // a goroutine is writing, or about to
	inFlight  int      // the first so many of outbox are being written
	outbox    []*frame // oldest first; nil while empty
	bytes     int      // of outbox
	lastWrite time.Duration
	cutFor    Counter // why it was cut; see watch
	heartbeat *time.Timer
	first     [2]*frame // backs outbox while it is short, so that a delivery allocates nothing
}

type streamState uint8

const (
	streamOpen   streamState = iota
	streamEnding             // takes no more; what waits will be written, then it ends cleanly
	streamGone               // takes and writes no more
)

// newStream returns a stream whose outbox holds its head and which start sets going. Frames that arrive between the two
// stay behind the head.
func newStream(s *Server, instance string, writer streamWriter, head *frame) *stream {
	st := &stream{server: s, writer: writer, instance: instance, flushing: true}
	st.flushFn = st.flush
	st.outbox = append(st.first[:0], head)
	st.bytes = len(head.chunk)
	return st
}

// start begins to write and to wait for the end. The caller has counted both goroutines into server.streams.
func (st *stream) start() {
	st.mu.Lock()
	st.lastWrite = st.server.uptime()
	st.heartbeat = time.AfterFunc(st.server.options.Heartbeat, st.beat)
	st.mu.Unlock()
	go st.flushFn()
	go st.watch()
}

// outcome says what became of a frame.
type outcome uint8

const (
	enqueued outcome = iota
	overflow         // the outbox was full, and the stream is cut
	absent           // the stream was over already: nothing was owed to it
)

// enqueue puts f into the outbox. It never waits for the client.
func (st *stream) enqueue(f *frame) outcome {
	st.mu.Lock()
	if st.state != streamOpen {
		st.mu.Unlock()
		return absent
	}
	full := len(st.outbox) >= st.server.options.OutboxFrames ||
		len(st.outbox) > 0 && st.bytes+len(f.chunk) > st.server.options.OutboxBytes
	if full {
		st.mu.Unlock()
		st.cut(CutOutboxFull)
		return overflow
	}
	if st.outbox == nil {
		st.outbox = st.first[:0]
	}
	st.outbox = append(st.outbox, f)
	st.bytes += len(f.chunk)
	idle := !st.flushing
	if idle {
		st.flushing = true
		st.server.streams.Add(1) // watch still holds one: it cannot have reached 0
	}
	st.mu.Unlock()
	if idle {
		go st.flushFn()
	}
	return enqueued
}

// open says whether the stream still takes frames.
func (st *stream) open() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.state == streamOpen
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
		done, err := st.writer.write(batch, st.server.options.WriteTimeout)
		counters := st.server.counters
		counters.Add(BytesWrittenSSE, done.bytes)
		counters.Add(DeliveriesWrittenSSE, done.events)
		counters.Add(HeartbeatsWritten, done.heartbeats)
		if err != nil {
			st.failed(err)
			return
		}
		st.wrote()
	}
}

// take returns the frames of the next write, at least one if there is one. Without one the caller stops flushing.
func (st *stream) take() (batch []*frame, ending bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	size := 0
	for _, f := range st.outbox {
		if size += len(f.chunk); st.inFlight > 0 && size > scratchBytes {
			break
		}
		st.inFlight++
	}
	if st.inFlight == 0 {
		st.flushing = false
		return nil, st.state == streamEnding
	}
	// Frames are only ever appended behind these, so that they can be read without the lock.
	return st.outbox[:st.inFlight:st.inFlight], false
}

// wrote removes what take returned from the outbox.
func (st *stream) wrote() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.lastWrite = st.server.uptime()
	done := st.inFlight
	st.inFlight = 0
	if st.state == streamGone {
		return // the outbox was emptied by whoever ended it
	}
	for _, f := range st.outbox[:done] {
		st.bytes -= len(f.chunk)
	}
	clear(st.outbox[:done])
	st.outbox = st.outbox[done:]
	if len(st.outbox) == 0 {
		st.outbox = nil
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

// beat writes a heartbeat when nothing was written for a whole interval, and comes again.
func (st *stream) beat() {
	interval := st.server.options.Heartbeat
	st.mu.Lock()
	if st.state != streamOpen {
		st.mu.Unlock()
		return
	}
	silent := st.server.uptime() - st.lastWrite
	due := !st.flushing && silent >= interval
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
	idle := !st.flushing
	if idle {
		st.flushing = true
		st.server.streams.Add(1)
	}
	st.mu.Unlock()
	if idle {
		go st.flushFn()
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

// giveUp makes the stream take and write no more; watch then removes it. It says whether it was not gone before.
func (st *stream) giveUp(reason Counter) bool {
	st.mu.Lock()
	if st.state == streamGone {
		st.mu.Unlock()
		return false
	}
	st.state = streamGone
	st.cutFor = reason
	st.outbox, st.bytes = nil, 0
	st.mu.Unlock()
	st.writer.abort()
	return true
}

// watch waits for the end of the stream, from whichever side, and cleans up behind it.
func (st *stream) watch() {
	defer st.server.streams.Done()
	st.writer.waitGone()
	st.giveUp(notCut)
	st.heartbeat.Stop()
	st.server.registry.remove(st)
	st.server.counters.Add(StreamsClosed, 1)
	if st.cutFor != notCut { // nobody changes it any more
		st.server.log.Warn("stream cut", "instance", st.instance, "reason", st.cutFor.String())
	}
}
