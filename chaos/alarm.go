package chaos

import (
	"container/heap"
	"sync"
	"time"
)

// outlet is where a live link hands on what is due, without its reader: a piece costs no switch to the reader's goroutine and
// back, and no deadline. The reader hands on what an outlet does not take at once, and all ends.
type outlet struct {
	link  *link
	alarm *alarm
	offer func(p []byte) (n int, err error) // takes what there is room for, and never waits

	// The lock of the link guards these:
	asked int64 // what the alarm was set to; forever = it is not
	out   bool  // the reader has bytes that it hands on: nothing goes past it

	// That of the alarm these:
	due   int64 // forever = it is not in the heap
	place int   // in the heap
}

// set asks to be woken at a time; forever = not. The caller holds the link's mu.
func (o *outlet) set(at int64) {
	if at == o.asked {
		return
	}
	o.asked = at
	o.alarm.set(o, at)
}

// release hands on what is due.
func (o *outlet) release() {
	l := o.link
	l.mu.Lock()
	defer l.mu.Unlock()
	o.asked = forever
	if l.closed || o.out { // who has bytes out looks again when it is back
		return
	}
	now := time.Now().UnixNano()
	l.down.tick(now)
	for l.queue.head() <= now {
		first := &l.queue.pieces[0]
		n := 0
		if first.err == nil {
			n, _ = o.offer(first.bytes) // what is wrong is said to the reader, too
		}
		if first.err != nil || n < len(first.bytes) {
			first.bytes = first.bytes[n:]
			l.queue.held -= n
			l.interrupt()
			return
		}
		l.queue.drop()
	}
	o.set(min(l.queue.head(), l.down.wake()))
}

// alarm wakes outlets when something is due there: one timer for many, whose one goroutine goes from one to the next.
type alarm struct {
	mu      sync.Mutex
	outlets outlets // a heap, the earliest first
	timer   *time.Timer
	at      int64 // when it rings; forever = it is not set
	ringing bool
	closed  bool
	rung    sync.WaitGroup
}

func newAlarm() *alarm { return &alarm{at: forever} }

// set wakes an outlet at a time, and no more at the one before; forever = not at all.
func (a *alarm) set(o *outlet, at int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch was := o.due; {
	case at == was:
	case at == forever:
		heap.Remove(&a.outlets, o.place)
	case was == forever:
		o.due = at
		heap.Push(&a.outlets, o)
	default:
		o.due = at
		heap.Fix(&a.outlets, o.place)
	}
	a.arm()
}

// arm sets the timer to the earliest. One that rings for nothing does no harm. The caller holds mu.
func (a *alarm) arm() {
	if a.closed || a.ringing || len(a.outlets) == 0 || a.outlets[0].due >= a.at {
		return
	}
	a.at = a.outlets[0].due
	in := time.Until(time.Unix(0, a.at))
	if a.timer == nil {
		a.timer = time.AfterFunc(in, a.ring)
		return
	}
	a.timer.Reset(in)
}

// ring wakes those whose time has come.
func (a *alarm) ring() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ringing || a.closed { // it was set anew while it began to ring
		return
	}
	a.ringing, a.at = true, forever
	a.rung.Add(1)
	defer a.rung.Done()
	for !a.closed && len(a.outlets) > 0 && a.outlets[0].due <= time.Now().UnixNano() {
		o := heap.Pop(&a.outlets).(*outlet)
		a.mu.Unlock()
		o.release()
		a.mu.Lock()
	}
	a.ringing = false
	a.arm()
}

// close ends it.
func (a *alarm) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	if a.timer != nil {
		a.timer.Stop()
	}
}

// outlets is a heap.
type outlets []*outlet

// Len implements heap.Interface.
func (s outlets) Len() int { return len(s) }

// Less implements heap.Interface.
func (s outlets) Less(i, j int) bool { return s[i].due < s[j].due }

// Swap implements heap.Interface.
func (s outlets) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].place, s[j].place = i, j
}

// Push implements heap.Interface.
func (s *outlets) Push(o any) {
	o.(*outlet).place = len(*s)
	*s = append(*s, o.(*outlet))
}

// Pop implements heap.Interface.
func (s *outlets) Pop() any {
	last := len(*s) - 1
	o := (*s)[last]
	(*s)[last] = nil
	*s = (*s)[:last]
	o.due = forever
	return o
}
