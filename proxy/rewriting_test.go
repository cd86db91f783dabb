package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/proxy"
)

// TestStreamsStayWholeWhileRulesOnMessagesComeAndGo sets and clears rules that hit nothing, so that streams are written anew from some message on, and at some
// not any more: nobody may notice, however the bytes are cut.
func TestStreamsStayWholeWhileRulesOnMessagesComeAndGo(t *testing.T) {
	t.Parallel()
	const events, streams, turns = 1500, 8, 3
	behind, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	app := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range events {
			text := fmt.Sprintf("id: %d\ndata: %s\n\n", i, strings.Repeat("x", i%300))
			half := i * 7 % len(text)
			io.WriteString(w, text[:half])
			if i%3 == 0 {
				w.(http.Flusher).Flush() // the chunk ends within the event
			}
			io.WriteString(w, text[half:])
			if i%2 == 0 {
				w.(http.Flusher).Flush()
			}
		}
	})}
	go app.Serve(behind)
	defer app.Close()
	proxies, err := proxy.New(proxy.Options{Seed: 1, Listen: net.Listen, Dial: new(net.Dialer).DialContext})
	if err != nil {
		t.Fatal(err)
	}
	defer proxies.Close()
	one, err := proxies.Create(proxy.Settings{Name: "app", Upstream: "http://" + behind.Addr().String(), Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	var done, changing sync.WaitGroup
	changing.Go(func() { rulesComeAndGo(t, one, over) })
	for range streams {
		done.Go(func() {
			client := &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}
			defer client.CloseIdleConnections()
			for range turns { // on one connection
				if err := wholeStream(client, one.URL(), events); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done.Wait()
	close(over)
	changing.Wait()
	if n := one.Ledger(); len(n) == 0 {
		t.Error("no rule came and went")
	}
}

// TestAStreamOfAKnownLengthLosesEvents: it comes in chunks then, so that nobody waits for what was lost, and the connection goes on behind it. Over
// HTTP/1.0, and where its head is through already, it stays whole.
func TestAStreamOfAKnownLengthLosesEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", nil)
		client, app := r.connect()
		answers := bufio.NewReader(client)
		const body = "data: a\n\ndata: b\n\ndata: c\n\n"
		ask := func(version, want string, before func()) {
			t.Helper()
			io.WriteString(client, "GET /events HTTP/1.1\r\nHost: proxy\r\n\r\n")
			if _, err := http.ReadRequest(bufio.NewReader(app)); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(app, "%s 200 OK\r\nContent-Type: text/event-stream\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n", version, len(body))
			response, err := http.ReadResponse(answers, nil)
			if err != nil {
				t.Fatal(err)
			}
			before()
			io.WriteString(app, body)
			got, err := io.ReadAll(response.Body)
			if string(got) != want || err != nil {
				t.Errorf("%s: read %q, %v; want %q", version, got, err, want)
			}
		}
		ask("HTTP/1.1", body, func() { r.add("drop", "", `{"nth":2}`) })
		ask("HTTP/1.1", "data: a\n\ndata: c\n\n", func() {})
		ask("HTTP/1.0", body, func() {})
	})
}

func rulesComeAndGo(t *testing.T, one *proxy.Proxy, over <-chan struct{}) {
	tick := time.NewTicker(500 * time.Microsecond)
	defer tick.Stop()
	for set := false; ; set = !set {
		select {
		case <-tick.C:
		case <-over:
			return
		}
		var err error
		if set {
			err = one.Remove("none")
		} else {
			_, err = one.Add(proxy.Toxic{Name: "none", Type: "drop", Toxicity: 1, Attributes: []byte(`{"nth":1000000}`)})
		}
		if err != nil {
			t.Error(err)
		}
	}
}

// wholeStream reads a stream and says what is missing.
func wholeStream(client *http.Client, url string, events int) error {
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	for i := range events {
		for _, want := range []string{fmt.Sprintf("id: %d", i), "data: " + strings.Repeat("x", i%300), ""} {
			if !lines.Scan() || lines.Text() != want {
				return fmt.Errorf("event %d: %q, %w; want %q", i, lines.Text(), lines.Err(), want)
			}
		}
	}
	if lines.Scan() || lines.Err() != nil {
		return fmt.Errorf("behind the last event: %q, %w", lines.Text(), lines.Err())
	}
	return nil
}
