package chaos

import (
	"testing"
	"time"
)

// TestABucketForgetsNothing: bytes of one socket that are still in an occurrence, when those of another are in the next, do not empty it.
func TestABucketForgetsNothing(t *testing.T) {
	t.Parallel()
	const first, second = int64(time.Second), int64(11 * time.Second)
	b, of := new(bucket), &Bandwidth{Rate: 1000}
	for i, c := range []struct{ begin, at, want int64 }{
		{first, first, first + 100e6},
		{second, second, second + 100e6},
		{first, second - 1e6, second + 200e6},
		{second, second, second + 300e6},
	} {
		if got := b.take(of, c.begin, c.at, 100); got != c.want {
			t.Errorf("part %d is through at %v, want %v", i, time.Duration(got), time.Duration(c.want))
		}
	}
}
