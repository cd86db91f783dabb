package target

import (
	"net/http"

	"holobench/wire"
)

// serveState answers GET /state?channel=A with the document of a channel as this node has it: what a client compares its own
// replica with, or that of another client. Only the design state-sync has documents.
func (s *Server) serveState(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		refuseMethod(w, r, "GET, HEAD")
		return
	}
	names := r.URL.Query()["channel"]
	if len(names) != 1 {
		refuse(http.StatusBadRequest, "channel is given %d times; ask for one", len(names)).write(w)
		return
	}
	if refused := s.checkName("channel", names[0]); refused != nil {
		refused.write(w)
		return
	}
	if !s.document {
		refuse(http.StatusNotFound, "the design %s keeps no documents", s.options.Design).write(w)
		return
	}
	l := s.logs.acquire(names[0])
	if l == nil {
		refuse(http.StatusServiceUnavailable, "%v", errManyLogs).write(w)
		return
	}
	defer s.logs.release(l)
	l.order.Lock() // as who subscribes does: between the version and what stands in the document nothing happens
	snapshot := l.doc.snapshot(l.name, l.newest())
	l.order.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(append(wire.AppendSnapshotJSON(nil, snapshot), '\n')) // whoever asked has gone if this fails
}
