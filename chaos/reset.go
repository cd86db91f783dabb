package chaos

import "time"

// Reset ends connections by a RST, as a crashed peer or a tired middlebox does: both ends get "connection reset by peer". It
// hits the connections that are open when its window begins. With After it hits within the window each that has carried so
// many bytes down since the window began, or since it was made.
type Reset struct {
	Within time.Duration // each client's moment is drawn, evenly, from so long a time after the beginning; 0 = all at once
	After  int64         // bytes
}

// Kind implements Effect.
func (Reset) Kind() string { return "reset" }

func (r Reset) needs() needs { return needs{instant: r.After == 0} }

func (r Reset) check() error { return checkCut(r.Within, r.After) }

func (r Reset) stage(s scope) stage { return newLimit(s, r.After, cutRST) }

func (r Reset) timedCut() (how cut, within time.Duration, ok bool) {
	return cutRST, r.Within, r.After == 0
}
