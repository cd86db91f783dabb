package run

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// unsent is how many bytes, written to conn, this machine has not sent yet: TCP holds them back while as many segments as
// its congestion window allows wait for their acknowledgement. It is 0 for what is no socket.
func unsent(conn net.Conn) int {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return 0
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0
	}
	held := 0
	err = raw.Control(func(fd uintptr) {
		if n, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQNSD); err == nil {
			held = n
		}
	})
	if err != nil {
		return 0
	}
	return held
}
