package scenarios

import (
	"strconv"
	"time"
)

// Breaker ends a run at a server that answers most requests with failures. The zero Breaker ends none.
type Breaker struct {
	Share float64       // of the requests, from 0 to 1, that fail when more do; 0 = none is looked at
	For   time.Duration // ... in each second of so long a time in which any ended
}

// standardBreaker is that of a server on another machine.
func standardBreaker() Breaker { return Breaker{Share: 0.5, For: 10 * time.Second} }

// breaker resolves the key of that name: at another machine there is one unless the file says none.
func (r *resolver) breaker(s *Server) Breaker {
	form := &r.form.Server.Breaker
	switch {
	case s.URL == nil && form.given():
		r.add(form.at, form.path+" is about a server of your own, and there is none", "say where it is: url: https://staging.example.org, or leave breaker out")
		return Breaker{}
	case s.URL == nil || !form.given() && IsLoopback(s.URL.Hostname()):
		return Breaker{}
	case form.word.given():
		if form.word.usable() && form.word.v != "none" {
			r.add(form.word.at, form.path+": unknown word "+quote(form.word.v)+suggest(form.word.v, []string{"none"}), "write none, or when it is to end the run: {share: 50%, for: 10s}")
		}
		return Breaker{}
	}
	standard := standardBreaker()
	b := Breaker{Share: form.Share.or(standard.Share), For: form.For.or(standard.For)}
	if b.Share <= 0 || b.Share >= 1 {
		r.add(form.Share.at, form.Share.path+": "+strconv.FormatFloat(100*b.Share, 'g', -1, 64)+"% is no share that could be exceeded, or always is", "write one between: 50%; breaker: none takes it away")
	}
	if b.For < time.Second {
		r.add(form.For.at, form.For.path+": it looks once a second, and "+b.For.String()+" is shorter", "write a second or more: 10s")
	}
	return b
}
