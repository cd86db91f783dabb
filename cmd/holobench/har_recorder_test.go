package main

import (
	"cmp"
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// recorder writes down what one tab of a real browser sends and gets, as the developer tools of Chrome save it with sensitive
// data: the browser tells the same to both.
type recorder struct {
	t   *testing.T
	ctx context.Context // of the tab

	mu      sync.Mutex
	entries map[network.RequestID]*recorded
	order   []*recorded
}

// recorded is one entry of the recording that is being made.
type recorded struct {
	id       network.RequestID
	kind     network.ResourceType
	began    cdp.TimeSinceEpoch // on the wall
	from     cdp.MonotonicTime  // on the clock of the browser
	to       cdp.MonotonicTime  // 0 = it has not ended
	request  *network.Request
	sent     network.Headers // those that really went, with cookies
	response *network.Response
	got      network.Headers
	status   int64
	body     string
	events   []map[string]any
	frames   []map[string]any
}

// record opens a tab with all its requests written down.
func record(t *testing.T) *recorder {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.NoSandbox, chromedp.WSURLReadTimeout(patience))
	allocated, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocated)
	t.Cleanup(cancel)
	r := &recorder{t: t, ctx: ctx, entries: make(map[network.RequestID]*recorded)}
	if err := chromedp.Listen(ctx, r.take); err != nil {
		t.Fatalf("start a browser: %v", err)
	}
	r.do(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, network.Enable, network.EnableParams{})
		return err
	})
	return r
}

// do runs an action in the tab.
func (r *recorder) do(action func(context.Context, *chromedp.Target) error) {
	r.t.Helper()
	if _, err := chromedp.Run(r.ctx, chromedp.Func(action)); err != nil {
		r.t.Fatal(err)
	}
}

// entry is what is known of a request; the two kinds of messages on one come in any order.
func (r *recorder) entry(id network.RequestID) *recorded {
	e := r.entries[id]
	if e == nil {
		e = &recorded{id: id}
		r.entries[id] = e
		r.order = append(r.order, e)
	}
	return e
}

// take takes up what the browser says of its requests.
func (r *recorder) take(message any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch m := message.(type) {
	case *network.EventRequestWillBeSent:
		e := r.entry(m.RequestID)
		if m.RedirectResponse != nil { // the same id goes on with the next address
			before := *e
			before.response, before.status, before.to = m.RedirectResponse, m.RedirectResponse.Status, m.Timestamp
			before.id = ""
			r.order = append(r.order, &before)
			*e = recorded{id: m.RequestID}
		}
		e.request, e.kind, e.began, e.from = m.Request, m.Type, m.WallTime, m.Timestamp
	case *network.EventRequestWillBeSentExtraInfo:
		r.entry(m.RequestID).sent = m.Headers
	case *network.EventResponseReceived:
		e := r.entry(m.RequestID)
		e.response, e.status = m.Response, m.Response.Status
	case *network.EventResponseReceivedExtraInfo:
		r.entry(m.RequestID).got = m.Headers
	case *network.EventLoadingFinished:
		r.entry(m.RequestID).to = m.Timestamp
	case *network.EventEventSourceMessageReceived:
		e := r.entry(m.RequestID)
		e.events = append(e.events, map[string]any{"time": e.seconds(m.Timestamp), "eventName": m.EventName, "eventId": m.EventID, "data": m.Data})
	case *network.EventWebSocketCreated:
		e := r.entry(m.RequestID)
		e.request, e.kind, e.began = &network.Request{Method: "GET", URL: m.URL}, network.ResourceTypeWebSocket, cdp.TimeSinceEpoch(float64(time.Now().UnixMicro())/1e6)
	case *network.EventWebSocketHandshakeResponseReceived:
		e := r.entry(m.RequestID)
		e.status, e.got = m.Response.Status, m.Response.Headers
	case *network.EventWebSocketFrameSent:
		e := r.entry(m.RequestID)
		e.frames = append(e.frames, map[string]any{"type": "send", "opcode": m.Response.Opcode, "data": string(m.Response.PayloadData)})
	case *network.EventWebSocketFrameReceived:
		e := r.entry(m.RequestID)
		e.frames = append(e.frames, map[string]any{"type": "receive", "opcode": m.Response.Opcode, "data": string(m.Response.PayloadData)})
	}
}

// seconds is a time of the browser's clock on the wall.
func (e *recorded) seconds(at cdp.MonotonicTime) float64 {
	return e.began.Float64() + at.Float64() - e.from.Float64()
}

