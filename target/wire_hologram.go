package target

import (
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"holobench/wire/hologram"
)

// HologramPagePath is the page of the wire hologram: GET it with channel=A[&channel=B], and it is subscribed to these.
const HologramPagePath = "/hologram/room"

// hologramCookie holds the session of a client of the wire hologram.
const hologramCookie = "_holobench_key"

// hologramWire is the wire of Hologram v0.9 to v0.11. A client gets the page, which subscribes it, tells it its instance, and
// sets the session cookie; exchanges the page's receipts for a handshake id; and opens its stream with that. Its commands bear
// the cookie, the page's token against forgery, and the instance.
//
//	GET  /hologram/room?channel=A   200 the page; 400 bad channels
//	POST /hologram/sse/handshake    200 the id; 401 no session, 403 another session's instance, 400, 413, 415, 500 bad body
//	GET  /hologram/sse              200 the stream; 401 no session; 400 no such id (after Options.HandshakeWait), or another
//	                                client's; 503 too many streams
//	POST /hologram/command          200 action and self-echo; 403 bad token, or another session's instance; 500 unknown module
//	                                or name, or a body that is no command of it; 400, 413, 415 bad body, 503, 504
//	GET  /hologram/ping             200 pong; HEAD too
//
// The node keeps nothing of sessions, instances, receipts and handshakes: they are sealed into what the client holds, so that
// every node takes what another one gave, as Hologram's do, and no limit on their number is needed. Some things are therefore
// otherwise than there: a handshake id is no UUID and good for exactly Options.HandshakeTTL, and a node refuses the instance
// of another session also when it has not got its stream. A sub_receipts in a command is answered by 500, as these versions
// do. There is no in-app navigation, no WebSocket, and no change of subscriptions; a connection ends with its stream. Nothing
// is sent again on a stream, and its Last-Event-ID is not looked at.
type hologramWire struct{}

func (hologramWire) path() string { return "sse" }

func (hologramWire) fifo() string { return "per publisher" }

func (hologramWire) routes(s *Server) map[string]http.HandlerFunc {
	n := &hologramNode{Server: s, seals: newHologramSeals(s.options.Secret)}
	return map[string]http.HandlerFunc{
		HologramPagePath:       n.servePage,
		hologram.HandshakePath: n.serveHandshake,
		hologram.EventsPath:    n.serveStream,
		hologram.CommandPath:   n.serveCommand,
		hologram.PingPath:      servePing,
	}
}

// hologramNode is a server as the wire hologram sees it.
type hologramNode struct {
	*Server

	seals hologramSeals
	ids   atomic.Uint64 // of the events of all streams of this node
}

// servePage answers a GET of the page. A client without a session gets one; each page is an instance of its own.
func (n *hologramNode) servePage(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		refuseMethod(w, r, "GET, HEAD")
		return
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		refuse(http.StatusBadRequest, "reading the query: %v", err).write(w)
		return
	}
	channels, refused := n.parseChannels(query["channel"])
	if refused != nil {
		refused.write(w)
		return
	}
	session, ok := n.session(r)
	if !ok {
		session = n.seals.newSession()
		http.SetCookie(w, &http.Cookie{
			Name: hologramCookie, Value: n.seals.sessionToken(session), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
	}
	instance := n.seals.newInstance(session)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(hologramDocument(channels, hologram.Page{ // whoever asked has gone if this fails
		CSRFToken: n.seals.csrfToken(session), InstanceID: instance, Receipts: n.receipts(instance, channels),
	}))
}

// hologramDocument is the page as HTML.
func hologramDocument(channels []string, p hologram.Page) []byte {
	document := []byte("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>holobench</title>\n")
	document = hologram.AppendPage(document, p)
	document = append(document, "</head>\n<body>\n<p>This page subscribes a client of the wire hologram to "...)
	document = append(document, html.EscapeString(strings.Join(channels, ", "))...)
	return append(document, ".</p>\n</body>\n</html>\n"...)
}

// receipts are the server's word that an instance is subscribed to channels, as from now.
func (n *hologramNode) receipts(instance string, channels []string) []hologram.Receipt {
	now := time.Now()
	all := make([]hologram.Receipt, 0, len(channels))
	for _, name := range channels {
		all = append(all, hologram.Receipt{
			Channel: hologram.Tuple(hologram.Atom("room"), hologram.Text(name)),
			CID:     hologram.EventTarget,
			Token:   n.seals.receiptToken(instance, name, now),
		})
	}
	return all
}

// session returns the session whose cookie r bears.
func (n *hologramNode) session(r *http.Request) (hologramSession, bool) {
	cookie, err := r.Cookie(hologramCookie)
	if err != nil {
		return hologramSession{}, false
	}
	return n.seals.openSession(cookie.Value)
}

// serveHandshake answers a POST of the handshake path: it takes the receipts that are good, without a word on the others, and
// gives an id that stands for them.
func (n *hologramNode) serveHandshake(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		refuseMethod(w, r, http.MethodPost)
		return
	}
	session, ok := n.session(r)
	if !ok {
		refuse(http.StatusUnauthorized, "Unauthorized").write(w)
		return
	}
	h, refused := n.readHandshake(w, r)
	if refused == nil && !n.seals.owns(session, h.InstanceID) {
		refused = refuse(http.StatusForbidden, "Forbidden")
	}
	if refused != nil {
		refused.write(w)
		return
	}
	now := time.Now()
	var channels []string
	for _, token := range h.Receipts {
		if name, ok := n.seals.openReceipt(token, h.InstanceID, now.Add(-n.options.ReceiptAge)); ok && !slices.Contains(channels, name) {
			channels = append(channels, name)
		}
	}
	body := hologram.AppendHandshakeReply(nil, hologram.HandshakeReply{
		HandshakeID: n.seals.handshakeToken(session, h.InstanceID, channels, now),
		Receipts:    n.receipts(h.InstanceID, channels),
	})
	_ = n.writeReply(w, http.StatusOK, body) // whoever asked has gone if this fails
}

