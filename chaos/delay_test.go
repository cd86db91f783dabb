package chaos_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"holobench/chaos"
	"holobench/internal/memnet"
	"holobench/wire"
)

// late connects a plain server end with a delayed client end, over a network in memory.
func late(t *testing.T, delay time.Duration) (server net.Conn, client wire.StampedConn) {
	t.Helper()
	network := memnet.New(nil)
	listener, err := network.Listen("server:1")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := chaos.Late(network.DialContext, delay)(context.Background(), "tcp", "server:1")
	if err != nil {
		t.Fatal(err)
	}
	server, err = listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close(); conn.Close(); server.Close() })
	return server, conn.(wire.StampedConn)
}

func TestDelayIsExactAndCountsFromArrival(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, client := late(t, 250*ms)
		began := time.Now()
		go func() {
			for range 3 { // 100 ms apart, all before the first is due
				server.Write([]byte("x"))
				<-time.After(100 * time.Millisecond)
			}
			server.Close()
		}()
		for i := range 3 {
			n, notBefore, at, err := client.ReadStamped(make([]byte, 16))
			if err != nil || n != 1 {
				t.Fatalf("read %d: %d bytes, %v", i, n, err)
			}
			want := began.Add(time.Duration(i)*100*time.Millisecond + 250*time.Millisecond)
			if at != want.UnixNano() || !time.Now().Equal(want) || notBefore > at {
				t.Errorf("byte %d: stamped %v, read %v, want both %v", i, time.Unix(0, at).Sub(began), time.Since(began), want.Sub(began))
			}
		}
		if _, _, _, err := client.ReadStamped(make([]byte, 16)); !errors.Is(err, io.EOF) {
			t.Errorf("after the end: %v, want EOF", err)
		}
		if got := time.Since(began); got != 550*time.Millisecond {
			t.Errorf("the end came after %v, want 550ms: the end of a connection is delayed like its bytes", got)
		}
	})
}

func TestDelayHonoursDeadlineAndClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, client := late(t, time.Second)
		server.Write([]byte("x"))
		client.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		began := time.Now()
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != 300*time.Millisecond {
			t.Errorf("read ended after %v with %v, want a time-out after 300ms", time.Since(began), err)
		}
		client.SetReadDeadline(time.Time{})
		if n, err := client.Read(make([]byte, 2)); n != 1 || err != nil || time.Since(began) != time.Second {
			t.Errorf("read %d bytes after %v with %v, want one after 1s", n, time.Since(began), err)
		}
		done := make(chan error)
		read := func() {
			_, err := client.Read(make([]byte, 1))
			done <- err
		}
		go read()
		synctest.Wait()
		client.SetReadDeadline(time.Unix(1, 0)) // as an end of a context does
		if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a read went on after its deadline was moved: %v", err)
		}
		client.SetReadDeadline(time.Time{})
		go read()
		synctest.Wait()
		client.Close()
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("a read went on after Close: %v", err)
		}
	})
}

// The two sockets of a client share the path: what gets on it in some order gets off it in that order, whatever the law, whichever
// the socket, within a slot and across, and where a window ends or begins again.
func TestOnePathForEachClient(t *testing.T) {
	t.Parallel()
	for name, window := range map[string]chaos.Window{
		"one window": {For: 20 * s}, "again and again": {For: 500 * ms, Every: 500 * ms, Times: 40}, "with pauses": {For: 900 * ms, Every: s, Times: 20},
		"slowly": {For: 20 * s, Ramp: 5 * s},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onePath(t, window)
		})
	}
}

func onePath(t *testing.T, window chaos.Window) {
	synctest.Test(t, func(t *testing.T) {
		heavy := lognormal(t, 40*ms, 900*ms)
		r := newRig(t, 7, chaos.Fault{Name: "lag", Window: window, Effect: chaos.Delay{Law: heavy, Hold: 50 * ms}})
		stream, streamEnd := r.connect(3, chaos.Stream)
		command, commandEnd := r.connect(3, chaos.Command)
		go func() {
			for i := range 2000 { // beyond the end of the window
				end := streamEnd
				if i%3 == 1 {
					end = commandEnd
				}
				end.Write([]byte{byte(i), byte(i >> 8)})
				<-time.After(11 * ms)
			}
			streamEnd.Close()
			commandEnd.Close()
		}()
		seen := make(chan []arrival)
		for _, conn := range []net.Conn{stream, command} {
			go func() { seen <- numbers(r, conn) }()
		}
		at := make([]time.Duration, 2000)
		for range 2 {
			for _, a := range <-seen {
				at[a.number] = a.at
			}
		}
		var moved int
		for i := range at {
			sent := time.Duration(i) * 11 * ms
			if at[i] < sent || i > 0 && at[i] < at[i-1] {
				t.Fatalf("message %d, sent at %v, came at %v, the one before at %v", i, sent, at[i], at[max(0, i-1)])
			}
			if at[i] != sent {
				moved++
			}
		}
		if moved < 1600 || at[1999] != 1999*11*ms {
			t.Errorf("%d of 2000 messages were late, the last came at %v", moved, at[1999])
		}
	})
}
