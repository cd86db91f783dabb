package memnet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"holobench/internal/memnet"
)

// connect returns both ends of a connection over a network of its own.
func connect(t *testing.T, bufferBytes int) (near, far *memnet.Conn) {
	t.Helper()
	network := memnet.New(nil)
	network.BufferBytes = bufferBytes
	l, err := network.Listen("server:0")
	if err != nil {
		t.Fatal(err)
	}
	dialled, err := network.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = l.Close()
		_ = dialled.Close()
		_ = accepted.Close()
	})
	return dialled.(*memnet.Conn), accepted.(*memnet.Conn)
}

func mustWrite(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if n, err := c.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("Write(%d bytes) = %d, %v", len(text), n, err)
	}
}

// read reads once into room for size bytes, and gives the times relative to start.
func read(t *testing.T, c *memnet.Conn, size int, start time.Time) (text string, notBefore, at time.Duration) {
	t.Helper()
	p := make([]byte, size)
	n, nb, stamp, err := c.ReadStamped(p)
	if err != nil {
		t.Fatalf("ReadStamped: %v", err)
	}
	if nb != 0 {
		notBefore = time.Duration(nb - start.UnixNano())
	} else {
		notBefore = -1
	}
	return string(p[:n]), notBefore, time.Duration(stamp - start.UnixNano())
}

// step is what one read is to give; notBefore -1 = never yet.
type step struct {
	text          string
	notBefore, at time.Duration
}

func expect(t *testing.T, c *memnet.Conn, size int, start time.Time, want step) {
	t.Helper()
	text, notBefore, at := read(t, c, size, start)
	if got := (step{text, notBefore, at}); got != want {
		t.Errorf("read of %d = %+v, want %+v", size, got, want)
	}
}

func TestStampsOfABlockedReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		near, far := connect(t, 0)
		start := time.Now()
		go func() {
			time.Sleep(250 * time.Millisecond)
			_, _ = near.Write([]byte("one"))
			time.Sleep(time.Hour)
			_, _ = near.Write([]byte("two"))
		}()
		time.Sleep(100 * time.Millisecond)
		// The read finds the queue empty at 100 ms, so that is what the bytes came after.
		expect(t, far, 64, start, step{"one", 100 * time.Millisecond, 250 * time.Millisecond})
		// It was emptied at 250 ms, but the next read finds it empty again, later.
		time.Sleep(time.Second)
		expect(t, far, 64, start, step{"two", 1250 * time.Millisecond, time.Hour + 250*time.Millisecond})
	})
}

func TestQueuedSegmentsCarryTheLastStamp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		near, far := connect(t, 0)
		start := time.Now()
		for _, text := range []string{"a", "b", "c"} {
			mustWrite(t, near, text)
			time.Sleep(5 * time.Millisecond)
		}
		expect(t, far, 64, start, step{"abc", -1, 10 * time.Millisecond})

		// In small reads all three carry the last stamp too, and none of them knows a notBefore but that of the read
		// that emptied the queue at 15 ms.
		for _, text := range []string{"d", "e", "f"} {
			mustWrite(t, near, text)
			time.Sleep(5 * time.Millisecond)
		}
		for _, text := range []string{"d", "e", "f"} {
			expect(t, far, 1, start, step{text, 15 * time.Millisecond, 25 * time.Millisecond})
		}

		// A segment that comes between two small reads lifts the stamp of what waits.
		mustWrite(t, near, "gh")
		expect(t, far, 1, start, step{"g", 30 * time.Millisecond, 30 * time.Millisecond})
		time.Sleep(time.Millisecond)
		mustWrite(t, near, "i")
		expect(t, far, 64, start, step{"hi", 30 * time.Millisecond, 31 * time.Millisecond})
	})
}

func TestPlainReadMovesNotBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		near, far := connect(t, 0)
		start := time.Now()
		mustWrite(t, near, "head")
		time.Sleep(time.Second)
		if _, err := far.Read(make([]byte, 64)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		mustWrite(t, near, "body")
		expect(t, far, 64, start, step{"body", time.Second, 2 * time.Second})
	})
}

func TestOwnClock(t *testing.T) {
	t.Parallel()
	network := memnet.New(func() int64 { return 42 })
	l, err := network.Listen("server:80")
	if err != nil {
		t.Fatal(err)
	}
	near, err := network.DialContext(t.Context(), "tcp", "server:80")
	if err != nil {
		t.Fatal(err)
	}
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	mustWrite(t, near, "x")
	if _, _, at, _ := far.(*memnet.Conn).ReadStamped(make([]byte, 1)); at != 42 {
		t.Errorf("at = %d, want the network's own clock, 42", at)
	}
}

func TestWriteWaitsForRoomOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		near, far := connect(t, 4)
		start := time.Now()
		mustWrite(t, near, "1234") // nobody reads
		go func() {
			time.Sleep(3 * time.Second)
			expect(t, far, 2, start, step{"12", -1, 0})
			time.Sleep(3 * time.Second)
			expect(t, far, 64, start, step{"3456", -1, 3 * time.Second})
		}()
		mustWrite(t, near, "567") // "56" at 3 s, "7" at 6 s
		if waited := time.Since(start); waited != 6*time.Second {
			t.Errorf("the write took %v, want 6s", waited)
		}
		expect(t, far, 64, start, step{"7", 6 * time.Second, 6 * time.Second})
	})
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		near, far := connect(t, 4)
		start := time.Now()
		_ = near.SetDeadline(start.Add(2 * time.Second))
		if n, err := near.Write([]byte("123456")); n != 4 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write = %d, %v; want 4 and a passed deadline", n, err)
		}
		if waited := time.Since(start); waited != 2*time.Second {
			t.Errorf("the write gave up after %v, want 2s", waited)
		}
		mustWrite(t, far, "x")
		_, err := near.Read(make([]byte, 1))
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("Read behind the deadline = %v, want a timeout although bytes wait", err)
		}
		_ = near.SetReadDeadline(time.Time{})
		if n, err := near.Read(make([]byte, 8)); n != 1 || err != nil {
			t.Errorf("Read without a deadline = %d, %v", n, err)
		}
		// A deadline in the past ends a read that is already waiting, and an older timer does not end a newer wait.
		_ = near.SetReadDeadline(time.Now().Add(time.Minute))
		go func() {
			time.Sleep(time.Second)
			_ = near.SetReadDeadline(time.Unix(1, 0))
		}()
		begin := time.Now()
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("Read = %v after %v, want a passed deadline after 1s", err, time.Since(begin))
		}
		_ = near.SetReadDeadline(time.Now().Add(time.Second))
		_ = near.SetReadDeadline(time.Now().Add(time.Hour))
		begin = time.Now()
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != time.Hour {
			t.Errorf("Read = %v after %v, want a passed deadline after 1h", err, time.Since(begin))
		}
	})
}

func TestHowConnectionsEnd(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		end  func(t *testing.T, near, far *memnet.Conn) // far ends it
		read error                                      // what near reads behind "bye"
		send [2]error                                   // what near's first and second write give
	}{
		{
			name: "close is a FIN, and the first write after it is lost",
			end:  func(t *testing.T, _, far *memnet.Conn) { _ = far.Close() },
			read: io.EOF, send: [2]error{nil, syscall.EPIPE},
		},
		{
			name: "close with unread bytes is a RST",
			end: func(t *testing.T, near, far *memnet.Conn) {
				mustWrite(t, near, "unread")
				_ = far.Close()
			},
			read: syscall.ECONNRESET, send: [2]error{syscall.ECONNRESET, syscall.ECONNRESET},
		},
		{
			name: "reset",
			end:  func(t *testing.T, _, far *memnet.Conn) { far.Reset() },
			read: syscall.ECONNRESET, send: [2]error{syscall.ECONNRESET, syscall.ECONNRESET},
		},
		{
			name: "half-close leaves the other direction open",
			end:  func(t *testing.T, _, far *memnet.Conn) { _ = far.CloseWrite() },
			read: io.EOF, send: [2]error{nil, nil},
		},
		{
			name: "one's own close",
			end: func(t *testing.T, near, _ *memnet.Conn) {
				if _, err := near.Read(make([]byte, 3)); err != nil {
					t.Error(err)
				}
				_ = near.Close()
			},
			read: net.ErrClosed, send: [2]error{net.ErrClosed, net.ErrClosed},
		},
		{
			name: "one's own half-close",
			end: func(t *testing.T, near, far *memnet.Conn) {
				_ = near.CloseWrite()
				_ = far.Close()
			},
			read: io.EOF, send: [2]error{syscall.EPIPE, syscall.EPIPE},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			near, far := connect(t, 0)
			mustWrite(t, far, "bye")
			test.end(t, near, far)
			got := make([]byte, 8)
			n, err := near.Read(got)
			if err == nil { // what had arrived is read before the end shows
				if string(got[:n]) != "bye" {
					t.Errorf("read %q, want %q", got[:n], "bye")
				}
				_, err = near.Read(got)
			}
			if !errors.Is(err, test.read) {
				t.Errorf("Read = %v, want %v", err, test.read)
			}
			for i, want := range test.send {
				if _, err := near.Write([]byte("x")); !errors.Is(err, want) {
					t.Errorf("write %d = %v, want %v", i+1, err, want)
				}
			}
		})
	}
}

