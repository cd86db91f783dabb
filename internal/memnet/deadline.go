package memnet

import (
	"sync"
	"time"
)

// deadline ends the waiting on one sync.Cond at a time. All of it needs the lock of that Cond.
type deadline struct {
	at      time.Time // zero = none
	fired   bool      // the timer has: on a clock that was set back, "at" may still be to come
	timer   *time.Timer
	setting int // counts set, so that the timer of an older one does nothing
}

// set takes t as the new deadline, zero for none, and wakes whoever waits when it has passed.
func (d *deadline) set(cond *sync.Cond, t time.Time) {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.setting++
	d.at = t
	d.fired = false
	if t.IsZero() {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		cond.Broadcast()
		return
	}
	setting := d.setting
	d.timer = time.AfterFunc(wait, func() {
		cond.L.Lock()
		defer cond.L.Unlock()
		if d.setting == setting {
			d.fired = true
			cond.Broadcast()
		}
	})
}

// expired asks the clock too, because several timers of one moment fire one after the other.
func (d *deadline) expired() bool {
	return d.fired || !d.at.IsZero() && !time.Now().Before(d.at)
}

// stop ends the timer, for a connection that nobody uses any more.
func (d *deadline) stop() {
	d.setting++
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}
