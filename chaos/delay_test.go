package chaos_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"holobench/chaos"
	"holobench/internal/memnet"
	"holobench/wire"
)

// pair connects a plain server end with a delayed client end, over a network in memory.
func pair(t *testing.T, rule chaos.Rule) (server net.Conn, client wire.StampedConn) {
	t.Helper()
	network := memnet.New(nil)
	listener, err := network.Listen("server:1")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := chaos.Delay(network.DialContext, rule)(context.Background(), "tcp", "server:1")
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
		server, client := pair(t, chaos.Constant(250*time.Millisecond))
		began := time.Now()
		go func() {
			for range 3 { // 100 ms apart, all before the first is read
				server.Write([]byte("x"))
				<-time.After(100 * time.Millisecond)
			}
			server.Close()
		}()
		for i := range 3 {
			n, _, at, err := client.ReadStamped(make([]byte, 16))
			if err != nil || n != 1 {
				t.Fatalf("read %d: %d bytes, %v", i, n, err)
			}
			want := began.Add(time.Duration(i)*100*time.Millisecond + 250*time.Millisecond)
			if at != want.UnixNano() || !time.Now().Equal(want) {
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
		server, client := pair(t, chaos.Constant(time.Second))
		server.Write([]byte("x"))
		client.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		began := time.Now()
		if _, err := client.Read(make([]byte, 1)); err == nil || time.Since(began) != 300*time.Millisecond {
			t.Errorf("read ended after %v with %v, want a time-out after 300ms", time.Since(began), err)
		}
		client.SetReadDeadline(time.Time{})
		done := make(chan error)
		go func() {
			_, err := client.Read(make([]byte, 0))
			done <- err
		}()
		synctest.Wait()
		client.Close()
		if err := <-done; err == nil {
			t.Error("a read went on after Close")
		}
	})
}

func TestDelayNeverOvertakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		delays := []time.Duration{500 * time.Millisecond, 0}
		server, client := pair(t, func(int64) time.Duration {
			d := delays[0]
			delays = delays[1:]
			return d
		})
		began := time.Now()
		server.Write([]byte("a"))
		synctest.Wait()
		delays = append(delays, 0)
		server.Write([]byte("b"))
		buf := make([]byte, 1)
		for _, want := range "ab" {
			if _, err := client.Read(buf); err != nil || rune(buf[0]) != want || time.Since(began) != 500*time.Millisecond {
				t.Errorf("read %q after %v (%v), want %q after 500ms", buf, time.Since(began), err, want)
			}
		}
	})
}
