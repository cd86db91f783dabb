package clients

import (
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"holobench/wire"
)

func TestKernelArrivals(t *testing.T) {
	t.Parallel()
	k := &kernelStamper{last: 50}
	for _, step := range []struct {
		name                string
		stamp               int64 // 0 = none
		empty               int64
		full                bool
		wantBefore, wantNow int64 // wantNow 0 = the clock, which is later than all of these
		vouched             bool
	}{
		{"the first", 100, 60, false, 50, 100, true},
		{"since the stamp before, not since the look at the socket", 200, 150, false, 100, 200, true},
		{"a part of what waits", 300, 250, true, 200, 300, true},
		{"the rest, which may be older than the part's stamp", 300, 250, false, 200, 300, true},
		{"without a stamp", 0, 350, false, 300, 0, false},
		{"stamped before the socket was found empty", 400, 410, false, 300, 0, false},
		{"and then in order again", 500, 450, false, 300, 500, true},
		{"stamped at the very look", 600, 600, false, 500, 600, true},
		{"behind bytes that were stamped later", 590, 0, false, 590, 590, true},
	} {
		k.hdr.Controllen = 0
		if step.stamp != 0 {
			k.put(step.stamp)
		}
		began := time.Now().UnixNano()
		notBefore, at, vouched := k.arrival(&attempt{n: 1, full: step.full, empty: step.empty})
		if step.wantNow == 0 && at >= began {
			at = 0
		}
		if notBefore != step.wantBefore || at != step.wantNow || vouched != step.vouched {
			t.Errorf("%s: (%d, %d], vouched for: %v", step.name, notBefore, at, vouched)
		}
	}
}

// put makes the control message that the kernel would.
func (k *kernelStamper) put(stamp int64) {
	h := unix.Cmsghdr{Level: unix.SOL_SOCKET, Type: unix.SO_TIMESTAMPNS}
	h.SetLen(unix.CmsgLen(16))
	spec := unix.NsecToTimespec(stamp)
	*(*unix.Cmsghdr)(unsafe.Pointer(unsafe.SliceData(k.oob[:]))) = h
	*(*unix.Timespec)(unsafe.Pointer(unsafe.SliceData(k.oob[unix.SizeofCmsghdr:]))) = spec
	k.hdr.SetControllen(len(k.oob))
}

// loopback is a TCP connection of this process with itself.
func loopback(t *testing.T) (near, far net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	near, err = net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err = listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		near.Close()
		far.Close()
	})
	return near, far
}

// write writes text and returns when conn holds as many bytes, with the clock before and after.
func write(t *testing.T, far, conn net.Conn, text string, holds int) (begin, end int64) {
	t.Helper()
	begin = time.Now().UnixNano()
	if _, err := io.WriteString(far, text); err != nil {
		t.Fatal(err)
	}
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for held := 0; held < holds; {
		if err := raw.Control(func(fd uintptr) { held, err = unix.IoctlGetInt(int(fd), unix.TIOCINQ) }); err != nil {
			t.Fatal(err)
		}
	}
	return begin, time.Now().UnixNano()
}

func TestStampsOfASocket(t *testing.T) {
	t.Parallel()
	for _, source := range []wire.StampSource{wire.StampKernel, wire.StampUser} {
		conn, far := loopback(t)
		stamped := Stamped(conn)
		if source == wire.StampUser {
			stamped = UserStamped(conn)
		}
		read := func(size int) (text string, notBefore, at, returned int64) {
			p := make([]byte, size)
			n, notBefore, at, err := stamped.ReadStamped(p)
			if err != nil {
				t.Fatal(err)
			}
			return string(p[:n]), notBefore, at, time.Now().UnixNano()
		}
		kernel := source == wire.StampKernel
		write(t, far, conn, "one", 3)
		_, _, first, _ := read(100)
		for kernel && !exactStamps(stamped) { // the kernel begins to stamp a moment after the first socket of the machine asks for it
			write(t, far, conn, "one", 3)
			_, _, first, _ = read(100)
		}
		begin, end := write(t, far, conn, "two", 3)
		_, emptied := write(t, far, conn, "three", 8)
		text, notBefore, at, _ := read(3)
		joined := at > end // nearly always the kernel puts the second behind the first, and keeps the stamp of the last byte only
		if text != "two" || notBefore > begin || kernel && (notBefore != first || at < begin || at > emptied) {
			t.Errorf("source %d: two queued messages, the first is %q in (%d, %d]; it was written from %d to %d, the second until %d",
				source, text, notBefore, at, begin, end, emptied)
		}
		text, again, last, _ := read(100)
		if text != "three" || again > begin || kernel && (last < at || last > emptied || joined && last != at) || !kernel && last < emptied {
			t.Errorf("source %d: the second is %q in (%d, %d]", source, text, again, last)
		}
		begin, _ = write(t, far, conn, "four", 4)
		_, notBefore, at, returned := read(100)
		if at < begin || at > returned || notBefore > begin || exactStamps(stamped) != kernel {
			t.Errorf("source %d: a lone message is in (%d, %d], exactly so: %v; it was written at %d", source, notBefore, at, exactStamps(stamped), begin)
		}
	}
}

// What a read had to wait for came when it returned, as far as the process can say.
func TestUserStampsOfAReadThatWaits(t *testing.T) {
	t.Parallel()
	conn, far := loopback(t)
	stamped := UserStamped(conn)
	waiting := stamped.(*polledConn)
	asleep, once := make(chan struct{}), sync.Once{}
	waiting.try = func(fd uintptr) bool {
		done := waiting.once(fd)
		if !done {
			once.Do(func() { close(asleep) })
		}
		return done
	}
	go func() {
		<-asleep
		io.WriteString(far, "late")
	}()
	n, notBefore, at, err := stamped.ReadStamped(make([]byte, 100))
	if n != 4 || err != nil || notBefore != at || exactStamps(stamped) {
		t.Errorf("%d bytes in (%d, %d], %v", n, notBefore, at, err)
	}
}

func TestAliveWithEverySource(t *testing.T) {
	t.Parallel()
	for _, stamped := range []func(net.Conn) wire.StampedConn{Stamped, UserStamped} {
		conn, far := loopback(t)
		alive := stamped(conn).(interface{ Alive() bool }).Alive
		if !alive() {
			t.Error("an idle connection is not alive")
		}
		write(t, far, conn, "x", 1)
		if alive() {
			t.Error("a connection on which somebody spoke is not idle")
		}
		conn, far = loopback(t)
		alive = stamped(conn).(interface{ Alive() bool }).Alive
		far.Close()
		io.ReadFull(conn, make([]byte, 1)) // until the end has arrived
		if alive() {
			t.Error("a connection that the peer closed is alive")
		}
	}
}
