package clients

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
)

// With eight local ports an address, each address that clients come from carries eight connections to one server, and not one more.
func TestSourceDial(t *testing.T) {
	t.Parallel()
	const ports, sources = 8, 3
	server, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	dial := SourceDial(&net.Dialer{ControlContext: ControlDial}, sources)
	for lowest := uint32(45000); lowest < 46000; lowest += ports { // a program beside this one may hold a port
		err := fill(t, dial, server.Addr().String(), lowest, ports, sources)
		if errors.Is(err, syscall.ENOPROTOOPT) {
			t.Skip("this kernel cannot narrow the ports of a socket")
		}
		if err == nil {
			return
		}
	}
	t.Error("in no range of ports there was room")
}

// fill connects as many clients as there are ports at all sources, and one more. It returns why one of the former could not.
func fill(t *testing.T, dial DialFunc, server string, lowest, ports, sources uint32) error {
	t.Helper()
	crowd := &Crowd{}
	ctx := WithControl(t.Context(), portsFrom(lowest, ports))
	for id := range ports * sources {
		conn, err := dial((&Client{crowd: crowd, id: id}).dialing(ctx, ForStream), "tcp", server)
		if err != nil {
			return err
		}
		defer conn.Close()
		host, _, _ := net.SplitHostPort(conn.LocalAddr().String())
		if want := [...]string{"127.0.0.1", "127.0.0.2", "127.0.0.3"}[id%sources]; host != want {
			t.Errorf("client %d comes from %s, want %s", id, host, want)
		}
	}
	for id := range sources {
		if conn, err := dial((&Client{crowd: crowd, id: id}).dialing(ctx, ForStream), "tcp", server); !errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Errorf("source %d has one port more: %v, %v", id, conn, err)
		}
	}
	return nil
}

// portsFrom lets a socket choose among so many local ports only (IP_LOCAL_PORT_RANGE, since Linux 6.3).
func portsFrom(lowest, n uint32) ControlFunc {
	const localPortRange = 51
	return func(_ context.Context, _, _ string, conn syscall.RawConn) error {
		var failed error
		err := conn.Control(func(fd uintptr) {
			failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, localPortRange, int((lowest+n-1)<<16|lowest))
		})
		return errors.Join(err, failed)
	}
}

// No address of a source is that of a whole network.
func TestSourceIP(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for i := range 1 << 15 {
		ip := sourceIP(i).To4()
		if last := ip[3]; !ip.IsLoopback() || last == 0 || last == 255 || seen[ip.String()] {
			t.Fatalf("source %d is %s", i, ip)
		}
		seen[ip.String()] = true
	}
}
