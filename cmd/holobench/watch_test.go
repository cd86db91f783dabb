package main

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"holobench/history"
	"holobench/report"
	"holobench/run"
)

// What watch makes of an address is a scenario like any other: nobody sends, and events are told apart as was asked for.
func TestWatchURL(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ address, id, path, named string }{
		{"https://example.org/rooms/1/stream?x=${client}&y=\"#z", "json:message.id", `/rooms/1/stream?x=${client}&y="`, "7"},
		{"https://example.org", "hash", "/", `{"message": {"id": 7}}`},
		{"http://example.org:8080/events", "sse", "/events", "42"},
	} {
		f := watchFlags{clients: 12, length: 90 * time.Second, id: test.id}
		u, err := url.Parse(test.address)
		if err != nil {
			t.Fatal(err)
		}
		file, err := f.readURL(test.address, u)
		if err != nil {
			t.Errorf("%s: %v", test.address, err)
			continue
		}
		g := file.Server.Protocol.Generic
		name, ok := g.Identity.Foreign.Of("42", []byte(`{"message": {"id": 7}}`))
		if got := g.Subscribe.Request.URL.Text; got != test.path || !ok || string(name) != test.named || file.Server.URL.Host != u.Host {
			t.Errorf("%s: asks %s for %s, and calls an event %q, %v", test.address, file.Server.URL.Host, got, name, ok)
		}
		plan, err := run.FromFile(file, history.Machine{})
		if err != nil {
			t.Fatal(err)
		}
		if want := "will open 12 streams at " + u.Host + " for 1m30s, and send nothing"; plan.Manners() != want {
			t.Errorf("the first line is %q, want %q", plan.Manners(), want)
		}
	}
}

// Ctrl-C is the end that was meant; any other is told.
func TestWatchEnds(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, test := range []struct {
		code, want int
		err        error
	}{{0, 0, nil}, {report.ExitInterrupted, 0, nil}, {exitFailed, exitFailed, nil}, {report.ExitInterrupted, report.ExitInterrupted, broken}} {
		code, err := new(watchFlags).watch(t.Context(), func(context.Context) (int, error) { return test.code, test.err })
		if code != test.want || !errors.Is(err, test.err) {
			t.Errorf("%d, %v: exits %d, %v", test.code, test.err, code, err)
		}
	}
}
