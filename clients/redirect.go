package clients

import (
	"errors"
	"fmt"
	"net/url"

	"holobench/wire/http1"
)

// maxMoves bounds the redirects of one request, as the Fetch standard does.
const maxMoves = 20

// movedError says that the server sent the request for a stream elsewhere.
type movedError struct{ to *url.URL }

// Error implements error.
func (e *movedError) Error() string { return fmt.Sprintf("the server moved the stream to %s", e.to) }

// route is where the request for a stream goes: where it always goes, until the server moves it. It comes back to where it was
// moved, too, as Chromium's EventSource does, whatever kind of redirect it was.
type route struct {
	moved *url.URL // nil = it was not
	moves int
}

// redirected reads a response that moves the request; nil = it does not.
func (r *route) redirected(h *http1.Head, from *url.URL) error {
	switch h.Status {
	case 301, 302, 303, 307, 308:
	default:
		return nil
	}
	if to, err := from.Parse(h.Location); err == nil && h.Location != "" && to.Scheme == from.Scheme && to.Host != "" && r.moves < maxMoves {
		return &movedError{to}
	}
	return nil // it is a refusal: a browser gives up here, but for http to https, which no scenario needs
}

// follow says whether a connection ended because the server moved the request, and takes it there.
func (r *route) follow(err error) bool {
	moved, ok := errors.AsType[*movedError](err)
	if !ok {
		r.moves = 0
		return false
	}
	r.moved = moved.to
	r.moves++
	return true
}

// placed is where the next connection goes, when it would go to that place by itself.
func (r *route) placed(p Place) Place {
	if r.moved == nil {
		return p
	}
	if to := address(r.moved); to != p.Addr {
		return Place{Addr: to} // who knows which node that is
	}
	return p
}

// address is the host and port of a URL.
func address(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	if u.Scheme == "https" {
		return u.Host + ":443"
	}
	return u.Host + ":80"
}
