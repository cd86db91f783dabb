package clients

import (
	"testing"
	"time"
)

// TestClock holds that the clock of a loop tells the time that time.Now does, and that it looks at it again and again.
func TestClock(t *testing.T) {
	t.Parallel()
	var c clock
	bases := make(map[time.Time]bool)
	for began := time.Now(); len(bases) < 3 && time.Since(began) < 10*time.Second; {
		before := time.Now().UnixNano()
		got := c.now()
		after := time.Now().UnixNano()
		if got < before-int64(clockSlack) || got > after+int64(clockSlack) {
			t.Fatalf("it is %d ns before what it was, or %d ns behind what it is", before-got, got-after)
		}
		bases[c.base] = true
	}
	if len(bases) < 3 {
		t.Errorf("it has looked %d times", len(bases))
	}
}

func BenchmarkClock(b *testing.B) {
	b.Run("clock", func(b *testing.B) {
		var c clock
		for b.Loop() {
			c.now()
		}
	})
	b.Run("time.Now", func(b *testing.B) {
		for b.Loop() {
			_ = time.Now().UnixNano()
		}
	})
}
