package chaos

import "time"

// Close ends connections by a FIN: both ends read the end of the stream, behind what was on its way. Whom and when is as for
// Reset.
type Close struct {
	Within time.Duration // as for Reset
	After  int64         // as for Reset
}

// Kind implements Effect.
func (Close) Kind() string { return "close" }

func (c Close) needs() needs { return needs{instant: c.After == 0} }

func (c Close) check() error { return checkCut(c.Within, c.After) }

func (c Close) stage(s scope) stage { return newLimit(s, c.After, cutFIN) }

func (c Close) timedCut() (how cut, within time.Duration, ok bool) {
	return cutFIN, c.Within, c.After == 0
}
