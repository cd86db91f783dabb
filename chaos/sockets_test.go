package chaos_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"holobench/chaos"
	"holobench/wire"
	"holobench/wire/http1"
)

// stampedTCP stamps by the clock of the process, which is enough to see an effect.
type stampedTCP struct {
	*net.TCPConn
}

func (c stampedTCP) ReadStamped(p []byte) (n int, notBefore, at int64, err error) {
	n, err = c.Read(p)
	return n, 0, time.Now().UnixNano(), err
}

func (stampedTCP) StampSource() wire.StampSource { return wire.StampUser }

// onSockets makes a rig over loopback TCP.
func onSockets(t *testing.T, fault chaos.Fault) *rig {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var r *rig
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		dialer := net.Dialer{ControlContext: r.chaos.Control}
		conn, err := dialer.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		if s, ok := fault.Effect.(chaos.SlowReader); ok {
			hasBuffer(t, conn.(*net.TCPConn), s.ReceiveBuffer)
		}
		return stampedTCP{conn.(*net.TCPConn)}, nil
	}
	fault.Name = "it"
	r = rigOn(t, 1, listener, dial, fault)
	return r
}

// hasBuffer checks the size of a receive buffer; Linux doubles what it is asked for.
func hasBuffer(t *testing.T, conn *net.TCPConn, size int) {
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var got int
	raw.Control(func(fd uintptr) { got, err = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF) })
	if err != nil || got > 2*size {
		t.Errorf("the receive buffer holds %d bytes, %v", got, err)
	}
}

// takes reads size bytes and says how long that took.
func takes(t *testing.T, conn net.Conn, size int) time.Duration {
	t.Helper()
	began := time.Now()
	if _, err := io.ReadFull(conn, make([]byte, size)); err != nil {
		t.Errorf("reading %d bytes: %v", size, err)
	}
	return time.Since(began)
}

// ends reads until the end and says what that was.
func ends(conn net.Conn) error {
	conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, err := io.Copy(io.Discard, conn)
	if err == nil {
		return io.EOF
	}
	return err
}

// onSocket is a fault, and what it must do to a connection.
type onSocket struct {
	effect chaos.Effect
	window chaos.Window
	test   func(t *testing.T, near, far net.Conn)
}

// tardy is how late the faults below make things.
const tardy = 60 * ms

// Every fault has an effect at the other end of a real socket. Times are bounded from below only: what a busy machine adds
// is not the fault's.
func TestFaultsOnSockets(t *testing.T) {
	t.Parallel()
	for _, c := range append(bytesOnSockets(), messagesOnSockets()...) {
		t.Run(c.effect.Kind(), func(t *testing.T) {
			t.Parallel()
			r := onSockets(t, chaos.Fault{Window: c.window, Effect: c.effect})
			near, far := r.connect(1, chaos.Stream)
			r.began = time.Now()
			r.run(t.Context())
			c.test(t, near, far)
		})
	}
}

func bytesOnSockets() []onSocket {
	always := chaos.Window{Always: true}
	return []onSocket{
		{chaos.Delay{Law: constant(tardy)}, always, func(t *testing.T, near, far net.Conn) {
			io.WriteString(far, "x")
			if took := takes(t, near, 1); took < tardy-ms {
				t.Errorf("a byte took %v", took)
			}
		}},
		{chaos.Bandwidth{Rate: 200e3}, always, func(t *testing.T, near, far net.Conn) {
			go far.Write(make([]byte, 16e3))
			if took := takes(t, near, 16e3); took < 78*ms {
				t.Errorf("16 kB took %v, at 200 kB/s", took)
			}
		}},
		{chaos.Slice{Size: 5, Gap: 10 * ms}, always, func(t *testing.T, near, far net.Conn) {
			io.WriteString(far, "0123456789abc")
			buf := make([]byte, 100)
			n, _ := near.Read(buf)
			if took := takes(t, near, 8); n != 5 || took < 18*ms {
				t.Errorf("first %d bytes, then the rest in %v", n, took)
			}
		}},
		{chaos.Stall{}, chaos.Window{For: 150 * ms}, func(t *testing.T, near, far net.Conn) {
			io.WriteString(far, "x")
			if took := takes(t, near, 1); took < 100*ms {
				t.Errorf("a byte took %v", took)
			}
		}},
		{chaos.HalfOpen{}, always, func(t *testing.T, near, far net.Conn) {
			io.WriteString(far, "x")
			far.Close()
			near.SetReadDeadline(time.Now().Add(tardy))
			if n, err := near.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("read %d bytes, %v", n, err)
			}
		}},
		{chaos.Reset{}, chaos.Window{At: tardy}, func(t *testing.T, near, far net.Conn) {
			if a, b := ends(near), ends(far); !errors.Is(a, syscall.ECONNRESET) || !errors.Is(b, syscall.ECONNRESET) {
				t.Errorf("the client got %v, the server %v", a, b)
			}
		}},
		{chaos.Close{}, chaos.Window{At: tardy}, func(t *testing.T, near, far net.Conn) {
			if a, b := ends(near), ends(far); !errors.Is(a, io.EOF) || !errors.Is(b, io.EOF) {
				t.Errorf("the client got %v, the server %v", a, b)
			}
		}},
		{chaos.SlowClose{Law: constant(tardy)}, always, func(t *testing.T, near, far net.Conn) {
			began := time.Now()
			far.Close()
			if err := ends(near); !errors.Is(err, io.EOF) || time.Since(began) < tardy-ms {
				t.Errorf("%v after %v", err, time.Since(began))
			}
		}},
		{chaos.LimitData{Bytes: 4}, chaos.Window{}, func(t *testing.T, near, far net.Conn) {
			io.WriteString(far, "0123456789")
			text, err := io.ReadAll(near)
			if string(text) != "0123" || err != nil || !errors.Is(ends(far), io.EOF) {
				t.Errorf("read %q, %v", text, err)
			}
		}},
		{chaos.Loss{Rate: 1, Timeout: ms / 5}, always, func(t *testing.T, near, far net.Conn) {
			go far.Write(make([]byte, 2000))
			if took := takes(t, near, 2000); took < 100*ms {
				t.Errorf("two packets that were lost nine times each took %v", took)
			}
		}},
		{chaos.Buffer{Bytes: 6}, always, func(t *testing.T, near, far net.Conn) {
			io.WriteString(far, "abc")
			near.SetReadDeadline(time.Now().Add(tardy))
			if n, _ := near.Read(make([]byte, 10)); n != 0 {
				t.Errorf("%d bytes came early", n)
			}
			near.SetReadDeadline(time.Time{})
			io.WriteString(far, "def")
			if n, err := near.Read(make([]byte, 10)); n != 6 || err != nil {
				t.Errorf("%d bytes came together, %v", n, err)
			}
		}},
	}
}

