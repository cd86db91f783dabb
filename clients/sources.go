package clients

import (
	"context"
	"errors"
	"net"
	"syscall"
)

// SourceDial makes the connections of d come from so many addresses of this machine, for a server on this machine: the local
// ports of one address are used up by some 28,000 connections to one server. The clients take the addresses in turn, by their
// numbers, so that all connections of one client come from one place, as those of a browser do. The first address is the
// system's own choice, as is that of connections which belong to no client.
func SourceDial(d *net.Dialer, sources int) DialFunc {
	if sources <= 1 {
		return d.DialContext
	}
	from := make([]net.Dialer, sources)
	for i := range from {
		from[i] = *d
		if i > 0 {
			from[i].LocalAddr, from[i].ControlContext = &net.TCPAddr{IP: sourceIP(i)}, bindLate(d.ControlContext)
		}
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		client, _, _ := Dialing(ctx)
		return from[int(client)%sources].DialContext(ctx, network, addr)
	}
}

// sourceIP is the i-th address behind 127.0.0.1. None ends in 0 or 255, which some take for a whole network.
func sourceIP(i int) net.IP {
	const of = 254
	return net.IPv4(127, 0, byte(i/of), byte(1+i%of))
}

// bindLate lets the system choose the port of a bound socket when it is connected, as it does for one that is not bound: until then
// it would be kept from all other connections, also from those to another server.
func bindLate(control ControlFunc) ControlFunc {
	return func(ctx context.Context, network, address string, conn syscall.RawConn) error {
		var failed error
		err := conn.Control(func(fd uintptr) { failed = noPortYet(fd) })
		if control != nil {
			err = errors.Join(err, control(ctx, network, address, conn))
		}
		return errors.Join(err, failed)
	}
}
