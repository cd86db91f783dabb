//go:build !unix

package proxy

import (
	"errors"
	"net"

	"holobench/wire"
)

// patient is known on Unix only.
func patient(*net.TCPConn) (wire.StampedConn, error) { return nil, errors.ErrUnsupported }
