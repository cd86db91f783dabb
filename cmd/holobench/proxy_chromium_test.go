package main

import "testing"

// browserSource is the EventSource of a real browser.
type browserSource struct {
	tab *tab
}

func (s *browserSource) subscribe() {
	s.tab.eval(`(() => {
		window.source?.close();
		const seen = window.seen = { data: [], at: [] };
		window.source = new EventSource("/events?instance=viewer&channel=lobby");
		window.source.onmessage = (event) => { seen.data.push(event.data); seen.at.push(performance.now()); };
	})()`, nil)
}

func (s *browserSource) state() (state int) {
	s.tab.eval(`window.source.readyState`, &state)
	return state
}

func (s *browserSource) seen() (data []string, at []float64) {
	var all struct {
		Data []string
		At   []float64
	}
	s.tab.eval(`({ Data: window.seen.data, At: window.seen.at })`, &all)
	return all.Data, all.At
}

// TestVerifyProxy looks at the streams through the proxy with a real browser.
func TestVerifyProxy(t *testing.T) {
	if !*verify {
		t.Skip("starts a browser: make verify-proxy")
	}
	p := startProxied(t, "single-channel")
	page := startChromium(t).open("http://" + p.addr + "/healthz")
	page.until("the page", `document.readyState === "complete" && location.pathname === "/healthz"`)
	showProxy(t, p, &browserSource{page})
}
