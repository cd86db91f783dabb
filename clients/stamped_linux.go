package clients

import (
	"fmt"
	"net"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"holobench/wire"
)

// kernelStamper takes the kernel's receive stamps (SO_TIMESTAMPNS), which recvmsg(2) hands over. The structures of the call
// are part of it, so that a read allocates nothing.
type kernelStamper struct {
	last int64 // the stamp of the last byte that the socket held when a read emptied it; before any, when it was made

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
	return UserStamped(conn)
}

// KernelStamps says whether this system can stamp TCP arrivals in the kernel.
func KernelStamps() bool { return true }

func newKernelConn(conn *net.TCPConn) (*polledConn, error) {
	c, err := newPolledConn(conn, &kernelStamper{last: time.Now().UnixNano()})
	if err != nil {
		return nil, err
	}
	var failed error
	err = c.raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return nil, fmt.Errorf("ask for receive stamps on %s: %w", conn.RemoteAddr(), err)
	}
	return c, nil
}

// receive implements stamper.
func (k *kernelStamper) receive(fd uintptr, p []byte) (int, syscall.Errno) {
	for {
		k.iov.Base = unsafe.SliceData(p)
		k.iov.SetLen(len(p))
		k.hdr.Iov, k.hdr.Iovlen = &k.iov, 1
		k.hdr.Control = &k.oob[0]
		k.hdr.SetControllen(len(k.oob))
		n, _, errno := syscall.Syscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&k.hdr)), unix.MSG_DONTWAIT)
		if errno != syscall.EINTR {
			k.iov.Base = nil
			return int(n), errno
		}
	}
}

// arrival implements stamper. The stamp is that of the last byte, whatever else waited with it. What came earlier in the
// same read came after the last byte of the read that emptied the socket before, since stamps rise along the bytes of a
// connection that loses no segment. No clock of this process takes part: the kernel stamps a segment a moment before the
// socket holds it, and so a socket may be found empty at a time later than the stamp of the next message.
//
// When that is seen to have happened, the stamp does not say when the bytes could be read: they came between it and now. So
// do those without a stamp, which came before the kernel began to take them.
func (k *kernelStamper) arrival(a *attempt) (notBefore, at int64, vouched bool) {
	stamp := k.stamp()
	if stamp == 0 || stamp < a.empty {
		now := time.Now().UnixNano()
		if stamp == 0 {
			stamp = now
		}
		return min(k.last, stamp), now, false
	}
	notBefore = min(k.last, stamp)
	if !a.full {
		k.last = stamp
	}
	return notBefore, stamp, true
}

// stamp takes the kernel's stamp out of the control message; 0 = there is none.
func (k *kernelStamper) stamp() int64 {
	const need = unix.SizeofCmsghdr + int(unsafe.Sizeof(unix.Timespec{}))
	if int(k.hdr.Controllen) >= need {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&k.oob[0]))
		if h.Level == unix.SOL_SOCKET && h.Type == unix.SO_TIMESTAMPNS {
			return (*unix.Timespec)(unsafe.Pointer(&k.oob[unix.SizeofCmsghdr])).Nano()
		}
	}
	return 0
}
