package scenarios

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Server is what a run measures against: the bundled target, or one of the user's own.
type Server struct {
	Bundled  Bundled   // of no meaning when URL says another
	URL      *url.URL  // of a server of the user's own: http or https, a host, and the path before all others, without a slash at its end; nil = the bundled target
	Insecure bool      // whoever answers at URL is believed, whatever its certificate says
	Protocol Protocol  // of URL
	Login    []Request // that each client makes once, before anything else
	Teardown []Request // ... and at its very end, also after a failure
	Breaker  Breaker   // of a server at URL
	Headers  []Header  // sent with every request, in the order of the file

	filled func() []string // what the environment gave to templates, and secret columns; a function, so that no message prints it. nil = nothing
}

// Header is one header field of every request. Its value is a secret.
type Header struct {
	Name, Value string

	environment []string // the values of environment variables in Value
	clear       bool     // something of Value stands in the file itself
}

// String hides the value, so that no message shows it by accident.
func (h Header) String() string { return h.Name + ": ***" }

// GoString hides the value from %#v too.
func (h Header) GoString() string { return h.String() }

// secrets lists the values of all headers and what they are made of.
func (s *Server) secrets() []string {
	var all []string
	add := func(secret string) {
		if secret != "" && !slices.Contains(all, secret) {
			all = append(all, secret)
		}
	}
	if s.filled != nil {
		for _, value := range s.filled() {
			add(value)
		}
	}
	for _, h := range s.Headers {
		add(h.Value)
		if _, credentials, ok := strings.Cut(h.Value, " "); ok {
			add(strings.TrimSpace(credentials))
		}
		for _, value := range h.environment {
			add(value)
		}
	}
	return all
}

// server resolves the section of that name.
func (r *resolver) server() Server {
	form := &r.form.Server
	s := Server{Bundled: r.bundled()}
	r.ownServer(&s)
	s.Breaker = r.breaker(&s)
	total := 0
	for _, e := range form.Headers.list {
		h := r.header(e)
		total += len(h.Name) + len(h.Value)
		if slices.ContainsFunc(s.Headers, func(other Header) bool { return strings.EqualFold(other.Name, h.Name) }) {
			r.add(e.key, "server.headers: the header "+h.Name+" stands here twice", "a header's name is the same in capitals and small letters: keep one")
		}
		s.Headers = append(s.Headers, h)
	}
	if len(s.Headers) > maxHeaders || total > maxHeader {
		r.add(form.Headers.at, "server.headers: there are "+strconv.Itoa(len(s.Headers))+" headers with "+strconv.Itoa(total)+" bytes, the limit is "+
			strconv.Itoa(maxHeaders)+" with "+strconv.Itoa(maxHeader), "send fewer or shorter ones")
	}
	return s
}

// header resolves one header. No message about it shows its value.
func (r *resolver) header(e *namedEntry[text]) Header {
	h := Header{Name: e.name}
	if strings.Trim(h.Name, headerNameCharacters) != "" || h.Name == "" {
		r.add(e.key, "server.headers: "+quote(h.Name)+" is no name of a header", "use letters, digits and - only")
	}
	if slices.Contains(ownHeaders(), strings.ToLower(h.Name)) {
		r.add(e.key, "server.headers: "+h.Name+" is set by holobench itself", "leave it out")
	}
	if !e.form.usable() {
		return h
	}
	if strings.Contains(e.form.at.origin, "\n") {
		r.add(e.form.at, "server.headers."+h.Name+": the value stands on several lines", "write it on one line, in quotes: only so it can be hidden in reports")
		return h
	}
	h.Value, h.environment = r.fillIn(&e.form)
	h.clear = !environmentOnly(e.form.at.text)
	for _, c := range []byte(h.Value) {
		if c < ' ' && c != '\t' || c == 0x7f {
			r.add(e.form.at, "server.headers."+h.Name+": the value has a line break or another control character", "a header is one line; does a variable end in a newline?")
			break
		}
	}
	return h
}

const headerNameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!#$%&'*+^`|~"

// ownHeaders are those without which a command or a stream is not what the run says it is.
func ownHeaders() []string {
	return []string{
		"host", "content-length", "content-type", "transfer-encoding", "connection", "accept", "accept-encoding", "cache-control",
		"last-event-id", "upgrade", "te", "trailer", "expect", "keep-alive",
	}
}

var substitution = regexp.MustCompile(`\$\{[^}]*\}?`)

// fillIn replaces each ${env.NAME} by the value of that variable, and returns these values too. No message shows what else is in the text:
// it may be a secret.
func (r *resolver) fillIn(t *text) (filled string, values []string) {
	read, err := ParseTemplate(t.v)
	if err != nil {
		r.add(t.at, t.path+": a ${...} in it is not closed, or has a filter that there is not", "write ${env.NAME}, and $${ for the two characters themselves; the filters are "+strings.Join(filterNames(), ", "))
		return "", nil
	}
	for i := range read.parts {
		p := &read.parts[i]
		name, environment := strings.CutPrefix(p.name, "env.")
		value, ok := r.env(name)
		switch {
		case p.name == "":
			filled += p.literal
			continue
		case !environment:
			r.add(t.at, t.path+": nothing is filled in for "+quote("${"+p.name+"}"), "only environment variables are: ${env.NAME}")
			continue
		case value != "":
			values = append(values, value)
		case slices.ContainsFunc(p.filters, func(f filter) bool { return f.name == filterDefault }):
		case !ok:
			r.add(t.at, t.path+": the environment variable "+name+" is not set", "set it: export "+name+"=...")
		default:
			r.add(t.at, t.path+": the environment variable "+name+" is empty", "set it: export "+name+"=...")
		}
		made, _ := p.append(nil, func(dst []byte, _ string) ([]byte, bool) { return append(dst, value...), value != "" })
		filled += string(made)
	}
	return filled, values
}
