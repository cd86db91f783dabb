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
