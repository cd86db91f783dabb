package clients

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"holobench/wire"
)

// Loops hold streams without a goroutine and without a buffer for each: see EngineEpoll. Make them with StartLoops, and end
// them by Close when no stream is held any more.
//
// A loop reads each stream that has something once a turn, at most 64 KiB: what is left waits until all others that have something
// had their turn, so that no stream can keep a loop from the rest. What one read brings is handled before the next one; a
// Crowd.Observe or a ClientOptions.Listen that waits holds up all streams of the loop.
type Loops struct {
	all     []*loop
	running sync.WaitGroup
	taken   atomic.Uint32 // streams so far: they go to the loops in turn

	mu    sync.Mutex
	watch map[context.Context]*watch
}

// watch waits for the end of a context, for all streams that it ends.
type watch struct {
	streams int
	ended   bool
	stop    func() bool
}

// StartLoops starts so many loops, each a goroutine: as many as there are processors is the most that makes sense.
func StartLoops(count int) (*Loops, error) {
	l := &Loops{watch: make(map[context.Context]*watch)}
	for range count {
		one, err := newLoop()
		if err != nil {
			l.Close()
			return nil, fmt.Errorf("start the loops that hold streams: %w", err)
		}
		l.all = append(l.all, one)
		l.running.Go(one.run)
	}
	return l, nil
}

// HasLoops says whether this system has what loops are made of.
func HasLoops() bool { return true }

// Close ends the loops, and returns when their goroutines have ended. A stream that is still held is never read again: end them
// first.
func (l *Loops) Close() {
	for _, one := range l.all {
		one.file.Close() //nolint:errcheck // nothing is lost with it
	}
	l.running.Wait()
}

// Held counts the streams that are held now.
func (l *Loops) Held() int {
	count := 0
	for _, one := range l.all {
		count += one.count()
	}
	return count
}

// take makes a loop hold the stream, when its connection is a plain TCP one that the kernel stamps: anything around it, a fault or TLS,
// has work to do that needs a goroutine. What it returns lets go of the stream for a reason of the client's own; the caller guards
// each call of it by the client's lock.
func (l *Loops) take(s *stream, conn wire.StampedConn) (letGo context.CancelCauseFunc, ok bool) {
	polled, ok := conn.(*polledConn)
	if !ok || len(l.all) == 0 {
		return nil, false
	}
	kernel, ok := polled.stamper.(*kernelStamper)
	if !ok {
		return nil, false
	}
	fd, err := duplicate(polled.raw)
	if err != nil {
		return nil, false // too many open files: it goes on as it is
	}
	h := &held{loops: l, stream: s, fd: int32(fd), last: kernel.last, empty: polled.empty} //nolint:gosec // a descriptor has 32 bits
	h.loop = l.all[int(l.taken.Add(1))%len(l.all)]
	h.state.Store(isBusy) // until all is in place
	h.loop.put(h)
	if !l.await(s.until) || h.loop.register(h) != nil || !h.state.CompareAndSwap(isBusy, isIdle) {
		l.release(h)
		unix.Close(fd) //nolint:errcheck // it was a second descriptor only
		return nil, false
	}
	polled.Close() //nolint:errcheck // the first descriptor is not needed any more
	return h.letGo, true
}

// duplicate makes a second descriptor of a connection, which the runtime's poller does not know.
func duplicate(conn syscall.RawConn) (fd int, err error) {
	failed := conn.Control(func(first uintptr) {
		fd, err = unix.FcntlInt(first, unix.F_DUPFD_CLOEXEC, 0)
	})
	return fd, errors.Join(failed, err)
}

// await lets the end of ctx end one stream more; false = it was seen to have ended.
func (l *Loops) await(ctx context.Context) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.watch[ctx]
	if w == nil {
		w = new(watch)
		l.watch[ctx] = w
		w.stop = context.AfterFunc(ctx, func() { l.endOf(ctx, w) })
	}
	w.streams++
	return !w.ended
}