// open loads a page.
func (r *recorder) open(url string) {
	r.t.Helper()
	if _, err := chromedp.Run(r.ctx, chromedp.Navigate(url)); err != nil {
		r.t.Fatalf("open the page: %v", err)
	}
}

// eval evaluates an expression, and waits for its promise.
func (r *recorder) eval(expression string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.ctx, patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](expression, chromedp.EvalAwaitPromise)); err != nil {
		r.t.Fatalf("%s: %v", expression, err)
	}
}

// until waits until a condition holds in the page.
func (r *recorder) until(condition string) {
	r.t.Helper()
	poll := chromedp.Poll[chromedp.Void](condition, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(patience))
	if _, err := chromedp.Run(r.ctx, poll); err != nil {
		r.t.Fatalf("waited in vain for %s: %v", condition, err)
	}
}

// save writes the recording. What is of this machine in it is replaced: pairs are old, new, old, new.
func (r *recorder) save(path string, pairs ...string) {
	r.t.Helper()
	r.fetchBodies()
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.SortStableFunc(r.order, func(a, b *recorded) int { return cmp.Compare(a.began, b.began) })
	entries := []any{}
	for _, e := range r.order {
		if e.request != nil && !strings.HasPrefix(e.request.URL, "chrome") {
			entries = append(entries, e.har())
		}
	}
	text, err := json.MarshalIndent(map[string]any{"log": map[string]any{
		"version": "1.2", "creator": map[string]string{"name": "WebInspector", "version": "537.36"}, "entries": entries,
	}}, "", " ")
	if err == nil {
		err = os.WriteFile(path, []byte(strings.NewReplacer(pairs...).Replace(string(text))+"\n"), 0o600)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// fetchBodies asks the browser for the bodies that it still has. Of a stream that is open it has none, as its own export.
func (r *recorder) fetchBodies() {
	r.mu.Lock()
	all := slices.Clone(r.order)
	r.mu.Unlock()
	for _, e := range all {
		if e.id == "" || e.to == 0 || e.kind == network.ResourceTypeScript || e.kind == network.ResourceTypeStylesheet {
			continue // long, and of no use here
		}
		r.do(func(ctx context.Context, tab *chromedp.Target) error {
			got, err := cdp.Call(ctx, tab, network.GetResponseBody, network.GetResponseBodyParams{RequestID: e.id})
			if err == nil { // else it is gone, and stays empty
				e.body = string(got.Body)
			}
			return nil
		})
	}
}

func (e *recorded) har() map[string]any {
	request := map[string]any{"method": e.request.Method, "url": e.request.URL, "httpVersion": "http/1.1", "headers": headers(e.request.Headers, e.sent), "cookies": []any{}}
	var body strings.Builder
	for _, part := range e.request.PostDataEntries {
		body.Write(part.Bytes)
	}
	if body.Len() > 0 {
		kind := ""
		for name, value := range e.request.Headers {
			if strings.EqualFold(name, "Content-Type") {
				kind, _ = value.(string)
			}
		}
		request["postData"] = map[string]any{"mimeType": kind, "text": body.String()}
	}
	content := map[string]any{"size": len(e.body), "mimeType": ""}
	response := map[string]any{"status": e.status, "headers": []any{}, "cookies": []any{}, "content": content}
	if e.response != nil {
		response["headers"], content["mimeType"] = headers(e.response.Headers, e.got), e.response.MimeType
	}
	if e.body != "" {
		content["text"] = e.body
	}
	entry := map[string]any{
		"_resourceType": strings.ToLower(string(e.kind)), "startedDateTime": time.UnixMicro(int64(e.began.Float64() * 1e6)).UTC().Format("2006-01-02T15:04:05.000Z"),
		"time": 0.0, "request": request, "response": response,
	}
	if e.to > 0 {
		entry["time"] = (e.to - e.from).Float64() * 1000
	}
	if len(e.events) > 0 {
		entry["_eventSourceMessages"] = e.events
	}
	if len(e.frames) > 0 {
		entry["_webSocketMessages"] = e.frames
	}
	return entry
}

// headers lists header fields by name: those that really went, where the browser said which.
func headers(planned, real network.Headers) []map[string]string {
	if len(real) > 0 {
		planned = real
	}
	all := []map[string]string{}
	for name, value := range planned {
		if text, ok := value.(string); ok {
			all = append(all, map[string]string{"name": name, "value": text})
		}
	}
	slices.SortFunc(all, func(a, b map[string]string) int { return cmp.Compare(a["name"], b["name"]) })
	return all
}
