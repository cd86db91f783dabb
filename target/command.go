package target

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"holobench/wire"
)

// refusal is an answer that is an error; its text is for the one who sent the request.
type refusal struct {
	status int
	text   string
}

func refuse(status int, format string, values ...any) *refusal {
	return &refusal{status: status, text: fmt.Sprintf(format, values...)}
}

// write sends the refusal as plain text.
func (f *refusal) write(w http.ResponseWriter) {
	if f.status == http.StatusServiceUnavailable || f.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	http.Error(w, f.text, f.status)
}

// serveCommand answers a POST to the command path.
func (s *Server) serveCommand(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		refuseMethod(w, r, http.MethodPost)
		return
	}
	s.counters.Add(CommandsReceived, 1)
	cmd, refused := s.readCommand(w, r)
	if refused != nil {
		s.counters.Add(CommandsRejected, 1)
		refused.write(w)
		return
	}
	result, refused := s.publish(r.Context(), publication{
		event:  wire.Event{Channel: cmd.Channel, Name: cmd.Name, Payload: cmd.Payload},
		sender: cmd.Instance, key: cmd.Key, id: cmd.ID, base: cmd.Base,
	})
	if refused != nil {
		s.counters.Add(CommandsRejected, 1)
		refused.write(w)
		return
	}
	switch {
	case result.conflict != nil:
		s.counters.Add(CommandsRejected, 1)
		s.counters.Add(MutationsConflicted, 1)
	case result.duplicate:
		s.counters.Add(CommandsAccepted, 1)
		s.counters.Add(CommandsRepeated, 1)
	default:
		s.counters.Add(CommandsAccepted, 1)
	}
	s.writeAnswer(w, result, cmd)
}

func refuseMethod(w http.ResponseWriter, r *http.Request, allowed string) {
	w.Header().Set("Allow", allowed)
	refuse(http.StatusMethodNotAllowed, "%s takes %s only", r.URL.Path, allowed).write(w)
}

// readCommand reads and checks the body of r.
func (s *Server) readCommand(w http.ResponseWriter, r *http.Request) (wire.Command, *refusal) {
	if !isJSON(r.Header.Get("Content-Type")) {
		return wire.Command{}, refuse(http.StatusUnsupportedMediaType, "a command is JSON: send Content-Type: application/json")
	}
	body, refused := s.readBody(w, r)
	if refused != nil {
		return wire.Command{}, refused
	}
	cmd, err := wire.ParseCommand(body)
	if err != nil {
		return wire.Command{}, refuse(http.StatusBadRequest, "%v", err)
	}
	return cmd, s.checkCommand(cmd)
}

// readBody reads at most MaxBody bytes.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	limit := int64(s.options.MaxBody)
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close") // else net/http would read the rest of it before the next request
		return nil, refuse(http.StatusRequestEntityTooLarge, "a command has at most %d bytes", limit)
	}
	source := http.MaxBytesReader(w, r.Body, limit)
	var body []byte
	var err error
	if r.ContentLength >= 0 {
		body = make([]byte, r.ContentLength)
		_, err = io.ReadFull(source, body)
	} else {
		body, err = io.ReadAll(source)
	}
	var tooLarge *http.MaxBytesError
	var network net.Error
	switch {
	case err == nil:
		return body, nil
	case errors.As(err, &tooLarge):
		return nil, refuse(http.StatusRequestEntityTooLarge, "a command has at most %d bytes", limit)
	case errors.As(err, &network) && network.Timeout():
		return nil, refuse(http.StatusRequestTimeout, "the command did not arrive within %v", s.options.ReadTimeout)
	default:
		return nil, refuse(http.StatusBadRequest, "the body ended early or is malformed")
	}
}

// isJSON takes a missing type for JSON: curl and simple clients leave it out, and the parser judges the body anyway.
func isJSON(contentType string) bool {
	if contentType == "" {
		return true
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	return kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")
}

// checkCommand checks the names, of which only the channel must be there; the payload is opaque.
func (s *Server) checkCommand(cmd wire.Command) *refusal {
	for _, field := range []struct {
		what, name string
		needed     bool
	}{
		{"channel", cmd.Channel, true},
		{"instance", cmd.Instance, false},
		{"name", cmd.Name, false},
		{"key", cmd.Key, false},
		{"id", cmd.ID, false},
	} {
		if field.name == "" && !field.needed {
			continue
		}
		if refused := s.checkName(field.what, field.name); refused != nil {
			return refused
		}
	}
	if !s.document && (cmd.ID != "" || cmd.Base != nil) { // to take it and to ignore that would be a lie
		return refuse(http.StatusBadRequest, "the design %s has no versions: id and base mean nothing here", s.options.Design)
	}
	return nil
}

// checkName refuses what is empty, too long, or not printable text: names stand in logs and reports.
func (s *Server) checkName(what, name string) *refusal {
	switch {
	case name == "":
		return refuse(http.StatusBadRequest, "%s is missing", what)
	case len(name) > s.options.MaxName:
		return refuse(http.StatusBadRequest, "%s has %d bytes; at most %d are allowed", what, len(name), s.options.MaxName)
	case !utf8.ValidString(name):
		return refuse(http.StatusBadRequest, "%s %q is not UTF-8", what, name)
	case strings.ContainsFunc(name, unicode.IsControl):
		return refuse(http.StatusBadRequest, "%s %q holds a control character", what, name)
	}
	return nil
}

// writeAnswer sends the reply and counts what it delivered.
func (s *Server) writeAnswer(w http.ResponseWriter, result published, cmd wire.Command) {
	scratch := s.scratch.get()
	defer s.scratch.put(scratch)
	status, echoes := s.appendAnswer(scratch, result, cmd)
	if s.writeReply(w, status, *scratch) {
		s.counters.Add(DeliveriesWrittenReply, echoes)
	}
}

// writeReply sends a body of JSON, and says whether it got through. It flushes, so that "written" means what it says: handed
// to the connection, not to a buffer.
func (s *Server) writeReply(w http.ResponseWriter, status int, body []byte) bool {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if len(body) > 0 {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	_, err := w.Write(body)
	if err == nil {
		err = http.NewResponseController(w).Flush()
	}
	if err != nil {
		s.counters.Add(RepliesFailed, 1)
		return false
	}
	return true
}

// appendAnswer words the reply to cmd, as the design does it; echoes is how many events it brings its reader.
func (s *Server) appendAnswer(dst *[]byte, result published, cmd wire.Command) (status, echoes int) {
	var echo []wire.Event
	if result.echo {
		echo = []wire.Event{result.event}
	}
	receipt := wire.Receipt{Conflict: result.conflict, Echo: echo}
	status = http.StatusOK
	if result.conflict != nil {
		status = http.StatusConflict
	}
	kind := s.answer
	if kind == answerAccepted && s.knobs.Echo == EchoReply {
		kind = answerAction
	}
	switch kind {
	case answerAction:
		*dst = wire.AppendReplyJSON(*dst, wire.Reply{Action: wire.Action{Name: cmd.Name, Status: "ok"}, Echo: echo})
	case answerSequence:
		receipt.Seq = result.sequence
		*dst = wire.AppendReceiptJSON(*dst, receipt)
	case answerVersion:
		receipt.Version = result.sequence
		*dst = wire.AppendReceiptJSON(*dst, receipt)
	case answerAccepted:
		status = http.StatusAccepted
	}
	return status, len(echo)
}
