package run

import (
	"math"
	"time"
)

// departure is when the n-th client leaves, from 1, when clients leave at that rate (a second), which rises to it in a straight
// line during a ramp: when the integral of the rate reaches n.
func departure(n int, rate float64, ramp time.Duration) time.Duration {
	if rate <= 0 {
		return math.MaxInt64
	}
	count, rising := float64(n), ramp.Seconds()
	seconds := count/rate + rising/2
	if count < rate*rising/2 { // rate*t*t/(2*rising) = n
		seconds = math.Sqrt(2 * count * rising / rate)
	}
	if seconds > 1e9 {
		return math.MaxInt64
	}
	return time.Duration(seconds * float64(time.Second))
}
