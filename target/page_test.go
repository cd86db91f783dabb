package target_test

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"holobench/target"
)

// fetch asks a world for a path.
func (w *world) fetch(method, path string) (response *http.Response, body string) {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), method, "http://"+w.addr+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	response, err = w.client.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return response, string(read)
}

// TestPageFiles: what the page consists of is there, of the right type and under a policy that lets nothing else in.
func TestPageFiles(t *testing.T) {
	t.Parallel()
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{}, nil)
		for path, kind := range map[string]string{
			"/":              "text/html; charset=utf-8",
			"/?channel=a%00": "text/html; charset=utf-8",
			"/page.css":      "text/css; charset=utf-8",
			"/page.js":       "text/javascript; charset=utf-8",
			"/page_order.js": "text/javascript; charset=utf-8",
			"/page.json":     "application/json",
		} {
			response, body := w.fetch(http.MethodGet, path)
			head := response.Header
			if response.StatusCode != http.StatusOK || head.Get("Content-Type") != kind || body == "" {
				t.Errorf("GET %s: %s, %q, %d bytes; want %s", path, response.Status, head.Get("Content-Type"), len(body), kind)
			}
			if head.Get("Content-Security-Policy") != policy || head.Get("X-Content-Type-Options") != "nosniff" ||
				head.Get("Cache-Control") != "no-store" || head.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("GET %s: the head is %v", path, head)
			}
			if response, body := w.fetch(http.MethodHead, path); response.StatusCode != http.StatusOK || body != "" {
				t.Errorf("HEAD %s: %s, %q", path, response.Status, body)
			}
			if response, _ := w.fetch(http.MethodPost, path); response.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("POST %s: %s", path, response.Status)
			}
		}
		if response, _ := w.fetch(http.MethodGet, "/page.go"); response.StatusCode != http.StatusNotFound {
			t.Errorf("GET /page.go: %s", response.Status)
		}
		w.shutdown()
	})
}

// TestPageKeepsToItself: no script in the markup, no address of another host, and no way to write foreign text as markup.
func TestPageKeepsToItself(t *testing.T) {
	t.Parallel()
	banned := regexp.MustCompile(`(?i)https?:|//[a-z0-9-]+\.|<script>|\son[a-z]+\s*=\s*"|\sstyle\s*=|<style|javascript:|` +
		`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|@import|url\(`)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{}, nil)
		for _, path := range []string{"/", "/page.css", "/page.js", "/page_order.js"} {
			if _, body := w.fetch(http.MethodGet, path); banned.MatchString(body) {
				t.Errorf("%s holds %q", path, banned.FindString(body))
			}
		}
		w.shutdown()
	})
}

// TestPageFacts: what the page is told of each design, and that a new process can be told from the old one.
func TestPageFacts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		design               target.Design
		ids, keyed, document bool
		echo                 target.Echo
	}{
		{target.Hologram, false, false, false, target.EchoReply},
		{target.SingleChannel, true, false, false, target.EchoStream},
		{target.LongPoll, false, false, false, target.EchoStream},
		{target.Channels, false, false, false, target.EchoStream},
		{target.Sequenced, true, false, false, target.EchoStream},
		{target.StateSync, true, true, true, target.EchoStream},
		{target.Ephemeral, false, true, false, target.EchoNone},
	} {
		t.Run(string(test.design), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, target.Options{Design: test.design, Node: 3}, nil)
				_, body := w.fetch(http.MethodGet, "/page.json")
				var facts struct {
					Design               target.Design
					Node                 int
					Started              string
					Echo                 target.Echo
					IDs, Keyed, Document bool
					Promises             map[string]string
				}
				if err := json.Unmarshal([]byte(body), &facts); err != nil {
					t.Fatal(err)
				}
				if facts.Design != test.design || facts.Node != 3 || facts.Echo != test.echo || facts.IDs != test.ids ||
					facts.Keyed != test.keyed || facts.Document != test.document || len(facts.Promises) == 0 {
					t.Errorf("the facts are %s, want %+v", body, test)
				}
				if test.echo == target.EchoStream && facts.Promises["self_echo"] != "sse" { // also where its own wire is another one
					t.Errorf("the page is promised %v", facts.Promises)
				}
				if !strings.HasPrefix(facts.Started, "2000-01-01T00:00:00") { // when the time of a bubble begins
					t.Errorf("started at %s", facts.Started)
				}
				w.shutdown()
			})
		})
	}
}
