package history

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Options are the knobs of a Writer. The zero value of each stands for what its comment says.
type Options struct {
	SegmentAge  time.Duration // a segment is closed so long after its first row: the most that a killed run loses; the n-th after n s, if that is sooner; 0 = 5 s
	SegmentRows int           // or when it holds so many rows; 0 = 2,000,000
	ChunkRows   int           // rows that are handed to Run at once; 0 = 16,384
	ChunkAge    time.Duration // a row waits so long at most before Tap sees it; 0 = 200 ms
	Backlog     int           // so many full chunks may wait for the disk before Observe blocks; 0 = 32 (about 46 MB)

	// Tap, when not nil, is called by Run with the rows of each chunk before they are written, in the order of writing.
	// They are its only during the call. A slow Tap holds up the writing.
	Tap func(batch []Observation)
}

func (o Options) withDefaults() Options {
	if o.SegmentAge <= 0 {
		o.SegmentAge = 5 * time.Second
	}
	if o.SegmentRows <= 0 {
		o.SegmentRows = 2_000_000
	}
	if o.ChunkRows <= 0 {
		o.ChunkRows = 1 << 14
	}
	if o.ChunkAge <= 0 {
		o.ChunkAge = 200 * time.Millisecond
	}
	if o.Backlog <= 0 {
		o.Backlog = 32
	}
	return o
}

// recentRows are gathered before they go to the chunk. A row at a time, each finds the next lines of a chunk cold, and an observer
// that hands over one has to wait for them; so many rows stay in the processor's cache, and go over together.
const recentRows = 64

// Writer takes the Observations of any number of goroutines and writes them to the segments of a run, in chunks, so that
// an Observation costs its observer a copy under a short lock. What one goroutine observes is written in its order.
//
// Its memory is bounded: when Options.Backlog chunks wait for the disk, Observe blocks until there is room, and the time
// is counted (Blocked), because a generator that waited here measured late. When writing fails nobody blocks any more:
// the rest is dropped and counted (Lost), and Run returns the error.
type Writer struct {
	dir   *Dir
	names *Names
	opts  Options
	wake  chan struct{} // capacity 1: there is something for Run to look at

	mu      sync.Mutex
	room    sync.Cond       // on mu: the backlog became shorter, or nobody will ever shorten it
	recent  []Observation   // the youngest rows, which belong behind those of open and fit in there; see recentRows
	open    []Observation   // the chunk that is being filled; its capacity is never exceeded
	full    [][]Observation // those that wait for Run, oldest first
	free    [][]Observation // emptied ones
	waiting int             // callers of Observe that are blocked
	blocked time.Duration
	lost    uint64
	rows    uint64
	closed  bool // no more intake
	ended   bool // Run has returned, nothing will be written any more
}

// NewWriter returns a Writer into dir, which must be the directory of a run. It starts nothing: call Run, and Close to end
// it. A nil names stands for an empty one, with which every channel and every error is the empty name.
func NewWriter(dir *Dir, names *Names, opts Options) *Writer {
	if names == nil {
		names = new(Names)
	}
	w := &Writer{dir: dir, names: names, opts: opts.withDefaults(), wake: make(chan struct{}, 1), recent: make([]Observation, 0, recentRows)}
	w.room.L = &w.mu
	return w
}

// Observe records obs, which stays the caller's: it is copied. It is safe for concurrent use. After Close, and after Run
// has ended, it drops obs and counts it (Lost). It blocks while the backlog is full, and only then.
func (w *Writer) Observe(obs []Observation) {
	if len(obs) == 0 {
		return
	}
	w.mu.Lock()
	if w.closed {
		w.lost += uint64(len(obs))
		w.mu.Unlock()
		return
	}
	wake := false
	for len(obs) > 0 {
		if !w.makeRoom() {
			w.lost += uint64(len(obs))
			break
		}
		n := min(len(obs), cap(w.open)-w.filled())
		w.put(obs[:n])
		obs = obs[n:]
		wake = wake || w.filled() == cap(w.open)
	}
	wake = wake || w.closed // Run may wait for this very call
	w.mu.Unlock()
	if wake {
		w.signal()
	}
}

// filled is how many rows of its capacity the open chunk has, with those that are still to go there.
func (w *Writer) filled() int { return len(w.open) + len(w.recent) }

// put adds rows for which the open chunk has room.
func (w *Writer) put(rows []Observation) {
	if len(rows) > cap(w.recent)-len(w.recent) {
		w.gather()
	}
	if len(rows) > cap(w.recent) {
		w.open = append(w.open, rows...)
		return
	}
	w.recent = append(w.recent, rows...)
}

// gather moves the youngest rows to the open chunk.
func (w *Writer) gather() {
	w.open, w.recent = append(w.open, w.recent...), w.recent[:0]
}

// makeRoom makes open a chunk with room for at least one row, and waits for it if it must. It is false when nothing will
// be written any more. mu is held.
func (w *Writer) makeRoom() bool {
	if w.filled() < cap(w.open) && !w.ended {
		return true
	}
	w.gather()
	if w.mustWait() {
		began := time.Now()
		w.waiting++
		w.signal()
		for w.mustWait() {
			w.room.Wait()
		}
		w.waiting--
		w.blocked += time.Since(began)
	}
	if w.ended {
		return false
	}
	if cap(w.open) > 0 && len(w.open) == cap(w.open) {
		w.full = append(w.full, w.open)
		w.open = nil
	}
	if w.open == nil {
		w.open = w.emptyChunk()
	}
	return true
}

