package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"holobench/wire"
)

// Dial wraps the connections of dial, each in a link that carries out what the faults judge. who says whose socket is being
// dialled, from the context that the dialer is called with. A socket that no fault concerns is handed on as it is, without
// any cost.
//
// The connections must be wire.StampedConn, since a delay counts from the arrival of a byte and not from the moment in which
// somebody reads it.
func (c *Chaos) Dial(dial DialFunc, who func(ctx context.Context) (client uint32, path Path)) DialFunc {
	if len(c.faults) == 0 {
		return dial
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		client, path := who(ctx)
		s := c.socket(client, path)
		if err := c.refused(s, addr); err != nil {
			return nil, err
		}
		if err := c.accept(ctx, s); err != nil {
			return nil, err
		}
		conn, err := dial(context.WithValue(ctx, socketKey{}, s), network, addr)
		if err != nil {
			return nil, err
		}
		linked, err := c.link(conn, s)
		if err != nil {
			conn.Close() //nolint:errcheck // the other error says more
			return nil, err
		}
		return linked, nil
	}
}

// socket numbers an attempt to connect.
func (c *Chaos) socket(client uint32, path Path) Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := place{client, path}
	epoch := c.epochs[key]
	c.epochs[key] = epoch + 1
	return Socket{Client: client, Path: path, Epoch: epoch}
}

// link carries out what the rules judge for one connection. It has no goroutine: who reads waits for what comes and for
// what is due with one deadline, and what goes up late is written by a timer.
//
// So what arrives while nobody reads waits in the socket, and is known as an interval, as without any fault. The clients read all
// the time.
type link struct {
	wire.StampedConn // beneath

	chaos  *Chaos
	socket Socket

	mu       sync.Mutex
	down     *pipeline // nil = nothing is done to what comes down
	units    *units    // in down, if a rule there asks for it
	slow     *slowReads
	pace     *slowReads // of the read at hand, which is the reader's alone
	queue    queue      // of what came down
	loose    bool       // the stamp of the last read was not the kernel's, or not of its last byte
	deadline time.Time  // the reader's; zero = none
	until    int64      // when the reader wants to be woken
	armed    int64      // the deadline beneath; forever = none
	full     bool       // the reader waits for what is due, and reads nothing
	over     bool       // beneath nothing comes any more
	wake     chan struct{}
	cut      cut     // it was cut, on purpose
	closed   bool    // by its user
	outlet   *outlet // nil = the reader hands on what is due

	up upward
}

// link makes one, when a fault concerns the socket.
func (c *Chaos) link(conn net.Conn, s Socket) (net.Conn, error) {
	l := &link{chaos: c, socket: s, until: forever, armed: forever, queue: queue{rooms: &c.rooms}}
	timed := l.build(time.Now().UnixNano())
	if l.down == nil && l.up.line == nil && l.slow == nil && !timed {
		return conn, nil
	}
	stamped, ok := conn.(wire.StampedConn)
	if !ok {
		return nil, fmt.Errorf("a fault concerns the %s socket of client %d, but a %T does not say when its bytes arrive: wrap it in one that does, below the faults",
			s.Path, s.Client, conn)
	}
	l.StampedConn = stamped
	if cuts := l.cuts(); cuts&cutRST != 0 && !canReset(conn) || cuts&cutFIN != 0 && !canFinish(conn) {
		return nil, fmt.Errorf("a fault cuts the %s socket of client %d, which a %T does not know how to do: use a TCP connection, or another fault",
			s.Path, s.Client, conn)
	}
	if timed {
		c.mu.Lock()
		c.links[l] = struct{}{}
		c.mu.Unlock()
	}
	return l, nil
}

// Read implements net.Conn.
func (l *link) Read(p []byte) (int, error) {
	n, _, _, err := l.ReadStamped(p)
	return n, err
}

// ReadStamped implements wire.StampedConn: it returns what is seen at one moment, or a part of it, once that has come.
func (l *link) ReadStamped(p []byte) (n int, notBefore, at int64, err error) {
	_, n, notBefore, at, err = l.read(p, nil)
	return n, notBefore, at, err
}

// ReadBorrowed implements wire.Borrower, also over a connection that is none.
func (l *link) ReadBorrowed(pool *sync.Pool) (b wire.Buffer, n int, notBefore, at int64, err error) {
	return l.read(nil, pool)
}

// read waits for what is due, and looks at what arrives meanwhile.
func (l *link) read(p []byte, pool *sync.Pool) (b wire.Buffer, n int, notBefore, at int64, err error) {
	for {
		ready, err := l.prepare()
		switch {
		case err != nil:
			return nil, 0, 0, 0, err
		case ready:
			return l.take(p, pool)
		case l.full:
			l.sleep()
			continue
		}
		b, n, notBefore, at, err = l.beneath(p, pool)
		direct, err := l.arrived(b, p, n, notBefore, at, err)
		if direct {
			return b, n, notBefore, at, err
		}
		if b != nil {
			pool.Put(b)
		}
	}
}

// prepare says whether something is due, and else arms the deadline for the next read beneath.
func (l *link) prepare() (ready bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false, net.ErrClosed
	}
	if l.outlet != nil {
		l.outlet.out = false
	}
	now := time.Now()
	if !l.deadline.IsZero() && !now.Before(l.deadline) {
		return false, os.ErrDeadlineExceeded
	}
	t := now.UnixNano()
	if l.down != nil {
		l.down.tick(t)
	}
	if l.queue.head() <= t {
		return true, nil
	}
	l.until = min(l.queue.head(), l.down.wake())
	l.pace = l.slow
	l.full = l.queue.held >= maxHeld || l.queue.ended || l.over
	if next := l.slow.next(); next > t {
		l.full, l.until = true, min(l.until, next)
	}
	if l.full && l.wake == nil {
		l.wake = make(chan struct{}, 1)
	}
	if !l.full {
		return false, l.arm()
	}
	return false, nil
}

