package wire

import (
	"net"
	"sync"
)

// StampedConn is a connection that says when its bytes arrived. Stamps travel with the connection: a wrapper that delays
// or cuts it implements StampedConn too and returns the stamp that its own rule produced, else an injected delay would
// stay invisible behind the kernel's stamp.
type StampedConn interface {
	net.Conn

	// ReadStamped is Read with two times, both in nanoseconds of CLOCK_REALTIME since 1970. The last byte of p[:n]
	// arrived at "at". No byte of it arrived before notBefore: the arrival of the last byte of the read that emptied this
	// connection before, or a later moment at which it was known to be empty (0 = never yet). n < len(p) says that this
	// read emptied the connection, so that a message which ends with the last byte of p[:n] arrived exactly at "at" when
	// the kernel took that stamp; of the messages before it no more is known than the interval (notBefore, at], because
	// the kernel keeps one stamp for all that waits in a queue.
	ReadStamped(p []byte) (n int, notBefore, at int64, err error)
}

// StampSource says who took the stamps of a connection.
type StampSource uint8

// The sources of a stamp, best first. A connection with a method StampSource() StampSource says who took that of its last
// read; one without it has stamps of the kernel.
const (
	StampKernel StampSource = iota // by the kernel when the segment arrived, or by the clock of a bubble in a test
	StampUser                      // by the process after its read returned: late by the scheduler's lag
)

// Buffer is room for the bytes of one read.
type Buffer interface {
	// Bytes is all of the room.
	Bytes() []byte
}

// Borrower is a StampedConn that can wait for bytes without a buffer, so that ten thousand idle streams share a handful.
// Who wraps a Borrower is one too.
type Borrower interface {
	StampedConn

	// ReadBorrowed is ReadStamped into a Buffer that it takes from pool, all of whose values are Buffers, once there is
	// something to put into it. The caller gives it back; it is nil beside an error.
	ReadBorrowed(pool *sync.Pool) (b Buffer, n int, notBefore, at int64, err error)
}
