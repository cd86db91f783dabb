package clients

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
)

// TestSlowReader holds that a client reads at its rate, to the byte and the nanosecond, and that what it left behind is an
// interval and not an exact arrival.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		const rate = 1000
		c := b.crowd.NewClient(ClientOptions{ID: 3, Instance: "c3", Channels: []string{"room"}, ReadRate: rate})
		ended := make(chan error, 1)
		go func() { ended <- c.HoldStream(ctx, nil) }()
		sent := streamHead
		var ends []int // of each event, in bytes
		for seq := range uint32(20) {
			sent += chunk(message(testRun, seq+1))
			ends = append(ends, len(sent))
		}
		io.WriteString(<-b.accept, sent)
		time.Sleep(time.Minute)
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		got := b.story(history.Delivered)
		var want []string
		for _, end := range ends { // the read that brings the last byte begins when all that came before was worth its time
			reads := (end + rate/10 - 1) / (rate / 10)
			want = append(want, fmt.Sprintf("%d", (reads-1)*100))
		}
		var handled []string
		b.mu.Lock()
		for _, o := range b.seen {
			if o.Kind == history.Delivered {
				handled = append(handled, fmt.Sprintf("%d", o.Handled/1e6))
				if o.At != 0 {
					t.Errorf("event %d arrived at %v, want 0: that is when the server sent it", o.Event.Seq, time.Duration(o.At))
				}
			}
		}
		b.mu.Unlock()
		if len(got) != 20 || !slices.Equal(handled, want) {
			t.Errorf("%d events, seen at %v ms, want %v", len(got), handled, want)
		}
	})
}

// TestNeverReadingReader holds that a client which never reads is subscribed, sees nothing, notices nothing, and ends all the same.
func TestNeverReadingReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.network.BufferBytes = 4 << 10
		ctx, cancel := context.WithCancel(t.Context())
		c := b.crowd.NewClient(ClientOptions{ID: 3, Instance: "c3", Channels: []string{"room"}, ReadRate: -1})
		ended, ready := make(chan error, 1), make(chan bool, 1)
		go func() { ended <- c.HoldStream(ctx, func() { ready <- true }) }()
		p := <-b.accept
		io.WriteString(p, streamHead)
		<-ready
		p.SetWriteDeadline(time.Now().Add(time.Minute))
		written, err := 0, error(nil)
		for err == nil {
			var n int
			n, err = io.WriteString(p, chunk(message(testRun, 1)))
			written += n
		}
		if written != 4<<10 {
			t.Errorf("the server could write %d bytes, want the 4096 of the buffer", written)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		b.expect(t, []string{"0 opened", "0 subscribed", "0 unsubscribed", "60000 closed"}) // to who reads nothing nothing is owed
	})
}

// TestSlowReadersHaveSmallBuffers holds that the buffer of a slow reader is small, and that of others the system's own.
func TestSlowReadersHaveSmallBuffers(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dialer := net.Dialer{ControlContext: ControlDial}
	size := func(rate int) (bytes int) {
		s := newStream(&Client{readRate: rate})
		conn, err := dialer.DialContext(s.dialContext(t.Context()), "tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		raw, err := conn.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		raw.Control(func(fd uintptr) { bytes, err = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF) })
		if err != nil {
			t.Fatal(err)
		}
		return bytes
	}
	if slow, usual := size(1000), size(0); slow > 4*slowBuffer || usual <= slow {
		t.Errorf("a slow reader has %d bytes, others %d", slow, usual)
	}
}