// endOf lets go of all streams that the context ends.
func (l *Loops) endOf(ctx context.Context, w *watch) {
	l.mu.Lock()
	w.ended = true
	l.mu.Unlock()
	for _, one := range l.all {
		for _, h := range one.until(ctx) {
			h.letGo(nil)
		}
	}
}

// release forgets a stream.
func (l *Loops) release(h *held) {
	h.loop.remove(h)
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.watch[h.stream.until]
	if w == nil {
		return
	}
	if w.streams--; w.streams == 0 {
		w.stop()
		delete(l.watch, h.stream.until)
	}
}

// loop is one epoll descriptor, which itself waits in the runtime's poller: no thread sleeps in it.
type loop struct {
	file *os.File
	raw  syscall.RawConn
	fd   int

	mu   sync.Mutex
	held []*held // by descriptor

	// Of its goroutine only.
	events  [128]unix.EpollEvent
	stamper kernelStamper
	attempt attempt
	scratch scratch
}

func newLoop() (*loop, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil { // which is how the poller knows that it can take the descriptor
		unix.Close(fd) //nolint:errcheck // nothing is in it
		return nil, err
	}
	l := &loop{file: os.NewFile(uintptr(fd), "epoll"), fd: fd}
	if l.raw, err = l.file.SyscallConn(); err != nil {
		l.file.Close() //nolint:errcheck // as above
		return nil, err
	}
	return l, nil
}

// run reads what comes, until the loop is closed.
func (l *loop) run() {
	ready := 0
	wait := func(fd uintptr) bool {
		var err error
		ready, err = unix.EpollWait(int(fd), l.events[:], 0)
		return err == nil && ready > 0 || err != nil && !errors.Is(err, unix.EINTR)
	}
	for l.raw.Read(wait) == nil {
		for i := range max(0, ready) {
			if h := l.at(l.events[i].Fd); h != nil {
				l.turn(h)
			}
		}
	}
}

// turn reads one stream once.
func (l *loop) turn(h *held) {
	if !h.state.CompareAndSwap(isIdle, isBusy) {
		return
	}
	err := h.readOnce(&l.stamper, &l.attempt, &l.scratch)
	if err == nil && h.state.CompareAndSwap(isBusy, isIdle) {
		return
	}
	h.state.Store(isGone)
	h.goOn(err)
}

func (l *loop) at(fd int32) *held {
	l.mu.Lock()
	defer l.mu.Unlock()
	if int(fd) < len(l.held) {
		return l.held[fd]
	}
	return nil
}

func (l *loop) put(h *held) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for int(h.fd) >= len(l.held) {
		l.held = append(l.held, nil)
	}
	l.held[h.fd] = h
}

func (l *loop) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	count := 0
	for _, h := range l.held {
		if h != nil {
			count++
		}
	}
	return count
}

// until are the streams that end with ctx.
func (l *loop) until(ctx context.Context) (all []*held) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range l.held {
		if h != nil && h.stream.until == ctx {
			all = append(all, h)
		}
	}
	return all
}

// register lets the kernel report when the socket has something, for as long as it has.
func (l *loop) register(h *held) error {
	return unix.EpollCtl(l.fd, unix.EPOLL_CTL_ADD, int(h.fd), &unix.EpollEvent{Events: unix.EPOLLIN, Fd: h.fd})
}

// remove takes the socket out, which has to be done before its descriptor is closed: another one gets the same number then.
func (l *loop) remove(h *held) {
	l.mu.Lock()
	l.held[h.fd] = nil
	l.mu.Unlock()
	unix.EpollCtl(l.fd, unix.EPOLL_CTL_DEL, int(h.fd), nil) //nolint:errcheck // it may not have been in, or the loop is closed
}

// What a held stream is doing. Who brings it to isGone goes on with it; a loop that finds isLeaving does so.
const (
	isIdle uint32 = iota
	isBusy        // a loop is reading it, or it is being handed over
	isLeaving
	isGone
)

