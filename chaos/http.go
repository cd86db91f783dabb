package chaos

import (
	"errors"
	"fmt"
	"net/http"

	"holobench/internal/draw"
)

// HTTPAbort answers requests itself, with a status and no body; the server never sees them. On the path of streams that refuses
// the subscription.
type HTTPAbort struct {
	Status int     // such as 503
	Method string  // only requests of this one, such as POST; "" = all
	Share  float64 // of the requests, drawn for each; 0 = all
}

// HTTPDelay makes requests late, each as a whole, on their way up.
type HTTPDelay struct {
	Law    draw.Law // ns; drawn for each
	Method string   // as for HTTPAbort
	Share  float64  // as for HTTPAbort
}

// Kind implements Effect.
func (HTTPAbort) Kind() string { return "http_abort" }

// Kind implements Effect.
func (HTTPDelay) Kind() string { return "http_delay" }

func (HTTPAbort) needs() needs { return needs{ramp: true, http: true} }

func (HTTPDelay) needs() needs { return needs{ramp: true, http: true} }

func (h HTTPAbort) check() error {
	switch {
	case h.Status < 200 || h.Status > 599 || h.Status == 204 || h.Status == 304:
		return fmt.Errorf("a status of %d: give one from 200 to 599, and not 204 or 304", h.Status)
	case !(h.Share >= 0) || h.Share > 1:
		return errors.New("give a share from 0 to 1")
	}
	return nil
}

func (h HTTPDelay) check() error {
	switch {
	case !(h.Share >= 0) || h.Share > 1:
		return errors.New("give a share from 0 to 1")
	case h.Law.Zero():
		return errors.New("a delay of nothing: give a law")
	}
	return h.Law.Check()
}

// decide draws for a request; amount is the status, or ns.
func (h HTTPAbort) decide(s *scope, m moment, number int64) (hit bool, amount int64) {
	return s.unit(m, number*2) < portion(h.Share)*m.strength, int64(h.Status)
}

func (h HTTPDelay) decide(s *scope, m moment, number int64) (hit bool, amount int64) {
	return s.unit(m, number*2) < portion(h.Share)*m.strength, int64(h.Law.Duration(s.unit(m, number*2+1)))
}

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

func (h HTTPAbort) stageUp(s scope, inject func([]byte, int64)) stage {
	return &requestStage{scope: s, effect: h, only: h.Method, answer: inject}
}

func (h HTTPDelay) stageUp(s scope, _ func([]byte, int64)) stage {
	return &requestStage{scope: s, effect: h, only: h.Method}
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
