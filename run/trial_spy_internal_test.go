package run

import (
	"testing"
	"testing/synctest"
	"time"

	"holobench/wire"
)

// TestWhenAnEventBegan: what comes whole began when it came, however long after the one before it; what comes in two parts began with the first,
// also behind a whole one in the same read.
func TestWhenAnEventBegan(t *testing.T) {
	t.Parallel()
	const marker = "hb1.00000abc.c1.s2.t3."
	head := func(kind string) []string {
		return []string{"HTTP/1.1 200 OK\r\nContent-Ty", "pe: " + kind + "\r\n\r\n"}
	}
	frame := func(text string) string { return "\x81" + string(rune(len(text))) + text }
	for name, c := range map[string]struct {
		head []string
		one  string
	}{
		"server-sent events": {head("text/event-stream"), "data: " + marker + "\n\n"},
		"lines":              {head("application/x-ndjson"), marker + "\n"},
		"a WebSocket":        {[]string{"HTTP/1.1 101 Switching Protocols\r\nUpgr", "ade: websocket\r\n\r\n"}, frame(marker)},
		"polls":              {nil, "HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n" + marker},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				x := &trial{began: time.Now(), find: markedBy}
				s := x.look(nil, true)
				for range 5 {
					s.asks([]byte("GET /a HTTP/1.1\r\nHost: x\r\n\r\n"))
				}
				half := len(c.one) - 9
				for _, part := range append(c.head, c.one, c.one+c.one[:half], c.one[half:], c.one) {
					s.answers([]byte(part))
					<-time.After(2 * time.Second)
				}
				behind := 2 * time.Second * time.Duration(len(c.head))
				want := [][2]time.Duration{{0, 0}, {2, 2}, {2, 4}, {6, 6}} // seconds behind the head: began, came
				if len(s.events) != len(want) {
					t.Fatalf("%d events, want %d: %+v", len(s.events), len(want), s.events)
				}
				for i, e := range s.events {
					if began, at := behind+want[i][0]*time.Second, behind+want[i][1]*time.Second; e.Began != max(1, began) || e.At != max(1, at) {
						t.Errorf("event %d began at %v and came at %v, want %v and %v", i+1, e.Began, e.At, began, at)
					}
				}
			})
		})
	}
}

// markedBy finds markers of any run.
func markedBy(data []byte) bool {
	_, _, ok := wire.FindMarker(data)
	return ok
}
