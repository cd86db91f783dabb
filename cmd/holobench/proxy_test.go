package main

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// goSource is an EventSource, as far as it is needed here.
type goSource struct {
	t   *testing.T
	url string

	mu      sync.Mutex
	end     context.CancelFunc
	now     int
	data    []string
	at      []float64
	last    string
	reading sync.WaitGroup
}

func (s *goSource) subscribe() {
	s.stop()
	ctx, end := context.WithCancel(context.Background())
	s.end, s.now, s.data, s.at, s.last = end, 0, nil, nil, ""
	s.reading.Go(func() { s.run(ctx) })
}

func (s *goSource) stop() {
	if s.end != nil {
		s.end()
	}
	s.reading.Wait()
}

func (s *goSource) state() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *goSource) seen() (data []string, at []float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.data...), append([]float64(nil), s.at...)
}

func (s *goSource) become(state int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = state
}

// run subscribes, and again when the stream breaks, until a server refuses.
func (s *goSource) run(ctx context.Context) {
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for ctx.Err() == nil {
		if refused := s.read(ctx); refused {
			s.become(2)
			return
		}
		s.become(0)
		select {
		case <-again.C:
		case <-ctx.Done():
		}
	}
}

func (s *goSource) read(ctx context.Context) (refused bool) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		s.t.Error(err)
		return true
	}
	if s.last != "" {
		r.Header.Set("Last-Event-ID", s.last)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return true
	}
	s.become(1)
	var data, id string
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case field == "data":
			data += value
		case field == "id":
			id = value
		case field == "" && id != "":
			s.last = id
			fallthrough
		case field == "":
			if data != "" {
				s.mu.Lock()
				s.data, s.at = append(s.data, data), append(s.at, float64(time.Now().UnixMicro())/1000)
				s.mu.Unlock()
			}
			data = ""
		}
	}
	return false
}

// TestProxy has processes do what make verify-proxy shows in a real browser.
func TestProxy(t *testing.T) {
	t.Parallel()
	p := startProxied(t, "single-channel")
	s := &goSource{t: t, url: "http://" + p.addr + "/events?instance=viewer&channel=lobby"}
	t.Cleanup(s.stop)
	showProxy(t, p, s)
}
