package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"holobench/clients"
	"holobench/history"
	"holobench/wire"
)

// A script is what a server answers to the requests for one stream, one after the other; every later one is answered by 204,
// which ends a stream for good. "{more}" stands for another address of the same stream.
//
// One server is missing here, since we want to differ: when a connection ends within the head of the answer Chromium takes what
// came for the whole head, finds no content type, and gives the stream up; to us it is a lost connection.
var scripts = map[string][]string{
	"a clean end":                {stream200 + "\r\nretry: 30\n\nid: 7\ndata: x\n\n"},
	"an end in mid-event":        {stream200 + "\r\nretry: 30\n\nid: 7\ndata: x\n\nid: 8\ndata: y\n"},
	"a cut in mid-chunk":         {stream200 + "Transfer-Encoding: chunked\r\n\r\n20\r\nretry: 30\n\nid: 7\ndata: x\n\nid: 8\n\r\nff\r\nda"},
	"an id without data":         {stream200 + "\r\nretry: 30\nid: 9\n\n"},
	"an id is taken back":        {stream200 + "\r\nretry: 30\nid: 9\ndata: x\n\nid\ndata: y\n\n"},
	"twice":                      {stream200 + "\r\nretry: 30\nid: 1\ndata: x\n\n", stream200 + "\r\nid: 2\ndata: x\n\n"},
	"an empty stream":            {stream200 + "\r\nretry: 30\n", stream200 + "\r\n"},
	"nothing at all":             {""},
	"204":                        {},
	"a content type with more":   {"HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\nConnection: close\r\n\r\nretry: 30\ndata: x\n\n"},
	"a wrong content type":       {"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nretry: 30\ndata: x\n\n", stream200 + "\r\ndata: no\n\n"},
	"no content type":            {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nretry: 30\ndata: x\n\n", stream200 + "\r\ndata: no\n\n"},
	"201":                        {"HTTP/1.1 201 Created\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: x\n\n", stream200 + "\r\ndata: no\n\n"},
	"404":                        {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", stream200 + "\r\ndata: no\n\n"},
	"500":                        {"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", stream200 + "\r\ndata: no\n\n"},
	"503":                        {"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", stream200 + "\r\ndata: no\n\n"},
	"503 when it comes back":     {stream200 + "\r\nretry: 30\nid: 1\ndata: x\n\n", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", stream200 + "\r\ndata: no\n\n"},
	"301":                        {moved("301"), stream200 + "\r\nretry: 30\nid: 1\ndata: x\n\n"},
	"302":                        {moved("302"), stream200 + "\r\nretry: 30\nid: 1\ndata: x\n\n"},
	"303":                        {moved("303"), stream200 + "\r\nretry: 30\nid: 1\ndata: x\n\n"},
	"307":                        {moved("307"), stream200 + "\r\nretry: 30\nid: 1\ndata: x\n\n"},
	"308":                        {moved("308"), stream200 + "\r\nretry: 30\nid: 1\ndata: x\n\n"},
	"302, thrice":                {moved("302"), moved("302"), moved("302"), stream200 + "\r\nretry: 30\ndata: x\n\n"},
	"302 when it comes back":     {stream200 + "\r\nretry: 30\nid: 1\ndata: x\n\n", moved("302"), stream200 + "\r\nid: 2\ndata: x\n\n"},
	"a move to nowhere":          {"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", stream200 + "\r\ndata: no\n\n"},
	"a move to a wrong type":     {moved("302"), "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\ndata: x\n\n", stream200 + "\r\ndata: no\n\n"},
	"a move to 503":              {moved("302"), "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", stream200 + "\r\ndata: no\n\n"},
	"103 before the answer":      {"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + stream200 + "\r\nretry: 30\ndata: x\n\n"},
	"a length that is too short": {"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 25\r\nConnection: close\r\n\r\nretry: 30\nid: 3\ndata: x\n\ndata: never\n\n"},
	"a length that is too long":  {"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 900\r\nConnection: close\r\n\r\nretry: 30\nid: 3\ndata: x\n\n"},
}

const stream200 = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n"

// moved is a redirect.
func moved(status string) string {
	return "HTTP/1.1 " + status + " Moved\r\nLocation: {more}\r\nContent-Length: 0\r\n\r\n"
}

// asked is one request as the server saw it.
type asked struct {
	Path        string
	LastEventID string
}

// scripted answers by the scripts: a channel of the request names one, an instance names who reads.
type scripted struct {
	mu  sync.Mutex
	log map[[2]string][]asked
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	script, ok := scripts[query.Get("channel")]
	if !ok {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html><title>scripts</title>")
		return
	}
	key := [2]string{query.Get("instance"), query.Get("channel")}
	s.mu.Lock()
	turn := len(s.log[key])
	s.log[key] = append(s.log[key], asked{r.URL.Path, r.Header.Get("Last-Event-ID")})
	s.mu.Unlock()
	if turn >= len(script) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	fmt.Fprint(conn, strings.ReplaceAll(script[turn], "{more}", fmt.Sprintf("/more%d?%s", turn, r.URL.RawQuery)))
	conn.Close()
}

// listenOn is the script of a page that holds one stream until it is over for good, and says how many events came.
const listenOn = `(url) => new Promise((done) => {
	let events = 0;
	const source = new EventSource(url);
	source.onmessage = () => { events++; };
	source.onerror = () => { if (source.readyState === EventSource.CLOSED) done(events); };
})`

// TestVerifyReconnect is part of make verify-eventsource: when a stream is opened again, where, with which id, and when it is
// given up, as Chromium's EventSource and as our client does it.
func TestVerifyReconnect(t *testing.T) {
	if !*verify {
		t.Skip("starts a browser: make verify-eventsource")
	}
	handler := &scripted{log: make(map[[2]string][]asked)}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	browser := startChromium(t)
	page := browser.open(server.URL + "/")
	page.until("the page", `document.readyState === "complete"`)
	for name := range scripts {
		url := fmt.Sprintf("%s?instance=chromium&channel=%s", wire.EventsPath, strings.ReplaceAll(name, " ", "%20"))
		var want int
		page.eval(fmt.Sprintf("(%s)(%q)", listenOn, url), &want)
		got := holdScripted(t, server.Listener.Addr().String(), name)
		theirs, ours := handler.log[[2]string{"chromium", name}], handler.log[[2]string{"ours", name}]
		if got != want || !slices.Equal(theirs, ours) {
			t.Errorf("%s:\nChromium saw %d events and asked %q\nwe saw %d and asked %q", name, want, theirs, got, ours)
		}
	}
	t.Logf("%d servers that end, move or refuse a stream: the same requests, Last-Event-IDs and numbers of events as Chromium's", len(scripts))
}

// holdScripted holds a stream with our client until it is over for good.
func holdScripted(t *testing.T, addr, channel string) (events int) {
	t.Helper()
	var mu sync.Mutex
	crowd := &clients.Crowd{
		Addr: addr, Names: new(history.Names), Epoch: time.Now().UnixNano(), Dial: (&net.Dialer{}).DialContext,
		Observe: func(batch []history.Observation) {
			mu.Lock()
			defer mu.Unlock()
			for _, o := range batch {
				if o.Kind == history.Delivered || o.Kind == history.Alien {
					events++
				}
			}
		},
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := crowd.NewClient(clients.ClientOptions{Instance: "ours", Channels: []string{channel}}).HoldStream(ctx, nil)
	if err == nil {
		t.Errorf("%s: the stream was not given up within %v", channel, patience)
	}
	mu.Lock()
	defer mu.Unlock()
	return events
}
