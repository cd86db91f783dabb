package sse_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"time"

	"holobench/wire/sse"
)

// count is a handler that does next to nothing.
type count struct{ events, bytes int }

func (c *count) OnEvent(e *sse.Event) { c.events++; c.bytes += len(e.Data) }

func (c *count) OnComment([]byte) {}

func (c *count) OnRetry(time.Duration) {}

// TestParserCost holds the promise of the Parser's comment. It is not parallel, because allocations are counted for the
// whole process.
func TestParserCost(t *testing.T) {
	payload := strings.Repeat("x", 300)
	for _, test := range []struct {
		name   string
		pieces []string
		want   float64
	}{
		{"an event in one Feed", []string{"data: " + payload + "\n\n"}, 0},
		{"a hundred events in one Feed", []string{strings.Repeat("data: "+payload+"\r\n\r\n", 100)}, 0},
		{"id and name", []string{"id: 123456\nevent: chat\ndata: " + payload + "\n\n"}, 0},
		{"a heartbeat", []string{": ping\n\n"}, 0},
		{"lines of data share one buffer", []string{strings.Repeat("data: a\ndata: b\n\n", 100)}, 1},
		{"a split line takes one buffer, grown once", []string{"data: " + payload[:100], payload[100:] + "\n\n"}, 2},
	} {
		var p sse.Parser
		var c count
		pieces := make([][]byte, len(test.pieces))
		for i, piece := range test.pieces {
			pieces[i] = []byte(piece)
		}
		got := testing.AllocsPerRun(100, func() {
			for _, piece := range pieces {
				if err := p.Feed(piece, &c); err != nil {
					t.Fatal(err)
				}
			}
		})
		if got > test.want {
			t.Errorf("%s: %v allocations, want at most %v", test.name, got, test.want)
		}
		if c.events == 0 && !strings.Contains(test.name, "heartbeat") {
			t.Errorf("%s: no event was seen", test.name)
		}
	}
}

func BenchmarkParser(b *testing.B) {
	payload := strings.Repeat("x", 300-len("data: \n\n"))
	for _, kind := range []struct{ name, event string }{
		{"plain", "data: " + payload + "\n\n"},
		{"crlf", "data: " + payload + "\r\n\r\n"},
		{"id and name", "id: 123456\nevent: chat\ndata: " + payload + "\n\n"},
		{"five lines", strings.Repeat("data: "+payload[:len(payload)/5]+"\n", 5) + "\n"},
		{"comments", ": ping\n\n"},
	} {
		for _, batch := range []int{1, 64} {
			b.Run(kind.name+"/batch="+strconv.Itoa(batch), func(b *testing.B) {
				stream := bytes.Repeat([]byte(kind.event), batch)
				var p sse.Parser
				var c count
				b.ReportAllocs()
				b.SetBytes(int64(len(stream)))
				for b.Loop() {
					if err := p.Feed(stream, &c); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/event")
			})
		}
	}
}
