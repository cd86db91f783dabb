package chaos

import (
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

// Refuse answers attempts to connect as a machine does on which nobody listens.
type Refuse struct {
	Share float64 // of the attempts, drawn for each; 0 = all
}

// Kind implements Effect.
func (Refuse) Kind() string { return "refuse" }

func (Refuse) needs() needs { return needs{ramp: true} }

func (r Refuse) check() error {
	if !(r.Share >= 0) || r.Share > 1 {
		return errors.New("give a share from 0 to 1")
	}
	return nil
}

// hits draws for an attempt.
func (r Refuse) hits(s *scope, m moment) bool { return s.unit(m, 0) < portion(r.Share)*m.strength }

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

// address is a net.Addr of the text that was dialled.
type address string

func (address) Network() string { return "tcp" }

func (a address) String() string { return string(a) }
