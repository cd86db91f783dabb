package history

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// sink is what the clients of a run write to.
type sink interface{ Observe(obs []Observation) }

// observeConcurrently lets each of so many callers observe rows numbered by Sequence, in batches of changing size.
func observeConcurrently(out sink, callers, rows int) {
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for next := 0; next < rows; {
				batch := make([]Observation, min(rows-next, 1+next%7))
				for i := range batch {
					batch[i] = Observation{Client: uint32(caller), Sequence: uint64(next), Kind: Heartbeat}
					next++
				}
				out.Observe(batch)
				clear(batch) // Observe copied it
			}
		})
	}
	wg.Wait()
}

// checkOrder tells whether each caller's rows are all there, in its order.
func checkOrder(t *testing.T, h *History, callers, rows int) {
	t.Helper()
	next := make([]uint64, callers)
	got, _ := readAll(t, h)
	for _, o := range got {
		if o.Sequence != next[o.Client] {
			t.Fatalf("caller %d: row %d where %d was due", o.Client, o.Sequence, next[o.Client])
		}
		next[o.Client]++
	}
	for caller, n := range next {
		if n != uint64(rows) {
			t.Errorf("caller %d: %d rows of %d", caller, n, rows)
		}
	}
}

func TestEachCallerKeepsItsOrder(t *testing.T) {
	t.Parallel()
	const callers, rows = 4, 20_000
	t.Run("disk", func(t *testing.T) {
		t.Parallel()
		dir := testRun(t)
		w := NewWriter(dir, nil, Options{ChunkRows: 100, Backlog: 1, SegmentRows: 7_000, ChunkAge: time.Millisecond})
		done := make(chan error, 1)
		go func() { done <- w.Run(t.Context()) }()
		observeConcurrently(w, callers, rows)
		w.Close()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		checkOrder(t, openRun(t, dir), callers, rows)
	})
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		m := new(Memory)
		observeConcurrently(m, callers, rows)
		if m.Len() != callers*rows {
			t.Errorf("Len = %d, want %d", m.Len(), callers*rows)
		}
		checkOrder(t, m.History(Run{}, nil), callers, rows)
	})
}

// TestCloseWhileObserversAreBlocked holds Run in its Tap until callers wait: what they began to observe before Close is
// written, what is observed later is counted as lost.
func TestCloseWhileObserversAreBlocked(t *testing.T) {
	t.Parallel()
	dir := testRun(t) // outside the bubble: its files outlive it
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		w := NewWriter(dir, nil, Options{ChunkRows: 10, Backlog: 1, Tap: func([]Observation) { <-hold }})
		done := make(chan error, 1)
		go func() { done <- w.Run(t.Context()) }()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { w.Observe(make([]Observation, 50)) })
		}
		synctest.Wait()
		w.Close()
		w.Observe(make([]Observation, 7))
		<-time.After(time.Second)
		close(hold)
		wg.Wait()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if w.Rows() != 150 || w.Lost() != 7 {
			t.Errorf("written %d, lost %d, want 150 and 7", w.Rows(), w.Lost())
		}
		if got, want := w.Blocked(), 3*time.Second; got != want {
			t.Errorf("blocked for %v, want %v: a second for each of three callers", got, want)
		}
	})
	if got, _ := readAll(t, openRun(t, dir)); len(got) != 150 {
		t.Errorf("read %d rows, want 150", len(got))
	}
}