func (w *Writer) mustWait() bool {
	return !w.ended && cap(w.open) > 0 && len(w.open) == cap(w.open) && len(w.full) >= w.opts.Backlog
}

func (w *Writer) emptyChunk() []Observation {
	if n := len(w.free); n > 0 {
		chunk := w.free[n-1]
		w.free = w.free[:n-1]
		return chunk
	}
	return make([]Observation, 0, w.opts.ChunkRows)
}

func (w *Writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Close ends the intake: what is observed later is dropped and counted. What was observed before is still written, by
// Run, which then returns. It does not wait for that, and may be called often.
func (w *Writer) Close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.signal()
}

// Run writes what is observed until Close is called or ctx ends, writes what is left, and returns. The end of ctx is the
// same as Close, because the record of an interrupted run is worth the moment that it takes to complete; so Run returns
// nil for it. An error means that the history is incomplete: the disk is full, for example; complete segments stay.
func (w *Writer) Run(ctx context.Context) error {
	return w.runInto(ctx, &rotation{out: newSegmentWriter(w.names), dir: w.dir.File(segmentsDir), opts: w.opts})
}

func (w *Writer) runInto(ctx context.Context, out *rotation) error {
	err := w.pump(ctx, out)
	if err == nil {
		err = out.end()
	}
	if err != nil {
		err = errors.Join(fmt.Errorf("record the run: %w", err), out.out.abandon())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed, w.ended = true, true
	for _, chunk := range w.full {
		w.lost += uint64(len(chunk))
	}
	w.lost += uint64(w.filled())
	w.recent, w.open, w.full, w.free = nil, nil, nil, nil
	w.room.Broadcast()
	return err
}

// pump moves chunks from the observers to out until the intake is closed and empty.
func (w *Writer) pump(ctx context.Context, out *rotation) error {
	tick := time.NewTicker(w.opts.ChunkAge)
	defer tick.Stop()
	done := ctx.Done()
	for {
		aged := false
		select {
		case <-w.wake:
		case <-tick.C:
			aged = true
		case <-done:
			done = nil
			w.Close()
		}
		for chunk := w.take(aged); chunk != nil; chunk = w.take(aged) {
			if w.opts.Tap != nil {
				w.opts.Tap(chunk)
			}
			if err := out.write(chunk); err != nil {
				w.giveBack(chunk, 0)
				return err
			}
			w.giveBack(chunk, len(chunk))
			aged = false // a chunk that began after the tick is young
		}
		if err := out.endAged(); err != nil {
			return err
		}
		if w.drained() {
			return nil
		}
	}
}

// take returns the oldest chunk that is full, or, when aged or after Close, the one that is being filled; nil when there
// is none.
func (w *Writer) take(aged bool) []Observation {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gather()
	if len(w.full) > 0 {
		chunk := w.full[0]
		w.full = append(w.full[:0], w.full[1:]...)
		w.room.Broadcast()
		return chunk
	}
	if len(w.open) == 0 || len(w.open) < cap(w.open) && !aged && !w.closed {
		return nil
	}
	chunk := w.open
	w.open = nil
	w.room.Broadcast()
	return chunk
}

// giveBack returns a chunk of which so many rows were written.
func (w *Writer) giveBack(chunk []Observation, written int) {
	const keep = 4 // more were needed only in a burst: let them go
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rows += uint64(written)
	w.lost += uint64(len(chunk) - written)
	if len(w.free) < keep {
		w.free = append(w.free, chunk[:0])
	}
}

func (w *Writer) drained() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed && w.waiting == 0 && len(w.full) == 0 && w.filled() == 0
}

// Rows counts what was written.
func (w *Writer) Rows() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rows
}

// Lost counts what was observed and will never be written: after Close, or because writing failed.
func (w *Writer) Lost() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost
}

// Blocked is how long observers waited for the disk, summed over all of them.
func (w *Writer) Blocked() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.blocked
}

// rotation begins and ends the segments of one run.
type rotation struct {
	out   *segmentWriter
	dir   string
	opts  Options
	count int       // the number of the newest segment; 0 = none yet
	began time.Time // of the open segment; zero = none is open
}

func (r *rotation) write(batch []Observation) error {
	if !r.began.IsZero() && r.out.rows+len(batch) > r.opts.SegmentRows {
		if err := r.end(); err != nil {
			return err
		}
	}
	if r.began.IsZero() {
		if err := r.begin(); err != nil {
			return err
		}
	}
	if err := r.out.write(batch); err != nil {
		return err
	}
	return r.endAged()
}

func (r *rotation) begin() error {
	if r.count == 0 {
		entries, err := os.ReadDir(r.dir)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			number, _, _ := segmentNumber(entry.Name())
			r.count = max(r.count, number) // never write over what is there
		}
	}
	r.count++
	r.began = time.Now()
	return r.out.begin(filepath.Join(r.dir, fmt.Sprintf("%06d%s", r.count, segmentSuffix)))
}

func (r *rotation) endAged() error {
	if r.began.IsZero() || time.Since(r.began) < r.age() {
		return nil
	}
	return r.end()
}

// age is how old the open segment may become. The first ones are closed sooner, so that a run that is killed in its first seconds has
// something to report.
func (r *rotation) age() time.Duration {
	return min(r.opts.SegmentAge, time.Duration(r.count)*time.Second)
}

func (r *rotation) end() error {
	if r.began.IsZero() {
		return nil
	}
	r.began = time.Time{}
	return r.out.end()
}
