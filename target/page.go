package target

import (
	"embed"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// pageFiles are what the page consists of, as the browser gets it: nothing is built.
//
//go:embed page.html page.css page.js page_order.js
var pageFiles embed.FS

// pagePolicy lets the page load its own files and talk to its own server, and nothing else: also a payload that found its way
// into it as markup could neither run nor tell anybody. The empty icon is a data: address.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// pageRoutes are the page that a person opens in two tabs, to send and to see in which order each tab saw the events. It
// speaks the plain JSON wire as any client does, so it is there in every design.
func (s *Server) pageRoutes() map[string]http.HandlerFunc {
	routes := map[string]http.HandlerFunc{"/page.json": s.servePageFacts}
	for name, kind := range map[string]string{
		"page.html": "text/html", "page.css": "text/css", "page.js": "text/javascript", "page_order.js": "text/javascript",
	} {
		address := "/" + name
		if name == "page.html" {
			address = "/"
		}
		routes[address] = func(w http.ResponseWriter, r *http.Request) { servePageFile(w, r, name, kind) }
	}
	return routes
}

// servePageFile sends one file of the page.
func servePageFile(w http.ResponseWriter, r *http.Request, name, kind string) {
	body, err := pageFiles.ReadFile(name)
	if err != nil {
		refuse(http.StatusNotFound, "this build has no page").write(w)
		return
	}
	servePage(w, r, kind+"; charset=utf-8", body)
}

// servePageFacts says what the page shows of this server, and by what it finds out that there was a restart.
func (s *Server) servePageFacts(w http.ResponseWriter, r *http.Request) {
	o := s.options
	o.Wire = JSON // which the page speaks, whatever else is spoken here
	body, err := json.Marshal(struct {
		Design   Design            `json:"design"`
		Node     int               `json:"node"`
		Started  string            `json:"started"` // another one means another process
		Echo     Echo              `json:"echo"`
		IDs      bool              `json:"ids"`      // a stream can go on where it was
		Keyed    bool              `json:"keyed"`    // events are values of a key
		Document bool              `json:"document"` // ... and the latest of them make a document
		Promises map[string]string `json:"promises"`
	}{
		s.options.Design, s.options.Node, s.started.UTC().Format(time.RFC3339Nano), s.knobs.Echo, s.ids, s.keyed, s.document, o.Promises(),
	})
	if err != nil {
		refuse(http.StatusInternalServerError, "%v", err).write(w)
		return
	}
	servePage(w, r, "application/json", append(body, '\n'))
}

// servePage sends body with what a browser must know to trust it.
func servePage(w http.ResponseWriter, r *http.Request, kind string, body []byte) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		refuseMethod(w, r, "GET, HEAD")
		return
	}
	head := w.Header()
	head.Set("Content-Type", kind)
	head.Set("Content-Length", strconv.Itoa(len(body)))
	head.Set("Cache-Control", "no-store") // the next server on this address may be another version
	head.Set("Content-Security-Policy", pagePolicy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	_, _ = w.Write(body) // whoever asked has gone if this fails
}
