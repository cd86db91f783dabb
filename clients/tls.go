package clients

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"holobench/wire"
)

// tlsConn is a connection in TLS that says when its bytes arrived. What a record holds can be read only when the last byte of the record
// is there; so that is when all of it arrived.
//
// crypto/tls reads from the socket through a recordReader, which hands out the bytes of one record at a time: else it would take several
// of them at once, and nobody knew to which of them the stamp belongs.
type tlsConn struct {
	*tls.Conn

	records *recordReader
	some    bool // something of a record may be left that was longer than the buffer of its reader
}

// encrypt makes conn one in TLS, and shakes hands.
func (c *Crowd) encrypt(ctx context.Context, conn wire.StampedConn, http2 bool) (wire.StampedConn, error) {
	config := c.TLS
	if config.ServerName == "" && !config.InsecureSkipVerify {
		config = config.Clone()
		host, _, err := net.SplitHostPort(c.host())
		if err != nil {
			host = c.host() // it has no port
		}
		config.ServerName = host
	}
	if http2 {
		config = config.Clone()
		config.NextProtos = []string{"h2", "http/1.1"} // the second lets a server that speaks no HTTP/2 say so
	}
	records := &recordReader{StampedConn: conn, crowd: c}
	t := &tlsConn{Conn: tls.Client(records, config), records: records}
	if err := t.HandshakeContext(ctx); err != nil {
		conn.Close() //nolint:errcheck // there was nothing on it yet
		return nil, insecure(err)
	}
	if http2 && t.ConnectionState().NegotiatedProtocol != "h2" {
		conn.Close() //nolint:errcheck // as above
		return nil, &RefusedError{step: errNotHTTP2}
	}
	return t, nil
}

// insecure names what kept TLS from coming about, and leaves what was the network what it is.
func insecure(err error) error {
	_, other := errors.AsType[tls.RecordHeaderError](err)
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	_, network := errors.AsType[net.Error](err)
	switch {
	case other, untrusted, alerted(err):
	case network, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, context.Canceled):
		return err
	}
	return fmt.Errorf("%w: %w", errInsecure, err)
}

// Read implements net.Conn.
func (t *tlsConn) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.some = n == len(p)
	return n, err
}

// ReadStamped implements wire.StampedConn. It returns what one record holds, at most: the records of one read of the socket have the
// same two times. Only the last of them arrived exactly at the second, and only when nothing of another came behind it; see StampSource.
func (t *tlsConn) ReadStamped(p []byte) (n int, notBefore, at int64, err error) {
	n, err = t.Read(p)
	return n, t.records.notBefore, t.records.at, err
}

// ReadBorrowed implements wire.Borrower: it borrows a buffer when something has arrived.
func (t *tlsConn) ReadBorrowed(pool *sync.Pool) (b wire.Buffer, n int, notBefore, at int64, err error) {
	if !t.some {
		if err := t.records.wait(); err != nil {
			return nil, 0, t.records.notBefore, t.records.at, err
		}
	}
	b = pool.Get().(wire.Buffer)
	n, notBefore, at, err = t.ReadStamped(b.Bytes())
	if n == 0 && err != nil {
		pool.Put(b)
		return nil, 0, notBefore, at, err
	}
	return b, n, notBefore, at, nil // an error comes again at the next read
}

// StampSource says whether the last byte of the last read arrived exactly at its stamp: it did when it is the last one that the socket
// held, and the kernel took the stamp. Of the other records of a read the stamp is that of bytes behind them.
func (t *tlsConn) StampSource() wire.StampSource {
	if t.records.drained && len(t.records.rest) == 0 && exactStamps(t.records.StampedConn) {
		return wire.StampKernel
	}
	return wire.StampUser
}

// Alive says whether an idle connection can still carry a request: the peer has neither closed it nor said anything.
func (t *tlsConn) Alive() bool {
	idle, ok := t.records.StampedConn.(interface{ Alive() bool })
	return len(t.records.rest) == 0 && (!ok || idle.Alive())
}

// recordHead is the length of the head of a record: its kind, its version and how much follows.
const recordHead = 5

// recordReader is what crypto/tls reads from: a read returns bytes of one record, even when the socket had more. It borrows a buffer
// while it holds such bytes only.
type recordReader struct {
	wire.StampedConn

	crowd   *Crowd
	lent    *scratch
	rest    []byte // of lent: what was read from the socket and not handed out yet
	drained bool   // the read of the socket that brought rest emptied it

	head [recordHead]byte
	have int // bytes of head
	body int // bytes of the record that are to come

	// Of the read of the socket that brought the last byte that was handed out.
	notBefore, at int64
}

// wait returns when there is something to hand out.
func (r *recordReader) wait() error {
	if len(r.rest) > 0 {
		return nil
	}
	lent, n, notBefore, at, err := r.crowd.readInto(r.StampedConn)
	if err != nil {
		return err
	}
	if n == 0 {
		r.crowd.giveBack(lent)
		return nil
	}
	r.lent, r.rest, r.drained = lent, lent.buf[:n], n < len(lent.buf)
	r.notBefore, r.at = notBefore, at
	return nil
}

// Read implements net.Conn.
func (r *recordReader) Read(p []byte) (int, error) {
	if err := r.wait(); err != nil {
		return 0, err
	}
	n := copy(p, r.rest[:r.within()])
	r.pass(r.rest[:n])
	r.rest = r.rest[n:]
	if len(r.rest) == 0 && r.lent != nil {
		r.crowd.giveBack(r.lent)
		r.lent, r.rest = nil, nil
	}
	return n, nil
}

// within is how many bytes of rest belong to the record at hand.
func (r *recordReader) within() int {
	if r.have == recordHead {
		return min(r.body, len(r.rest))
	}
	missing := recordHead - r.have
	if len(r.rest) < missing {
		return len(r.rest)
	}
	length := make([]byte, 0, recordHead)
	length = append(append(length, r.head[:r.have]...), r.rest[:missing]...)
	return min(missing+bodyOf(length), len(r.rest))
}

// pass goes on behind b, which are bytes of the record at hand.
func (r *recordReader) pass(b []byte) {
	if r.have < recordHead {
		n := copy(r.head[r.have:], b)
		b = b[n:]
		if r.have += n; r.have < recordHead {
			return
		}
		r.body = bodyOf(r.head[:])
	}
	if r.body -= len(b); r.body == 0 {
		r.have = 0
	}
}

// bodyOf is how much follows the head of a record.
func bodyOf(head []byte) int { return int(head[3])<<8 | int(head[4]) }
