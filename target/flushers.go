package target

import (
	"runtime"
	"sync"
	"time"
)

// flushers write what waits in the outboxes of many streams: each of them goes from stream to stream, and writes to each what
// its socket takes at once. A goroutine for each delivery would cost a tenth of it; a write within the fan-out would make
// everybody wait who is behind it: the sender for its reply, and the next event of a channel with one order, so that nothing
// would ever wait for the same write. A stream whose socket is full is left to a goroutine of its own: none waits for a client.
//
// There are at most as many as there are processors, and none while nothing waits. A stream is in the queue once at most, as
// it counts as flushing.
type flushers struct {
	most int

	mu          sync.Mutex
	first, last *stream // linked by stream.behind
	waiting     int
	running     int
}

// flushShare is how many streams one flusher takes at once, and for how many it is worth to start another.
const flushShare = 32

func newFlushers() *flushers {
	return &flushers{most: runtime.GOMAXPROCS(0)}
}

// add puts st at the end of the queue. The caller has counted it into server.streams.
func (f *flushers) add(st *stream) {
	f.mu.Lock()
	f.push(st)
	start := f.running == 0 || f.running < f.most && f.waiting > f.running*flushShare
	if start {
		f.running++
	}
	f.mu.Unlock()
	if start {
		go f.run()
	}
}

// push is add for the caller who holds f.mu.
func (f *flushers) push(st *stream) {
	if f.last == nil {
		f.first = st
	} else {
		f.last.behind = st
	}
	f.last = st
	f.waiting++
}

// run attempts one stream after the other until none waits. Those that have more to write go to the end: meanwhile more of it
// comes together for one write.
func (f *flushers) run() {
	var share [flushShare]*stream
	again := 0 // the first so many of share
	for {
		taken := f.take(&share, again)
		if taken == 0 {
			return
		}
		again = 0
		for _, st := range share[:taken] {
			if st.attempt() {
				share[again] = st
				again++
			}
		}
	}
}

// take puts the first again of share back, and fills it with those that have waited longest. When there are none the caller
// runs no more.
func (f *flushers) take(share *[flushShare]*stream, again int) (taken int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, st := range share[:again] {
		f.push(st)
	}
	for taken < len(share) && f.first != nil {
		st := f.first
		f.first, st.behind = st.behind, nil
		share[taken] = st
		taken++
	}
	if f.first == nil {
		f.last = nil
	}
	f.waiting -= taken
	if taken == 0 {
		f.running--
	}
	return taken
}

// attempt writes what waits, as far as the connection takes it at once. It says whether the stream is to be attempted again;
// if not, nothing waits any more, or a goroutine of its own goes on.
func (st *stream) attempt() (again bool) {
	if st.polls != nil {
		return st.polls.attempt()
	}
	batch, ending := st.take()
	if len(batch) == 0 {
		if ending {
			go st.flushFn() // to end a stream may take time
		} else {
			st.server.streams.Done()
		}
		return false
	}
	began := st.server.uptime()
	done, err := st.direct.try(batch)
	ended := st.server.uptime()
	st.server.writes.observe(ended - began)
	st.count(done.written)
	if err != nil {
		st.failed(err)
		st.server.streams.Done()
		return false
	}
	if done.whole < len(batch) {
		st.mu.Lock()
		st.advance(done, ended)
		st.mu.Unlock()
		go st.flushFn()
		return false
	}
	st.mu.Lock()
	st.advance(done, ended)
	again = len(st.box.frames) > 0 || st.state == streamEnding
	st.flushing = again
	st.mu.Unlock()
	if !again {
		st.server.streams.Done()
	}
	return again
}

// advance removes what was written from the outbox. The caller holds st.mu.
func (st *stream) advance(done tried, at time.Duration) {
	if done.bytes > 0 {
		st.lastWrite = at
	}
	if st.state != streamGone { // else it was emptied by whoever ended it
		st.box.advance(done.whole, done.rest)
	}
}
