package scenarios

import (
	"slices"
	"strconv"
	"strings"
)

// requests resolves a list of requests.
func (a *adapter) requests(form *list[stepForm]) []Request {
	var all []Request
	for _, step := range form.items {
		all = append(all, a.request(step, "2xx"))
	}
	if len(all) > maxRequests {
		a.add(form.at, form.path+": there are "+strconv.Itoa(len(all))+" requests, the limit is "+strconv.Itoa(maxRequests), "")
	}
	return all
}

// request resolves one request; unset is the status that is taken when it says nothing.
func (a *adapter) request(form *stepForm, unset string) Request {
	q := Request{Statuses: []string{unset}, Stay: a.oneOf(&form.Redirects, "follow", []string{"follow", "none"}) == "none"}
	if form.at != nil {
		q.Place = Place{Line: form.at.line, Path: form.path}
	}
	at := a.method(form, &q)
	if at != nil && at.usable() {
		q.URL = a.template(at)
		if !strings.HasPrefix(at.v, "/") && !strings.HasPrefix(at.v, "http://") && !strings.HasPrefix(at.v, "https://") && !strings.HasPrefix(at.v, "${") {
			a.add(at.at, at.path+": "+quote(at.v)+" is neither a path nor an address", "begin it with /, or with https://")
		}
	}
	q.Headers = a.fields(&form.Headers, true)
	a.body(form, &q)
	q.Captures = a.captures(&form.Capture)
	if form.Status.given() {
		q.Statuses = nil
		for _, status := range form.Status.items {
			a.check(status, checkStatus)
			q.Statuses = append(q.Statuses, status.v)
		}
	}
	return q
}

// method finds out which request it is, and returns where it goes; nil after a fault.
func (a *adapter) method(form *stepForm, q *Request) *text {
	var at *text
	for _, m := range []struct {
		name string
		url  *text
	}{{"GET", &form.Get}, {"POST", &form.Post}, {"PUT", &form.Put}, {"PATCH", &form.Patch}, {"DELETE", &form.Delete}} {
		switch {
		case !m.url.given():
		case at != nil:
			a.add(m.url.at, form.path+": one request has one method, and "+strings.ToLower(q.Method)+" and "+strings.ToLower(m.name)+" are here", "make two of it")
		default:
			q.Method, at = m.name, m.url
		}
	}
	if at == nil && form.given() && !form.broken {
		a.add(form.at, form.path+" says not what is asked for", "write get: /path or post: /path; also put, patch and delete")
	}
	return at
}

// body resolves what the request carries.
func (a *adapter) body(form *stepForm, q *Request) {
	kind, given := "", []*spot{}
	for _, s := range []*spot{&form.JSON.spot, &form.Form.spot, &form.Body.spot} {
		if s.given() {
			given = append(given, s)
		}
	}
	switch {
	case len(given) > 1:
		a.add(given[1].at, form.path+": a request has one body, and "+lastKey(given[0].path)+" and "+lastKey(given[1].path)+" are here", "leave one of them out")
	case len(given) == 1 && q.Method == "GET":
		a.add(given[0].at, form.path+": a GET has no body", "write post, or leave "+lastKey(given[0].path)+" out")
	}
	switch {
	case form.JSON.usable():
		kind, q.Body = "application/json", a.template(&form.JSON)
	case form.Form.given():
		kind, q.Form = "application/x-www-form-urlencoded", a.fields(&form.Form, false)
	case form.Body.usable():
		q.Body = a.template(&form.Body)
	}
	if kind != "" && !slices.ContainsFunc(q.Headers, func(f Field) bool { return strings.EqualFold(f.Name, "Content-Type") }) {
		q.Headers = append(q.Headers, Field{Name: "Content-Type", Value: a.literal(kind)})
	}
}

// fields resolves header fields, or those of a form.
func (a *adapter) fields(form *named[text], header bool) []Field {
	var all []Field
	for _, e := range form.list {
		if header {
			a.headerName(e)
		}
		if e.form.usable() {
			all = append(all, Field{Name: e.name, Value: a.template(&e.form)})
		}
	}
	return all
}

// headerName checks the name of a header field of a request.
func (a *adapter) headerName(e *namedEntry[text]) {
	switch {
	case e.name == "" || strings.Trim(e.name, headerNameCharacters) != "":
		a.add(e.key, quote(e.name)+" is no name of a header", "use letters, digits and - only")
	case slices.Contains([]string{"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "upgrade", "te", "trailer", "expect", "keep-alive"}, strings.ToLower(e.name)):
		a.add(e.key, e.form.path+": "+e.name+" is set by holobench itself", "leave it out")
	}
}

// checkStatus takes a status, or a class of them.
func checkStatus(s string) error {
	ok := len(s) == 3 && s[0] >= '1' && s[0] <= '5'
	if ok && s[1:] != "xx" {
		_, err := strconv.Atoi(s)
		ok = err == nil
	}
	if !ok {
		return problem(quote(s)+" is no HTTP status", "write one, or a class of them: 204, 2xx")
	}
	return nil
}