func TestEndsWakeWhoWaits(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		end         func(near, far *memnet.Conn)
		read, write error
	}{
		"own close":   {func(near, _ *memnet.Conn) { _ = near.Close() }, net.ErrClosed, net.ErrClosed},
		"peer resets": {func(_, far *memnet.Conn) { far.Reset() }, syscall.ECONNRESET, syscall.ECONNRESET},
		"peer closes with unread bytes": {
			func(_, far *memnet.Conn) { _ = far.Close() }, syscall.ECONNRESET, syscall.ECONNRESET,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				near, far := connect(t, 4)
				mustWrite(t, near, "full")
				reading, writing := make(chan error, 1), make(chan error, 1)
				go func() { _, err := near.Read(make([]byte, 1)); reading <- err }()
				go func() { _, err := near.Write([]byte("more")); writing <- err }()
				synctest.Wait()
				test.end(near, far)
				if err := <-reading; !errors.Is(err, test.read) {
					t.Errorf("Read = %v, want %v", err, test.read)
				}
				if err := <-writing; !errors.Is(err, test.write) {
					t.Errorf("Write = %v, want %v", err, test.write)
				}
			})
		})
	}
}

func TestListeners(t *testing.T) {
	t.Parallel()
	network := memnet.New(nil)
	l, err := network.Listen("server:80")
	if err != nil {
		t.Fatal(err)
	}
	_, err = network.Listen("server:80")
	checkErr(t, "a second listener", err, syscall.EADDRINUSE)
	_, err = network.DialContext(t.Context(), "tcp", "server:81")
	checkErr(t, "a dial to nobody", err, syscall.ECONNREFUSED)
	_, err = network.DialContext(t.Context(), "udp", "server:80")
	checkErr(t, "a dial by udp", err, net.UnknownNetworkError("udp"))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = network.DialContext(ended, "tcp", "server:80")
	checkErr(t, "a dial that was cancelled", err, context.Canceled)
	if _, err = network.Listen("no port"); err == nil {
		t.Error("an address without a port was taken")
	}

	waiting, err := network.DialContext(t.Context(), "tcp", "server:80")
	if err != nil {
		t.Fatal(err)
	}
	if err = l.Close(); err != nil {
		t.Error(err)
	}
	_, err = waiting.Read(make([]byte, 1))
	checkErr(t, "a connection that nobody accepted", err, syscall.ECONNRESET)
	_, err = l.Accept()
	checkErr(t, "Accept on a closed listener", err, net.ErrClosed)
	if l, err = network.Listen("server:80"); err != nil {
		t.Errorf("listening again: %v", err)
	}
	_ = l.Close()
}

func checkErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// TestDialWaitsForTheBacklog fills the backlog; the next dial waits, as the kernel drops a SYN, until Accept or ctx.
func TestDialWaitsForTheBacklog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(nil)
		l, err := network.Listen("server:80")
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err = network.DialContext(ctx, "tcp", "server:80")
			cancel()
			if err != nil {
				break
			}
		}
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("dial into a full backlog = %v after %v, want a passed deadline after 1s", err, time.Since(start))
		}
		dialled := make(chan error, 1)
		go func() {
			_, err := network.DialContext(t.Context(), "tcp", "server:80")
			dialled <- err
		}()
		synctest.Wait()
		if _, err = l.Accept(); err != nil {
			t.Fatal(err)
		}
		if err = <-dialled; err != nil {
			t.Errorf("dial after an Accept: %v", err)
		}
		_ = l.Close()
	})
}

// TestHTTP runs the real client and server of net/http in a bubble: keep-alive, a body larger than the buffer, and a
// server that takes an hour.
func TestHTTP(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(nil)
		l, err := network.Listen("server:80")
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Hour)
			_, _ = io.Copy(w, r.Body)
		})}
		served := make(chan error, 1)
		go func() { served <- server.Serve(l) }()
		transport := &http.Transport{DialContext: network.DialContext}
		client := &http.Client{Transport: transport}
		body := strings.Repeat("0123456789abcdef", 1<<16)
		for range 3 {
			start := time.Now()
			response, err := client.Post("http://server:80/", "text/plain", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err != nil || !bytes.Equal(got, []byte(body)) || time.Since(start) != time.Hour {
				t.Errorf("%d bytes, %v, after %v", len(got), err, time.Since(start))
			}
		}
		transport.CloseIdleConnections()
		if err = server.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if err = <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}
