package proxy_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestTypesOnAnOpenStream sets each after the first event; what the app then sends comes as that.
func TestTypesOnAnOpenStream(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind, attributes string
		send, want       string
		at               time.Duration // of the last byte
	}{
		{"duplicate", `{"nth":2}`, event("a") + event("b"), event("a") + event("b") + event("b"), 0},
		{"corrupt", `{}`, event("a"), event("~"), 0},
		{"heartbeat_loss", `{}`, event("a") + "3\r\n:\n\n\r\n" + event("b"), event("a") + event("b"), 0},
		{"buffer", `{"bytes":20}`, event("a") + event("b"), event("a") + event("b"), 0},
		{"buffer", `{"for":80}`, event("a"), event("a"), 80 * ms},
		{"stall", `{"after":5,"hold":40}`, event("a"), event("a"), 40 * ms},
		{"slicer", `{"average_size":7,"delay":1000}`, event("a"), event("a"), 1 * ms * time.Duration((len(event("a"))-1)/7)},
		{"bandwidth", `{"rate":0.1}`, strings.Repeat(event("a"), 10), strings.Repeat(event("a"), 10), time.Duration(len(event("a"))*10) * 10 * ms},
		{"slow_reader", `{"rate":0.4}`, strings.Repeat(event("a"), 10), strings.Repeat(event("a"), 10), (time.Duration(len(event("a"))*10) - 1) / 20 * 50 * ms},
		{"delay", `{"by":{"min":30,"max":30}}`, event("a"), event("a"), 30 * ms},
		{"loss", `{"rate":1,"timeout":10}`, event("a"), event("a"), 10 * ms * (1<<9 - 1)},
	} {
		t.Run(c.kind, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, "", nil)
				client, app := r.subscribe()
				io.WriteString(app, event("0"))
				r.reads(client, event("0"), 0)
				r.add(c.kind, "", c.attributes)
				io.WriteString(app, c.send)
				r.reads(client, c.want, c.at)
				r.silent(client, time.Second)
			})
		})
	}
}

// TestASlowReaderFillsTheSocketOfTheApp, where a bandwidth takes what comes into its queue first.
func TestASlowReaderFillsTheSocketOfTheApp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil)
		client, app := r.connect()
		r.add("slow_reader", "", `{"rate":1}`)
		const socket, over = 256 << 10, 5000 // bytes: what the network in memory holds, and more
		go io.Copy(io.Discard, client)
		app.Write(make([]byte, socket+over))
		// The last byte finds room when the one that is a socket's worth before it is read: 50 bytes at a time, each 50 ms.
		if got, want := time.Since(r.began), (over-1)/50*50*ms; got != want {
			t.Errorf("%d bytes were written after %v, want %v", socket+over, got, want)
		}
		app.Write(make([]byte, over))
		r.remove("slow_reader")
		app.Write(make([]byte, socket))
		if got, want := time.Since(r.began), (2*over-1)/50*50*ms; got != want {
			t.Errorf("the rest was written after %v, want %v", got, want)
		}
	})
}

func TestRequestsAreLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil)
		r.add("accept_delay", "", `{"by":30}`)
		r.add("http_delay", "", `{"by":70,"method":"POST"}`)
		client, app := r.connect()
		if got := time.Since(r.began); got != 30*ms {
			t.Errorf("the app saw the connection after %v", got)
		}
		reader := bufio.NewReader(app)
		for _, c := range []struct {
			method string
			at     time.Duration
		}{{"GET", 30 * ms}, {"POST", 100 * ms}} {
			io.WriteString(client, c.method+" / HTTP/1.1\r\nHost: x\r\n\r\n")
			q, err := http.ReadRequest(reader)
			if got := time.Since(r.began); err != nil || q.Method != c.method || got != c.at {
				t.Errorf("%s: %v, at %v; want it at %v", c.method, err, got, c.at)
			}
		}
	})
}
