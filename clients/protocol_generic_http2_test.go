package clients

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/wire"
)

// TestGenericOverHTTP2: the stream and the commands of a described server on one connection, what comes around them on others, and all
// rows of that connection in the order of its bytes; behind a clean end of the stream everything begins anew.
func TestGenericOverHTTP2(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		s := b.serveHTTP2(t, nil)
		stream := make(chan string, 9)
		var mu sync.Mutex
		var asked []string
		s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			mu.Lock()
			asked = append(asked, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", r.Proto, r.Method, r.URL.RequestURI(), r.Header.Get("Last-Event-ID"))))
			mu.Unlock()
			switch r.URL.Path {
			case "/token", "/join":
				io.WriteString(w, "t1")
			case "/stream":
				w.Header().Set("X-Node", "blue")
				openStream(w)
				say(w, "event: hello\ndata: c9\n\n")
				for text := range stream {
					if text == "" {
						return
					}
					say(w, text)
				}
			default:
				stream <- "id: 5\ndata: " + string(body) + "\n\n"
				time.Sleep(10 * time.Millisecond)
				io.WriteString(w, "{}")
			}
		})
		b.crowd.Wire, b.crowd.Own.Generic = Described, &Generic{
			Before: []Step{step("POST", "/token", "", Capture{"ticket", found("(.*)")})}, Request: step("GET", "/stream?t=${ticket}", ""), Framing: FrameSSE,
			Ready: &Awaited{called("hello"), []Capture{{"connection", found("(.*)")}}}, After: []Step{step("POST", "/join?c=${connection}", "")},
			Resume: named("Last-Event-ID", "${last_id}"), Pause: Pause{Least: 100 * time.Millisecond}, Message: called("message"),
			Node: plainText("${header.x-node}"), Publish: &Publish{Step: step("POST", "/say", "${payload}")},
		}
		c, stop := b.work(t, ClientOptions{ID: 7, Channels: []string{"room"}})
		c.Post(b.now(), &Message{Channel: "room", Name: "say"})
		time.Sleep(time.Second)
		stream <- "" // the server ends the stream
		time.Sleep(time.Second)
		c.Post(b.now(), &Message{Channel: "room", Name: "say"})
		time.Sleep(time.Second)
		stop()
		close(stream)
		mu.Lock()
		want := []string{
			"HTTP/1.1 POST /token", "HTTP/2.0 GET /stream?t=t1", "HTTP/1.1 POST /join?c=c9", "HTTP/2.0 POST /say",
			"HTTP/1.1 POST /token", "HTTP/2.0 GET /stream?t=t1 5", "HTTP/1.1 POST /join?c=c9", "HTTP/2.0 POST /say",
		}
		if !slices.Equal(asked, want) {
			t.Errorf("the server was asked\n  %s\nwant\n  %s", strings.Join(asked, "\n  "), strings.Join(want, "\n  "))
		}
		mu.Unlock()
		b.expect(t, []string{
			"0 subscribed", "1000 sent c7.1", "1000 delivered c7.1", "1010 replied c7.1", "2000 ended: end of stream",
			"2100 subscribed", "3000 sent c7.2", "3000 delivered c7.2", "3010 replied c7.2",
		}, history.Subscribed, history.Sent, history.Delivered, history.Replied, history.Ended, history.Alien, history.Unknown, history.Refused)
		b.mu.Lock()
		defer b.mu.Unlock()
		conns := make(map[uint32]bool)
		for _, o := range b.seen {
			if o.Kind == history.Delivered && (o.Node != 1 || o.Event.Publisher != 7) {
				t.Errorf("%+v", o)
			}
			if o.Event != (wire.EventID{}) {
				conns[o.Conn] = true
			}
		}
		if len(conns) != 2 {
			t.Errorf("commands and events went over %d connections, one behind the other: %v", len(conns), conns)
		}
	})
}
