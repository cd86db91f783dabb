package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"syscall"
	"time"

	"holobench/internal/draw"
)

// Refuse answers attempts to connect as a machine does on which nobody listens.
type Refuse struct {
	Share float64 // of the attempts, drawn for each; 0 = all
}

// AcceptDelay makes new connections late: what takes so long is the way, or a server that is slow to accept.
type AcceptDelay struct {
	Law draw.Law // ns; drawn for each connection
}

// SlowReader makes a client read slowly, so that the server's socket fills up, and then its queue. What has arrived but was
// not read yet counts as not delivered: that is the client's doing.
type SlowReader struct {
	Rate          float64 // bytes a second
	ReceiveBuffer int     // bytes of the kernel's receive buffer, set before connecting; 0 = the system's, which takes megabytes
}

// Kind implements Effect.
func (Refuse) Kind() string { return "refuse" }

// Kind implements Effect.
func (AcceptDelay) Kind() string { return "accept_delay" }

// Kind implements Effect.
func (SlowReader) Kind() string { return "slow_reader" }

func (Refuse) needs() needs { return needs{ramp: true} }

func (AcceptDelay) needs() needs { return needs{ramp: true} }

func (SlowReader) needs() needs { return needs{} }

func (r Refuse) check() error {
	if !(r.Share >= 0) || r.Share > 1 {
		return errors.New("give a share from 0 to 1")
	}
	return nil
}

func (a AcceptDelay) check() error {
	if a.Law.Zero() {
		return errors.New("a delay of nothing: give a law")
	}
	return a.Law.Check()
}

func (s SlowReader) check() error {
	if !(s.Rate > 0) || math.IsInf(s.Rate, 1) || s.ReceiveBuffer < 0 {
		return errors.New("give a rate above 0 bytes a second, and a receive buffer of at least 0 bytes")
	}
	return nil
}

// socketKey finds the socket that is being dialled in a context.
type socketKey struct{}

// Control sets the size of receive buffers, as SlowReader asks for: it is net.Dialer.ControlContext of the dialer that
// Dial is given.
func (c *Chaos) Control(ctx context.Context, _, address string, conn syscall.RawConn) error {
	s, ok := ctx.Value(socketKey{}).(Socket)
	if !ok {
		return nil
	}
	for _, f := range c.faults {
		slow, ok := f.Effect.(SlowReader)
		if !ok || slow.ReceiveBuffer == 0 || !f.meets(s) {
			continue
		}
		var failed error
		err := conn.Control(func(fd uintptr) {
			failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, slow.ReceiveBuffer)
		})
		if err := cmp.Or(err, failed); err != nil {
			return fmt.Errorf("set the receive buffer of a slow reader to %d bytes on the way to %s: %w", slow.ReceiveBuffer, address, err)
		}
	}
	return nil
}

// refused says whether an attempt to connect is.
func (c *Chaos) refused(s Socket, addr string) error {
	for _, f := range c.faults {
		r, ok := f.Effect.(Refuse)
		if !ok || !f.meets(s) {
			continue
		}
		sc := scope{chaos: c, fault: f, socket: s, dir: Up}
		if m := sc.moment(time.Now().UnixNano()); m.in && r.hits(&sc, m) {
			sc.decided(m, 0, 0)
			return &net.OpError{Op: "dial", Net: "tcp", Addr: address(addr), Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
		}
	}
	return nil
}

// hits draws for an attempt.
func (r Refuse) hits(s *scope, m moment) bool { return s.unit(m, 0) < portion(r.Share)*m.strength }

// portion is a share of which 0 means all.
func portion(share float64) float64 {
	if share == 0 {
		return 1
	}
	return share
}

// address is a net.Addr of the text that was dialled.
type address string

func (address) Network() string { return "tcp" }

func (a address) String() string { return string(a) }

// accept waits as long as an AcceptDelay says.
func (c *Chaos) accept(ctx context.Context, s Socket) error {
	var late time.Duration
	for _, f := range c.faults {
		a, ok := f.Effect.(AcceptDelay)
		if !ok || !f.meets(s) {
			continue
		}
		sc := scope{chaos: c, fault: f, socket: s, dir: Down}
		if m := sc.moment(time.Now().UnixNano()); m.in {
			one := a.Law.Duration(sc.unit(m, 0))
			sc.decided(m, 0, int64(one))
			late += time.Duration(m.strength * float64(one))
		}
	}
	if late == 0 {
		return nil
	}
	timer := time.NewTimer(late)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
