package clients

import (
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"holobench/wire"
)

// kernelConn is a TCP connection whose reads carry the kernel's receive stamp (SO_TIMESTAMPNS). It reads by recvmsg(2)
// under the runtime's poller. The structures of the call are part of it, so that a read allocates nothing.
type kernelConn struct {
	*net.TCPConn
	raw syscall.RawConn

	reading sync.Mutex // one read at a time; a socket has one reader, this only keeps a mistake from becoming a wild write
	try     func(fd uintptr) bool
	pool    *sync.Pool // non-nil while ReadBorrowed is at work
	lent    *scratch
	into    []byte
	n       int
	errno   syscall.Errno
	empty   int64 // the clock just before the read that last found the socket empty or emptied it
	before  int64 // the clock just before the read that is at work

	hdr unix.Msghdr
	iov unix.Iovec
	oob [64]byte
}

// Stamped returns conn itself when it stamps its arrivals already, a connection with kernel stamps for TCP on Linux, and
// else one that is stamped when a read returns.
func Stamped(conn net.Conn) wire.StampedConn {
	if stamped, ok := conn.(wire.StampedConn); ok {
		return stamped
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		if k, err := newKernelConn(tcp); err == nil {
			return k
		}
	}
	return &userConn{Conn: conn}
}

// KernelStamps says whether this system can stamp TCP arrivals in the kernel.
func KernelStamps() bool { return true }

func newKernelConn(conn *net.TCPConn) (*kernelConn, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("reach the descriptor of %s: %w", conn.RemoteAddr(), err)
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	})
	if err != nil || failed != nil {
		return nil, fmt.Errorf("ask for receive stamps on %s: %w", conn.RemoteAddr(), failed)
	}
	k := &kernelConn{TCPConn: conn, raw: raw}
	k.try = k.recv
	return k, nil
}

// recv is one attempt; false means that the socket is empty and the poller should wait.
func (k *kernelConn) recv(fd uintptr) bool {
	if k.pool != nil {
		k.lent = k.pool.Get().(*scratch)
		k.into = k.lent.buf[:]
	}
	k.before = time.Now().UnixNano()
	for {
		k.iov.Base = unsafe.SliceData(k.into)
		k.iov.SetLen(len(k.into))
		k.hdr.Iov, k.hdr.Iovlen = &k.iov, 1
		k.hdr.Control = &k.oob[0]
		k.hdr.SetControllen(len(k.oob))
		n, _, errno := syscall.Syscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&k.hdr)), unix.MSG_DONTWAIT)
		if errno == syscall.EINTR {
			continue
		}
		k.n, k.errno = int(n), errno
		break
	}
	if k.errno != syscall.EAGAIN {
		return true
	}
	k.empty = k.before
	if k.pool != nil {
		k.pool.Put(k.lent)
		k.lent, k.into = nil, nil
	}
	return false
}

// read runs one attempt after another until there is something.
func (k *kernelConn) read() (n int, notBefore, at int64, err error) {
	if err := k.raw.Read(k.try); err != nil {
		return 0, 0, 0, err
	}
	k.iov.Base = nil
	if k.errno != 0 {
		return 0, 0, 0, &net.OpError{Op: "read", Net: "tcp", Addr: k.RemoteAddr(), Err: k.errno}
	}
	if k.n == 0 && len(k.into) > 0 {
		return 0, k.empty, time.Now().UnixNano(), io.EOF
	}
	notBefore, at = k.empty, k.stamp()
	if k.n < len(k.into) {
		k.empty = k.before
	}
	return k.n, notBefore, at, nil
}

// stamp takes the kernel's stamp out of the control message. A segment that came before the kernel began to stamp has
// none; it counts as arrived just now, which keeps its interval true.
func (k *kernelConn) stamp() int64 {
	const need = unix.SizeofCmsghdr + int(unsafe.Sizeof(unix.Timespec{}))
	if int(k.hdr.Controllen) >= need {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&k.oob[0]))
		if h.Level == unix.SOL_SOCKET && h.Type == unix.SO_TIMESTAMPNS {
			return (*unix.Timespec)(unsafe.Pointer(&k.oob[unix.SizeofCmsghdr])).Nano()
		}
	}
	return time.Now().UnixNano()
}

// ReadStamped implements wire.StampedConn.
func (k *kernelConn) ReadStamped(p []byte) (n int, notBefore, at int64, err error) {
	k.reading.Lock()
	defer k.reading.Unlock()
	k.pool, k.into = nil, p
	n, notBefore, at, err = k.read()
	k.into = nil
	return n, notBefore, at, err
}

// Read implements net.Conn.
func (k *kernelConn) Read(p []byte) (int, error) {
	n, _, _, err := k.ReadStamped(p)
	return n, err
}

// readBorrowed is ReadStamped into a buffer that it borrows from pool for the moment of each attempt. The caller gives
// back what it is handed; it is nil with an error.
func (k *kernelConn) readBorrowed(pool *sync.Pool) (s *scratch, n int, notBefore, at int64, err error) {
	k.reading.Lock()
	defer k.reading.Unlock()
	k.pool = pool
	n, notBefore, at, err = k.read()
	s, k.lent, k.into = k.lent, nil, nil
	if err != nil && s != nil {
		pool.Put(s)
		s = nil
	}
	return s, n, notBefore, at, err
}

// Alive says whether an idle connection can still carry a request: the peer has neither closed it nor said anything.
func (k *kernelConn) Alive() bool {
	ok := false
	err := k.raw.Control(func(fd uintptr) {
		var one [1]byte
		_, _, e := unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		ok = e == unix.EAGAIN
	})
	return err == nil && ok
}
