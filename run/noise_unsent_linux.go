package run

import (
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// unsent is how many bytes, written to conn, this machine has not sent yet (SIOCOUTQNSD). It is 0 for what is no socket.
func unsent(conn net.Conn) (int, error) {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return 0, nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("reach the descriptor of %s: %w", conn.RemoteAddr(), err)
	}
	held := 0
	var failed error
	err = raw.Control(func(fd uintptr) { held, failed = unix.IoctlGetInt(int(fd), unix.SIOCOUTQNSD) })
	if err == nil {
		err = failed
	}
	if err != nil {
		return 0, fmt.Errorf("ask what %s has not sent: %w", conn.LocalAddr(), err)
	}
	return held, nil
}
