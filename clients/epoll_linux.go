package clients

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

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

// StartLoops starts so many loops, each a goroutine: as many as there are processors is the most that makes sense. Until they are
// closed GOMAXPROCS is one more than they are, if it was not larger: see spare. This is meant for one Loops of a process at a time; of
// several the first that is closed undoes it, and an event costs the others a little more.
func StartLoops(count int) (*Loops, error) {
	spare(count)
	l := &Loops{watch: make(map[context.Context]*watch)}
	for range count {
		one, err := newLoop()
		if err != nil {
			l.Close()
			return nil, fmt.Errorf("start the loops that hold streams: %w", err)
		}
		one.of = l
		l.all = append(l.all, one)
		l.running.Go(one.run)
	}
	return l, nil
}

// HasLoops says whether this system has what loops are made of.
func HasLoops() bool { return true }

// Close ends the loops, and returns when their goroutines have ended. A stream that is still held is never read again: end them
// first. Call it once: it closes descriptors by their numbers.
func (l *Loops) Close() {
	for _, one := range l.all {
		one.end()
	}
	l.running.Wait()
	for _, one := range l.all {
		one.close()
	}
	runtime.SetDefaultGOMAXPROCS() // spare ends
}

// spare lets the runtime run one goroutine more at a time than there are loops. A loop that sleeps in a call counts as one that runs.
// When all that may run do so, the runtime looks every 20 us whether one of them sleeps, and hands what that one runs on over to another
// thread: on one processor an event cost an eighth more so. While it could start one more, it leaves them alone for 10 ms.
func spare(loops int) {
	if runtime.GOMAXPROCS(0) <= loops {
		runtime.GOMAXPROCS(loops + 1)
	}
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
	h := &s.kept                                                                 // of the last connection nobody has it any more
	h.loop, h.stream, h.fd = l.all[int(l.taken.Add(1))%len(l.all)], s, int32(fd) //nolint:gosec // a descriptor has 32 bits
	h.last, h.empty, h.why = kernel.last, polled.empty, nil
	h.state.Store(isBusy) // until all is in place
	h.loop.put(h)
	if !l.await(s.until) || h.loop.register(h.fd) != nil || !h.state.CompareAndSwap(isBusy, isIdle) {
		l.release(h)
		unix.Close(fd) //nolint:errcheck // it was a second descriptor only
		return nil, false
	}
	h.loop.again(h.fd) // a loop passes over what is reported of a stream that is busy
	polled.Close()     //nolint:errcheck // the first descriptor is not needed any more
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

// loop is one epoll descriptor. A thread sleeps in it: the runtime's poller, which needs none, asks the kernel three times about what
// one wait tells, and sets a timer anew at each wake-up when the program has any; an event that comes alone cost a quarter more so.
type loop struct {
	of  *Loops
	fd  int
	bye int // an eventfd in it, by which it hears that it shall end

	mu   sync.Mutex
	held []known // by descriptor

	// Of its goroutine only.
	events  [128]unix.EpollEvent
	turns   []*held // that are claimed
	stamper kernelStamper
	attempt attempt
	scratch scratch
}

// known is a stream that a loop holds, and its receiver: what a turn needs of either comes cold from memory, and the processor fetches
// both together if neither has to be read to find the other.
type known struct {
	stream *stream // nil = none is held by that descriptor
	wire   receiver
}

func newLoop() (*loop, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	bye, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(fd) //nolint:errcheck // nothing is in it
		return nil, err
	}
	l := &loop{fd: fd, bye: bye}
	if err := l.register(int32(bye)); err != nil { //nolint:gosec // a descriptor has 32 bits
		l.close()
		return nil, err
	}
	return l, nil
}

// end lets run return.
func (l *loop) end() {
	unix.Write(l.bye, binary.NativeEndian.AppendUint64(nil, 1)) //nolint:errcheck // an eventfd takes as many as a loop is ended times
}

// close gives back the descriptors of a loop that does not run.
func (l *loop) close() {
	unix.Close(l.bye) //nolint:errcheck // nothing is lost with it
	unix.Close(l.fd)  //nolint:errcheck // as above
}

