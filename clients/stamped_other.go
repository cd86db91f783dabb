//go:build !linux

package clients

import (
	"net"

	"holobench/wire"
)

// Stamped returns conn itself when it stamps its arrivals already, and else one that is stamped when a read returns.
func Stamped(conn net.Conn) wire.StampedConn {
	if stamped, ok := conn.(wire.StampedConn); ok {
		return stamped
	}
	return UserStamped(conn)
}

// KernelStamps says whether this system can stamp TCP arrivals in the kernel.
func KernelStamps() bool { return false }
