package chaos_test

import (
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/chaos"
	"holobench/internal/draw"
	"holobench/internal/memnet"
	"holobench/wire"
)

// live returns a link that faults come and go on, and its other end.
func live(t *testing.T, v *chaos.Live, client uint32) (near *chaos.LiveLink, far net.Conn) {
	t.Helper()
	t.Cleanup(func() { // when the link is closed
		v.Close()
		v.Wait()
	})
	return linked(t, v, client, nil)
}

// linked returns a link that offers, and its other end.
func linked(t *testing.T, v *chaos.Live, client uint32, offer func(p []byte) (n int, err error)) (near *chaos.LiveLink, far net.Conn) {
	t.Helper()
	network := memnet.New(nil)
	listener, err := network.Listen("server:1")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := network.DialContext(t.Context(), "tcp", "server:1")
	if err != nil {
		t.Fatal(err)
	}
	if far, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	if near, err = v.Link(conn.(wire.StampedConn), v.Socket(client), offer); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		near.Close()
		far.Close()
		listener.Close()
	})
	return near, far
}

func newLive(t *testing.T) *chaos.Live {
	t.Helper()
	v, err := chaos.NewLive(chaos.LiveOptions{Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestSocketsOfAClientShareALiveDelay: they get their bytes after the same time, and another client after another.
func TestSocketsOfAClientShareALiveDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newLive(t)
		if err := v.Set(chaos.Fault{Name: "lag", Effect: chaos.Delay{Law: lognormal(t, 80*ms, 400*ms)}}, 1); err != nil {
			t.Fatal(err)
		}
		took := func(client uint32) time.Duration {
			near, far := live(t, v, client)
			began := time.Now()
			io.WriteString(far, "x")
			if _, err := near.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		near, far := live(t, v, 1)
		other, farther := live(t, v, 1)
		io.WriteString(far, "x")
		io.WriteString(farther, "x")
		if _, _, at, err := near.ReadStamped(make([]byte, 1)); err != nil {
			t.Fatal(err)
		} else if _, _, same, err := other.ReadStamped(make([]byte, 1)); err != nil || same != at {
			t.Errorf("two sockets of one client got their bytes at %d and %d, %v", at, same, err)
		}
		if a, b := took(2), took(3); a == b {
			t.Errorf("two clients have one delay, %v", a)
		}
		if n := v.Ledger()[0].Decisions; n != 3 {
			t.Errorf("%d delays were drawn for 3 clients", n)
		}
	})
}

// TestADeadLinkStaysDead: a fault that was cleared has killed it, others that come and go do not bring it back.
func TestADeadLinkStaysDead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newLive(t)
		near, far := live(t, v, 1)
		hears := func(conn net.Conn, text string) bool {
			io.WriteString(far, text)
			conn.SetReadDeadline(time.Now().Add(time.Minute))
			n, _ := conn.Read(make([]byte, 10))
			return n > 0
		}
		if !hears(near, "a") {
			t.Fatal("the link is dead before anything happened")
		}
		if err := v.Set(chaos.Fault{Name: "dead", Effect: chaos.HalfOpen{}}, 1); err != nil {
			t.Fatal(err)
		}
		if hears(near, "b") {
			t.Error("the link lives though it is half open")
		}
		v.Clear("dead")
		if err := v.Set(chaos.Fault{Name: "lag", Effect: chaos.Delay{Law: draw.Law{A: 1e6}}}, 1); err != nil {
			t.Fatal(err)
		}
		v.Clear("lag")
		if hears(near, "c") {
			t.Error("the link lives again")
		}
		if near, far = live(t, v, 1); !hears(near, "d") {
			t.Error("a new link is dead, though the fault was cleared")
		}
		if v.Clear("dead") {
			t.Error("a fault was cleared twice")
		}
	})
}

func TestWhatALiveFaultCannotBe(t *testing.T) {
	t.Parallel()
	v := newLive(t)
	one := chaos.Fault{Name: "it", Effect: chaos.Drop{}}
	for want, f := range map[string]func() (chaos.Fault, float64){
		"has a window":      func() (chaos.Fault, float64) { f := one; f.Window.At = 1; return f, 1 },
		"says whom it hits": func() (chaos.Fault, float64) { f := one; f.Where.Share = 0.5; return f, 1 },
		"a share of 1.5":    func() (chaos.Fault, float64) { return one, 1.5 },
		"are open already": func() (chaos.Fault, float64) {
			f := one
			f.Effect = chaos.SlowReader{Rate: 1, ReceiveBuffer: 1}
			return f, 1
		},
		"works on what comes down": func() (chaos.Fault, float64) { f := one; f.Where.Direction = chaos.Up; return f, 1 },
		"give a time of at least":  func() (chaos.Fault, float64) { f := one; f.Effect = chaos.Silence{For: -1}; return f, 1 },
		"a time of at least 0":     func() (chaos.Fault, float64) { f := one; f.Effect = chaos.Lapse{After: -1}; return f, 1 },
		"sizes above 0 bytes":      func() (chaos.Fault, float64) { f := one; f.Effect = chaos.Shred{}; return f, 1 },
	} {
		if err := v.Set(f()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %s", err, want)
		}
	}
	if len(v.Ledger()) > 0 {
		t.Error("a fault that cannot be is in the ledger")
	}
}
