package target

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// latency counts durations by their length, from 1 us to half a minute. It is counted into at each write to a client, so it
// costs two additions and no lock, and its steps are the powers of two, which are found without a search. The zero value is
// ready; it is safe for concurrent use.
type latency struct {
	steps [latencySteps]atomic.Uint64 // the first takes what is at most 1024 ns, each further one twice as much as the one before
	sum   atomic.Uint64               // in ns
}

const (
	latencyShift = 10 // 1024 ns are the end of the first step
	latencySteps = 26 // ... and 2^34 ns, 17 s, that of the last but one, behind which there is no end
)

// observe counts d; a clock that was set back in between counts as no time at all.
func (l *latency) observe(d time.Duration) {
	ns := uint64(max(d, 0))
	step := 0
	if ns > 0 {
		step = min(bits.Len64((ns-1)>>latencyShift), latencySteps-1)
	}
	l.steps[step].Add(1)
	l.sum.Add(ns)
}

// read returns how many durations there were, their sum, and how many of them were at most as long as the end of each step
// but the last, in seconds.
func (l *latency) read() (count uint64, sum float64, atMost map[float64]uint64) {
	atMost = make(map[float64]uint64, latencySteps-1)
	for step := range l.steps {
		count += l.steps[step].Load()
		if step < latencySteps-1 {
			atMost[time.Duration(1<<(latencyShift+step)).Seconds()] = count
		}
	}
	return count, time.Duration(l.sum.Load()).Seconds(), atMost
}

// backlog is what waits in the outboxes of a node at one time.
type backlog struct {
	streams, channels     int
	frames, bytes         int // of all outboxes
	mostFrames, mostBytes int // of the fullest one
}

// backlog looks into each outbox in turn: no lock is held for longer than one of them takes, so the sum is of no single
// moment, and nobody waits for it.
func (s *Server) backlog() backlog {
	streams, channels := s.registry.everybody()
	sum := backlog{streams: len(streams), channels: channels}
	for _, st := range streams {
		frames, bytes := st.unwritten()
		sum.frames += frames
		sum.bytes += bytes
		sum.mostFrames = max(sum.mostFrames, frames)
		sum.mostBytes = max(sum.mostBytes, bytes)
	}
	return sum
}

// everybody returns the streams that are registered, and how many channels they hear.
func (r *registry) everybody() (streams []*stream, channels int) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	streams = make([]*stream, 0, len(r.streams))
	for st := range r.streams {
		streams = append(streams, st)
	}
	return streams, len(r.channels)
}

// unwritten returns how many frames, and of how many bytes, are not written to st yet.
func (st *stream) unwritten() (frames, bytes int) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, f := range st.box.frames {
		bytes += len(f.chunk)
	}
	return len(st.box.frames), bytes
}
