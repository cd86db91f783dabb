package run

import (
	"io"
	"net"
	"strings"
	"testing"
)

// pipe is a TCP connection to a peer that acknowledges late: nobody reads there.
func pipe(t *testing.T) (near, far net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	accepted := make(chan net.Conn, 1)
	go func() {
		conn, _ := listener.Accept()
		accepted <- conn
	}()
	near, err = net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far = <-accepted
	t.Cleanup(func() {
		near.Close()
		far.Close()
	})
	return near, far
}

// A write that TCP holds back is over when it has left, not when write(2) returned.
func TestNoiseWriteWaitsUntilItHasLeft(t *testing.T) {
	t.Parallel()
	near, _ := pipe(t)
	peer := &NoisePeer{Pause: Nanosleep()}
	if w, err := peer.write(near, []byte("x")); err != nil || w.Waited != 0 || w.End < w.Begin {
		t.Errorf("the first write: %+v, %v", w, err)
	}
	held := 0
	for n := 0; held == 0; n++ { // each write is a segment, and at first ten of them fill the congestion window
		if n == 1000 {
			t.Skip("this system holds nothing back")
		}
		if _, err := io.WriteString(near, "x"); err != nil {
			t.Fatal(err)
		}
		var err error
		if held, err = unsent(near); err != nil {
			t.Fatal(err)
		}
	}
	w, err := peer.write(near, []byte("x"))
	rest, unknown := unsent(near)
	if err != nil || unknown != nil || rest != 0 || w.Waited <= 0 || w.End-w.Begin < w.Waited {
		t.Errorf("%d bytes were held: %+v, %v; %d bytes are left, %v", held, w, err, rest, unknown)
	}
}

func TestNoiseWriteThatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	near, _ := pipe(t)
	near.Close()
	if _, err := unsent(near); err == nil || !strings.HasPrefix(err.Error(), "ask what 127.0.0.1:") {
		t.Errorf("of a closed connection: %v", err)
	}
	if _, err := new(NoisePeer).write(near, []byte("x")); err == nil {
		t.Error("a write to a closed connection succeeded")
	}
}