// arm sets the deadline beneath to what comes first, or the alarm. The caller holds mu.
func (l *link) arm() error {
	first := l.until
	if l.outlet != nil {
		l.outlet.set(first)
		first = forever
	}
	if !l.deadline.IsZero() {
		first = min(first, l.deadline.UnixNano())
	}
	if first == l.armed {
		return nil
	}
	l.armed = first
	if first == forever {
		return l.StampedConn.SetReadDeadline(time.Time{})
	}
	return l.StampedConn.SetReadDeadline(time.Unix(0, first))
}

// interrupt makes the reader look again. The caller holds mu.
func (l *link) interrupt() {
	poke(l.wake)
	l.armed = 1
	l.StampedConn.SetReadDeadline(time.Unix(0, 1)) //nolint:errcheck // a closed connection ends the read as well
}

// poke leaves a note that something changed; one is enough, and where nobody has waited yet there is no place for it.
func poke(note chan struct{}) {
	select {
	case note <- struct{}{}:
	default:
	}
}

// sleep returns at the time that prepare found, or when the reader shall look again.
func (l *link) sleep() {
	l.mu.Lock()
	until := l.until
	if !l.deadline.IsZero() {
		until = min(until, l.deadline.UnixNano())
	}
	wake := l.wake
	l.mu.Unlock()
	if until == forever {
		<-wake
		return
	}
	timer := time.NewTimer(time.Until(time.Unix(0, until)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	}
}

// beneath is one read of the connection beneath.
func (l *link) beneath(p []byte, pool *sync.Pool) (b wire.Buffer, n int, notBefore, at int64, err error) {
	if pool != nil && l.pace == nil {
		if lender, ok := l.StampedConn.(wire.Borrower); ok {
			return lender.ReadBorrowed(pool)
		}
	}
	if pool != nil {
		b = pool.Get().(wire.Buffer)
		p = b.Bytes()
	}
	n, notBefore, at, err = l.StampedConn.ReadStamped(p[:l.pace.most(len(p))])
	if n == 0 && err != nil && b != nil {
		pool.Put(b)
		b = nil
	}
	return b, n, notBefore, at, err
}

// arrived looks at what a read beneath brought: direct means that it goes round the rules, with that error. (A test that
// nothing is to be done must be cheap: it happens at every read of every client.)
func (l *link) arrived(b wire.Buffer, p []byte, n int, notBefore, at int64, err error) (direct bool, _ error) {
	if b != nil {
		p = b.Bytes()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.cut != cutNone || errors.Is(err, os.ErrDeadlineExceeded):
		return false, nil // what it is shows in prepare
	case err != nil && (l.closed || errors.Is(err, net.ErrClosed)):
		return true, net.ErrClosed
	case err != nil:
		at, notBefore, n = time.Now().UnixNano(), 0, 0
	}
	if l.slow != nil {
		at = l.slow.took(n, at)
	}
	l.loose = n == len(p) || kernelStamped(l.StampedConn) != wire.StampKernel
	if l.down == nil || len(l.queue.pieces) == 0 && at >= l.queue.latest && l.down.quiet(at) {
		if l.units != nil {
			l.units.skip(p[:n])
		}
		if l.outlet != nil {
			l.outlet.out = true
		}
		return true, err
	}
	l.over = err != nil
	l.down.pass(piece{bytes: p[:n], notBefore: notBefore, at: at, loose: l.loose, err: err})
	return false, nil
}

// take hands out the first piece of the queue, which is due.
func (l *link) take(p []byte, pool *sync.Pool) (b wire.Buffer, n int, notBefore, at int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := &l.queue.pieces[0]
	if first.err != nil {
		if first.cut != cutNone {
			l.kill(first.cut)
		}
		return nil, 0, first.notBefore, first.at, first.err // stays: every later read says the same
	}
	if l.outlet != nil {
		l.outlet.out = true
	}
	if pool != nil {
		b = pool.Get().(wire.Buffer)
		p = b.Bytes()
	}
	n = copy(p, first.bytes)
	notBefore, at, l.loose = first.notBefore, first.at, first.loose
	l.queue.held -= n
	if first.bytes = first.bytes[n:]; len(first.bytes) == 0 {
		l.queue.drop()
	}
	return b, n, notBefore, at, nil
}

// StampSource says who took the stamp of the last read: what a rule judged is as good as what it began with.
func (l *link) StampSource() wire.StampSource {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.loose {
		return wire.StampUser
	}
	return wire.StampKernel
}

func kernelStamped(conn wire.StampedConn) wire.StampSource {
	if s, ok := conn.(interface{ StampSource() wire.StampSource }); ok {
		return s.StampSource()
	}
	return wire.StampKernel
}

// Alive says whether an idle connection can still carry a request, as far as its user can know: what is held back has not
// arrived yet.
func (l *link) Alive() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.queue.head() <= time.Now().UnixNano() {
		return false
	}
	idle, ok := l.StampedConn.(interface{ Alive() bool })
	return len(l.queue.pieces) > 0 || !ok || idle.Alive()
}

// SetReadDeadline implements net.Conn.
func (l *link) SetReadDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	l.deadline = t
	poke(l.wake)
	return l.arm()
}

// SetDeadline implements net.Conn.
func (l *link) SetDeadline(t time.Time) error {
	if err := l.SetReadDeadline(t); err != nil {
		return err
	}
	return l.SetWriteDeadline(t)
}
