package memnet

import "sync"

// direction is one way of a connection: the send queue of one end and the receive queue of the other in one. All of it
// needs the lock of the pair.
type direction struct {
	limit    int
	readable sync.Cond // bytes came, or the direction ended, or the reader's deadline passed
	writable sync.Cond // room was made, or the direction ended, or the writer's deadline passed

	buf       []byte // what waits for the reader; nil while nothing does
	from      int    // buf[:from] has been read
	lastAt    int64  // the stamp of all that waits: that of the segment which came last, as in the kernel's queue
	notBefore int64  // see wire.StampedConn

	finished   bool // the writer has sent its FIN
	readerGone bool // the reader has closed: what comes now is answered by a RST
	refused    bool // ... and was
	reset      bool // a RST has come, to both ends

	readBy  deadline
	writeBy deadline
}

func (d *direction) init(lock *sync.Mutex, limit int) {
	d.limit = limit
	d.readable.L = lock
	d.writable.L = lock
}

func (d *direction) queued() int { return len(d.buf) - d.from }

// push takes as much of p as there is room for, as one segment.
func (d *direction) push(p []byte, at int64) int {
	n := min(len(p), d.limit-d.queued())
	if n <= 0 {
		return 0
	}
	if d.from > 0 && len(d.buf)+n > cap(d.buf) { // slide rather than grow: half of a big buffer may be read already
		d.buf = d.buf[:copy(d.buf, d.buf[d.from:])]
		d.from = 0
	}
	d.buf = append(d.buf, p[:n]...)
	d.lastAt = at
	d.readable.Broadcast()
	return n
}

// pull moves what waits into p.
func (d *direction) pull(p []byte, now int64) (n int, notBefore, at int64) {
	n = copy(p, d.buf[d.from:])
	d.from += n
	notBefore, at = d.notBefore, d.lastAt
	if d.queued() == 0 {
		d.notBefore = now
		d.from = 0
		d.buf = d.buf[:0]
		if cap(d.buf) > keptBytes {
			d.buf = nil
		}
	}
	d.writable.Broadcast()
	return n, notBefore, at
}

// keptBytes is the largest buffer that an empty direction keeps: thousands of idle connections must stay small.
const keptBytes = 2 << 10

func (d *direction) wake() {
	d.readable.Broadcast()
	d.writable.Broadcast()
}