// held is a stream that a loop holds, and when that is over the connection that is left of it, which can be read once more and closed.
type held struct {
	loops  *Loops
	loop   *loop
	stream *stream
	last   int64 // as kernelStamper has it
	empty  int64 // as attempt has it
	why    error // the client's own reason to let go; its lock guards it
	state  atomic.Uint32
	fd     int32
	exact  bool // the last read's stamp can be relied on
}

// letGo ends the stream's time with the loop, by its client's own wish.
func (h *held) letGo(why error) {
	if why != nil {
		h.why = why
	}
	if h.state.CompareAndSwap(isIdle, isGone) {
		h.goOn(nil)
		return
	}
	h.state.CompareAndSwap(isBusy, isLeaving)
}

// goOn gives the stream a goroutine again; ended is what its connection ended by.
func (h *held) goOn(ended error) {
	h.loops.release(h)
	go h.stream.goOnFrom(h, ended, func() error { return h.why })
}

// readOnce is stream.readOnce for a loop.
func (h *held) readOnce(k *kernelStamper, a *attempt, lent *scratch) error {
	notBefore, at, vouched, err := h.attempt(k, a, lent.buf[:])
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil
	case errors.Is(err, io.EOF):
		return h.stream.wire.ended()
	case err != nil:
		return err
	}
	return h.stream.handle(lent, a.n, notBefore, at, !a.full && vouched)
}

// attempt reads what waits; nothing is os.ErrDeadlineExceeded.
func (h *held) attempt(k *kernelStamper, a *attempt, p []byte) (notBefore, at int64, vouched bool, err error) {
	k.last, a.empty, a.before = h.last, h.empty, time.Now().UnixNano()
	a.n, a.errno = k.receive(uintptr(h.fd), p)
	switch {
	case a.errno == syscall.EAGAIN:
		h.empty = a.before
		return 0, 0, false, os.ErrDeadlineExceeded
	case a.errno != 0:
		return 0, 0, false, &net.OpError{Op: "read", Net: "tcp", Err: a.errno}
	case a.n == 0 && len(p) > 0:
		return a.empty, time.Now().UnixNano(), false, io.EOF
	}
	notBefore, at, vouched = a.settle(k, len(p))
	h.last, h.empty = k.last, a.empty
	return notBefore, at, vouched, nil
}

// ReadStamped implements wire.StampedConn. It does not wait.
func (h *held) ReadStamped(p []byte) (n int, notBefore, at int64, err error) {
	var a attempt
	notBefore, at, h.exact, err = h.attempt(new(kernelStamper), &a, p)
	return a.n, notBefore, at, err
}

// Read implements net.Conn.
func (h *held) Read(p []byte) (int, error) {
	n, _, _, err := h.ReadStamped(p)
	return n, err
}

// StampSource says who took the stamp of the last read.
func (h *held) StampSource() wire.StampSource {
	if h.exact {
		return wire.StampKernel
	}
	return wire.StampUser
}

// Alive says whether nothing waits to be read, be it an end.
func (h *held) Alive() bool { return quiet(uintptr(h.fd)) }

// SetLinger is that of net.TCPConn.
func (h *held) SetLinger(sec int) error {
	linger := unix.Linger{Onoff: 1, Linger: int32(max(0, sec))} //nolint:gosec // seconds
	if sec < 0 {
		linger.Onoff = 0
	}
	return unix.SetsockoptLinger(int(h.fd), unix.SOL_SOCKET, unix.SO_LINGER, &linger)
}

// Write implements net.Conn: a stream that idles has nothing to say.
func (h *held) Write([]byte) (int, error) { return 0, errors.ErrUnsupported }

// Close implements net.Conn.
func (h *held) Close() error { return unix.Close(int(h.fd)) }

// LocalAddr implements net.Conn; nobody asks.
func (h *held) LocalAddr() net.Addr { return &net.TCPAddr{} }

// RemoteAddr implements net.Conn; nobody asks.
func (h *held) RemoteAddr() net.Addr { return &net.TCPAddr{} }

// SetDeadline implements net.Conn: no read waits.
func (h *held) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn, as above.
func (h *held) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn, as above.
func (h *held) SetWriteDeadline(time.Time) error { return nil }
