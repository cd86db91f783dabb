package chaos

import (
	"fmt"
	"net/http"
)

// requestStage is HTTPAbort and HTTPDelay on what goes up on one socket.
type requestStage struct {
	never
	scope
	requests
	effect onRequests
	only   string              // the method
	answer func([]byte, int64) // puts bytes into what comes down; nil = it delays

	judged bool // the request at hand was
	hit    bool
	amount int64
	held   []byte // of its head, until it was judged
	latest int64
}

// busy: it must see every byte.
func (r *requestStage) busy(int64) bool { return !r.opaque || r.latest > 0 }

func (r *requestStage) pass(p piece, next func(piece)) {
	if p.err != nil {
		r.put(p, r.held, next)
		p.at = max(p.at, r.latest)
		next(p)
		return
	}
	for b := p.bytes; len(b) > 0; {
		n, whole, over := r.next(b)
		if !whole {
			r.held = append(r.held, b[:n]...)
			return
		}
		if !r.judged {
			r.judge(p.at)
		}
		if !r.hit || r.answer == nil {
			r.put(p, r.held, next)
			r.put(p, b[:n], next)
		}
		r.held = r.held[:0]
		b = b[n:]
		if over {
			r.finish(p.at)
		}
	}
}

// judge decides on the request at hand.
func (r *requestStage) judge(at int64) {
	r.judged = true
	m := r.moment(at)
	if !m.in || r.opaque || r.only != "" && r.only != r.method {
		return
	}
	if r.hit, r.amount = r.effect.decide(&r.scope, m, r.number); r.hit {
		r.decided(m, r.number, r.amount)
	}
}

// put hands bytes of the request at hand on.
func (r *requestStage) put(p piece, b []byte, next func(piece)) {
	if len(b) == 0 {
		return
	}
	p.bytes = b
	if r.hit {
		p.at += r.amount
	}
	p.at = max(p.at, r.latest)
	r.latest = p.at
	next(p)
}

// finish ends the request at hand, and answers it when nobody else will.
func (r *requestStage) finish(at int64) {
	if r.hit && r.answer != nil {
		r.answer(fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Length: 0\r\n\r\n", r.amount, http.StatusText(int(r.amount))), at)
	}
	r.done()
	r.judged, r.hit, r.amount = false, false, 0
}

// portion is a share of which 0 means all.
func portion(share float64) float64 {
	if share == 0 {
		return 1
	}
	return share
}
