package target

import (
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// pollConns are the connections that were taken over for polls. The zero value takes none.
type pollConns struct {
	closing  atomic.Bool // each is closed as soon as no poll waits on it
	returned *returnedConns
	date     atomic.Pointer[pollDate]

	mu    sync.Mutex
	conns map[*pollConn]struct{} // nil = none are taken over
}

// pollDate is a second, as heads name it.
type pollDate struct {
	unix int64
	text string
}

// open lets connections be taken over, which can be given back to returned.
func (p *pollConns) open(returned *returnedConns) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.returned, p.conns = returned, make(map[*pollConn]struct{})
}

func (p *pollConns) isOpen() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conns != nil && !p.closing.Load()
}

// add says whether c may be there, and then counts the goroutine that reads it into server.streams.
func (p *pollConns) add(c *pollConn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing.Load() {
		return false
	}
	p.conns[c] = struct{}{}
	c.server.streams.Add(1) // close comes before anybody waits for that
	return true
}

func (p *pollConns) remove(c *pollConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// close lets no more in, and closes those on which no poll waits; the others are closed when it is answered.
func (p *pollConns) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closing.Store(true)
	for c := range p.conns {
		if c.state.Load() == connIdle {
			c.drop()
		}
	}
}

// appendHead appends the head of an answer whose body has so many bytes. It is what net/http would write.
func (p *pollConns) appendHead(dst []byte, length int) []byte {
	dst = append(dst, "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Type: application/json\r\nDate: "...)
	dst = append(dst, p.now()...)
	dst = append(dst, "\r\nContent-Length: "...)
	dst = strconv.AppendInt(dst, int64(length), 10)
	if p.closing.Load() {
		dst = append(dst, "\r\nConnection: close"...)
	}
	return append(dst, "\r\n\r\n"...)
}

// now returns the date, which is spelled once a second.
func (p *pollConns) now() string {
	now := time.Now()
	if date := p.date.Load(); date != nil && date.unix == now.Unix() {
		return date.text
	}
	date := &pollDate{unix: now.Unix(), text: now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")}
	p.date.Store(date)
	return date.text
}