func messagesOnSockets() []onSocket {
	always := chaos.Window{Always: true}
	return []onSocket{
		{chaos.SlowReader{Rate: 20e3, ReceiveBuffer: 4096}, always, slowlyRead},
		{chaos.HTTPAbort{Status: 503}, always, func(t *testing.T, near, far net.Conn) {
			io.WriteString(near, "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi")
			var parser http1.Parser
			answer := &reply{}
			buf := make([]byte, 1000)
			n, _ := near.Read(buf)
			if _, err := parser.Feed(buf[:n], answer); err != nil || answer.status != 503 || !parser.Done() {
				t.Errorf("answered %q", buf[:n])
			}
			near.Close()
			if text, err := io.ReadAll(far); len(text) > 0 || err != nil {
				t.Errorf("the server saw %q, %v", text, err)
			}
		}},
		{chaos.HTTPDelay{Law: constant(tardy)}, always, func(t *testing.T, near, far net.Conn) {
			request := "GET / HTTP/1.1\r\n\r\n"
			io.WriteString(near, request)
			if took := takes(t, far, len(request)); took < tardy-ms {
				t.Errorf("the request took %v", took)
			}
		}},
		{chaos.Drop{Pick: chaos.Pick{Nth: 2}}, always, changes(ids(5)[0], ids(5)[2], ids(5)[4])},
		{chaos.Duplicate{Pick: chaos.Pick{Nth: 4}}, always, changes(ids(5)[0], ids(5)[1], ids(5)[2], ids(5)[3], ids(5)[3], ids(5)[4])},
		{chaos.Reorder{Pick: chaos.Pick{Nth: 4}, Distance: 1}, always, changes(ids(5)[0], ids(5)[1], ids(5)[2], ids(5)[4], ids(5)[3])},
		{chaos.HeartbeatLoss{}, always, changes(ids(5)...)},
		{chaos.Truncate{}, always, changes()},
		{chaos.Corrupt{}, always, func(t *testing.T, near, far net.Conn) {
			all := stream(1, false)
			far.Write(all)
			far.Close()
			text, _ := io.ReadAll(near)
			if distance(string(text), string(all)) != 1 {
				t.Errorf("%q came of %q", text, all)
			}
		}},
	}
}

// changes sends five events, and says which should be heard whole.
func changes(want ...wire.EventID) func(t *testing.T, near, far net.Conn) {
	return func(t *testing.T, near, far net.Conn) {
		h := &heard{t: t}
		go func() {
			far.Write(stream(5, true))
			far.Close()
		}()
		all, err := io.ReadAll(near)
		if _, failed := h.response.Feed(all, h); failed != nil || err != nil {
			t.Errorf("%v, %v", failed, err)
		}
		h.events = slices.DeleteFunc(h.events, func(e wire.EventID) bool { return e.Seq == 0 })
		texts := strings.Join(h.texts, "\n")
		if len(want) == 0 && strings.Contains(texts, "ä€ 5") || len(want) > 0 && !slices.Equal(h.events, want) {
			t.Errorf("heard %v: %s", h.events, texts)
		}
	}
}

// slowlyRead: the server's writes stop long before what it could send, and the client gets no more than its rate.
func slowlyRead(t *testing.T, near, far net.Conn) {
	const much = 16 << 20
	blocked := make(chan int)
	go func() {
		far.SetWriteDeadline(time.Now().Add(2 * s))
		n, _ := far.Write(make([]byte, much))
		blocked <- n
	}()
	if took := takes(t, near, 6000); took < 200*ms {
		t.Errorf("6 kB took %v, at 20 kB/s", took)
	}
	if n := <-blocked; n == much {
		t.Errorf("the server could write %d bytes, as if somebody read them", n)
	}
}

// Attempts to connect are refused, or late.
func TestDialling(t *testing.T) {
	t.Parallel()
	r := onSockets(t, chaos.Fault{Window: chaos.Window{Always: true}, Effect: chaos.Refuse{}})
	if _, err := r.dial(t.Context(), "tcp", r.listener.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dialled: %v", err)
	}
	r = onSockets(t, chaos.Fault{Window: chaos.Window{Always: true}, Effect: chaos.AcceptDelay{Law: constant(60 * ms)}})
	began := time.Now()
	r.connect(1, chaos.Stream)
	if took := time.Since(began); took < 59*ms {
		t.Errorf("connected after %v", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*ms)
	defer cancel()
	if _, err := r.dial(ctx, "tcp", r.listener.Addr().String()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("dialled in spite of a context that ended: %v", err)
	}
}
