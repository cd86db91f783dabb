package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"syscall"
	"time"
)

// SlowReader makes a client read slowly, so that the server's socket fills up, and then its queue. What has arrived but was
// not read yet counts as not delivered: that is the client's doing.
type SlowReader struct {
	Rate          float64 // bytes a second
	ReceiveBuffer int     // bytes of the kernel's receive buffer, set before connecting; 0 = the system's, which takes megabytes
}

// Kind implements Effect.
func (SlowReader) Kind() string { return "slow_reader" }

func (SlowReader) needs() needs { return needs{} }

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

// slowReads is SlowReader on one link; nil reads as fast as it can.
type slowReads struct {
	scope
	SlowReader
	free int64 // when it may read again
}

// next is when the next read may be.
func (s *slowReads) next() int64 {
	if s == nil {
		return 0
	}
	return s.free
}

// most is how many bytes the next read may bring: what goes through in 50 ms, so that a slow reader is slow evenly.
func (s *slowReads) most(room int) int {
	if s == nil || !s.moment(time.Now().UnixNano()).in {
		return room
	}
	return min(room, max(1, int(s.Rate/20)))
}

// took says when n bytes that a read brought count as arrived: when they were read, while the reader is slow.
func (s *slowReads) took(n int, at int64) int64 {
	now := time.Now().UnixNano()
	if !s.moment(now).in {
		return at
	}
	s.free = now + int64(float64(n)/s.Rate*float64(time.Second))
	return now
}