// run reads what comes, until the loop shall end.
func (l *loop) run() {
	for {
		ready, err := l.await()
		if err != nil {
			return
		}
		for _, h := range l.claim(ready) {
			l.turn(h)
		}
	}
}

// errBye says that the loop shall end.
var errBye = errors.New("the loop ends")

// await waits until sockets have something.
func (l *loop) await() (ready []unix.EpollEvent, err error) {
	n, err := unix.EpollWait(l.fd, l.events[:], -1)
	if err != nil && !errors.Is(err, unix.EINTR) {
		return nil, err
	}
	ready = l.events[:max(0, n)]
	for i := range ready {
		if int(ready[i].Fd) == l.bye {
			return nil, errBye
		}
	}
	return ready, nil
}

// turn reads a stream once that the loop has claimed.
func (l *loop) turn(h *held) {
	err := h.readOnce(&l.stamper, &l.attempt, &l.scratch)
	if l.attempt.n == len(l.scratch.buf) {
		l.again(h.fd) // there may be more
	}
	if err == nil && h.state.CompareAndSwap(isBusy, isIdle) {
		return
	}
	h.state.Store(isGone)
	h.goOn(err)
}

// claim makes the streams of sockets that have something busy, but for those that are let go just now. One that is in l.held is held
// by its loop until that has been told, so that none can be let go and held anew meanwhile.
//
// What it looks at on the way is what their turns will need: each comes cold from memory, which costs some 0.15 us for one after the
// other and about as much for all together.
func (l *loop) claim(ready []unix.EpollEvent) []*held {
	l.turns = l.turns[:0]
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range ready {
		fd := int(ready[i].Fd)
		if fd >= len(l.held) || l.held[fd].stream == nil {
			continue
		}
		if ready[i].Events != unix.EPOLLIN {
			l.again(ready[i].Fd) // its end follows what can be read, and takes a read of its own
		}
		if k := &l.held[fd]; k.stream.kept.state.Load() == isIdle && k.stream.reading == nil {
			k.wire.whole()
			l.turns = append(l.turns, &k.stream.kept)
		}
	}
	l.turns = slices.DeleteFunc(l.turns, func(h *held) bool { return !h.state.CompareAndSwap(isIdle, isBusy) })
	return l.turns
}

func (l *loop) put(h *held) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for int(h.fd) >= len(l.held) {
		l.held = append(l.held, known{})
	}
	l.held[h.fd] = known{h.stream, h.stream.wire}
}

func (l *loop) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	count := 0
	for i := range l.held {
		if l.held[i].stream != nil {
			count++
		}
	}
	return count
}

// until are the streams that end with ctx.
func (l *loop) until(ctx context.Context) (all []*held) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range l.held {
		if k.stream != nil && k.stream.until == ctx {
			all = append(all, &k.stream.kept)
		}
	}
	return all
}

// What the kernel reports of a socket: once, when something comes. That it reports for as long as something is there would cost it a
// second look at each socket that was read.
const reported = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET

// register lets the kernel report when something comes to the socket, and whether something is there now.
func (l *loop) register(fd int32) error {
	return unix.EpollCtl(l.fd, unix.EPOLL_CTL_ADD, int(fd), &unix.EpollEvent{Events: reported, Fd: fd})
}

// again lets the kernel report once more what is there, behind the sockets that it has to report already. A read that does not fill its
// buffer leaves no bytes in the socket; whoever leaves some there, or an end, has to call this.
func (l *loop) again(fd int32) {
	unix.EpollCtl(l.fd, unix.EPOLL_CTL_MOD, int(fd), &unix.EpollEvent{Events: reported, Fd: fd}) //nolint:errcheck // it is there, or let go of just now
}

// remove takes the socket out, which has to be done before its descriptor is closed: another one gets the same number then.
func (l *loop) remove(h *held) {
	l.mu.Lock()
	l.held[h.fd] = known{}
	l.mu.Unlock()
	unix.EpollCtl(l.fd, unix.EPOLL_CTL_DEL, int(h.fd), nil) //nolint:errcheck // it may not have been in, or the loop is closed
}