// readHandshake reads and checks the body of r.
func (n *hologramNode) readHandshake(w http.ResponseWriter, r *http.Request) (hologram.Handshake, *refusal) {
	body, refused := n.readTerm(w, r)
	if refused != nil {
		return hologram.Handshake{}, refused
	}
	h, err := hologram.ParseHandshake(body)
	switch {
	case err != nil:
		return hologram.Handshake{}, refuseTerm(body, err)
	case len(h.Receipts) > n.options.MaxChannels:
		return hologram.Handshake{}, refuse(http.StatusBadRequest, "there are %d receipts; at most %d are allowed",
			len(h.Receipts), n.options.MaxChannels)
	}
	return h, nil
}

// readTerm reads a body that is to hold a term.
func (n *hologramNode) readTerm(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	if !isJSON(r.Header.Get("Content-Type")) {
		return nil, refuse(http.StatusUnsupportedMediaType, "a term is application/json")
	}
	return n.readBody(w, r)
}

// refuseTerm words the refusal of a body as Hologram does: 400 for what is no JSON, and 500 for JSON that says nothing to it.
func refuseTerm(body []byte, err error) *refusal {
	if !json.Valid(body) {
		return refuse(http.StatusBadRequest, "%v", err)
	}
	return refuse(http.StatusInternalServerError, "%v", err)
}

// serveStream answers a GET of the path of streams.
func (n *hologramNode) serveStream(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		refuseMethod(w, r, http.MethodGet)
		return
	}
	sub, refused := n.redeem(r)
	if refused == nil {
		refused = n.openStream(w, r, sub, formatHologram, func(plain http1Writer) streamWriter {
			return &hologramWriter{http1Writer: plain, ids: &n.ids}
		})
	}
	if refused != nil {
		n.counters.Add(StreamsRefused, 1)
		refused.write(w)
	}
}

// redeem returns what the handshake of r stands for. Hologram waits for an id that it does not know, which may be on its way
// from another node; here it can only be wrong, but the client is kept waiting all the same.
func (n *hologramNode) redeem(r *http.Request) (subscription, *refusal) {
	session, ok := n.session(r)
	if !ok {
		return subscription{}, refuse(http.StatusUnauthorized, "Unauthorized")
	}
	if r.ContentLength != 0 {
		return subscription{}, refuse(http.StatusBadRequest, "a request for events has no body")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return subscription{}, refuse(http.StatusBadRequest, "reading the query: %v", err)
	}
	h, ok := n.seals.openHandshake(query.Get(hologram.HandshakeParam), time.Now().Add(-n.options.HandshakeTTL))
	switch {
	case !ok:
		wait(r.Context(), n.options.HandshakeWait)
		return subscription{}, refuse(http.StatusBadRequest, "Handshake redemption failed")
	case h.session != session || h.instance != query.Get(hologram.InstanceParam):
		return subscription{}, refuse(http.StatusBadRequest, "Handshake identity mismatch")
	}
	return subscription{instance: h.instance, channels: h.channels}, nil
}

// wait returns after d, or when ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// servePing says that the node is there; browsers ask for it to keep a connection warm.
func servePing(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		refuseMethod(w, r, "GET, HEAD")
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len("pong")))
	_, _ = w.Write([]byte("pong")) // whoever asked has gone if this fails
}
