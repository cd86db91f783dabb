package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"holobench/target"
	"holobench/wire"
)

// doorkeeper stands in front of a target: it knows which instance asked for a stream last, and lets none in while it is shut.
type doorkeeper struct {
	http.Handler

	mu       sync.Mutex
	shut     bool
	refused  int
	instance string
	from     string
}

// ServeHTTP implements http.Handler.
func (d *doorkeeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == wire.EventsPath && strings.HasPrefix(r.URL.Query().Get("instance"), "page-") {
		d.mu.Lock()
		if d.shut {
			d.refused++
			d.mu.Unlock()
			http.Error(w, "shut", http.StatusServiceUnavailable)
			return
		}
		d.instance, d.from = r.URL.Query().Get("instance"), r.URL.Query().Get("from")
		d.mu.Unlock()
	}
	d.Handler.ServeHTTP(w, r)
}

// set opens or shuts the door.
func (d *doorkeeper) set(shut bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = shut
}

// seen returns what it knows.
func (d *doorkeeper) seen() (instance, from string, refused int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.instance, d.from, d.refused
}

// TestVerifyPageRefused: a refusal ends an EventSource for good, so the page opens another one, and goes on where it was. A payload that
// would be markup is shown as the text that it is.
func TestVerifyPageRefused(t *testing.T) {
	if !*verify {
		t.Skip("starts a browser: make verify-page")
	}
	server, err := target.New(target.Options{Design: target.Sequenced})
	if err != nil {
		t.Fatal(err)
	}
	door := &doorkeeper{Handler: server}
	front := httptest.NewServer(door)
	defer front.Close()
	p := startChromium(t).open(front.URL + "/")
	p.until("a connection", isOpen)
	say := func(text string) {
		t.Helper()
		body := wire.AppendCommandJSON(nil, wire.Command{Channel: "room", Name: "message", Payload: text})
		response, err := http.Post(front.URL+wire.CommandPath, "application/json", strings.NewReader(string(body)))
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%v, %v", response, err)
		}
		response.Body.Close()
	}
	const hostile = `<img src=x onerror="document.title='owned'"></script><script>document.title='owned'</script>`
	for n := range 2 {
		say(fmt.Sprint("early ", n))
	}
	say(hostile)
	p.until("three events", fmt.Sprintf(eventCells+" === 3", 0))

	door.set(true)
	instance, _, _ := door.seen()
	bypass := httptest.NewServer(server)
	defer bypass.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	query := url.Values{"instance": {instance}, "channel": {"elsewhere"}}
	intruder, err := http.NewRequestWithContext(ctx, http.MethodGet, bypass.URL+wire.EventsPath+"?"+query.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultTransport.RoundTrip(intruder) // it takes the instance over, by which the stream of the page ends
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	p.until("the refusal", `document.getElementById("state").dataset.state === "closed"`)
	for n := range 3 {
		say(fmt.Sprint("late ", n))
	}
	door.set(false)
	p.until("all six events", isOpen+" && "+fmt.Sprintf(eventCells+" === 6", 0))
	var order []string
	p.eval(`[...document.querySelectorAll("#rows tr td:first-child .by")].map((by) => by.parentNode.querySelector(".what").textContent)`, &order)
	if got, want := strings.Join(order, ", "), "early 0, early 1, "+hostile+", late 0, late 1, late 2"; got != want {
		t.Errorf("the page shows %s, want %s", got, want)
	}
	var title string
	p.eval("document.title", &title)
	if title != "room · holobench target" {
		t.Errorf("a payload ran: the title is %q", title)
	}
	_, from, refused := door.seen()
	notes := p.column(0).Notes
	if from != "4" || refused == 0 || len(notes) != 1 || !strings.HasSuffix(notes[0], "the server is still the same, and it sends again what it still has") {
		t.Errorf("it came back from %q after %d refusals, with the notes %q", from, refused, notes)
	}
}
