package scenarios

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// adapter resolves what a scenario, or a protocol file, says of a server of the user's own. Each of the two files has one,
// over a resolver of its own.
type adapter struct {
	*resolver
	scope
}

// ownServer resolves the keys of the section "server" that go with a url.
func (r *resolver) ownServer(s *Server) {
	form := &r.form.Server
	if !form.URL.given() {
		for _, key := range []*spot{&form.Protocol.spot, &form.Insecure.spot, &form.Login.spot, &form.Teardown.spot} {
			if key.given() {
				r.add(key.at, key.path+" is about a server of your own, and there is none", "say where it is: url: https://staging.example.org, or leave "+lastKey(key.path)+" out")
			}
		}
		return
	}
	if form.Bundled.given() {
		r.add(form.URL.at, form.URL.path+": the server is one of your own, and server.bundled asks for the one that holobench brings along", "leave one of them out")
	}
	s.URL = r.serverURL(&form.URL)
	s.Insecure = form.Insecure.or(false)
	if s.Insecure && s.URL.Scheme == "http" {
		r.add(form.Insecure.at, form.Insecure.path+": there is no certificate without TLS", "leave it out")
	}
	a := &adapter{resolver: r, scope: scope{names: r.dataWords()}}
	a.collect(&form.Login)
	a.collect(&form.Teardown)
	s.Login, s.Teardown = a.requests(&form.Login), a.requests(&form.Teardown)
	s.Protocol = a.protocol(&form.Protocol)
	if s.URL.Path != "" && s.Protocol.Wire != GenericWire {
		r.add(form.URL.at, form.URL.path+": the wire "+s.Protocol.Wire+" has paths of its own, from the root of the server", "leave the path out, or describe the server in a protocol file")
	}
}

// lastKey is the last of the keys of a path.
func lastKey(path string) string { return path[strings.LastIndex(path, ".")+1:] }

// serverURL reads where the server is. It never shows it: there may be a password in it.
func (r *resolver) serverURL(form *text) *url.URL {
	fallback := &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	if !form.usable() {
		return fallback
	}
	filled, _ := r.fillIn(form)
	u, err := url.Parse(filled)
	switch {
	case filled == "": // a variable that is not set is reported already
		return fallback
	case strings.Contains(filled, "@"):
		r.add(form.at, form.path+": there is a user or a password in the address", "send it with the requests: headers: {Authorization: \"Basic ${env.CREDENTIALS}\"}")
		return fallback
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "":
		r.add(form.at, form.path+": this is no address of a server", "write http://HOST:PORT or https://HOST, with a path when all others stand below it")
		return fallback
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	return u
}

// protocolNames are the protocols that are built in, by the wire that each is.
func protocolNames() map[string]string {
	return map[string]string{"json": JSONWire, "hologram": HologramWire, "phoenix-channels": ChannelsWire, "phoenix-longpoll": LongPollWire}
}

// protocol resolves server.protocol: a name, or the path of a file.
func (a *adapter) protocol(form *text) Protocol {
	names := []string{"json", "hologram", "phoenix-channels", "phoenix-longpoll"}
	if !form.usable() {
		return Protocol{Wire: JSONWire}
	}
	wire, ok := protocolNames()[form.v]
	switch {
	case ok:
		return Protocol{Wire: wire}
	case form.v == GenericWire:
		a.add(form.at, form.path+": the protocol generic is what a file says", "name the file: protocol: ./my-server.yaml; docs/protocols.md explains its keys")
	case strings.HasSuffix(form.v, ".yaml") || strings.HasSuffix(form.v, ".yml"):
		return a.protocolFile(form)
	default:
		a.add(form.at, form.path+": there is no protocol "+quote(form.v)+suggest(form.v, names), "write one of "+strings.Join(names, ", ")+", or the path of a file: ./my-server.yaml")
	}
	return Protocol{Wire: JSONWire}
}

// collect makes known what requests capture.
func (a *adapter) collect(steps *list[stepForm]) {
	for _, step := range steps.items {
		a.know(&step.Capture)
	}
}

// know makes the names of captures known.
func (a *adapter) know(capture *named[selectorForm]) {
	for _, e := range capture.list {
		a.checkKey(e.key, capture.path)
		if slices.Contains(reservedNames(), e.name) {
			a.add(e.key, capture.path+": the name "+quote(e.name)+" is one of holobench's own", "take another name")
		}
		if !slices.Contains(a.names, e.name) {
			a.names = append(a.names, e.name)
		}
	}
}

// reservedNames are what every template of a client knows.
func reservedNames() []string {
	return []string{"client", "group", "channel", "run", "env", "jwt", "with", "name", "payload", "marker", "seq", "last_id"}
}

// captures resolves what is kept of an answer or an event.
func (a *adapter) captures(form *named[selectorForm]) []Captured {
	var all []Captured
	for _, e := range form.list {
		all = append(all, Captured{Name: e.name, By: a.selector(&e.form, "whole")})
	}
	return all
}

// selector resolves how a part of a text is found; words stand for what needs no search.
func (a *adapter) selector(form *selectorForm, words ...string) Selector {
	s := Selector{JSON: form.JSON.or(""), Regex: form.Regex.or(""), Header: form.Header.or("")}
	switch {
	case form.word.usable() && !slices.Contains(words, form.word.v):
		a.add(form.word.at, form.word.path+": unknown word "+quote(form.word.v)+suggest(form.word.v, words), "write "+strings.Join(words, " or ")+", or how it is found: {json: PATH} or {regex: TEXT}")
	case form.usable() && !form.word.given() && s.whole():
		a.add(form.at, form.path+" says not how it is found", "write "+strings.Join(append([]string{"{json: PATH}", "{regex: TEXT}"}, words...), " or "))
	}
	compiled, err := s.Compile()
	if err != nil {
		a.addError(form.at, form.path, err)
	}
	return compiled
}

// checkRegex takes a regular expression.
func checkRegex(text string) error {
	if _, err := regexp.Compile(text); err != nil {
		return problem(quote(text)+" is no regular expression: "+strings.TrimPrefix(err.Error(), "error parsing regexp: "), "see https://pkg.go.dev/regexp/syntax; in YAML single quotes leave a backslash alone")
	}
	return nil
}

// whole says whether a selector picks all of a text.
func (s *Selector) whole() bool { return s.JSON == "" && s.Regex == "" && s.Header == "" }
