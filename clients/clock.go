package clients

import "time"

// clock tells the time of day for half of what time.Now costs, which asks the kernel for two times: CLOCK_REALTIME, in which the
// kernel stamps what arrives, and CLOCK_MONOTONIC. The distance of the two is constant until somebody sets the time of day; so it is
// taken once, and CLOCK_MONOTONIC alone is asked from there on. The zero value is ready. It is used by one goroutine at a time.
type clock struct {
	base time.Time // both times of one moment
}

const (
	clockAge   = 10 * time.Millisecond // of base at most: so long it does not see that the time of day was set
	clockSlack = time.Microsecond      // that the two times of base may lie apart; some 25 ns are between them, if the thread is not interrupted
)

// now is the time of day, in nanoseconds since 1970.
func (c *clock) now() int64 {
	since := time.Since(c.base)
	if since > clockAge {
		c.set()
		since = time.Since(c.base)
	}
	return c.base.UnixNano() + int64(since)
}

// set takes both times of a moment. Where two in a row tell the same distance, neither was interrupted between them.
func (c *clock) set() {
	for range 3 {
		first := time.Now()
		c.base = time.Now()
		apart := time.Duration(c.base.UnixNano()-first.UnixNano()) - c.base.Sub(first)
		if apart.Abs() < clockSlack {
			return
		}
	}
}
