package sse

import (
	"strings"
	"testing"
	"time"
)

// deaf is a handler that listens to nothing.
type deaf struct{}

func (deaf) OnEvent(*Event) {}

func (deaf) OnComment([]byte) {}

func (deaf) OnRetry(time.Duration) {}

// TestAnIdleParserHoldsNoBuffer looks into the parser after events of every kind: thousands of streams idle at a time.
func TestAnIdleParserHoldsNoBuffer(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5000)
	for _, pieces := range [][]string{
		{"data: " + long, long + "\n\n"},
		{"data: " + long + "\ndata: " + long + "\n\n"},
		{"event: " + long + "\ndata: " + long + "\n", "data: y\n\n"},
		{": " + long, "\n"},
		{"data: a\ndata: b\n", "\n", "data: c\n\n"},
		{"id: 1" + long + "\n\n", "id: 2\n\n"},
	} {
		var p Parser
		for _, piece := range pieces {
			if err := p.Feed([]byte(piece), deaf{}); err != nil {
				t.Fatal(err)
			}
		}
		if p.Pending() {
			t.Fatalf("%.20q: pending", pieces)
		}
		if cap(p.line)+cap(p.event.Data)+cap(p.join)+cap(p.event.Name) > 0 || cap(p.next) > keptIDBytes {
			t.Errorf("%.20q: holds line %d, data %d, join %d, name %d, next id %d bytes", pieces,
				cap(p.line), cap(p.event.Data), cap(p.join), cap(p.event.Name), cap(p.next))
		}
	}
}