// TestAges shows on a bubble's clock when rows are tapped and when a segment is complete. That the bubble ends shows also
// that parquet-go leaves no goroutine behind.
func TestAges(t *testing.T) {
	t.Parallel()
	dir := testRun(t)
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		tapped := 0
		w := NewWriter(dir, nil, Options{Tap: func(b []Observation) {
			mu.Lock()
			defer mu.Unlock()
			tapped += len(b)
		}})
		done := make(chan error, 1)
		go func() { done <- w.Run(t.Context()) }()
		count := func() int {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return tapped
		}
		segments := func() string {
			synctest.Wait()
			entries, err := os.ReadDir(dir.File(segmentsDir))
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, entry := range entries {
				names = append(names, entry.Name())
			}
			return strings.Join(names, " ")
		}
		w.Observe(make([]Observation, 3))
		<-time.After(199 * time.Millisecond)
		if n := count(); n != 0 {
			t.Errorf("after 199 ms %d rows are tapped, want none", n)
		}
		<-time.After(time.Millisecond)
		if n := count(); n != 3 {
			t.Errorf("after 200 ms %d rows are tapped, want 3", n)
		}
		for _, age := range []time.Duration{1, 2, 3, 4, 5, 5} { // seconds, from the first row on
			<-time.After(age*time.Second - time.Millisecond)
			if got := segments(); !strings.HasSuffix(got, ".tmp") {
				t.Errorf("1 ms before %d s after its first row: %q", age, got)
			}
			<-time.After(time.Millisecond)
			if got := segments(); strings.HasSuffix(got, ".tmp") {
				t.Errorf("%d s after its first row: %q", age, got)
			}
			w.Observe(make([]Observation, 1))
			<-time.After(200 * time.Millisecond)
		}
		<-time.After(time.Minute) // nothing observed, nothing begun
		w.Observe(make([]Observation, 1))
		w.Close()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got := segments(); !strings.HasSuffix(got, " 000008.parquet") {
			t.Errorf("at the end: %q", got)
		}
	})
}

func TestEndOfContextWritesWhatIsLeft(t *testing.T) {
	t.Parallel()
	dir := testRun(t)
	w := NewWriter(dir, nil, Options{})
	w.Observe(make([]Observation, 5))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Run(ctx); err != nil {
		t.Fatal(err)
	}
	w.Observe(make([]Observation, 2))
	if w.Rows() != 5 || w.Lost() != 2 {
		t.Errorf("written %d, lost %d, want 5 and 2", w.Rows(), w.Lost())
	}
}

func TestFailureToWriteEndsRunAndBlocksNobody(t *testing.T) {
	t.Parallel()
	opts := Options{ChunkRows: 10, Backlog: 1, SegmentRows: 10}
	t.Run("no directory", func(t *testing.T) {
		t.Parallel()
		dir := testRun(t)
		if err := os.Remove(dir.File(segmentsDir)); err != nil {
			t.Fatal(err)
		}
		w := NewWriter(dir, nil, opts)
		checkFailure(t, w, func() error { return w.Run(t.Context()) })
	})
	t.Run("full disk", func(t *testing.T) {
		t.Parallel()
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Skipf("this system has no device that is always full: %v", err)
		}
		dir := testRun(t)
		w := NewWriter(dir, nil, opts)
		out := &rotation{out: newSegmentWriter(w.names), dir: dir.File(segmentsDir), opts: w.opts}
		if err := out.begin(); err != nil {
			t.Fatal(err)
		}
		if err := out.out.file.Close(); err != nil {
			t.Fatal(err)
		}
		out.out.file = full
		out.out.out.Reset(full)
		checkFailure(t, w, func() error { return w.runInto(t.Context(), out) })
		if left, err := os.ReadDir(out.dir); err != nil || len(left) > 0 {
			t.Errorf("left on the full disk: %v, %v", left, err)
		}
	})
}

// checkFailure observes 1,000 rows while run fails.
func checkFailure(t *testing.T, w *Writer, run func() error) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- run() }()
	for range 100 {
		w.Observe(make([]Observation, 10))
	}
	w.Close()
	if err := <-done; err == nil || !strings.HasPrefix(err.Error(), "record the run: ") {
		t.Errorf("run returned %v", err)
	}
	if w.Rows()+w.Lost() != 1_000 || w.Lost() == 0 {
		t.Errorf("written %d, lost %d, want 1000 together", w.Rows(), w.Lost())
	}
	w.Observe(make([]Observation, 100_000)) // returns
}
