package chaos

import (
	"net"
	"os"
	"syscall"
	"time"
)

// upward is what a link does to what goes up.
type upward struct {
	line     *pipeline
	queue    queue
	writes   int64         // calls of Write: what one of them brings is a message
	timer    *time.Timer   // will write what is due; nil = none is set
	at       int64         // when
	flying   bool          // it is writing
	room     chan struct{} // something was written
	deadline time.Time     // the writer's; zero = none
	armed    time.Time     // that beneath
	failed   error         // of a write that its caller did not wait for
	over     bool          // its end was carried out
}

// Write implements net.Conn. What is late is written later, and Write does not wait for it, as it does not wait for the
// network either; an error of such a write is that of the next call.
func (l *link) Write(b []byte) (int, error) {
	l.mu.Lock()
	u := &l.up
	for u.queue.held >= maxHeld && !l.closed && l.cut == cutNone && u.failed == nil && !passed(u.deadline) {
		l.makeRoom()
	}
	switch {
	case passed(u.deadline):
		l.mu.Unlock()
		return 0, os.ErrDeadlineExceeded
	case l.closed:
		l.mu.Unlock()
		return 0, net.ErrClosed
	case l.cut != cutNone:
		l.mu.Unlock()
		return 0, os.NewSyscallError("write", syscall.EPIPE)
	case u.failed != nil:
		defer l.mu.Unlock()
		return 0, u.failed
	}
	now := time.Now().UnixNano()
	u.writes++
	if u.line == nil || len(u.queue.pieces) == 0 && !u.flying && now >= u.queue.latest && u.line.quiet(now) {
		err := l.writeBy(u.deadline)
		l.mu.Unlock()
		if err != nil {
			return 0, err
		}
		return l.StampedConn.Write(b)
	}
	defer l.mu.Unlock()
	u.line.tick(now)
	u.line.pass(piece{bytes: b, at: now, unit: u.writes - 1, first: true})
	l.fly()
	return len(b), nil
}

// makeRoom waits until something was written, or the deadline has passed or moved. The caller holds mu, which is free meanwhile.
func (l *link) makeRoom() {
	u := &l.up
	if u.room == nil {
		u.room = make(chan struct{}, 1)
	}
	room, until := u.room, u.deadline
	l.mu.Unlock()
	defer l.mu.Lock()
	if until.IsZero() {
		<-room
		return
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-room:
	case <-timer.C:
	}
}

// passed says whether a deadline has.
func passed(deadline time.Time) bool { return !deadline.IsZero() && !time.Now().Before(deadline) }

// SetWriteDeadline implements net.Conn. It is that of the caller of Write: what is late already is written without one.
func (l *link) SetWriteDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	l.up.deadline = t
	poke(l.up.room)
	if l.up.flying {
		return nil
	}
	return l.writeBy(t)
}

// writeBy sets the deadline of writes beneath. The caller holds mu.
func (l *link) writeBy(t time.Time) error {
	if t.Equal(l.up.armed) {
		return nil
	}
	l.up.armed = t
	return l.StampedConn.SetWriteDeadline(t)
}

// fly lets a timer write what is due. The caller holds mu.
func (l *link) fly() {
	u := &l.up
	next := min(u.queue.head(), u.line.wake())
	if u.flying || next == forever || u.timer != nil && u.at <= next {
		return
	}
	if u.timer == nil {
		l.chaos.wait.Add(1)
	} else if !u.timer.Stop() {
		return // it is on its way, and will see what is due
	}
	u.at = next
	u.timer = time.AfterFunc(time.Until(time.Unix(0, next)), l.flush)
}

// flush writes what is due.
func (l *link) flush() {
	defer l.chaos.wait.Done()
	l.mu.Lock()
	defer l.mu.Unlock()
	u := &l.up
	u.timer, u.flying = nil, true
	l.writeBy(time.Time{}) //nolint:errcheck // a connection that is gone says so when it is written to
	for {
		now := time.Now().UnixNano()
		u.line.tick(now)
		if u.queue.head() > now {
			break
		}
		p := u.queue.pieces[0]
		u.queue.drop()
		if p.err != nil {
			l.end(p)
			break
		}
		if u.failed != nil || l.cut != cutNone {
			continue
		}
		l.mu.Unlock()
		_, err := l.StampedConn.Write(p.bytes)
		l.mu.Lock()
		u.failed = err
		poke(u.room)
	}
	u.flying = false
	l.fly()
}

// end carries out the end of what goes up.
func (l *link) end(p piece) {
	l.up.over = true
	switch {
	case p.cut != cutNone:
		l.endNow(p.cut, p.at)
	case l.closed:
		l.StampedConn.Close() //nolint:errcheck // its user has closed it already
	default:
		finish(l.StampedConn) //nolint:errcheck // of a connection that is gone already
	}
}

// finish closes a connection in one direction, as far as it can.
func finish(conn net.Conn) error {
	if f, ok := conn.(finisher); ok {
		return f.CloseWrite()
	}
	return nil
}

// CloseWrite ends what goes up by a FIN, behind what was written and is still on its way. What comes down goes on.
func (l *link) CloseWrite() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := &l.up
	switch {
	case l.closed:
		return net.ErrClosed
	case l.cut != cutNone || u.over:
		return nil
	case l.goesBy(time.Now().UnixNano()):
		u.over = true
		return finish(l.StampedConn)
	}
	l.pushEnd()
	return nil
}

// goesBy says whether an end need not pass the rules. The caller holds mu.
func (l *link) goesBy(now int64) bool {
	u := &l.up
	return u.over || u.line == nil || len(u.queue.pieces) == 0 && !u.flying && u.line.quiet(now)
}

// pushEnd sends an end up behind what is on its way. The caller holds mu.
func (l *link) pushEnd() {
	now := time.Now().UnixNano()
	l.up.line.tick(now)
	l.up.line.pass(piece{at: now, unit: l.up.writes, err: net.ErrClosed})
	l.fly()
}

// Close implements net.Conn. What was written and is still on its way up goes on, and the connection ends behind it.
func (l *link) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	l.closed = true
	l.chaos.forget(l)
	l.queue = queue{}
	if l.outlet != nil {
		l.outlet.set(forever)
	}
	poke(l.wake)
	poke(l.up.room)
	if l.cut != cutNone || l.goesBy(time.Now().UnixNano()) {
		return l.StampedConn.Close()
	}
	l.pushEnd()
	if !l.up.queue.ended { // a dead way carries no end: the socket ends with its process, and here
		return l.StampedConn.Close()
	}
	l.interrupt()
	return nil
}

// Wait returns when all that links had still to carry up was carried, which is soon after the last of them was closed.
func (c *Chaos) Wait() { c.wait.Wait() }

// forget takes a link out of those that the timeline cuts.
func (c *Chaos) forget(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.links, l)
}
