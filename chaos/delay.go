package chaos

import (
	"context"
	"net"
	"os"
	"sync"
	"time"

	"holobench/wire"
)

// DialFunc is the shape of net.Dialer.DialContext.
type DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// Delay makes every connection of dial deliver what it receives later, as rule judges, in the order of arrival. The
// connections of dial must be wire.StampedConn, since a delay counts from the arrival of a chunk and not from the moment
// in which somebody reads it; others are handed on as they are.
func Delay(dial DialFunc, rule Rule) DialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		stamped, ok := conn.(wire.StampedConn)
		if !ok {
			return conn, nil
		}
		d := &delayed{StampedConn: stamped, rule: rule, wake: make(chan struct{}, 1), room: make(chan struct{}, 1), gone: make(chan struct{})}
		go d.pump() // ends with the connection: Close makes its read fail
		return d, nil
	}
}

// maxHeld bounds what a delayed connection holds back, in bytes. Beyond it the bytes wait in the socket, and their delay
// grows as it would behind any full queue.
const maxHeld = 1 << 20

// chunk is what one read of the link brought.
type chunk struct {
	bytes     []byte
	notBefore int64
	at        int64
	err       error
}

// delayed carries the delay of one connection out.
type delayed struct {
	wire.StampedConn
	rule Rule

	wake chan struct{} // something changed for the reader: a chunk came, or the deadline moved
	room chan struct{} // something changed for the pump: bytes were taken
	gone chan struct{} // closed by Close
	once sync.Once

	mu       sync.Mutex
	queue    []chunk
	held     int
	latest   int64 // release of the last chunk: a later one is never released before it
	deadline time.Time
}

// pump moves what arrives into the queue at once, so that each chunk keeps the stamp of its own arrival.
func (d *delayed) pump() {
	buf := make([]byte, 64<<10)
	for {
		n, notBefore, at, err := d.StampedConn.ReadStamped(buf)
		if n > 0 && !d.push(chunk{bytes: append([]byte(nil), buf[:n]...), notBefore: notBefore, at: at}) {
			return
		}
		if err != nil {
			d.push(chunk{at: time.Now().UnixNano(), err: err})
			return
		}
	}
}

// push judges a chunk and queues it; false means that the connection was closed.
func (d *delayed) push(c chunk) bool {
	delay := int64(max(0, d.rule(c.at)))
	for {
		d.mu.Lock()
		if d.held == 0 || d.held+len(c.bytes) <= maxHeld {
			break
		}
		d.mu.Unlock()
		select {
		case <-d.room:
		case <-d.gone:
			return false
		}
	}
	defer d.mu.Unlock()
	if c.notBefore != 0 {
		c.notBefore += delay
	}
	c.at = max(c.at+delay, d.latest)
	d.latest = c.at
	d.held += len(c.bytes)
	d.queue = append(d.queue, c)
	poke(d.wake)
	return true
}

// ReadStamped implements wire.StampedConn: it returns one chunk, or a part of it, once its time has come.
func (d *delayed) ReadStamped(p []byte) (n int, notBefore, at int64, err error) {
	for {
		d.mu.Lock()
		now := time.Now()
		if !d.deadline.IsZero() && !now.Before(d.deadline) {
			d.mu.Unlock()
			return 0, 0, 0, os.ErrDeadlineExceeded
		}
		until := d.deadline
		if len(d.queue) > 0 {
			release := time.Unix(0, d.queue[0].at)
			if !now.Before(release) {
				defer d.mu.Unlock()
				return d.take(p)
			}
			if until.IsZero() || release.Before(until) {
				until = release
			}
		}
		d.mu.Unlock()
		if err := d.wait(until); err != nil {
			return 0, 0, 0, err
		}
	}
}

// take moves bytes of the first chunk into p; the caller holds mu.
func (d *delayed) take(p []byte) (n int, notBefore, at int64, err error) {
	first := &d.queue[0]
	if first.err != nil {
		return 0, first.notBefore, first.at, first.err // stays: every later read fails alike
	}
	n = copy(p, first.bytes)
	notBefore, at = first.notBefore, first.at
	first.bytes = first.bytes[n:]
	d.held -= n
	if len(first.bytes) == 0 {
		d.queue = d.queue[1:]
	}
	poke(d.room)
	return n, notBefore, at, nil
}

// wait returns when that time has come (zero = never) or something changed.
func (d *delayed) wait(until time.Time) error {
	var timer <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-timer:
	case <-d.wake:
	case <-d.gone:
		return net.ErrClosed
	}
	return nil
}

// Alive says whether the connection can still carry a request, when what lies beneath can tell; bytes and ends that are
// held back have not arrived yet.
func (d *delayed) Alive() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.queue) == 0 || time.Now().Before(time.Unix(0, d.queue[0].at))
}

// StampSource is that of the connection beneath: a delay makes no stamp better than it was.
func (d *delayed) StampSource() wire.StampSource {
	if s, ok := d.StampedConn.(interface{ StampSource() wire.StampSource }); ok {
		return s.StampSource()
	}
	return wire.StampKernel
}

// Read implements net.Conn.
func (d *delayed) Read(p []byte) (int, error) {
	n, _, _, err := d.ReadStamped(p)
	return n, err
}

// SetReadDeadline implements net.Conn; the deadline is the reader's, the pump behind it never has one.
func (d *delayed) SetReadDeadline(t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.deadline = t
	poke(d.wake)
	return nil
}

// SetDeadline implements net.Conn.
func (d *delayed) SetDeadline(t time.Time) error {
	if err := d.SetReadDeadline(t); err != nil {
		return err
	}
	return d.SetWriteDeadline(t)
}

// Close implements net.Conn and ends the pump.
func (d *delayed) Close() error {
	d.once.Do(func() { close(d.gone) })
	return d.StampedConn.Close()
}

// poke leaves a note that something changed; one is enough.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
