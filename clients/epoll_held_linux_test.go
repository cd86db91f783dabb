package clients

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"
)

// TestALoopHearsThatItShallLetGo holds that a stream which is let go between two reads, or in one, is gone or leaving then: never is it
// idle again, with nobody left who would end it.
func TestALoopHearsThatItShallLetGo(t *testing.T) {
	t.Parallel()
	alone := runtime.GOMAXPROCS(0) == 1 // then they have to take turns, and hardly ever meet
	for range 2_000 {
		h := new(held)
		var begun atomic.Bool
		var reads sync.WaitGroup
		reads.Go(func() { // as loop.turn does
			for h.state.CompareAndSwap(isIdle, isBusy) && h.state.CompareAndSwap(isBusy, isIdle) {
				begun.Store(true)
				if alone {
					runtime.Gosched()
				}
			}
		})
		for !begun.Load() {
			runtime.Gosched()
		}
		want := isLeaving
		if h.leave() {
			want = isGone
		}
		got := h.state.Load()
		h.state.Store(isGone)
		reads.Wait()
		if got != want {
			t.Fatalf("let go, it is %d, want %d", got, want)
		}
	}
}

// TestALoopKeepsTheFirstReason holds that a stream which lost its network in a read, and is wanted with other channels before the loop let
// go of it, ends hard, as one that a goroutine holds does.
func TestALoopKeepsTheFirstReason(t *testing.T) {
	t.Parallel()
	h := new(held)
	h.state.Store(isBusy)
	h.letGo(errDisconnected)
	h.letGo(errAnew)
	if !errors.Is(h.why, errDisconnected) {
		t.Errorf("it is let go because %v", h.why)
	}
}

// TestAnEventTouchesFewCacheLines holds what the order of the fields is for: of a stream that was idle an event needs the first
// 128 bytes, of which a loop knows the second half, and of its receiver no more than 64. An object of just such a size gets whole
// lines from the allocator, whose sizes are 16 bytes apart.
func TestAnEventTouchesFewCacheLines(t *testing.T) {
	t.Parallel()
	const line = 64
	var s stream
	if begin, end := unsafe.Offsetof(s.kept), unsafe.Offsetof(s.kept)+unsafe.Sizeof(s.kept); begin != line || end > 2*line {
		t.Errorf("what a loop knows of a stream is in bytes %d to %d", begin, end)
	}
	for _, c := range []struct {
		what      string
		size, max uintptr
	}{
		{"a stream", unsafe.Sizeof(s), 4 * line},
		{"a receiver of the plain wire", unsafe.Sizeof(plainReceiver{}), line},
	} {
		if c.size > c.max || c.size <= c.max-16 {
			t.Errorf("%s has %d bytes, want all of %d", c.what, c.size, c.max)
		}
	}
}
