package target

import (
	"sync"
	"time"
)

// faultyWay is one way of a FaultyBus, in one direction. What is not late and finds nobody before it goes through at once; else there
// is a goroutine, as long as something is on the way.
type faultyWay struct {
	deliver func(BusMessage)
	over    <-chan struct{} // closed when nothing is to arrive any more
	room    chan struct{}   // has a token for each message on the way
	running sync.WaitGroup

	mu    sync.Mutex
	whole chan struct{} // closed while nothing holds messages back
	cut   bool
	ended bool
	queue []delayedMessage
	due   time.Time // of the last message: no later one arrives before it
}

// faultyWayLength bounds the messages on one way: who brings more waits, or is told so.
const faultyWayLength = 1 << 16

func newFaultyWay(over <-chan struct{}, deliver func(BusMessage)) *faultyWay {
	w := &faultyWay{deliver: deliver, over: over, room: make(chan struct{}, faultyWayLength), whole: make(chan struct{})}
	close(w.whole)
	return w
}

// hold begins or ends to hold messages back, those on the way too.
func (w *faultyWay) hold(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case cut && !w.cut:
		w.whole = make(chan struct{})
	case !cut && w.cut:
		close(w.whole)
	}
	w.cut = cut
}

func (w *faultyWay) held() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cut
}

// idle says whether a message would go through at once.
func (w *faultyWay) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.cut && len(w.queue) == 0
}

// put brings m, whose data the caller keeps, on its way, and waits while the way is full.
func (w *faultyWay) put(m BusMessage, is fate) {
	if w.idle() && is.late == 0 {
		w.deliver(m)
		if is.twice {
			w.deliver(m)
		}
		return
	}
	m.Data = append([]byte(nil), m.Data...)
	for range is.times() {
		select {
		case w.room <- struct{}{}:
			w.add(m, is.late)
		case <-w.over:
			return
		}
	}
}

// offer brings m on its way if there is room.
func (w *faultyWay) offer(m BusMessage, is fate) bool {
	for range is.times() {
		select {
		case w.room <- struct{}{}:
			w.add(m, is.late)
		default:
			return false
		}
	}
	return true
}

// times is how often a message comes.
func (is fate) times() int {
	if is.twice {
		return 2
	}
	return 1
}

func (w *faultyWay) add(m BusMessage, late time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	if due := time.Now().Add(late); due.After(w.due) {
		w.due = due
	}
	w.queue = append(w.queue, delayedMessage{m, w.due})
	if len(w.queue) == 1 {
		w.running.Go(w.carry)
	}
}

// carry brings what is on the way to its end, until the way is empty or over.
func (w *faultyWay) carry() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		w.mu.Lock()
		item := w.queue[0]
		w.mu.Unlock()
		timer.Reset(time.Until(item.due))
		select {
		case <-timer.C:
		case <-w.over:
			return
		}
		if !w.awaitWhole() {
			return
		}
		w.deliver(item.message)
		if w.pop() == 0 {
			return
		}
	}
}

// awaitWhole waits while messages are held back; false means that the way is over.
func (w *faultyWay) awaitWhole() bool {
	w.mu.Lock()
	whole := w.whole
	w.mu.Unlock()
	select {
	case <-whole:
		return true
	case <-w.over:
		return false
	}
}

// pop takes the message that has arrived from the way, and returns how many are left.
func (w *faultyWay) pop() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	<-w.room
	w.queue = w.queue[1:]
	return len(w.queue)
}

// end waits for the last delivery. The way is over.
func (w *faultyWay) end() {
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	w.running.Wait()
}
